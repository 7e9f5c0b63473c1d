"""What a worker adds to Faust's consumer, and when it takes a run for over; the rest is live."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from filter import worker
from filter.chain import CHAIN
from filter.courier import BEGUN, ENDED, topic_name
from filter.position import Fenced
from filter.unit import inputs

RUN = "r-1"
OURS = ("run", RUN.encode())


class Sought:
    """Something like aiokafka's consumer, that has gone back to what is committed."""

    def __init__(self, committed: dict[str, int | None]) -> None:
        self.committed = committed
        self.begun: list[str] = []

    async def seek_to_committed(self) -> dict[str, int | None]:
        return self.committed

    async def seek_to_beginning(self, *places: str) -> None:
        self.begun += places


@pytest.mark.parametrize(
    ("committed", "begun"),
    [
        ({}, []),
        ({"a": 7, "b": 1}, []),
        ({"a": 7, "b": None, "c": 0}, ["b", "c"]),
    ],
)
def test_where_nothing_is_committed_a_partition_is_read_from_its_beginning(
    committed: dict[str, int | None], begun: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    consumer = Sought(committed)

    async def call_thread(do: Any) -> Any:
        return await do()

    made = object.__new__(worker._Thread)
    made._consumer = consumer
    monkeypatch.setattr(made, "call_thread", call_thread)
    assert asyncio.run(made.seek_to_committed()) == committed
    assert consumer.begun == begun


class Control:
    """The topic ``control``, of which some lies there and some comes later."""

    def __init__(self, there: int, words: Sequence[Iterable[tuple[str, bytes]]]) -> None:
        self._there, self._words = there, words
        self.at = 0

    async def end_offsets(self, places: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(places, self._there)

    async def position(self, place: Any) -> int:
        return self.at

    async def getmany(self, place: Any, timeout_ms: int) -> dict[Any, list[Any]]:
        if self.at == len(self._words):
            await asyncio.sleep(60)
        headers = self._words[self.at]
        self.at += 1
        return {place: [SimpleNamespace(headers=list(headers))]}


BEGINS = (OURS, (BEGUN, RUN.encode()))
ENDS = (OURS, (ENDED, RUN.encode()))


@pytest.mark.parametrize(
    ("there", "words", "over_at"),
    [
        (1, [BEGINS, ENDS], 2),
        (2, [BEGINS, ENDS], 2),
        (3, [BEGINS, ENDS, BEGINS], None),
        (3, [BEGINS, ENDS, BEGINS, ENDS], 4),
        (1, [BEGINS, [OURS, (ENDED, b"r-2")]], None),
        (1, [BEGINS, [("run", b"r-2"), (ENDED, RUN.encode())]], None),
        (1, [BEGINS, [(ENDED, RUN.encode())]], None),
    ],
)
def test_a_run_is_over_when_its_last_word_says_so(
    there: int,
    words: Sequence[Iterable[tuple[str, bytes]]],
    over_at: int | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    control = Control(there, words)

    @asynccontextmanager
    async def reading(_broker: str, _run: str) -> AsyncIterator[tuple[Control, str]]:
        yield control, "control"

    monkeypatch.setattr(worker, "_reading", reading)

    async def waited() -> bool:
        try:
            await asyncio.wait_for(worker._over("broker", RUN), 0.2)
        except TimeoutError:
            return False
        return True

    assert asyncio.run(waited()) is (over_at is not None)
    assert control.at == (len(words) if over_at is None else over_at)


# Partitions that are dealt anew

PLACE = CHAIN[0].stage, 0


class Heard:
    """Something like a unit: what it was given, and what becomes of it when it is asked."""

    link = CHAIN[0]

    def __init__(self, asked: asyncio.Event, fenced: bool) -> None:
        self._asked, self._fenced = asked, fenced
        self.events: list[str] = []

    def hear(self, _name: str, event: Any) -> None:
        self.events.append(event.value)

    def forget_events(self) -> None:
        self.events.clear()

    async def confirm(self) -> None:
        await self._asked.wait()
        if self._fenced:
            raise Fenced("somebody else has it")


class Stream:
    """Faust's stream of one agent."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator[Any]:
        while True:
            said = await self.queue.get()
            message = SimpleNamespace(topic=f"hamstrung.{RUN}.mails", partition=0, offset=0)
            yield SimpleNamespace(message=message, value=said)


class Dealing:
    """A worker with one unit, that Redis has still to be asked about, and its agent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fenced: bool) -> None:
        self.answers = asyncio.Event()
        self.first = Heard(self.answers, fenced)
        self.second = Heard(self.answers, False)
        self.stream = Stream()
        self.worker = made = object.__new__(worker.Worker)
        made._charter = SimpleNamespace(run=RUN)  # type: ignore[assignment]  # all it asks for
        made._units = {PLACE: self.first}  # type: ignore[dict-item]
        made._tasks = {PLACE: asyncio.create_task(asyncio.sleep(60))}
        made._generation, made._settled = 0, asyncio.Event()
        monkeypatch.setattr(made, "_unit", lambda *_: made._units.get(PLACE, self.second))
        self.agent = asyncio.create_task(made._agent(CHAIN[0])(self.stream))

    async def deal(self) -> "asyncio.Task[None]":
        """Deal all partitions anew, and do not wait for Redis."""
        names = [topic_name(RUN, topic.name) for topic in inputs(CHAIN[0])]
        await self.worker._revoked(None, set())
        places = [SimpleNamespace(topic=name, partition=0) for name in names]
        task = asyncio.create_task(self.worker._assigned(None, places))
        await asyncio.sleep(0.01)
        return task

    async def say(self, *words: str) -> None:
        """Have messages come."""
        for word in words:
            self.stream.queue.put_nowait(word)
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("fenced", [False, True])
def test_what_comes_while_redis_is_asked_goes_to_whoever_has_the_partition_then(
    fenced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dealt() -> tuple[list[str], list[str], list[str]]:
        made = Dealing(monkeypatch, fenced)
        asked = await made.deal()
        await made.say("one", "two")
        before = list(made.first.events)
        made.answers.set()
        await asked
        await made.say("three")
        return before, made.first.events, made.second.events

    every = ["one", "two", "three"]
    assert asyncio.run(dealt()) == (([], [], every) if fenced else ([], every, []))


def test_what_waits_while_partitions_are_dealt_again_comes_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def dealt() -> list[str]:
        made = Dealing(monkeypatch, fenced=False)
        await made.deal()
        await made.say("one")
        asked = await made.deal()
        made.answers.set()
        await asked
        await made.say("one", "two")
        return made.first.events

    assert asyncio.run(dealt()) == ["one", "two"]
