"""What a worker adds to Faust's consumer, and when it takes a run for over; the rest is live."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from filter import worker
from filter.courier import BEGUN, ENDED

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
