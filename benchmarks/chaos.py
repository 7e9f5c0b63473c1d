"""A run on Kafka while everything around it is killed: nothing lost, nothing twice, the same hash.

    python -m benchmarks.chaos --kills N [--seed S] [--scenario NAME] [--fault NAME ...] [--keep]

A scenario is run in one process; then on a broker and a Redis of the benchmark's own, again and
again, until so many faults have been dealt, each at a tick that the seed draws; one in four comes
while the one before it still lasts. The last line on stdout is JSON; the exit code is 1 if a vote
was lost or counted twice, or a hash differs. Needs ``/proc``.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec
from redis import Redis

from benchmarks import report
from benchmarks.proxy import Proxy
from filter.events import QUARANTINED
from simulator.exits import DONE, INTERRUPTED, UNREACHED
from simulator.folder import FRAMES, RunFolder, last_tick
from simulator.stack import Stack, StackError, free_port

SMALL: Final = (
    "quickstart",
    'arms=["attacked"]',
    "thresholds=[]",
    "duration=200",
    "feedback_delay=2",
    "world.people=300",
    "synthetic.mails_per_hour=60",
    "synthetic.start_mails=300",
    "synthetic.start_ham=200",
    "attack.start=20",
    "attack.duration=120",
)
"""A scenario, and settings with which a run without faults takes seconds."""

KAFKA: Final = ("kafka.partitions=2", "kafka.workers=2", "kafka.snapshot_every=20")
TIMEOUT: Final = 6.0
"""Seconds after which a worker that says nothing is taken for dead: Kafka allows no less."""

A_RUN: Final = 12
"""Faults in a run."""

PATIENCE: Final = 180.0
"""Seconds after which a run that does not go on is given up."""

JAVA: Final = ("-Xmx256m", "-XX:TieredStopAtLevel=1")
PROGRAM: Final = (
    sys.executable,
    "-c",
    "import sys; from simulator.cli import main; sys.exit(main())",
    "run",
)

Line = Mapping[str, Any]
Fault = Iterator[None]
"""Strikes, waits to be called again, and mends."""


class Failed(Exception):  # noqa: N818 - a result
    """A run did not come to its end."""


class Servers:
    """A broker and a Redis, each behind a proxy.

    Args:
        folder: theirs.
    """

    def __init__(self, folder: Path) -> None:
        """Choose the ports."""
        ports: list[int] = []
        while len(ports) < 4:
            ports += {free_port()} - set(ports)
        kafka, redis, outer_kafka, outer_redis = ports
        self.kafka, self.redis = Proxy(outer_kafka, kafka), Proxy(outer_redis, redis)
        self.stack = Stack(
            folder,
            kafka,
            redis,
            advertised_port=outer_kafka,
            java_options=JAVA,
            say=report.say,
        )

    def settings(self) -> list[str]:
        """Where a run finds them."""
        return [
            f"kafka.broker=127.0.0.1:{self.kafka.port}",
            f"redis.url=redis://127.0.0.1:{self.redis.port}/0",
        ]

    @contextmanager
    def running(self) -> Iterator["Servers"]:
        """Start them; they are gone afterwards."""
        with self.kafka, self.redis:
            try:
                self.stack.up()
                yield self
            finally:
                self.stack.down(wipe=True)


class Driver:
    """A run's process: started, killed, resumed, and the workers that it has.

    Args:
        folder: the run's, not there yet.
        words: the scenario and its settings.
    """

    def __init__(self, folder: Path, words: Sequence[str]) -> None:
        """Start it."""
        self.folder = folder
        self._log = folder.with_suffix(".log")
        self._workers: set[int] = set()
        scenario, *settings = words
        options = [word for setting in settings for word in ("--set", setting)]
        self._process = self._started([scenario, *options, "-o", str(folder)])

    def _started(self, words: Sequence[str]) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*PROGRAM, *words, "--display", "none"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def resume(self) -> None:
        """Go on with the run in a new process."""
        self._process = self._started(["--resume", str(self.folder)])

    def tick(self) -> int:
        """The tick of the last frame that is written; -1 before the first one."""
        return last_tick(self.folder / FRAMES)

    def workers(self) -> list[int]:
        """The workers' process numbers."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                state, parent = path.read_text().rpartition(")")[2].split()[:2]
                if int(parent) == self._process.pid and state != "Z":
                    found.append(int(path.parent.name))
        self._workers.update(found)
        return sorted(found)

    def over(self) -> bool:
        """Whether the run is at its end; one that found no server is resumed, as people would.

        Raises:
            Failed: the driver ended for another reason.
        """
        code = self._process.poll()
        if code == UNREACHED:
            time.sleep(0.5)
            self.resume()
        elif code not in (None, DONE):
            raise Failed(f"the driver ended with {code}: {self.last_words()}")
        return code == DONE

    def last_words(self) -> str:
        """What it said last."""
        return (self._log.read_text(errors="replace").strip().splitlines() or ["nothing"])[-1]

    def kill(self) -> None:
        """End it at once: its workers see that it has gone."""
        self.workers()
        self._process.kill()
        self._process.wait()

    def interrupt(self) -> None:
        """Ask it to end, as Ctrl-C does."""
        self.workers()
        self._process.send_signal(signal.SIGINT)

    def wait_for_end(self) -> None:
        """Wait until it has done as asked; ask again if it waits for servers itself.

        Raises:
            Failed: it ended otherwise.
        """
        for _ in range(3):
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(20)
                if code not in (INTERRUPTED, DONE):
                    raise Failed(f"Ctrl-C ended with {code}: {self.last_words()}")
                return
            self._process.send_signal(signal.SIGINT)
        raise Failed("Ctrl-C did not end it, nor did a second one")

    def end(self) -> None:
        """Leave no process behind."""
        self.workers()
        self._process.kill()
        self._process.wait()
        until = time.monotonic() + 15
        for pid in self._workers:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for pid in self._workers:
            while _is_worker(pid):
                if time.monotonic() > until:
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                time.sleep(0.05)


