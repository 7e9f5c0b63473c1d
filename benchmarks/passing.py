"""Workers of the benchmark's own: with stages that only pass on, or with clocks in the true ones.

``python -m benchmarks.passing RUN BROKER REDIS`` is a worker as the product's own, but for what
``--pass`` or ``--clocks`` put into it from outside.
"""

import argparse
import sys
import time
import types
from collections import defaultdict
from collections.abc import Callable, Coroutine, Generator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import msgspec
import numpy as np

from filter import wire, worker
from filter.account_guard import AccountGuard
from filter.chain import CHAIN, Ledgers, Link
from filter.charter import Charter
from filter.collector import Collector
from filter.columns import Features, Kept, Mails, Verdicts
from filter.courier import Courier
from filter.crowd_guard import CrowdGuard
from filter.events import HOLD, UNIT, Claim, Credit, Lesson, Response, Ruling, Vote
from filter.learner import Learner
from filter.ledger_redis import RedisLedger
from filter.position import Position
from filter.responder import Responder
from filter.scoring import Scoring
from filter.stage import Release
from filter.unit import Unit, no_scorer
from simulator.servers import KafkaSettings, RedisSettings
from simulator.serving import work


def _verdicts(mails: Mails) -> Verdicts:
    score, folder = np.zeros(len(mails.mail)), np.zeros(len(mails.mail), np.int8)
    return Verdicts(mails.mail, mails.recipient, score, folder, mails.mail, folder)


def _features(mails: Mails) -> Features:
    folder = np.zeros(len(mails.mail), np.int8)
    return Features(mails.mail, mails.recipient, mails.domain, folder, mails.tokens)


def _claims(votes: tuple[Vote, ...]) -> tuple[Claim, ...]:
    return tuple(
        Claim(
            *(one.id, one.account, one.mail, one.sent, False, one.tick),
            *(one.address, one.subnet, 0.5, True, UNIT, ""),
        )
        for one in votes
    )


def _rulings(claims: tuple[Claim, ...]) -> tuple[Ruling, ...]:
    return tuple(
        Ruling(one.vote, one.account, one.mail, one.tick, "taught", "", "") for one in claims
    )


def _lessons(claims: tuple[Claim, ...]) -> tuple[Lesson, ...]:
    return tuple(Lesson(one.mail, False, one.sent, UNIT, ((one.account, UNIT),)) for one in claims)


def _credits(claims: tuple[Claim, ...]) -> tuple[Credit, ...]:
    return tuple(Credit(one.account, one.mail, one.vote, 1, one.subnet) for one in claims)


def _responses(given: tuple[Credit, ...]) -> tuple[Response, ...]:
    return tuple(Response(one.account, "none", 0, "") for one in given)


def _same(kept: Kept) -> Kept:
    return kept


def _nothing(_: Any) -> tuple[Any, ...]:
    return ()


def _held(_: Any) -> tuple[Release, ...]:
    return (Release(0, HOLD, "", None, None),)


MADE: Final[dict[str, tuple[str, Callable[[Any], Any]]]] = {
    "verdicts": ("mails", _verdicts),
    "features": ("mails", _features),
    "probes": ("mails", _nothing),
    "claims": ("votes", _claims),
    "trusted": ("kept", _same),
    "believed": ("trusted", _same),
    "stopped": ("votes", _nothing),
    "rulings": ("claims", _rulings),
    "lessons": ("claims", _lessons),
    "credits": ("claims", _credits),
    "releases": ("lessons", _held),
    "requests": ("lessons", _nothing),
    "responses": ("credits", _responses),
}
"""What a stage gives, from which of the streams that it takes, and how: as little as will do."""


class Passing:
    """A stage that passes on what it is given.

    Args:
        link: its place in the flow.
    """

    def __init__(self, link: Link) -> None:
        """Know nothing, and learn nothing."""
        self._link = link
        self.start = Release(-1, HOLD, "", no_scorer(), None)
        self.serving = no_scorer()

    def step(self, _tick: int, given: Any) -> Any:
        """The streams it gives, each from one that it takes."""
        names = self._link.gives._fields
        return self._link.gives(
            *(make(getattr(given, source)) for source, make in map(MADE.__getitem__, names))
        )

    def freeze(self) -> bytes:
        """Nothing."""
        return b""

    def thaw(self, frozen: bytes) -> None:
        """Nothing."""


def passing(parts: int) -> dict[str, list[Any]]:
    """Stages that pass on, in the place of all."""
    return {link.stage: [Passing(link)] * (parts if link.key else 1) for link in CHAIN}


def _passing(charter: Charter, _ledgers: Ledgers) -> dict[str, list[Any]]:
    return passing(charter.parts)


