"""How far the engine on Kafka grows: what a tick costs, a model of it, and one to three workers.

``python -m benchmarks.scale --corpus FILE``; the last line of output is JSON. The model tells what
the busiest of some workers spends on a tick, from what a single one spends on ticks of two sizes;
then it is held against one, two and three workers on three partitions.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from unittest.mock import patch

import msgspec
import numpy as np

from benchmarks import report
from benchmarks.kafka import Kafka, servers
from benchmarks.loop import corpus_scenario
from benchmarks.machine import machine
from filter.crowd_guard import CrowdGuard
from filter.learner import Learner
from filter.redis_server import connect
from filter.unit import sources
from filter.wire import producer, topics
from simulator.corpus import CorpusError
from simulator.loop import prepare, ticks
from simulator.scenario import ArmName, Scenario
from simulator.stack import StackError

SPLIT: Final = (
    *("step: scoring", "decode: hash the mail's words", "encode"),
    *("step: account guard", "Redis: calls", "Redis: the ledger around its calls"),
)
"""Clocks of what partitions share out among them."""

ONE: Final = (
    *("step: crowd guard", "step: learner", "step: responder"),
    *("decode: the rest", "apply releases", "snapshots"),
)
"""Clocks of what one worker does for all: what is decoded there is nearly all features."""

DELAY: Final = 8
PARTS: Final = 3


class Plan(NamedTuple):
    """Sizes.

    Args:
        sizes: two numbers of mails a tick, from which the model is made.
        size: mails a tick, at which it is held against several workers.
        warm_up: ticks before the clock starts.
        lap: ticks that are measured.
        bots: votes of bots a tick, for the price of a claim.
        start: labelled mails, and as much further ham, that the filter starts from.
    """

    sizes: tuple[int, int] = (500, 4000)
    size: int = 2000
    warm_up: int = 12
    lap: int = 60
    bots: tuple[int, ...] = (20, 1000, 4000)
    start: int = 2000


QUICK: Final = Plan((50, 200), 100, 3, 6, (20, 200), 300)


class Line(NamedTuple):
    """CPU milliseconds a tick: at least, for each thousand mails, for each partition but one."""

    tick: float
    thousand: float
    part: float

    def at(self, parts: int, mails: int) -> float:
        """For a tick of so many mails on so many partitions."""
        return self.tick + self.thousand * mails / 1000 + self.part * (parts - 1)


class Model(NamedTuple):
    """What a tick costs a worker, with its share of Faust, clients and event loop.

    Args:
        split: the stages whose partitions share the work.
        one: the stages that one worker has for all.
    """

    split: Line
    one: Line

    def busiest(self, parts: int, workers: int, mails: int) -> float:
        """CPU milliseconds a tick of the worker that has the single stages, and its share."""
        return self.split.at(parts, mails) / workers + self.one.at(parts, mails)

    def total(self, parts: int, mails: int) -> float:
        """CPU milliseconds a tick of all workers."""
        return self.busiest(parts, 1, mails)


def messages(parts: int) -> tuple[int, int]:
    """Messages a tick, taken or given, at least: of the split stages, and of the single ones."""
    split = one = 0
    for topic in topics():
        maker = producer(topic.stream)
        places = topic.parts(parts)
        taken = sum(len(sources(topic, part, parts)) for part in range(places))
        each = taken * len(topic.stages)
        given = (taken if topic.stages else places) if maker is not None else 0
        split += (each if topic.key else 0) + (given if maker and maker.key else 0)
        one += (0 if topic.key else each) + (given if maker and not maker.key else 0)
    return split, one


class Price(NamedTuple):
    """CPU microseconds of a stage for one thing that it is given, and how many came at most."""

    microseconds: float
    most: float


@contextmanager
def _noted(stage: type[Any], count: Callable[[Any], int]) -> Iterator[list[tuple[int, float]]]:
    """What a stage is given at each tick, and the CPU seconds that it takes."""
    seen: list[tuple[int, float]] = []
    step = stage.step

    def timed(self: Any, tick: int, given: Any) -> Any:
        begun = time.thread_time()
        gives = step(self, tick, given)
        seen.append((count(given), time.thread_time() - begun))
        return gives

    with patch.object(stage, "step", timed):
        yield seen


def _price(seen: list[tuple[int, float]]) -> Price:
    counts, seconds = np.array(seen).T
    slope, _ = np.polyfit(counts, seconds, 1)
    return Price(round(1e6 * float(slope), 1), float(counts.max()))


class Scale:
    """All figures.

    Args:
        plan: sizes.
        kafka: servers.
        corpus: a file of mail.
    """

    def __init__(self, plan: Plan, kafka: Kafka, corpus: Path) -> None:
        """Measure nothing yet."""
        self._plan, self._kafka, self._corpus = plan, kafka, corpus

    def _scenario(self, mails: int, length: int) -> Scenario:
        return corpus_scenario(str(self._corpus), mails, length, self._plan.start)

    def model(self) -> Model:
        """One worker's clocks at two sizes of tick, and with more partitions."""
        small, large = self._plan.sizes
        points = (
            self._clocks(small, 1),
            self._clocks(large, 1),
            self._clocks(small, PARTS),
        )
        found = Model(*(self._line(*map(itemgetter(name), points)) for name in Model._fields))
        for name, line in found._asdict().items():
            report.say(
                f"  {name:<6}{line.tick:>8.2f} ms a tick {line.thousand:>8.2f} ms a thousand mails"
                f" {line.part:>8.2f} ms a further partition"
            )
        return found

    def _clocks(self, mails: int, parts: int) -> dict[str, float]:
        """CPU milliseconds a tick of both kinds of stages.

        What no clock is around (Faust, the clients, the event loop) is shared out by the messages
        that the stages take and give.
        """
        plan = self._plan
        scenario = self._kafka.scenario(
            self._scenario(mails, plan.warm_up + plan.lap), DELAY, parts
        )
        with TemporaryDirectory() as folder:
            path = Path(folder) / "clocks.json"
            last = plan.warm_up + plan.lap - 1
            options = ("--clocks", str(plan.warm_up), str(last), str(path))
            lap = self._kafka.lap(scenario, plan.warm_up, plan.lap, 1, *options)
            cpu = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, float]])["cpu"]
        report.say(f"  {mails} mails, {parts} partitions, one worker: {lap.told()}")
        split = sum(cpu.get(name, 0.0) for name in SPLIT)
        one = sum(cpu.get(name, 0.0) for name in ONE)
        whole = sum(seconds for name, seconds in cpu.items() if name.startswith("in all"))
        mine, theirs = messages(parts)
        share = (whole - split - one) * mine / (mine + theirs)
        found = {"split": split + share, "one": whole - split - share}
        return {name: 1000 * seconds / plan.lap for name, seconds in found.items()}

    def _line(self, few: float, many: float, parted: float) -> Line:
        small, large = self._plan.sizes
        thousand = 1000 * (many - few) / (large - small)
        part = (parted - few) / (PARTS - 1)
        return Line(round(few - thousand * small / 1000, 2), round(thousand, 2), round(part, 2))

    def held(self, model: Model) -> list[dict[str, Any]]:
        """The model beside one, two and three workers on three partitions."""
        plan, rows = self._plan, []
        scenario = self._kafka.scenario(
            self._scenario(plan.size, plan.warm_up + plan.lap), DELAY, PARTS
        )
        for workers in range(1, PARTS + 1):
            lap = self._kafka.lap(scenario, plan.warm_up, plan.lap, workers)
            report.say(f"  {plan.size:>6} mails, {workers} workers: {lap.told()}")
            each = [1000 * seconds / plan.lap for seconds in lap.spent.workers]
            row = {
                "workers": workers,
                "wall_ms": 1000 * lap.spent.wall / plan.lap,
                "busiest_ms": max(each),
                "busiest_model_ms": model.busiest(PARTS, workers, plan.size),
                "total_ms": sum(each),
                "total_model_ms": model.total(PARTS, plan.size),
            }
            rows.append({name: round(value, 1) for name, value in row.items()})
            report.say(f"         {msgspec.json.encode(rows[-1]).decode()}")
        return rows

    def prices(self) -> dict[str, Price]:
        """What a claim costs the crowd guard, and a lesson the learner, in this process.

        Lessons are counted where nobody guards: there every vote becomes one.
        """
        found = {
            "claim": self._priced(CrowdGuard, "claims", "attacked"),
            "lesson": self._priced(Learner, "lessons", "unguarded"),
        }
        for name, price in found.items():
            report.say(
                f"  a {name}: {price.microseconds} µs of CPU, seen up to {price.most:.0f} a tick"
            )
        return found

    def _priced(self, stage: type[Any], stream: str, arm: ArmName) -> Price:
        with _noted(stage, lambda given: len(getattr(given, stream))) as seen:
            for votes in self._plan.bots:
                self._voted(arm, votes)
        return _price(seen)

    def _voted(self, arm: ArmName, votes: int) -> None:
        """A short run with so many votes of bots a tick."""
        scenario = self._scenario(self._plan.sizes[0], 24)
        bots = {"accounts": 4 * votes, "votes_per_hour": votes}
        attack = replace(scenario.attack, settings=bots)
        for _ in ticks(prepare(replace(scenario, arms=(arm,), attack=attack))):
            pass

    def account_bytes(self) -> float:
        """What Redis keeps of an account, key and all, on average."""
        length = self._plan.warm_up + self._plan.lap
        scenario = self._kafka.scenario(self._scenario(self._plan.size, length), DELAY)
        with self._kafka.run(scenario, 1) as (engines, _):
            for _ in ticks(prepare(scenario, engines)):
                pass
            with connect(self._kafka.stack.redis_url, None) as client:
                keys = [key for key in client.scan_iter(count=1000) if b":account:" in key]
                sizes = [client.memory_usage(key, samples=0) or 0 for key in keys]
                accounts = sum(
                    client.memory_usage(key, samples=0) or 0
                    for key in client.scan_iter(count=1000)
                    if key.endswith(b":accounts")
                )
        found = (sum(sizes) + accounts) / max(len(keys), 1)
        report.say(f"  {len(keys)} accounts, {found:.0f} bytes each")
        return round(found)


def main() -> None:
    """Measure how the Kafka engine grows; the last line of output is JSON."""
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=main.__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="JSON Lines, plain or gzip")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it still run?")
    given = parser.parse_args()
    if not given.corpus.is_file():
        parser.error(f"--corpus: there is no file {given.corpus}")
    before = machine()
    report.say(f"{before['processor']}, {before['cores']} cores, load {before['load']}")
    try:
        with servers() as kafka:
            scale = Scale(QUICK if given.quick else Plan(), kafka, given.corpus)
            prices = scale.prices()
            model = scale.model()
            found = {
                "prices": {name: price._asdict() for name, price in prices.items()},
                "model": {name: line._asdict() for name, line in model._asdict().items()},
                "messages": {parts: sum(messages(parts)) for parts in (1, 2, 3, 10, 100)},
                "workers": scale.held(model),
                "account_bytes": scale.account_bytes(),
                "machine": before | {"load_at_end": machine()["load"]},
            }
    except (StackError, CorpusError) as error:
        raise SystemExit(f"benchmarks: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    report.last_line(found)


if __name__ == "__main__":
    main()
