"""The engine on Kafka beside the embedded one and beside bare loops, on servers of its own.

``python -m benchmarks.kafka --corpus FILE``; the last line of output is JSON.
"""

import argparse
import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import msgspec
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import CoordinatorNotAvailableError, NotCoordinatorError

from benchmarks import bare, report
from benchmarks.bare import Course, beginning
from benchmarks.loop import Loop, corpus_scenario
from benchmarks.machine import machine
from benchmarks.race import spread
from benchmarks.strings import Strings, strings
from filter.chain import Beginning
from filter.columns import no_judgements, no_kept, no_mails
from filter.redis_server import connect
from filter.settings import FilterSettings
from filter.stage import Flow
from filter.wire import LARGEST
from simulator.broker import client_settings
from simulator.corpus import CorpusError
from simulator.loop import Engines, prepare, ticks
from simulator.mail import Source
from simulator.scenario import Scenario, validated
from simulator.servers import KafkaSettings, RedisSettings
from simulator.session import elsewhere
from simulator.stack import Stack, StackError

SECOND: Final = os.sysconf("SC_CLK_TCK")
SLOW: Final = "naive_bayes.MultinomialNB"


@dataclass(frozen=True)
class Plan:
    """The sizes of a run.

    Args:
        rounds: of each comparison.
        warm_up: ticks before the clock starts.
        lap: ticks that are measured.
        mails: ordinary mails a tick.
        delay: ticks after which what flows back acts, where it is not 1.
        start: labelled mails, and as much further ham, that the filter starts from.
        plumbing: ticks through stages that pass on, and through bare loops.
        slow: ticks, and mails a tick, with the slow classifier.
        hops: ticks with nothing in them.
        long: ticks, and mails a tick, of the run whose memory is looked at.
        snapshot_every: ticks from one snapshot to the next in that run.
    """

    rounds: int = 3
    warm_up: int = 20
    lap: int = 240
    mails: int = 500
    delay: int = 8
    start: int = 2000
    plumbing: int = 200
    slow: tuple[int, int] = (24, 1200)
    hops: int = 200
    long: tuple[int, int] = (1500, 50)
    snapshot_every: int = 100


QUICK: Final = Plan(
    rounds=1,
    warm_up=3,
    lap=6,
    mails=60,
    start=300,
    plumbing=8,
    slow=(4, 30),
    hops=10,
    long=(36, 20),
    snapshot_every=8,
)


class Spent(NamedTuple):
    """Seconds by the clock, and seconds of the processor of all who worked."""

    wall: float
    driver: float
    workers: tuple[float, ...] = ()
    java: float = 0.0
    redis: float = 0.0

    def since(self, before: "Spent") -> "Spent":
        """What was spent after an earlier reading."""
        workers = zip(self.workers, before.workers, strict=True)
        return Spent(
            self.wall - before.wall,
            self.driver - before.driver,
            tuple(one - two for one, two in workers),
            self.java - before.java,
            self.redis - before.redis,
        )


class Lap(NamedTuple):
    """Some ticks: what they cost, and the hash of the whole run."""

    ticks: int
    spent: Spent
    hash: str

    @property
    def bound(self) -> float:
        """Seconds that its work would take at least on two cores that nobody else uses."""
        each = (self.spent.driver, *self.spent.workers, self.spent.java, self.spent.redis)
        return max(*each, sum(each) / 2)

    def told(self) -> str:
        """In a line."""
        wall, driver, workers, java, redis = self.spent
        each = [f"driver {_ms(driver, self):.1f}"]
        if workers:
            each += [f"worker {_ms(one, self):.1f}" for one in workers]
            each += [f"java {_ms(java, self):.1f}", f"redis {_ms(redis, self):.1f}"]
        return f"{_ms(wall, self):6.1f} ms a tick; CPU ms: {', '.join(each)}; {self.hash[:12]}"


def _ms(seconds: float, lap: Lap) -> float:
    return 1000 * seconds / lap.ticks


def processor(pid: int) -> float:
    """Seconds of the processor that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / SECOND


def resident(pid: int) -> float:
    """Memory of a process that is there and not elsewhere, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def ended(processes: "list[subprocess.Popen[bytes]]") -> None:
    """End processes that end when their standard input does."""
    for one in processes:
        if one.stdin:
            one.stdin.close()
    for one in processes:
        try:
            one.wait(15)
        except subprocess.TimeoutExpired:
            one.kill()
            one.wait()


