"""Releases on their way: what changed against the one that was promoted before."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter import codec
from filter.model import LogOdds
from filter.river_model import RiverRelease
from filter.stage import Release

Scorer = LogOdds | RiverRelease
LARGEST_TABLE = 1 << 24
"""Buckets of a table at most."""


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A release as the difference from the last one with a scorer; or a part of it.

    Args:
        release: the release without its scorer.
        again: whether the scorer before it goes on being served.
        size: buckets of the table; 0 where ``packed`` says it, or nothing is served anew.
        same: what every token adds, what every mail starts from, and 1 if divided by the root.
        buckets: those whose log odds are new.
        odds: their log odds.
        packed: a scorer that is no table, whole.
    """

    release: Release
    again: bool
    size: int
    same: tuple[float, float, int]
    buckets: NDArray[np.uint32]
    odds: NDArray[np.float64]
    packed: bytes

    def rows(self) -> int:
        """Into how many parts it can be cut."""
        return max(len(self.buckets), len(self.packed))

    def part(self, first: int, stop: int) -> "Change":
        """A part of it."""
        return msgspec.structs.replace(
            self,
            buckets=self.buckets[first:stop],
            odds=self.odds[first:stop],
            packed=self.packed[first:stop],
        )

    def joined(self, parts: Sequence["Change"]) -> "Change":
        """The whole of parts that stand in order."""
        return msgspec.structs.replace(
            self,
            buckets=np.concatenate([part.buckets for part in parts]),
            odds=np.concatenate([part.odds for part in parts]),
            packed=b"".join(part.packed for part in parts),
        )

    def check_whole(self) -> None:
        """Refuse a packed scorer that is none; a part of one cannot be told from it.

        Raises:
            CodecError: it is none.
        """
        if self.packed:
            codec.unpack(RiverRelease, self.packed)

    def check(self) -> None:
        """Refuse what no learner gives.

        Raises:
            ValueError: numbers that do not fit one another, or are none.
        """
        fits = 0 <= self.size <= LARGEST_TABLE and self.size & (self.size - 1) == 0
        if self.release.scorer is not None or not fits:
            raise ValueError("a scorer beside its changes, or a table of an odd size")
        if self.buckets.ndim != 1 or self.odds.shape != self.buckets.shape:
            raise ValueError("expected one number for each bucket")
        if len(self.buckets) and int(self.buckets.max()) >= self.size:
            raise ValueError(f"there are {self.size} buckets")
        limits = self.release.limits
        numbers = (*self.same, *((limits.inbox, limits.spam) if limits else ()))
        if not np.isfinite(self.odds).all() or not np.isfinite(numbers).all():
            raise ValueError("not every value is finite")
        if limits is None and (self.size or self.again or self.packed):
            raise ValueError("a scorer without limits")


def changes(releases: tuple[Release, ...], before: Scorer) -> tuple[Change, Scorer]:
    """What a tick's release changes, and what the next one is to be compared with.

    Args:
        releases: the tick's; there is one.
        before: the last scorer that was released.
    """
    (release,) = releases
    scorer = release.scorer
    none = np.empty(0, np.uint32)
    nothing = Change(
        msgspec.structs.replace(release, scorer=None),
        False,
        0,
        (0.0, 0.0, 0),
        none,
        np.empty(0),
        b"",
    )
    if scorer is None:
        return nothing, before
    if isinstance(scorer, RiverRelease):
        again = isinstance(before, RiverRelease) and scorer.digest == before.digest
        packed = b"" if again else codec.pack(scorer)
        return msgspec.structs.replace(nothing, again=again, packed=packed), scorer
    table = scorer.table
    old = _table(before, len(table))
    buckets = np.flatnonzero(old.view(np.uint64) != table.view(np.uint64)).astype(np.uint32)
    same = (scorer.per_token, scorer.prior, int(scorer.by_root))
    return Change(nothing.release, False, len(table), same, buckets, table[buckets], b""), scorer


def released(change: Change, before: Scorer) -> tuple[Release, ...]:
    """The release that a change makes of the scorer before it.

    Raises:
        CodecError: a packed scorer that is none.
    """
    found: Scorer
    if change.again:
        found = before
    elif change.packed:
        found = codec.unpack(RiverRelease, change.packed)
    elif change.size:
        table = _table(before, change.size).copy()
        table[change.buckets] = change.odds
        per_token, prior, by_root = change.same
        found = LogOdds(table, per_token, prior, bool(by_root))
    else:
        return (change.release,)
    return (msgspec.structs.replace(change.release, scorer=found),)


def _table(scorer: Scorer, size: int) -> NDArray[np.float64]:
    """The table to compare with: nothing but zeros where there is none of that size."""
    fits = not isinstance(scorer, RiverRelease) and len(scorer.table) == size
    return scorer.table if fits else np.zeros(size)
