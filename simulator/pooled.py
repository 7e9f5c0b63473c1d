"""Several summaries as one: a scenario's replicates, each another world with other luck.

A figure is the mean over the replicates that have it, with a bootstrap interval; ``min``, ``max``
and ``p95`` are over replicates too. Of times it is the median, and a time that was not reached
counts as infinite (`null`, where JSON has no such number).
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec
import numpy as np

from simulator import intervals
from simulator.arms import TWINS
from simulator.damage import Phase
from simulator.intervals import Interval
from simulator.manifest import DONE, ERROR, INTERRUPTED
from simulator.metric_names import NAMES
from simulator.metrics import BETTER, Metric
from simulator.scenario import Scenario
from simulator.summary import (
    RAN,
    SCHEMA_VERSION,
    ArmSummary,
    OfGenre,
    Planned,
    Replicate,
    Summary,
    rule,
)
from simulator.thresholds import Threshold, check
from simulator.verdict import aside

OF_TIMES = ("ticks_to_", "correction_delay")
"""What metrics of times begin with."""


def pooled(
    scenario: Scenario,
    replicates: Sequence[Replicate],
    summaries: Sequence[Summary],
    thresholds: Iterable[Threshold],
) -> Summary:
    """Sum replicates up.

    Args:
        scenario: of all of them.
        replicates: a row for each, also for those that did not come to their end.
        summaries: of those that did, in the order of their rows.
        thresholds: held against the pooled figures.
    """
    done = [one for one in replicates if one.status == DONE]
    arms = {
        name: ArmSummary(
            _digest(one.hashes[name] for one in done),
            _metrics(name, done),
            _genres([one.arms[name].genres for one in summaries]),
        )
        for name in (done[0].hashes if done else ())
    }
    metrics = {name: arm.metrics for name, arm in arms.items()}
    judged = next(iter(arms), "")
    status, told = _status(replicates), _phases(summaries)
    return Summary(
        schema_version=SCHEMA_VERSION,
        scenario=scenario.name,
        about=scenario.about,
        seed=scenario.seed,
        status=status,
        verdict=_verdict(scenario, replicates, metrics, status) + aside(told, judged),
        hash=arms[judged].hash if arms else "",
        metrics=metrics.get(judged, {}),
        arms=arms,
        thresholds=[rule(check(one, metrics, judged)) for one in thresholds],
        phases=told,
        attacks=_attacks(summaries),
        ticks=max((one.ticks for one in summaries), default=0),
        mails=sum(one.mails for one in summaries),
        replicates=list(replicates),
    )


def row(seed: int, folder: str, why: str, summary: Summary) -> Replicate:
    """A seed's row, once it has ended."""
    hashes = {name: arm.hash for name, arm in summary.arms.items()}
    return Replicate(seed, summary.status, why, folder, hashes, values(summary))


def values(summary: Summary) -> dict[str, dict[str, float | None]]:
    """A run's figures, for its row: by arm and metric."""
    return {
        name: {metric: of.mean for metric, of in arm.metrics.items()}
        for name, arm in summary.arms.items()
    }


def _digest(hashes: Iterable[str]) -> str:
    """One hash over the replicates'."""
    return blake2b(" ".join(hashes).encode(), digest_size=32).hexdigest()


def _status(replicates: Sequence[Replicate]) -> str:
    every = {one.status for one in replicates}
    if every <= {DONE}:
        return DONE
    return INTERRUPTED if INTERRUPTED in every else ERROR


def _metrics(arm: str, rows: Sequence[Replicate]) -> dict[str, Metric]:
    return {name: _metric(name, [one.values[arm][name] for one in rows]) for name in NAMES}


def _metric(name: str, found: Sequence[float | None]) -> Metric:
    if name.startswith(OF_TIMES):
        return _of_times(found)
    known = [value for value in found if value is not None]
    if not known:
        return Metric(None, n=0)
    interval = intervals.of_mean(known)
    mean = math.fsum(known) / len(known)
    return _spread(mean, known, interval, float)


def _of_times(found: Sequence[float | None]) -> Metric:
    times = [math.inf if time is None else time for time in found]
    if not times:
        return Metric(None, n=0)
    middle = intervals.median(times)
    return _spread(_reached(middle), times, intervals.of_median(times), _reached)


def _spread(
    mean: float | None,
    known: Sequence[float],
    interval: Interval | None,
    read: Callable[[float], float | None],
) -> Metric:
    p95 = float(np.sort(known)[min(int(0.95 * len(known)), len(known) - 1)])
    low, high = interval or (None, None)
    return Metric(
        mean,
        read(min(known)),
        read(max(known)),
        read(p95),
        None if low is None else read(low),
        None if high is None else read(high),
        len(known),
    )


def _reached(time: float) -> float | None:
    return time if math.isfinite(time) else None


def _genres(found: Sequence[Sequence[OfGenre]]) -> list[OfGenre]:
    """The sums over replicates."""
    sums: dict[str, OfGenre] = {}
    for one in (one for of_seed in found for one in of_seed):
        so_far = sums.get(one.genre)
        sums[one.genre] = OfGenre(
            one.genre,
            one.is_spam,
            *(
                getattr(one, count) + (getattr(so_far, count) if so_far else 0)
                for count in ("inbox", "unsure", "spam", "right_votes", "lost_votes")
            ),
        )
    return list(sums.values())


