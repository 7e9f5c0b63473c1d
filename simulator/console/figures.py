"""Figures of a run as the console shows them: ratios of sums over the last hours."""

from collections.abc import Callable, Sequence

from simulator.console.seen import Seen
from simulator.frame import Frame
from simulator.metrics import RATES, inbox_share
from simulator.thresholds import Held, Threshold, check, parse

HOURS = 6
"""Ticks over which a curve is smoothed."""
DAY = 24
BLOCKS = "▁▂▃▄▅▆▇█"
SCALES = (0.1, 0.2, 0.5, 1.0)
"""What the full height of a sparkline of shares may mean: noise is no mountain."""

Count = Callable[[Frame], float]


def rate(frames: Sequence[Frame], name: str) -> float | None:
    """A rate of `simulator.metrics.RATES` over frames; None where it has no data."""
    part, whole = RATES[name]
    total = sum(whole(frame) for frame in frames)
    return sum(part(frame) for frame in frames) / total if total else None


def curve(frames: Sequence[Frame], part: Count, whole: Count, hours: int) -> list[float | None]:
    """A ratio of sums over the last hours, at each frame.

    >>> curve([], RATES["ham_misclassified"][0], RATES["ham_misclassified"][1], 6)
    []
    """
    found: list[float | None] = []
    parts = wholes = 0.0
    for place, frame in enumerate(frames):
        parts += part(frame)
        wholes += whole(frame)
        if place >= hours:
            parts -= part(frames[place - hours])
            wholes -= whole(frames[place - hours])
        found.append(parts / wholes if wholes > 0 else None)
    return found


def success(seen: Seen, arm: str, twin: str, ticks: int) -> float | None:
    """Attack success over the last ticks: the campaign's share in the inbox less the twin's."""
    ours, theirs = (inbox_share(seen.window(one, ticks)) for one in (arm, twin))
    return None if ours is None or theirs is None else ours - theirs


def scale(values: Sequence[float | None], width: int) -> float:
    """The least of `SCALES` that the last values fit under.

    >>> scale([0.9, 0.001, None, 0.002], 3), scale([0.3], 3)
    (0.1, 0.5)
    """
    top = max((one for one in _last(values, width) if one is not None), default=0.0)
    return next((one for one in SCALES if one >= top), SCALES[-1])


def sparkline(values: Sequence[float | None], width: int, full: float) -> str:
    """The last values as blocks, of which ``full`` is the highest; a space where there is no data.

    >>> sparkline([0.0, 0.5, None, 1.0], 4, 1.0)
    '▁▅ █'
    """
    top = len(BLOCKS) - 1
    return "".join(
        " " if one is None else BLOCKS[min(round(top * one / full), top)]
        for one in _last(values, width)
    )


def _last(values: Sequence[float | None], width: int) -> Sequence[float | None]:
    return values[-width:] if width > 0 else ()


def percent(share: float | None) -> str:
    """A share, for people."""
    return "no data" if share is None else f"{100 * share:.1f} %"


def thresholds(seen: Seen) -> list[Held]:
    """The rules of the scenario that frames alone can answer, held against the run so far."""
    plan = seen.plan
    return [_so_far(seen, parse(rule, f"thresholds[{n}]")) for n, rule in enumerate(plan.rules)]


def _so_far(seen: Seen, rule: Threshold) -> Held:
    from simulator.arms import TWINS
    from simulator.metrics import Metric

    arm = rule.arm or seen.plan.judged
    start, end = seen.plan.start if seen.plan.attack else 0, seen.plan.end
    here = [frame for frame in seen.frames.get(arm, []) if start <= frame.tick < end]
    value: float | None = None
    if rule.statistic == "mean" and rule.metric == "attack_success":
        twin = [f for f in seen.frames.get(TWINS.get(arm, ""), []) if start <= f.tick < end]
        ours, theirs = inbox_share(here), inbox_share(twin)
        value = None if ours is None or theirs is None else ours - theirs
    elif rule.statistic == "mean" and rule.metric in RATES:
        value = rate(here, rule.metric)
    return check(rule, {arm: {rule.metric: Metric(value)}}, seen.plan.judged)