class Kafka:
    """The benchmark's own servers, and what runs on them.

    Args:
        stack: runs.
    """

    def __init__(self, stack: Stack) -> None:
        """Connect."""
        self.stack = stack
        self._admin = KafkaAdminClient(**client_settings(stack.broker))
        self._servers = [
            mark.pid for one in (stack.kafka, stack.redis) if (mark := one.running()) is not None
        ]

    def scenario(self, plain: Scenario, delay: int, parts: int = 1, **kafka: int) -> Scenario:
        """A scenario as it runs here, with workers that the benchmark starts itself."""
        settings = KafkaSettings(self.stack.broker, parts, workers=0, patience=120.0, **kafka)
        redis = RedisSettings(self.stack.redis_url)
        made = replace(plain, engine="kafka", feedback_delay=delay, kafka=settings, redis=redis)
        return validated(made)

    @contextmanager
    def run(
        self, scenario: Scenario, workers: int, *options: str
    ) -> "Iterator[tuple[Engines, list[subprocess.Popen[bytes]]]]":
        """What makes a run's engine, with the run's workers: started, and joined, by then.

        Args:
            scenario: from `scenario`.
            workers: how many.
            options: of `benchmarks.passing`; without any, the product's own workers.
        """
        run, hired = uuid.uuid4().hex[:12], list[subprocess.Popen[bytes]]()
        with TemporaryDirectory() as folder, elsewhere(scenario, run, Path(folder)) as engines:
            assert engines is not None

            def engine(own: FilterSettings, beginning: Beginning, source: Source, last: int) -> Any:
                made = engines(own, beginning, source, last)
                hired.extend(self._worker(run, options) for _ in range(workers))
                self._wait_for(f"hamstrung.{run}", hired)
                return made

            try:
                yield engine, hired
            finally:
                ended(hired)
        self.delete(f"hamstrung.{run}.")
        with connect(self.stack.redis_url, None) as client:
            client.flushall()

    def _worker(self, run: str, options: Sequence[str]) -> "subprocess.Popen[bytes]":
        broker, url = self.stack.broker, self.stack.redis_url
        if options:
            words = ["-m", "benchmarks.passing", run, broker, url, *options]
        else:
            words = ["-c", "import sys; from simulator.cli import main; sys.exit(main())"]
            words += ["worker", "all", "--run", run, "--while-stdin"]
            words += ["--set", f"kafka.broker={broker}", "--set", f"redis.url={url}"]
        return subprocess.Popen(
            [sys.executable, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait_for(self, group: str, hired: "list[subprocess.Popen[bytes]]") -> None:
        """Wait until all workers have shared the partitions out among them."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            if any(one.poll() is not None for one in hired):
                raise SystemExit("benchmarks: a worker ended at its start; it said why above")
            with suppress(CoordinatorNotAvailableError, NotCoordinatorError):  # of a new broker
                found = self._admin.describe_groups([group])[group]
                if found["group_state"] == "Stable" and len(found["members"]) == len(hired):
                    return
            time.sleep(0.2)
        raise SystemExit(f"benchmarks: {len(hired)} workers did not join in two minutes")

    def create(self, names: Sequence[str]) -> None:
        """Make topics of one partition."""
        config = {"max.message.bytes": str(2 * LARGEST)}
        self._admin.create_topics(
            [
                NewTopic(name, num_partitions=1, replication_factor=-1, topic_configs=config)
                for name in names
            ]
        )
        self._admin.wait_for_topics(list(names))

    def delete(self, prefix: str) -> None:
        """Delete the topics whose names begin so."""
        names = [name for name in self._admin.list_topics() if name.startswith(prefix)]
        if names:
            self._admin.delete_topics(names)

    def spent(self, workers: "list[subprocess.Popen[bytes]]") -> Spent:
        """What this process, its workers and the servers have spent by now."""
        java, redis = map(processor, self._servers)
        each = tuple(processor(one.pid) for one in workers)
        return Spent(time.perf_counter(), time.process_time(), each, java, redis)

    def lap(
        self, scenario: Scenario, warm_up: int, lap: int, workers: int = 1, *options: str
    ) -> Lap:
        """A run's ticks after the first ones."""
        with self.run(scenario, workers, *options) as (engines, hired):
            prepared = prepare(scenario, engines)
            playing = ticks(prepared)
            _play(playing, warm_up)
            before = self.spent(hired)
            _play(playing, lap)
            spent = self.spent(hired).since(before)
            for _ in playing:
                pass
        return Lap(lap, spent, prepared.arms[scenario.arms[0]].hash)


def _play(playing: Iterator[int], length: int) -> None:
    for _ in islice(playing, length):
        pass


def _residents(playing: Iterator[int], length: int, pids: Sequence[int]) -> list[float]:
    """The median memory of processes over some ticks: of a snapshot's rise and fall the middle."""
    seen = [[resident(pid) for pid in pids] for _ in islice(playing, length)]
    return [median(of) for of in zip(*seen, strict=True)]


def embedded(scenario: Scenario, warm_up: int, lap: int, said: Strings | None = None) -> Lap:
    """The same ticks of the same scenario in this process."""
    loop = Loop(replace(scenario, engine="embedded"), said)
    loop.lap(warm_up)
    wall, driver = time.perf_counter(), time.process_time()
    loop.lap(lap)
    spent = Spent(time.perf_counter() - wall, time.process_time() - driver)
    loop.lap(scenario.feedback_delay)
    return Lap(lap, spent, loop.hash)


class Bench:
    """All figures, each from its rounds.

    Args:
        plan: sizes.
        kafka: servers.
        corpus: a file of mail.
    """

    def __init__(self, plan: Plan, kafka: Kafka, corpus: Path) -> None:
        """Measure nothing yet."""
        self._plan, self._kafka, self._corpus = plan, kafka, corpus
        self._said: Strings | None = None
        self.found: dict[str, Any] = {}
        self.ratios: dict[str, list[float]] = {}
        self.spent: dict[str, list[Lap]] = {}

    @property
    def _strings(self) -> Strings:
        if self._said is None:
            self._said = strings(self._corpus)
        return self._said

    def _scenario(self, mails: int, length: int) -> Scenario:
        return corpus_scenario(str(self._corpus), mails, length, self._plan.start)

    def _note(self, name: str, ratio: float) -> None:
        self.ratios.setdefault(name, []).append(ratio)
        report.say(f"    {name} {ratio:.3f}")

    def _lap(self, name: str, lap: Lap) -> Lap:
        self.spent.setdefault(name, []).append(lap)
        report.say(f"  {name:<34}{lap.told()}")
        return lap

    def _must_agree(self, laps: Sequence[Lap]) -> None:
        if len({lap.hash for lap in laps}) > 1:
            raise SystemExit("benchmarks: engines gave different hashes")

    def memory(self) -> None:
        """Resident memory of driver and worker at the end of each quarter of a long run."""
        (length, mails), plan = self._plan.long, self._plan
        scenario = self._kafka.scenario(
            self._scenario(mails, length), plan.delay, snapshot_every=plan.snapshot_every
        )
        kept: dict[str, list[float]] = {"driver": [], "worker": []}
        with self._kafka.run(scenario, 1) as (engines, hired):
            playing = ticks(prepare(scenario, engines))
            for quarter in range(1, 5):
                _play(playing, length // 4 - plan.snapshot_every)
                seen = _residents(playing, plan.snapshot_every, [os.getpid(), hired[0].pid])
                for name, middle in zip(kept, seen, strict=True):
                    kept[name].append(round(middle, 1))
                told = ", ".join(f"{name} {of[-1]} MB" for name, of in kept.items())
                report.say(f"  around tick {quarter * (length // 4)}: {told}")
        growth = {name: round(of[-1] / of[0], 3) for name, of in kept.items()}
        self.found |= {"memory": kept, "memory_growth": growth}

    def loop(self) -> None:
        """The engine against the embedded one, several ticks in flight."""
        self._against("loop", self._plan.delay, 1, hashed=True)

    def loop_two(self) -> None:
        """The same with two partitions and two workers."""
        self._against("loop_two", self._plan.delay, 2)

    def barrier(self) -> None:
        """The same with one tick in flight."""
        self._against("barrier", 1, 1)

    def _against(self, name: str, delay: int, parts: int, hashed: bool = False) -> None:
        plan = self._plan
        plain = self._scenario(plan.mails, plan.warm_up + plan.lap)
        scenario = self._kafka.scenario(plain, delay, parts)
        for _ in range(plan.rounds):
            one = embedded(scenario, plan.warm_up, plan.lap, self._strings)
            ours = self._kafka.lap(scenario, plan.warm_up, plan.lap, parts)
            two = embedded(scenario, plan.warm_up, plan.lap, self._strings)
            laps = [one, ours, two]
            for lap in (one, two):
                self._lap(f"embedded, text, delay {delay}", lap)
            self._lap(f"kafka, delay {delay}, workers {parts}", ours)
            self._note(f"{name}_ratio", (one.spent.wall + two.spent.wall) / 2 / ours.spent.wall)
            self._note(f"{name}_bound", (one.spent.driver + two.spent.driver) / 2 / ours.bound)
            if hashed:
                ready = self._lap(
                    f"embedded, hashed, delay {delay}", embedded(scenario, plan.warm_up, plan.lap)
                )
                laps.append(ready)
                self._note(f"{name}_ratio_hashed", ready.spent.wall / ours.spent.wall)
            self._must_agree(laps)

    def workers(self) -> None:
        """Two workers against one, with a classifier that takes its time."""
        length, mails = self._plan.slow
        plain = self._scenario(mails, length + 3)
        learner = replace(plain.filter.learner, learns_from="votes")
        plain = replace(plain, filter=replace(plain.filter, model=SLOW, learner=learner))
        scenario = self._kafka.scenario(plain, self._plan.delay, 2)
        for _ in range(self._plan.rounds):
            laps = {
                many: self._lap(
                    f"slow model, workers {many}", self._kafka.lap(scenario, 3, length, many)
                )
                for many in (1, 2)
            }
            self._must_agree(list(laps.values()))
            self._note("workers_ratio", laps[1].spent.wall / laps[2].spent.wall)

    def hop(self) -> None:
        """The time of a tick with nothing in it, through all stages."""
        count = self._plan.hops
        scenario = self._kafka.scenario(self._scenario(self._plan.mails, count), 1)
        own, known, source, _ = beginning(scenario)
        with self._kafka.run(scenario, 1) as (engines, _hired):
            engine = engines(own, known, source, count - 1)
            taken = []
            for tick in range(count):
                begun = time.perf_counter()
                empty = Flow(mails=no_mails(), votes=(), kept=no_kept(), judgements=no_judgements())
                engine.submit(tick, empty)
                engine.collect(tick)
                taken.append(1000 * (time.perf_counter() - begun))
        middle = spread(taken[min(10, count // 2) :])
        report.say(f"  {middle.median:.1f} ms, from {middle.min:.1f} to {middle.max:.1f}")
        self.found |= {"hop_ms": round(middle.median, 2)}
        self.found |= {"hop_ms_spread": [round(value, 2) for value in middle]}

    def plumbing(self) -> None:
        """Stages that pass on, against bare loops that do the same."""
        for name, spoken in (("plumbing", False), ("plumbing_text", True)):
            course = Course(self._scenario(self._plan.mails, self._plan.plumbing), spoken)
            report.say(f"  {course.events / self._plan.plumbing:.0f} event-hops a tick")
            for _ in range(self._plan.rounds):
                one = self._bare(course)
                ours = self._ours(course)
                two = self._bare(course)
                rates = [course.bare_events / one, course.events / ours, course.bare_events / two]
                told = ", ".join(f"{rate:,.0f}" for rate in rates)
                report.say(f"  event-hops/s of bare loops, ours, bare loops: {told}")
                self.found.setdefault(f"{name}_event_hops", []).append(list(map(round, rates)))
                self._note(f"{name}_ratio", rates[1] / (rates[0] + rates[2]) * 2)

    def _ours(self, course: "Course") -> float:
        delay, count = self._plan.delay, len(course.flows)
        scenario = self._kafka.scenario(course.scenario, delay)
        own, known, _, _ = course.beginning
        with self._kafka.run(scenario, 1, "--pass") as (engines, hired):
            engine = engines(own, known, course, count - 1)  # type: ignore[arg-type]  # speaks
            before = self._kafka.spent(hired)
            for tick in range(count + delay):
                if tick >= delay:
                    engine.collect(tick - delay)
                if tick < count:
                    engine.submit(tick, msgspec.structs.replace(course.flows[tick]))
            lap = Lap(count, self._kafka.spent(hired).since(before), "")
        self._lap("passing on", lap)
        return lap.spent.wall

    def _bare(self, course: "Course") -> float:
        prefix, broker = f"bare-{uuid.uuid4().hex[:8]}", self._kafka.stack.broker
        self._kafka.create([bare.topic(prefix, name) for name in course.expected])
        command = [sys.executable, "-m", "benchmarks.bare", prefix, broker]
        loops = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )
        assert loops.stdout is not None
        try:
            if loops.stdout.readline() != bare.READY:
                raise SystemExit("benchmarks: the bare loops did not start")
            before = self._kafka.spent([loops])
            seconds = asyncio.run(bare.flow(prefix, broker, course.given, course.expected))
            spent = self._kafka.spent([loops]).since(before)
        finally:
            ended([loops])
            loops.stdout.close()
            self._kafka.delete(f"{prefix}.")
        self._lap("bare loops", Lap(len(course.flows), spent._replace(wall=seconds), ""))
        return seconds

    def where(self) -> None:
        """Where a worker's time goes, by clocks around its calls."""
        plan = self._plan
        plain = self._scenario(plan.mails, plan.warm_up + plan.lap)
        scenario = self._kafka.scenario(plain, plan.delay)
        with TemporaryDirectory() as folder:
            path = Path(folder) / "clocks.json"
            last = plan.warm_up + plan.lap - 1
            clocks = ("--clocks", str(plan.warm_up), str(last), str(path))
            lap = self._kafka.lap(scenario, plan.warm_up, plan.lap, 1, *clocks)
            found = msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, float]])
        self._lap("kafka, with clocks", lap)
        count = plan.lap
        cpu = {name: round(1000 * spent / count, 2) for name, spent in found["cpu"].items()}
        wall = {name: round(1000 * spent / count, 2) for name, spent in found["wall"].items()}
        named = sum(spent for name, spent in cpu.items() if not name.startswith("in all"))
        cpu["the rest of the main thread: event loop, Faust, clients"] = round(
            cpu["in all, main thread"] - named, 2
        )
        ranked = dict(sorted(cpu.items(), key=lambda one: -one[1]))
        report.say(f"  {'a worker, ms a tick':<60}{'CPU':>8}{'wall':>8}")
        for name, each in ranked.items():
            report.say(f"  {name:<60}{each:>8.2f}{wall.get(name, 0.0):>8.2f}")
        self.found |= {"where": {"worker_cpu_ms": ranked, "worker_wall_ms": wall}}


FIGURES: Final[dict[str, Callable[[Bench], None]]] = {
    "memory": Bench.memory,  # first: a process that has done other things has no clean memory
    "hop": Bench.hop,
    "loop": Bench.loop,
    "loop_two": Bench.loop_two,
    "barrier": Bench.barrier,
    "where": Bench.where,
    "plumbing": Bench.plumbing,
    "workers": Bench.workers,
}


@contextmanager
def servers() -> Iterator[Kafka]:
    """Servers of the benchmark's own; they are gone afterwards, however it ends."""
    with TemporaryDirectory(prefix="hamstrung-benchmark-") as folder:
        stack = Stack(Path(folder) / "stack", say=report.say)
        try:
            stack.up()
            yield Kafka(stack)
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            stack.down(wipe=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.kafka", description=main.__doc__)
    parser.add_argument("--corpus", type=Path, required=True, help="JSON Lines, plain or gzip")
    parser.add_argument("--rounds", type=int, help="of each comparison")
    parser.add_argument("--only", choices=FIGURES, action="append", help="a figure (several times)")
    parser.add_argument("--quick", action="store_true", help="small sizes: does it still run?")
    given = parser.parse_args()
    if not given.corpus.is_file():
        parser.error(f"--corpus: there is no file {given.corpus}")
    return given


def main() -> None:
    """Measure the Kafka engine; the last line of output is JSON."""
    given = _arguments()
    plan = QUICK if given.quick else Plan()
    plan = replace(plan, rounds=given.rounds) if given.rounds else plan
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    before = machine()
    report.say(f"{before['processor']}, {before['cores']} cores, load {before['load']}")
    try:
        with servers() as kafka:
            bench = Bench(plan, kafka, given.corpus)
            for name in [name for name in FIGURES if not given.only or name in given.only]:
                about = (FIGURES[name].__doc__ or "").strip()
                report.say(f"\n{name}: {about} load {os.getloadavg()[0]:.2f}")
                FIGURES[name](bench)
    except (StackError, CorpusError) as error:
        raise SystemExit(f"benchmarks: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    _say(bench, before | {"load_at_end": machine()["load"]})


def _say(bench: Bench, here: dict[str, Any]) -> None:
    ratios = {name: spread(values) for name, values in bench.ratios.items()}
    report.spreads("ratios, round by round", ratios, 3)
    report.last_line(
        {name: round(found.median, 3) for name, found in ratios.items()}
        | bench.found
        | {
            "ratios": {
                name: {key: round(value, 3) for key, value in found._asdict().items()}
                for name, found in ratios.items()
            },
            "ms_a_tick": {name: _middle(laps) for name, laps in bench.spent.items()},
            "machine": here,
        }
    )


def _middle(laps: Sequence[Lap]) -> dict[str, float]:
    """Medians of what laps of a kind cost, in milliseconds a tick: wall time, and processor."""
    each = {
        "wall": [_ms(lap.spent.wall, lap) for lap in laps],
        "driver": [_ms(lap.spent.driver, lap) for lap in laps],
        "workers": [_ms(sum(lap.spent.workers), lap) for lap in laps],
        "java": [_ms(lap.spent.java, lap) for lap in laps],
        "redis": [_ms(lap.spent.redis, lap) for lap in laps],
    }
    return {name: round(median(values), 2) for name, values in each.items()}


if __name__ == "__main__":
    main()
