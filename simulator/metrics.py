"""Metrics: what a run says, from the truth and against a twin, as ratios of sums.

`docs/metrics.md` has each in a sentence and a formula. A metric that has no data is None: nothing
was measured, which no threshold takes for a zero.
"""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from simulator.arms import TWINS, Arm
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.metric_names import NAMES

DAY = 24
COMPROMISED, HOURS = 0.5, 6
RECOVERED = 0.05


class Metric(msgspec.Struct, frozen=True):
    """A metric of an arm.

    ``mean`` is the ratio of sums over the window; ``min``, ``max`` and ``p95`` are over its frames
    (with one replicate); ``ci_low`` and ``ci_high`` are over replicates, null for one. ``n`` is the
    number of replicates with a value.
    """

    mean: float | None
    min: float | None = None
    max: float | None = None
    p95: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    n: int = 1


Count = Callable[[Frame], float]

RATES: dict[str, tuple[Count, Count]] = {
    "ham_misclassified": (lambda f: f.ham_in_spam, lambda f: f.ham),
    "spam_misclassified": (lambda f: f.spam_in_inbox, lambda f: f.spam),
    "ham_unsure": (lambda f: f.ham_unsure, lambda f: f.ham),
    "spam_unsure": (lambda f: f.spam_unsure, lambda f: f.spam),
    "campaign_in_inbox": (lambda f: f.campaign_in_inbox, lambda f: f.campaign),
    "campaign_unsure": (lambda f: f.campaign_unsure, lambda f: f.campaign),
    "poison_share": (lambda f: f.lessons_bots, lambda f: f.lessons_bots + f.lessons_people),
}

UP, DOWN = 1, -1
BETTER: dict[str, int] = dict.fromkeys(NAMES, DOWN) | {
    "ticks_to_compromise": UP,
    "campaign_unsure": 0,
    "vote_value": 0,
    "honest_votes_lost_by_few": 0,
    "honest_mistakes_refused": UP,
}
"""Which way is better for whoever runs the filter; 0 where neither is, as for what the world is."""