def _phases(summaries: Sequence[Summary]) -> list[Phase]:
    """Each phase's damage: the mean over replicates."""
    found: dict[tuple[str, str, int, int], list[Phase]] = {}
    for summary in summaries:
        for one in summary.phases:
            found.setdefault((one.arm, one.phase, one.start, one.end), []).append(one)
    shares = ("ham_misclassified", "spam_misclassified", "campaign_in_inbox")
    return [
        Phase(*place, *(_mean([getattr(one, share) for one in of]) for share in shares))
        for place, of in found.items()
    ]


def _mean(found: Sequence[float | None]) -> float | None:
    known = [value for value in found if value is not None]
    return math.fsum(known) / len(known) if known else None


def _attacks(summaries: Sequence[Summary]) -> list[Planned]:
    """The attack's row, with its mean cost; it ran if it did in every replicate."""
    planned = [one for summary in summaries for one in summary.attacks]
    if not planned:
        return []
    amiss = next((one for one in planned if one.status != RAN), planned[0])
    costs = {
        name: round(sum(getattr(one, name) for one in planned) / len(planned))
        for name in ("mails", "copies", "votes")
    }
    checks = dict.fromkeys(check for one in planned for check in one.stopped)
    stopped = {c: sum(one.stopped.get(c, 0) for one in planned) for c in checks}
    mean = {check: round(many / len(planned)) for check, many in stopped.items()}
    return [msgspec.structs.replace(amiss, **costs, stopped=mean)]


def worst(name: str, replicates: Iterable[Replicate], arm: str) -> Replicate | None:
    """The replicate with the worst figure of a metric, if one way is worse."""
    of_time = name.startswith(OF_TIMES)

    def badness(one: Replicate) -> float:
        return -BETTER[name] * _number(one.values[arm][name], of_time)

    known = [one for one in replicates if arm in one.values and BETTER[name]]
    known = [one for one in known if of_time or one.values[arm][name] is not None]
    return max(known, key=badness, default=None)


def _number(value: float | None, of_time: bool) -> float:
    return math.inf if value is None and of_time else value or 0.0


def _verdict(
    scenario: Scenario,
    replicates: Sequence[Replicate],
    metrics: Mapping[str, Mapping[str, Metric]],
    status: str,
) -> str:
    """The replicates in a sentence or two."""
    failed = [one for one in replicates if one.status not in (DONE, INTERRUPTED)]
    done = [one for one in replicates if one.status == DONE]
    said = "Interrupted; so far: " if status == INTERRUPTED else ""
    if failed:
        first = failed[0]
        said += (
            f"{len(failed)} of {len(replicates)} seeds failed (seed {first.seed}: {first.why}). "
        )
    if not done:
        return f"{said}No seed came to its end."
    over = f"Over {len(done)} seeds" if len(done) > 1 else f"Of seed {done[0].seed}"
    judged = next(iter(metrics))
    own = metrics[judged]
    if not scenario.attack.name:
        ham, spam = (_pc(own[f"{label}_misclassified"]) for label in ("ham", "spam"))
        worth = own["vote_value"].mean
        more = "" if worth is None else f"; without votes {100 * worth:.1f} points more"
        return f"{said}{over}, peace: {ham} of ham misclassified, {spam} of spam{more}."
    success = own["attack_success"]
    if success.mean is None:
        return f"{said}{over} no twin says what the attack has done."
    bare = metrics.get("unguarded", {}).get("attack_success")
    without = f", {_pc(bare)} without a guard" if bare and bare.mean is not None else ""
    unlucky = worst("attack_success", done, judged)
    assert unlucky is not None
    high = success.ci_high if success.ci_high is not None else success.mean
    held = "held" if high < 0.05 else "was beaten" if success.mean >= 0.3 else "was breached"
    who = f"the guard '{scenario.filter.guard}' {held}"
    if scenario.filter.guard == "none":
        who = "without a guard the attack won"
    return (
        f"{said}{over}, {who}: {_pc(success)} of the campaign reached the inbox"
        f" (worst seed {unlucky.seed}: {100 * (success.max or 0.0):.1f} %){without}."
        f"{_if_zero(success, TWINS.get(judged, '') in metrics)}"
    )


def _if_zero(success: Metric, twin: bool) -> str:
    """What a zero is worth."""
    if not twin or success.max is None or success.max > 0 or success.n < 2:
        return ""
    share = intervals.rule_of_three(success.n)
    return f" None of {success.n} says: in less than {100 * share:.0f} % of such worlds."


def _pc(metric: Metric) -> str:
    if metric.mean is None:
        return "no data"
    if metric.ci_low is None or metric.ci_high is None:
        return f"{100 * metric.mean:.1f} %"
    return f"{100 * metric.mean:.1f} % [{100 * metric.ci_low:.1f}, {100 * metric.ci_high:.1f}]"
