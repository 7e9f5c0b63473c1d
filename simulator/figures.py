"""Figures: what Prometheus is told of a run's judged arm, made anew after every tick.

Counters count since this process began, as Prometheus expects: a run that goes on begins at zero.
No label has more values than the guard has checks; a name that is not known is ``other``.
"""

import math
import platform
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from filter.events import (
    DECOY,
    FOLDERS,
    QUARANTINE,
    RESPONDER,
    RULINGS,
    SHADOW,
    TAUGHT,
    UNLEARN,
    Response,
)
from filter.settings import guard
from filter.stage import Flow
from simulator.arms import Arm
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.running import Progress

OTHER: Final = "other"
STATES: Final = (QUARANTINE, SHADOW, DECOY)
"""What a source can be in until a tick."""
ACTIONS: Final = (*STATES, UNLEARN)
REASONS: Final = ("content", "header", "null", "run", "size", "stage")
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds of a tick."""


class Figures:
    """A collector of prometheus-client's: what it gives is of one tick and never half of it."""

    def __init__(self, version: str) -> None:
        """Know nothing of a run yet."""
        told = {"version": version, "python": platform.python_version()}
        self._build = InfoMetricFamily("hamstrung_build", "The program.", told)
        self._families: tuple[Metric, ...] = (self._build,)
        self._counts: dict[str, Counter[str]] = {}
        self._until: dict[tuple[str, int, str], int] = {}
        self._slots = [0] * (len(BUCKETS) + 1)
        self._seconds = 0.0
        self._taken = 0

    def collect(self) -> Iterable[Metric]:
        """What is known after the last tick; asked for by another thread at any time."""
        return self._families

    def begin(self, prepared: Prepared) -> None:
        """Take the arm that is judged; what it has lived through already is not counted."""
        self._arm = next(iter(prepared.arms.values()))
        self._taken = len(self._arm.frames)
        checks = (*checks_of(self._arm, prepared.scenario.filter.guard), RESPONDER)
        self._counts = {
            "mails": _zeros(FOLDERS),
            "rulings": _zeros(RULINGS),
            "check_trips": _zeros(checks),
            "responses": _zeros(ACTIONS),
        }

    def tick(self, progress: Progress) -> None:
        """Take in what the arm has lived through since the last time."""
        frames = self._arm.frames[self._taken :]
        self._taken += len(frames)
        for frame in frames:
            self._count("mails", _mails(frame))
            self._count("rulings", frame.rulings_people)
            self._count("rulings", frame.rulings_bots)
        if frames and self._arm.last is not None:
            self._take(frames[-1].tick, self._arm.last)
        seconds = progress.seconds - self._seconds
        self._seconds = progress.seconds
        self._slots[bisect_left(BUCKETS, seconds)] += 1
        self._families = (self._build, *self._now(progress), *_of_kafka(self._arm))

    def _count(self, what: str, more: Mapping[str, int]) -> None:
        counts = self._counts[what]
        for name, count in more.items():
            counts[name if name in counts else OTHER] += count

    def _take(self, tick: int, flow: Flow) -> None:
        rulings = (*(flow.stopped or ()), *(flow.rulings or ()))
        self._count("check_trips", Counter(one.check for one in rulings if one.ruling != TAUGHT))
        responses = flow.responses or ()
        self._count("responses", Counter(one.action for one in responses))
        self._until |= {_place(one): one.until for one in responses if one.action in STATES}
        self._until = {place: until for place, until in self._until.items() if until > tick}

    def _now(self, progress: Progress) -> Iterator[Metric]:
        counts = self._counts
        yield _counter("mails", "Mails to people, by the folder they were put in.", counts)
        yield _counter(
            "rulings", "Rulings on votes; a vote that was held has a second one.", counts
        )
        yield _counter("check_trips", "Rulings by which a check kept a vote from teaching.", counts)
        yield _counter("responses", "Counter-measures against sources.", counts)
        held = self._arm.frames[-1].held if self._arm.frames else 0
        yield GaugeMetricFamily("hamstrung_votes_held", "Votes in quarantine.", held)
        said = "Accounts and subnets under a counter-measure taken since this process began."
        sources = GaugeMetricFamily("hamstrung_sources", said, labels=["state"])
        states = Counter(action for _, _, action in self._until)
        for state in STATES:
            sources.add_metric([state], states[state])
        yield sources
        yield _ratio("attack_success", "Campaign in the inbox beyond the twin's.", progress)
        yield _ratio("ham_misclassified", "Ham in the spam folder.", progress)
        yield _ratio("spam_misclassified", "Spam in the inbox, without the campaign.", progress)
        yield self._histogram()

    def _histogram(self) -> Metric:
        total, buckets = 0, []
        for limit, count in zip((*map(str, BUCKETS), "+Inf"), self._slots, strict=True):
            total += count
            buckets.append((limit, float(total)))
        said = "A tick of all arms, until it is written."
        return HistogramMetricFamily("hamstrung_tick_seconds", said, buckets, self._seconds)


def checks_of(arm: Arm, own: str) -> list[str]:
    """The checks that can stop a vote in an arm, as rulings name them."""
    chosen = guard(arm.plan.guard or own).checks
    baseline = [arm.plan.baseline] if arm.plan.baseline else []
    return [*(Path(name).stem.replace("-", "_") for name in chosen), *baseline]


def _zeros(names: Iterable[str]) -> Counter[str]:
    return Counter(dict.fromkeys((*names, OTHER), 0))


def _mails(frame: Frame) -> dict[str, int]:
    """Mails to people by folder, the campaign's among them."""
    inbox = frame.ham - frame.ham_in_spam - frame.ham_unsure
    inbox += frame.spam_in_inbox + frame.campaign_in_inbox
    unsure = frame.ham_unsure + frame.spam_unsure + frame.campaign_unsure
    every = frame.ham + frame.spam + frame.campaign
    return dict(zip(FOLDERS, (inbox, unsure, every - inbox - unsure), strict=True))


def _place(response: Response) -> tuple[str, int, str]:
    return response.scope, response.source, response.action


LABELS: Final = {
    "mails": "folder",
    "rulings": "ruling",
    "check_trips": "check",
    "responses": "action",
    "dead_letters": "reason",
}


def _counter(what: str, said: str, counts: Mapping[str, Counter[str]]) -> Metric:
    family = CounterMetricFamily(f"hamstrung_{what}", said, labels=[LABELS[what]])
    for name, count in counts[what].items():
        if count or name != OTHER:
            family.add_metric([name], count)
    return family


def _ratio(what: str, said: str, progress: Progress) -> Metric:
    """A ratio of sums, as displays show it; not a number without data."""
    value = getattr(progress, what)
    told = f"{said} Of the attack so far; of the run so far before it."
    return GaugeMetricFamily(f"hamstrung_{what}_ratio", told, math.nan if value is None else value)


def _of_kafka(arm: Arm) -> Iterator[Metric]:
    """What only the engine on Kafka has; its client is imported by nobody else."""
    engine = arm.engine
    if not hasattr(engine, "lag") or not hasattr(engine, "reasons"):
        return
    said = "Messages that the run has not read yet, by topic."
    lag = GaugeMetricFamily("hamstrung_consumer_lag_messages", said, labels=["topic"])
    for topic, messages in engine.lag().items():
        lag.add_metric([topic], messages)
    yield lag
    counts = {"dead_letters": _zeros(REASONS)}
    for reason, count in engine.reasons.items():
        counts["dead_letters"][reason if reason in REASONS else OTHER] += count
    yield _counter("dead_letters", "Messages that could not be read.", counts)
