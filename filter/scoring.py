"""Scoring: every mail gets a score, a folder and a delivery token."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from filter import codec, delivery
from filter.columns import Bits, Features, Folders, Ids, Mails, Verdicts
from filter.events import DECOY, INBOX, JUNK, UNSURE, Limits, ProbeCount, Response
from filter.hashing import combine, key
from filter.model import LogOdds
from filter.portable import sigmoid
from filter.probes import Probes
from filter.river_model import RiverRelease
from filter.stage import Provider, Release

NOBODY: tuple[ProbeCount, ...] = ()


class ScoringIn(NamedTuple):
    """A tick's mail, and the releases and responses that take effect."""

    mails: Mails
    releases: tuple[Release, ...]
    responses: tuple[Response, ...] = ()


class ScoringOut(NamedTuple):
    """A verdict and the features of every mail; who gets many near-duplicates."""

    verdicts: Verdicts
    features: Features
    probes: tuple[ProbeCount, ...]


class Scoring:
    """The stage `scoring`, split by recipient: it serves the last release that was promoted.

    Whom the responder names is shown decoys: a mail of which he had so many near-duplicates on
    that day that he seems to try it out appears in a folder drawn by lot. It is filed where it
    belongs all the same, and all his other mail appears where it is filed.

    Args:
        provider: its secret.
        start: the release that the filter starts with.
        probes: counts who tries the filter out; nothing if nobody heeds it.
    """

    def __init__(self, provider: Provider, start: Release, probes: Probes | None = None) -> None:
        """Serve the release that the filter starts with."""
        self._secret = provider.secret
        self._lots = key("decoys", provider.secret.hex())
        self._serving = start
        self._probes = probes
        self._decoys: dict[int, int] = {}
        """Who is shown decoys, and until when."""

    @property
    def serving(self) -> LogOdds | RiverRelease:
        """The scorer being served: the one that the next release is told apart from."""
        assert self._serving.scorer is not None
        return self._serving.scorer

    def step(self, tick: int, given: ScoringIn) -> ScoringOut:
        """Score a tick's mail with what has been promoted by now."""
        for release in given.releases:
            if release.scorer is not None:
                self._serving = release
        mails, serving = given.mails, self._serving
        assert serving.scorer is not None
        assert serving.limits is not None
        odds = serving.scorer.log_odds(mails.tokens)
        folder = folders(odds, serving.limits)
        token = delivery.sign(self._secret, mails.recipient, mails.mail, tick)
        shown, probes = folder, NOBODY
        if self._probes:
            probes, again = self._probes.look(tick, mails)
            shown = self._shown(tick, mails, folder, again, given.responses)
        return ScoringOut(
            Verdicts(mails.mail, mails.recipient, sigmoid(odds), folder, token, shown),
            Features(mails.mail, mails.recipient, mails.domain, folder, mails.tokens),
            probes,
        )

    def _shown(
        self, tick: int, mails: Mails, folder: Folders, again: Bits, told: Sequence[Response]
    ) -> Folders:
        """Where each mail is seen: by lot, for who is shown decoys, if it is one he tries out."""
        self._decoys |= {one.source: one.until for one in told if one.action == DECOY}
        self._decoys = {who: until for who, until in self._decoys.items() if until > tick}
        if not self._decoys:
            return folder
        suspects: Ids = np.array(sorted(self._decoys), np.uint64)
        lies = again & np.isin(mails.recipient, suspects)
        by_lot = np.where(combine(self._lots, mails.mail) >> np.uint64(63), INBOX, JUNK)
        return np.where(lies, by_lot, folder).astype(np.int8)

    def freeze(self) -> bytes:
        """The release being served; who is watched, and who is shown decoys."""
        probes = self._probes.freeze() if self._probes else b""
        return codec.pack((self._serving, probes, self._decoys))

    def thaw(self, frozen: bytes) -> None:
        """Serve a frozen release again."""
        kind = tuple[Release, bytes, dict[int, int]]
        self._serving, probes, decoys = codec.unpack(kind, frozen)
        if self._probes and probes:
            self._probes.thaw(probes)
        self._decoys = decoys if self._probes else {}


def folders(odds: np.typing.NDArray[np.float64], limits: Limits) -> Folders:
    """The folder of each mail: inbox, spam, or the abstaining class between the two limits."""
    folder = np.full(len(odds), UNSURE, np.int8)
    folder[odds < limits.inbox] = INBOX
    folder[odds >= limits.spam] = JUNK
    return folder
