"""The fleet: the workers that a run starts, looks after and ends; and the engine in front of them.

Each worker is a process with a log of its own in the run's folder. It ends when the run is over,
when it is told to, or when the process that started it is gone.
"""

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Final

import msgspec

from filter import chain, settings
from filter.chain import Beginning
from filter.charter import charter
from filter.ledger_redis import expire
from filter.plugins import SettingsError
from filter.redis_server import LedgerRefused, Unreachable, connect
from filter.river_travel import TRAVELS
from filter.settings import FilterSettings
from simulator.broker import DAY, Broker, program
from simulator.engine_kafka import MANY_DEAD, KafkaEngine
from simulator.loop import Engines
from simulator.mail import Source
from simulator.scenario import Scenario
from simulator.servers import HINT, HOW, PASSWORD, EngineError, Unreached

Say = Callable[[str], None]
RESTARTS: Final = 20
"""Workers that may end before their time, one after the other, without a tick between them."""

REFUSED: Final = 2
"""A worker's exit code that a new one would end with too."""


class Fleet:
    """Workers on this machine.

    Args:
        scenario: says how many, and where the servers are.
        run: the run's id.
        folder: for their logs.
        say: tells people, in a sentence.
    """

    def __init__(self, scenario: Scenario, run: str, folder: Path, say: Say) -> None:
        """Start none yet."""
        self._scenario, self._run, self._folder, self._say = scenario, run, folder, say
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._restarts, self._tick = 0, -1

    def start(self) -> None:
        """Start as many as the scenario says."""
        for number in range(self._scenario.kafka.workers):
            self._workers[number] = self._started(number)
        if not self._workers:
            self._say(f"it starts no workers; wherever there are none yet: {self.by_hand()}")

    def by_hand(self) -> str:
        """The command that starts a worker anywhere."""
        return shlex.join(["hamstrung", "worker", "all", *self._places()])

    def _places(self) -> list[str]:
        """Where the servers are, as words of a command."""
        kafka, redis = self._scenario.kafka, self._scenario.redis
        return ["--set", f"kafka.broker={kafka.broker}", "--set", f"redis.url={redis.url}"]

    def pids(self) -> list[int]:
        """The workers' process numbers."""
        return [worker.pid for worker in self._workers.values()]

    def _started(self, number: int) -> "subprocess.Popen[bytes]":
        seconds = self._scenario.kafka.session_timeout
        words = [
            sys.executable,
            "-c",
            "import sys; from simulator.cli import main; sys.exit(main())",
        ]
        words += ["worker", "all", "--run", self._run, "--while-stdin", *self._places()]
        words += ["--set", f"kafka.session_timeout={seconds:.3f}"]
        with self._log(number).open("ab") as log:
            return subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
            )

    def _log(self, number: int) -> Path:
        return self._folder / f"worker-{number}.log"

    def mend(self, tick: int = -1) -> None:
        """Start a new worker for each that has ended before its time.

        Args:
            tick: the last one that is whole.

        Raises:
            EngineError: they cannot work here.
        """
        if tick > self._tick:
            self._tick, self._restarts = tick, 0
        for number, worker in self._workers.items():
            code = worker.poll()
            if code is None:
                continue
            self._restarts += 1
            if code == REFUSED or self._restarts > RESTARTS:
                raise EngineError(f"worker {number} ended with {code}: {self._last_words(number)}")
            self._say(f"worker {number} ended with {code}; a new one takes over")
            if worker.stdin:
                worker.stdin.close()
            self._workers[number] = self._started(number)

    def _last_words(self, number: int) -> str:
        lines = self._log(number).read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"{self._log(number)} says nothing"

    def stop(self, over: bool) -> None:
        """End them; if the run is ``over`` they know already, and get some seconds to go."""
        until = time.monotonic() + (5 if over else 0)
        for worker in self._workers.values():
            try:
                worker.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                worker.terminate()
        for worker in self._workers.values():
            try:
                worker.wait(5)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
            if worker.stdin:
                worker.stdin.close()
        if over:
            for number in self._workers:
                if not self._log(number).stat().st_size:
                    self._log(number).unlink()