def _is_worker(pid: int) -> bool:
    """Whether a process of that number runs, and is a worker."""
    with suppress(OSError):
        path = Path(f"/proc/{pid}")
        state = (path / "stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and b"\0--while-stdin\0" in (path / "cmdline").read_bytes()
    return False


class Chaos:
    """Deals faults to one run.

    Args:
        servers: run.
        driver: of the run.
        draw: random numbers.
        spare: a folder for copies of Redis's file.
    """

    def __init__(self, servers: Servers, driver: Driver, draw: random.Random, spare: Path) -> None:
        """Keep a first copy of Redis's file."""
        self._servers, self._driver, self._draw, self._spare = servers, driver, draw, spare
        self._copies = 0
        self.missed = 0
        """Faults that struck nobody: there was no worker."""
        self.copy()

    def copy(self) -> None:
        """Keep a copy of Redis's file, to be put back later."""
        shutil.copytree(self._data(), self._spare / str(self._copies))
        self._copies += 1

    def _data(self) -> Path:
        return self._servers.stack.folder / "redis-data"

    def _worker(self) -> int | None:
        """One of the workers, once there are some; None: the run is over before that."""
        until = time.monotonic() + 30
        while time.monotonic() < until and not self._driver.over():
            if found := self._driver.workers():
                return self._draw.choice(found)
            time.sleep(0.1)
        return None

    def _hit(self, number: signal.Signals, pid: int | None = None) -> int | None:
        pid = self._worker() if pid is None else pid
        try:
            if pid is not None:
                os.kill(pid, number)
                return pid
        except ProcessLookupError:
            pass
        self.missed += 1
        return None

    def worker_killed(self) -> Fault:
        """A worker is gone at once."""
        self._hit(signal.SIGKILL)
        yield

    def worker_stopped(self) -> Fault:
        """A worker is asked to end, and leaves in order."""
        self._hit(signal.SIGTERM)
        yield

    def worker_frozen(self) -> Fault:
        """A worker says nothing until it is taken for dead, and then goes on."""
        pid = self._hit(signal.SIGSTOP)
        time.sleep(TIMEOUT + self._draw.uniform(1, 5))
        yield
        if pid is not None and _is_worker(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def driver_killed(self) -> Fault:
        """The driver is gone at once, and its workers with it; the run is resumed."""
        self._driver.kill()
        yield
        self._driver.resume()

    def driver_interrupted(self) -> Fault:
        """Ctrl-C; the run is resumed."""
        self._driver.interrupt()
        yield
        self._driver.wait_for_end()
        self._driver.resume()

    def broker_killed(self) -> Fault:
        """The broker is gone at once, and comes back."""
        self._servers.stack.kill_kafka(hard=True)
        self._while(2)
        yield
        self._servers.stack.start_kafka()

    def broker_stopped(self) -> Fault:
        """The broker ends in order, and comes back."""
        self._servers.stack.kill_kafka(hard=False)
        self._while(2)
        yield
        self._servers.stack.start_kafka()

    def redis_killed(self) -> Fault:
        """Redis is gone at once, and comes back with what it had written."""
        self._servers.stack.kill_redis(hard=True)
        self._while(4)
        yield
        self._servers.stack.start_redis()

    def redis_emptied(self) -> Fault:
        """Redis forgets everything."""
        with Redis.from_url(self._servers.stack.redis_url) as client:
            client.flushall()
        yield

    def redis_restored(self) -> Fault:
        """Redis comes back with an old file."""
        old = self._spare / str(self._draw.randrange(self._copies))
        self._servers.stack.kill_redis(hard=True)
        shutil.rmtree(self._data())
        shutil.copytree(old, self._data())
        yield
        self._servers.stack.start_redis()

    def kafka_cut(self) -> Fault:
        """All connections with the broker break, and no new ones are taken."""
        yield from self._bad(self._servers.kafka, Proxy.cut, 6)

    def kafka_stalled(self) -> Fault:
        """Nothing passes between the broker and anybody, perhaps for longer than the timeout."""
        yield from self._bad(self._servers.kafka, Proxy.stall, TIMEOUT + 3)

    def kafka_unanswered(self) -> Fault:
        """The broker does what it is asked; nobody hears of it."""
        yield from self._bad(self._servers.kafka, Proxy.drop_answers, 3)

    def redis_cut(self) -> Fault:
        """All connections with Redis break, and no new ones are taken."""
        yield from self._bad(self._servers.redis, Proxy.cut, 4)

    def redis_stalled(self) -> Fault:
        """Nothing passes between Redis and the workers."""
        yield from self._bad(self._servers.redis, Proxy.stall, 5)

    def redis_unanswered(self) -> Fault:
        """Redis does what it is asked; nobody hears of it."""
        yield from self._bad(self._servers.redis, Proxy.drop_answers, 3)

    def _bad(self, proxy: Proxy, do: Callable[[Proxy], None], seconds: float) -> Fault:
        do(proxy)
        self._while(seconds)
        yield
        proxy.restore()

    def _while(self, seconds: float) -> None:
        """A fault lasts up to so many seconds."""
        time.sleep(self._draw.uniform(0.2, seconds))


FAULTS: Final[dict[str, Callable[[Chaos], Fault]]] = {
    name.replace("_", "-"): fault
    for name, fault in vars(Chaos).items()
    if name.startswith(("worker_", "driver_", "broker_", "redis_", "kafka_"))
}


def dealt(draw: random.Random, kills: int, kinds: Sequence[str]) -> Iterator[list[tuple[str, ...]]]:
    """The faults of run after run, alone or in pairs of different kinds; all come up in turn."""
    left: list[str] = []
    while kills > 0:
        of_run: list[tuple[str, ...]] = []
        for _ in range(min(A_RUN, kills)):
            left = left or draw.sample(kinds, len(kinds))
            one = left.pop()
            if of_run and _may_join(of_run[-1], one) and draw.random() < 0.25:
                of_run[-1] = (*of_run[-1], one)
            else:
                of_run.append((one,))
            kills -= 1
        yield of_run


def _may_join(before: tuple[str, ...], one: str) -> bool:
    return len(before) == 1 and _side(before[0]) != _side(one)


def _side(name: str) -> str:
    """Whose fault it is: a broker's end cannot be mended while its connections are cut."""
    side = name.partition("-")[0]
    return "kafka" if side == "broker" else side


class Outcome(NamedTuple):
    """What came of a run: hashes and events; recoveries are pairs of fault and seconds."""

    kills: int
    hashes: dict[str, str]
    events: list[Line]
    recoveries: list[tuple[str, float]]


def played(
    servers: Servers,
    folder: Path,
    words: Sequence[str],
    faults: Sequence[tuple[str, ...]],
    draw: random.Random,
) -> Outcome:
    """A run on Kafka, with faults, to its end.

    Args:
        servers: run.
        folder: the run's, not there yet.
        words: the scenario and its settings.
        faults: in order; two in one place come together.
        draw: random numbers.

    Raises:
        Failed: it did not come to its end.
    """
    driver = Driver(folder, [*words, "engine=kafka", *KAFKA, *servers.settings()])
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent) as spare:
            chaos = Chaos(servers, driver, draw, Path(spare))
            kills, found = _dealing(driver, chaos, faults, draw)
        _until(driver, lambda: False)
    finally:
        driver.end()
    run = RunFolder.open(folder)
    return Outcome(kills, run.manifest.hashes, list(run.events()), found)


def _dealing(
    driver: Driver, chaos: Chaos, faults: Sequence[tuple[str, ...]], draw: random.Random
) -> tuple[int, list[tuple[str, float]]]:
    """Deal faults to a run: how many struck while it went on, and how long it took to recover."""
    _until(driver, lambda: driver.tick() >= 0)
    run = RunFolder.open(driver.folder).scenario()
    space = range(1, max(run.duration - 15, 2))
    moments = sorted(draw.choices(space, k=len(faults)))
    kills, found = 0, []
    for names, tick in zip(faults, moments, strict=True):
        _until(driver, lambda tick=tick: driver.tick() >= tick)  # type: ignore[misc]  # one tick
        time.sleep(draw.uniform(0, 0.1))
        if driver.over():
            break
        before, began = driver.tick(), time.monotonic()
        report.say(f"  tick {before:>4}: {' + '.join(names)}")
        missed = chaos.missed
        _deal(chaos, names)
        kills += len(names) - (chaos.missed - missed)
        beyond = min(before + run.feedback_delay + 1, run.duration - 1)
        _until(driver, lambda beyond=beyond: driver.tick() >= beyond)  # type: ignore[misc]
        found.append((" + ".join(names), time.monotonic() - began))
        report.say(f"             {found[-1][1]:.1f} s")
        chaos.copy()
    return kills, found


def _deal(chaos: Chaos, names: Sequence[str]) -> None:
    """Strike, one while the other lasts; mend in the same order. Workers go with their driver."""
    names = sorted(names, key=lambda name: _side(name) == "driver")
    struck = [FAULTS[name](chaos) for name in names]
    for one in struck:
        next(one)
    failed = []
    for one in struck:
        try:
            next(one, None)
        except Failed as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _until(driver: Driver, done: Callable[[], bool]) -> None:
    """Wait until something is so, or the run is over.

    Raises:
        Failed: the run does not go on.
    """
    until = time.monotonic() + PATIENCE
    while not driver.over() and not done():
        if time.monotonic() > until:
            raise Failed(f"no end after {PATIENCE:.0f} s at tick {driver.tick()}")
        time.sleep(0.02)


class Count(NamedTuple):
    """Votes, lessons and decisions that are missing in a run, and those that are there twice."""

    lost: int
    twice: int


def counted(expected: Iterable[Line], found: Iterable[Line]) -> Count:
    """Compare a run's events with those of the run that nothing happened to.

    Lost: votes without a ruling, and all other lines that should be there; twice: rulings of a vote
    that had a last one, and all other lines that should not.
    """
    wanted, got = list(expected), list(found)
    unruled, again = _ruled(got)
    due, there = Counter(map(_text, wanted)), Counter(map(_text, got))
    return Count(_others(due - there, unruled), _others(there - due, again))


def _ruled(events: Sequence[Line]) -> tuple[Counter[str], Counter[str]]:
    """Votes that have no ruling; votes that got one after their last, and how many."""
    rulings: dict[str, list[str]] = {one["vote"]: [] for one in events if one["type"] == "vote"}
    for one in events:
        if one["type"] == "ruling":
            rulings.setdefault(one["vote"], []).append(one["ruling"])
    unruled = Counter(vote for vote, of in rulings.items() if not of)
    beyond = {v: sum(one != QUARANTINED for one in of[:-1]) for v, of in rulings.items()}
    return unruled, +Counter(beyond)


def _others(lines: Counter[str], votes: Counter[str]) -> int:
    """Votes, and the lines that are not just their rulings."""
    count = votes.total()
    for line, times in lines.items():
        event = msgspec.json.decode(line)
        count += 0 if event["type"] == "ruling" and event["vote"] in votes else times
    return count


def _text(event: Line) -> str:
    return msgspec.json.encode(event, order="sorted").decode()


def embedded(folder: Path, words: Sequence[str]) -> Outcome:
    """The same run in one process.

    Raises:
        Failed: it did not come to its end.
    """
    driver = Driver(folder, [*words, "engine=embedded"])
    try:
        _until(driver, lambda: False)
    finally:
        driver.end()
    run = RunFolder.open(folder)
    return Outcome(0, run.manifest.hashes, list(run.events()), [])


def summed(expected: Outcome, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The figures of all runs."""
    counts = [counted(expected.events, one.events) for one in outcomes]
    by_fault = defaultdict(list)
    for name, seconds in (pair for one in outcomes for pair in one.recoveries):
        by_fault[name].append(seconds)
    every = [seconds for of in by_fault.values() for seconds in of]
    return {
        "kills": sum(one.kills for one in outcomes),
        "lost": sum(one.lost for one in counts),
        "twice": sum(one.twice for one in counts),
        "equal_hash": bool(outcomes) and all(one.hashes == expected.hashes for one in outcomes),
        "recovery_seconds": _spread(every)
        | {"by_fault": {name: _spread(of) for name, of in sorted(by_fault.items())}},
        "runs": len(outcomes),
        "votes": sum(one["type"] == "vote" for run in outcomes for one in run.events),
    }


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {"median": round(median(seconds), 1), "max": round(max(seconds), 1)}


def killed(folder: Path, words: Sequence[str], kills: int, seed: int, kinds: Sequence[str]) -> Any:
    """Run after run until so many faults are dealt; the figures, and what failed.

    Args:
        folder: for runs and servers.
        words: the scenario and its settings.
        kills: how many faults.
        seed: of all that is drawn.
        kinds: names of `FAULTS`.
    """
    draw = random.Random(seed)
    expected = embedded(folder / "embedded", words)
    report.say(f"embedded: {expected.hashes}, {len(expected.events)} events")
    outcomes: list[Outcome] = []
    failed = []
    with Servers(folder / "stack").running() as servers:
        for number, faults in enumerate(dealt(draw, kills, kinds)):
            report.say(f"run {number}: {sum(map(len, faults))} faults")
            try:
                outcomes.append(played(servers, folder / f"run-{number}", words, faults, draw))
            except Failed as why:
                report.say(f"  failed: {why}")
                failed.append(str(why))
                continue
            told = counted(expected.events, outcomes[-1].events)
            equal = outcomes[-1].hashes == expected.hashes
            report.say(f"  {told.lost} lost, {told.twice} twice, hash {equal=}")
    return summed(expected, outcomes) | {"failed": failed, "seed": seed}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.chaos", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=A_RUN, help="faults in all")
    parser.add_argument("--seed", type=int, default=1, help="of faults and moments")
    parser.add_argument("--scenario", help="another one, as it stands; 20 ticks at least")
    parser.add_argument("--fault", action="append", choices=FAULTS, help="this kind; repeatable")
    parser.add_argument("--keep", action="store_true", help="keep the runs' folders and logs")
    return parser.parse_args()


def main() -> int:
    """Kill what a run on Kafka stands on; the last line of output is JSON."""
    given = _arguments()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    words = [given.scenario] if given.scenario else SMALL
    folder = Path(tempfile.mkdtemp(prefix="hamstrung-chaos-"))
    with ExitStack() as after:
        if given.keep:
            report.say(f"runs and logs: {folder}")
        else:
            after.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            found = killed(folder, words, given.kills, given.seed, given.fault or list(FAULTS))
        except (StackError, Failed) as error:
            report.say(f"chaos: {error}")
            return UNREACHED
        except KeyboardInterrupt:
            return INTERRUPTED
    report.last_line(found)
    good = found["equal_hash"] and not (found["lost"] or found["twice"] or found["failed"])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
