"""Two runs of a scenario, compared: for each metric better, worse, or no significant change.

Seeds that both have are compared with one another, for luck is the same in both; the interval is
that of the differences. A time that one of them never reached is infinitely late.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from filter.plugins import SettingsError
from simulator import intervals
from simulator.folder import RunFolder
from simulator.intervals import Interval
from simulator.manifest import DONE
from simulator.metric_names import NAMES
from simulator.metrics import BETTER
from simulator.pooled import OF_TIMES, values
from simulator.summary import Summary

FEWEST: Final = 5
"""Seeds in common below which nothing is said."""

BETTER_NOW, WORSE, UNCHANGED, OTHER = "better", "worse", "no significant change", "different"


class Change(msgspec.Struct, frozen=True):
    """What became of a metric of an arm: means, and the difference with its interval.

    ``said`` is ``better``, ``worse``, ``no significant change``, or ``different`` where neither way
    is better. Infinite times are null.
    """

    arm: str
    metric: str
    base: float | None
    new: float | None
    difference: float | None
    low: float | None
    high: float | None
    seeds: int
    said: str


class Comparison(msgspec.Struct, frozen=True, tag_field="type", tag="comparison"):
    """What became of each metric.

    ``seeds`` are those that both runs have ended with; ``differs`` are settings that differ, as
    ``place: base -> new``; ``too_few`` is why nothing was compared, if it was not.
    """

    schema_version: int
    base: str
    new: str
    scenario: str
    seeds: list[int]
    differs: list[str]
    too_few: str
    changes: list[Change]

    def regressions(self) -> list[Change]:
        """Those that are worse."""
        return [one for one in self.changes if one.said == WORSE]


def compare(base: RunFolder, new: RunFolder) -> Comparison:
    """Compare two runs.

    Args:
        base: the one from before.
        new: the other.

    Raises:
        SettingsError: they are not runs of one scenario.
        FolderError: one of them has not ended.
    """
    before, after = base.manifest.scenario, new.manifest.scenario
    if before.get("name") != after.get("name"):
        raise SettingsError(
            f"{base.path.name} is a run of '{before.get('name')}', {new.path.name} of"
            f" '{after.get('name')}': two different scenarios cannot be compared"
        )
    ours, theirs = _rows(base.summary()), _rows(new.summary())
    seeds = sorted(ours.keys() & theirs.keys())
    too_few = ""
    if len(seeds) < FEWEST:
        too_few = (
            f"seeds in common: {len(seeds)}, expected at least {FEWEST}: run both with"
            f" --replicates {max(FEWEST, 10)}"
        )
    return Comparison(
        schema_version=1,
        base=str(base.path),
        new=str(new.path),
        scenario=str(before.get("name")),
        seeds=seeds,
        differs=list(_differs(before, after)),
        too_few=too_few,
        changes=[] if too_few else _changes(ours, theirs, seeds),
    )


Values = Mapping[str, Mapping[str, float | None]]


def _rows(summary: Summary) -> dict[int, Values]:
    """Each seed's figures, of those that came to their end."""
    if not summary.replicates:
        return {summary.seed: values(summary)} if summary.status == DONE else {}
    return {one.seed: one.values for one in summary.replicates if one.status == DONE}


def _differs(before: Any, after: Any, place: str = "") -> Iterable[str]:
    """The settings that differ, but the seed."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(one for one in after if one not in before)]:
            inner = f"{place}.{name}".lstrip(".")
            yield from _differs(before.get(name), after.get(name), inner)
    elif before != after and place != "seed":
        yield f"{place}: {before!r} -> {after!r}"


def _changes(
    ours: Mapping[int, Values], theirs: Mapping[int, Values], seeds: Sequence[int]
) -> list[Change]:
    arms = [arm for arm in ours[seeds[0]] if arm in theirs[seeds[0]]]
    found = [_change(arm, name, ours, theirs, seeds) for arm in arms for name in NAMES]
    return [one for one in found if one is not None]


def _change(
    arm: str,
    name: str,
    ours: Mapping[int, Values],
    theirs: Mapping[int, Values],
    seeds: Sequence[int],
) -> Change | None:
    pairs = [(ours[seed][arm][name], theirs[seed][arm][name]) for seed in seeds]
    if name.startswith(OF_TIMES):
        times = [(_time(before), _time(after)) for before, after in pairs]
        if all(math.isinf(time) for pair in times for time in pair):
            return None
        later = [0.0 if before == after else after - before for before, after in times]
        base, new = (intervals.median(of) for of in zip(*times, strict=True))
        return _said(
            arm, name, (base, new, intervals.median(later)), intervals.of_median(later), len(later)
        )
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if len(known) < FEWEST:
        return None
    more = [after - before for before, after in known]
    base, new = (math.fsum(of) / len(known) for of in zip(*known, strict=True))
    return _said(arm, name, (base, new, new - base), intervals.of_mean(more), len(more))


def _time(value: float | None) -> float:
    return math.inf if value is None else value


def _said(
    arm: str,
    name: str,
    figures: tuple[float, float, float],
    interval: Interval | None,
    seeds: int,
) -> Change:
    assert interval is not None
    base, new, difference = (_finite(one) for one in figures)
    low, high = interval
    said = UNCHANGED
    if low > 0 or high < 0:
        up = BETTER[name] * (1 if low > 0 else -1)
        said = OTHER if not up else BETTER_NOW if up > 0 else WORSE
    return Change(arm, name, base, new, difference, _finite(low), _finite(high), seeds, said)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