@contextmanager
def engines(scenario: Scenario, run: str, folder: Path | None, say: Say) -> Iterator[Engines]:
    """What makes the engine of the judged arm on Kafka; at the end the workers are ended.

    Args:
        scenario: says how many workers, and where the servers are.
        run: the run's id, the same one when it is resumed.
        folder: the run's, for the workers' logs; a temporary one if there is none.
        say: tells people, in a sentence.

    Raises:
        Unreached: Kafka or Redis does not answer.
        ValueError: what answers will not do.
    """
    with (
        tempfile.TemporaryDirectory(prefix="hamstrung-") as spare,
        _opened(scenario, run, folder or Path(spare), say) as made,
    ):
        yield made


@contextmanager
def _opened(scenario: Scenario, run: str, folder: Path, say: Say) -> Iterator[Engines]:
    kafka, model = scenario.kafka, settings.model(scenario.filter)
    if not model.travels:
        raise SettingsError(
            f"filter.model: the state of {scenario.filter.model} cannot be handed from worker to"
            f" worker, so it does not run on Kafka; these do: naive-bayes, {', '.join(TRAVELS)}"
        )
    broker = Broker(kafka.broker, run, kafka.partitions)
    made: list[KafkaEngine] = []
    fleet = Fleet(scenario, run, folder, say)
    over = False
    try:
        _look_at_redis(scenario)

        def engine(
            own: FilterSettings, beginning: Beginning, source: Source, last: int
        ) -> KafkaEngine:
            order = charter(
                run,
                own,
                msgspec.json.encode(asdict(own)),
                beginning,
                program(),
                parts=kafka.partitions,
                delay=scenario.feedback_delay,
                last=last,
                per_message=kafka.events_per_message,
                snapshot_every=kafka.snapshot_every,
            )
            broker.open(order)
            fleet.start()
            (learner,) = chain.stages(own, beginning)["learner"]
            made.append(
                KafkaEngine(
                    broker,
                    delay=scenario.feedback_delay,
                    per_message=kafka.events_per_message,
                    last=last,
                    start=learner.start,  # type: ignore[attr-defined]  # a learner
                    source=source,
                    mend=fleet.mend,
                    say=say,
                    amiss=lambda: _amiss(scenario),
                    patience=kafka.patience,
                )
            )
            return made[-1]

        yield engine
        over = bool(made) and made[-1].collected == made[-1].last
        if made and made[-1].dead:
            count = f"{len(made[-1].dead)}{' or more' * (len(made[-1].dead) == MANY_DEAD)}"
            say(f"{count} messages could not be read: hamstrung tail dead-letters")
        if over:
            _end(broker, say)
    except EngineError as error:
        if not (made and made[-1].collected < 0):
            raise
        _end(broker, say)
        by_hand = f"; are there workers? {fleet.by_hand()}" * (not kafka.workers)
        raise EngineError(f"{error}{by_hand}") from error
    finally:
        fleet.stop(over)
        for one in made:
            one.close()
        broker.close()
        if over:
            _let_go(scenario, run)


def _end(broker: Broker, say: Say) -> None:
    """Say to all workers that the run is over; its result is safe even if they do not hear it."""
    try:
        broker.end()
    except Unreached as error:
        say(f"workers elsewhere were not told that the run is over: {error}")


def _let_go(scenario: Scenario, run: str) -> None:
    """Have Redis forget a run that is over when its topics' messages go too, if it answers."""
    with suppress(Unreachable, LedgerRefused):
        client = connect(scenario.redis.url, os.environ.get(PASSWORD))
        expire(client, run, DAY)
        client.close()


def _amiss(scenario: Scenario) -> str:
    """What keeps the workers from going on that the driver can see too: Redis, if it is away."""
    try:
        _look_at_redis(scenario)
    except (Unreached, LedgerRefused) as error:
        return f"; {error}"
    return ""


def _look_at_redis(scenario: Scenario) -> None:
    """See that the ledger can be kept there.

    Raises:
        Unreached: Redis does not answer.
        LedgerRefused: it may lose or show what it is given.
    """
    try:
        connect(scenario.redis.url, os.environ.get(PASSWORD)).close()
    except Unreachable as error:
        raise Unreached(f"{error} (redis.url): start one with {HOW}") from error
    except LedgerRefused as error:
        raise LedgerRefused(f"{error} (redis.url; {HINT})") from None