class Clocks:
    """Seconds by name, by the clock and of the processor, each without the timed calls within.

    Args:
        first: the tick with whose scoring they start.
        last: the tick with whose responder they stop.
        path: where they are written then, as JSON.
    """

    def __init__(self, first: int, last: int, path: Path) -> None:
        """Stand still."""
        self._first, self._last, self._path = first, last, path
        self._wall: defaultdict[str, float] = defaultdict(float)
        self._cpu: defaultdict[str, float] = defaultdict(float)
        self._within: list[list[float]] = []
        self._begun = (0.0, 0.0, 0.0)

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with its time noted."""

        def run(*args: Any, **named: Any) -> Any:
            return self._noted(name, lambda: call(*args, **named))

        return run

    def timed_coroutine(
        self, name: str, call: Callable[..., Coroutine[Any, Any, Any]]
    ) -> Callable[..., Any]:
        """The same coroutine function; only when it runs, not when it waits."""

        @types.coroutine
        def driven(made: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
            waits = None
            while True:
                try:
                    found = self._noted(name, partial(made.send, waits))
                except StopIteration as done:
                    return done.value
                try:
                    waits = yield found
                except BaseException as error:
                    made.throw(error)
                    raise

        async def run(*args: Any, **named: Any) -> Any:
            return await driven(call(*args, **named))

        return run

    def _noted(self, name: str, call: Callable[[], Any]) -> Any:
        self._within.append([0.0, 0.0])
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return call()
        finally:
            took = time.perf_counter() - wall, time.thread_time() - cpu
            within = self._within.pop()
            self._wall[name] += took[0] - within[0]
            self._cpu[name] += took[1] - within[1]
            if self._within:
                self._within[-1][0] += took[0]
                self._within[-1][1] += took[1]

    def starts(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """Scoring's step, with which they start."""

        def run(stage: Any, tick: int, given: Any) -> Any:
            if tick == self._first:
                self._wall.clear()
                self._cpu.clear()
                self._begun = time.perf_counter(), time.thread_time(), time.process_time()
            return step(stage, tick, given)

        return run

    def stops(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The responder's step, with which they stop."""

        def run(stage: Any, tick: int, given: Any) -> Any:
            gives = step(stage, tick, given)
            if tick == self._last:
                self._write()
            return gives

        return run

    def _write(self) -> None:
        now = time.perf_counter(), time.thread_time(), time.process_time()
        wall, main, process = (one - two for one, two in zip(now, self._begun, strict=True))
        cpu = dict(self._cpu) | {
            "in all, main thread": main,
            "in all, other threads": process - main,
        }
        found = {"cpu": cpu, "wall": dict(self._wall) | {"in all": wall}}
        self._path.write_bytes(msgspec.json.encode(found))


# Some are private: a benchmark looks inside, and the code should not have to help it.
CALLS: tuple[tuple[Any, str, str], ...] = (
    (Scoring, "step", "step: scoring"),
    (AccountGuard, "step", "step: account guard"),
    (CrowdGuard, "step", "step: crowd guard"),
    (Learner, "step", "step: learner"),
    (Responder, "step", "step: responder"),
    (wire, "hash_texts", "decode: hash the mail's words"),
    (worker, "decoded", "decode: the rest"),
    (Unit, "hear", "take a message in"),
    (Collector, "add", "take a message in"),
    (Collector, "take", "put slices together"),
    (Unit, "_given", "apply releases"),
    (Unit, "_messages", "encode"),
    (Unit, "_acknowledge", "acknowledge"),
    (RedisLedger, "load", "Redis: the ledger around its calls"),
    (RedisLedger, "quarantined", "Redis: the ledger around its calls"),
    (RedisLedger, "put", "Redis: the ledger around its calls"),
    (RedisLedger, "commit", "Redis: the ledger around its calls"),
    (Position, "call", "Redis: calls"),
)
COROUTINES: tuple[tuple[Any, str, str], ...] = (
    (Courier, "publish", "publish"),
    (Unit, "_snapshot", "snapshots"),
)


def _watch(clocks: Clocks, held: ExitStack) -> None:
    for owner, name, said in CALLS:
        held.enter_context(patch.object(owner, name, clocks.timed(said, getattr(owner, name))))
    for owner, name, said in COROUTINES:
        timed = clocks.timed_coroutine(said, getattr(owner, name))
        held.enter_context(patch.object(owner, name, timed))
    held.enter_context(patch.object(Scoring, "step", clocks.starts(Scoring.step)))
    held.enter_context(patch.object(Responder, "step", clocks.stops(Responder.step)))


def main() -> int:
    """Work until the run is over, or standard input ends."""
    parser = argparse.ArgumentParser("python -m benchmarks.passing", description=main.__doc__)
    for name in ("run", "broker", "redis"):
        parser.add_argument(name)
    parser.add_argument("--pass", action="store_true", dest="passing", help="stages pass on")
    parser.add_argument(
        "--clocks", nargs=3, metavar=("FIRST", "LAST", "PATH"), help="measure these ticks"
    )
    given = parser.parse_args()
    with ExitStack() as held:
        if given.passing:
            held.enter_context(patch.object(Charter, "stages", _passing))
        if given.clocks:
            first, last, path = given.clocks
            _watch(Clocks(int(first), int(last), Path(path)), held)
        return work(KafkaSettings(given.broker), RedisSettings(given.redis), given.run, True)


if __name__ == "__main__":
    sys.exit(main())