def measure(prepared: Prepared, name: str) -> dict[str, Metric]:
    """All metrics of an arm, by `NAMES`.

    Args:
        prepared: a run, finished or not.
        name: the arm.
    """
    arm, arms = prepared.arms[name], prepared.arms
    twin, reference = arms.get(TWINS.get(name, "")), arms.get("reference")
    start, end = window(prepared)
    frames = inside(arm.frames, start, end)
    found = {rate: _over(frames, *RATES[rate]) for rate in RATES}
    found["attack_success"] = _success(arm, twin, start, end)
    last = end - max((end - start) // 4, 1)
    found["attack_success_end"] = _success(arm, twin, last, end)
    found["attack_success_ref"] = _success(arm, reference, start, end)
    found["honest_votes_lost"] = _single(arm.meter.lost(prepared.scenario.duration))
    for label, of in (("spam", True), ("not_spam", False)):
        lost = arm.meter.lost_of(of, prepared.scenario.duration)
        found[f"honest_votes_lost_{label}"] = _single(lost)
    end_of_run, meter = prepared.scenario.duration, arm.meter
    found["honest_votes_lost_by_few"] = _single(meter.lost_by_few(end_of_run))
    found["honest_mistakes_refused"] = _single(meter.mistakes_refused(end_of_run))
    found["correction_delay"] = _single(meter.delay(0.5, end_of_run))
    found["correction_delay_p95"] = _single(meter.delay(0.95, end_of_run))
    found["vote_value"] = _single(vote_value(prepared, name))
    found["one_minus_roca"] = _single(arm.meter.one_minus_roca())
    attacked = prepared.strike is not None and prepared.arms[name].plan.poisoned
    compromise = _compromise(arm, twin, start) if attacked else None
    found["ticks_to_compromise"] = _single(compromise)
    found["ticks_to_detect"] = _single(_detect(frames, start) if attacked else None)
    recover = _recover(arm, twin, end, compromise) if attacked else None
    found["ticks_to_recover"] = _single(recover)
    found["twin_alarms_a_day"] = _single(_alarms(twin, start, end))
    return {metric: found[metric] for metric in NAMES}


def window(prepared: Prepared) -> tuple[int, int]:
    """The ticks that are measured: the attack's, or the whole run without one."""
    strike, duration = prepared.strike, prepared.scenario.duration
    if strike is None:
        return 0, duration
    return min(strike.start, duration), min(strike.end, duration)


def inside(frames: Sequence[Frame], start: int, end: int) -> list[Frame]:
    """The frames from ``start`` to before ``end``."""
    return [frame for frame in frames if start <= frame.tick < end]


def _over(frames: Sequence[Frame], part: Count, whole: Count) -> Metric:
    """A ratio of sums, and its spread over the frames that have data."""
    total = sum(whole(frame) for frame in frames)
    if not total:
        return Metric(None, n=0)
    single = [part(frame) / whole(frame) for frame in frames if whole(frame)]
    return _spread(sum(part(frame) for frame in frames) / total, single)


def _spread(mean: float, single: Sequence[float]) -> Metric:
    p95 = float(np.sort(single)[min(int(0.95 * len(single)), len(single) - 1)])
    return Metric(mean, min(single), max(single), p95)


def _single(value: float | None) -> Metric:
    """What has one value a run has it in ``mean``."""
    return Metric(value, n=0 if value is None else 1)


def inbox_share(frames: Sequence[Frame]) -> float | None:
    """The share of the campaign's mail that reached the inbox."""
    mails = sum(frame.campaign for frame in frames)
    return sum(frame.campaign_in_inbox for frame in frames) / mails if mails else None


def success(arm: Arm, twin: Arm | None, start: int, end: int) -> float | None:
    """Attack success from ``start`` to before ``end``: inbox share less the twin's."""
    if twin is None:
        return None
    ours = inbox_share(inside(arm.frames, start, end))
    theirs = inbox_share(inside(twin.frames, start, end))
    return None if ours is None or theirs is None else ours - theirs


def _success(arm: Arm, twin: Arm | None, start: int, end: int) -> Metric:
    mean = success(arm, twin, start, end)
    if mean is None or twin is None:
        return Metric(None, n=0)
    there = {frame.tick: frame for frame in twin.frames}
    single = [
        frame.campaign_in_inbox / frame.campaign
        - there[frame.tick].campaign_in_inbox / there[frame.tick].campaign
        for frame in inside(arm.frames, start, end)
        if frame.campaign and frame.tick in there and there[frame.tick].campaign
    ]
    return _spread(mean, single)


def vote_value(prepared: Prepared, name: str) -> float | None:
    """What votes are worth: error without any (`reject_all`) less error with all (`reference`).

    Only of a run without an attack, where nobody's votes are poison.
    """
    arms = prepared.arms
    if (
        prepared.strike
        or not {"reject_all", "reference"} <= arms.keys()
        or name != next(iter(arms))
    ):
        return None
    start, end = window(prepared)
    without = error(inside(arms["reject_all"].frames, start, end))
    having = error(inside(arms["reference"].frames, start, end))
    return None if without is None or having is None else without - having


def error(frames: Sequence[Frame]) -> float | None:
    """Ham misclassified plus spam misclassified."""
    ham, spam = (_over(frames, *RATES[f"{label}_misclassified"]).mean for label in ("ham", "spam"))
    return None if ham is None or spam is None else ham + spam


def _compromise(arm: Arm, twin: Arm | None, start: int) -> float | None:
    """Ticks from the attack's start to the first one whose 6-hour attack success is 0.5."""
    for frame in arm.frames:
        now = frame.tick + 1
        if frame.tick >= start + HOURS - 1:
            value = success(arm, twin, now - HOURS, now)
            if value is not None and value >= COMPROMISED:
                return float(frame.tick - start)
    return None


def _detect(frames: Sequence[Frame], start: int) -> float | None:
    """Ticks to the first alarm: a response that names a bot, or a refusal by the gate."""
    refused = ("hold", "roll back")
    alarms = (f.tick - start for f in frames if f.alarms_true or f.release in refused)
    return next((float(tick) for tick in alarms), None)


def _recover(arm: Arm, twin: Arm | None, end: int, compromise: float | None) -> float | None:
    """Ticks after the attack to the first one whose 24-hour attack success is below 0.05."""
    if twin is None:
        return None
    if compromise is None:
        return 0.0
    for frame in arm.frames:
        now = frame.tick + 1
        if frame.tick >= end:
            value = success(arm, twin, now - DAY, now)
            if value is not None and value < RECOVERED:
                return float(frame.tick - end)
    return None


def _alarms(twin: Arm | None, start: int, end: int) -> float | None:
    if twin is None or end <= start:
        return None
    alarms = sum(frame.alarms for frame in inside(twin.frames, start, end))
    return alarms / ((end - start) / DAY)
