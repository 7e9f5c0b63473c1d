"""Poison on every topic of a run, while it runs: a dead letter each, and nothing else happens."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from filter.chain import CHAIN
from filter.courier import (
    CAPPED,
    CONTROL,
    DEAD_LETTERS,
    Courier,
    DeadLetter,
    snapshot_topic,
    topic_name,
)
from filter.unit import sources
from filter.wire import LARGEST, MANY, Header, topics, written
from simulator.broker import Broker, runs_on
from simulator.engine_kafka import KafkaEngine
from simulator.fleet import engines
from simulator.loop import prepare, ticks
from simulator.stack import Stack
from tests.contracts.small import run, small
from tests.filter.test_charter import made as charter
from tests.filter.test_wire import ANYWHERE, head

PARTS, DURATION = 2, 26
LAST = DURATION - 1
AHEAD = 3
"""Ticks from now to the one that a pill is said to be of: the true slices come behind it."""

KEY = b"\xff\x00"
ONE: dict[str, Any] = {
    "arms": ["attacked"],
    "duration": DURATION,
    "synthetic": {"mails_per_hour": 50},
}
BROKEN = [
    *[one for name, one in ANYWHERE.items() if one[0] is None or len(one[0]) < 100_000],
    (b"x" * (LARGEST + 1), "size"),
    (b'[{"id":1,"id":1}]', "content"),
]
Place = tuple[str, int]
Headers = list[tuple[str, Any]]


class Pill(NamedTuple):
    """What is put on a topic.

    Args:
        code: of the dead letter that it becomes.
        value: its bytes.
        headers: as Kafka carries them.
    """

    code: str
    value: bytes | None
    headers: Headers


IDLE = (CONTROL, DEAD_LETTERS, *(snapshot_topic(link.stage) for link in CHAIN))
"""Topics that no stage reads while a run goes on."""

JUNK_AT = (-1, 11)


def places() -> list[Place]:
    """All partitions of all topics between stages."""
    return [(topic.name, part) for topic in topics() for part in range(topic.parts(PARTS))]


def header_at(name: str, part: int, tick: int) -> Header:
    """The header of a slice that somebody could have given."""
    topic = next(one for one in topics() if one.name == name)
    maker = part if topic.split and not topic.stages else sources(topic, part, PARTS)[0][1]
    return Header(tick, maker, 0, 1)


def pills(run_id: str, place: Place, tick: int) -> list[Pill]:
    """One of each kind, for a tick that is still to come."""
    good = header_at(*place, tick)

    def headed(**changes: Any) -> Headers:
        real = {name: b"%d" % number for name, number in good._asdict().items()}
        fields = {"run": run_id.encode()} | real | changes
        return [(name, value) for name, value in head(**fields) if value is not None]

    found = [Pill(code, raw, written(run_id, good)) for raw, code in BROKEN]
    found += [
        Pill("run", b"[]", []),
        Pill("run", None, []),
        Pill("run", b"[]", headed(run=b"another")),
        Pill("run", b"[]", headed(run=None)),
        Pill("header", b"[]", headed(tick=b"-1")),
        Pill("header", b"[]", headed(tick=b"\xff")),
        Pill("header", b"[]", headed(tick=b"9" * 2000)),
        Pill("header", b"[]", headed(tick=b"%d" % (LAST + 1))),
        Pill("header", b"[]", headed(slice=b"1")),
        Pill("header", b"[]", headed(of=b"0")),
        Pill("header", b"[]", headed(of=b"%d" % (MANY + 1))),
        Pill("header", b"[]", headed(part=b"7")),
    ]
    return found


def junk(run_id: str, tick: int) -> list[Pill]:
    """What stands on topics that no stage reads while a run goes on."""
    own: Headers = [("run", run_id.encode())]
    sliced = written(run_id, Header(tick, 0, 0, 1))
    raws = (b"", b"\xff\xfe", b"{}", b"[" * 5000, b'{"code":NaN}', None, b"x" * (LARGEST + 1))
    found = [Pill("content", raw, headers) for raw in raws for headers in (own, sliced)]
    return [*found, *(Pill("run", raw, []) for raw in raws)]


class Poisoner:
    """Somebody who may write to a run's topics, and puts pills among its messages.

    Args:
        broker: its address.
        run_id: of the run.
        share: of the messages that are pills.
        all_kinds: whether every place gets a pill of each kind to begin with, or just one pill.
    """

    def __init__(self, broker: str, run_id: str, share: float, all_kinds: bool) -> None:
        self._run, self._share, self._all = run_id, share, all_kinds
        self._producer = KafkaProducer(bootstrap_servers=broker, max_request_size=8_000_000)
        self._consumer = KafkaConsumer(bootstrap_servers=broker)
        self._kinds: Iterator[int] = cycle(Random(1).sample(range(500), 500))
        self._given = dict.fromkeys(places(), 0)
        self.letters: dict[tuple[str, int, int], Pill] = {}
        """Where each pill lies."""

    def __enter__(self) -> "Poisoner":
        return self

    def __exit__(self, *error: object) -> None:
        self._producer.close()
        self._consumer.close()

    def poison(self, tick: int) -> None:
        """As many pills as are owed to what is there by now, of a tick that is to come."""
        if tick + AHEAD > LAST:
            return
        sent = []
        for place in places():
            kinds = pills(self._run, place, tick + AHEAD)
            there = self._there(place)
            if self._given[place]:
                owed = int(self._share * (there - self._given[place])) - self._given[place]
                chosen = [kinds[next(self._kinds) % len(kinds)] for _ in range(owed)]
            else:
                chosen = kinds if self._all else [kinds[next(self._kinds) % len(kinds)]]
            self._given[place] += len(chosen)
            sent += [(place, pill, self.put(*place, pill)) for pill in chosen]
        if tick in JUNK_AT:
            for name in IDLE:
                found = [((name, 0), pill, self.put(name, 0, pill)) for pill in self._junk(tick)]
                sent += found if name == DEAD_LETTERS else []
        for (name, part), pill, future in sent:
            self.letters[name, part, future.get(30).offset] = pill

    def _junk(self, tick: int) -> list[Pill]:
        return junk(self._run, tick + AHEAD)

    def put(self, name: str, part: int, pill: Pill) -> Any:
        """Put a pill on a topic."""
        topic = topic_name(self._run, name)
        return self._producer.send(topic, pill.value, KEY, pill.headers, part)

    def _there(self, place: Place) -> int:
        where = TopicPartition(topic_name(self._run, place[0]), place[1])
        return int(self._consumer.end_offsets([where])[where])

    def share_of(self, place: Place) -> float:
        """How many of a place's messages are pills."""
        return self._given[place] / self._there(place)


def letters_on(broker: str, run_id: str, wanted: int) -> dict[tuple[str, int, int], DeadLetter]:
    """The dead letters of a run, by where the messages lie, once so many are there."""
    place = TopicPartition(topic_name(run_id, DEAD_LETTERS), 0)
    consumer = KafkaConsumer(
        bootstrap_servers=broker, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    found: dict[tuple[str, int, int], DeadLetter] = {}
    try:
        consumer.assign([place])
        consumer.seek_to_beginning(place)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            fetched = consumer.poll(500).get(place, ())
            for message in fetched:
                if message.key == KEY:
                    continue
                letter = msgspec.json.decode(message.value, type=DeadLetter)
                at = letter.topic, letter.partition, letter.offset
                assert message.key.decode() == "/".join(map(str, at))
                found[at] = letter
            if not fetched and len(found) >= wanted:
                break
    finally:
        consumer.close()
    return found


class Done(NamedTuple):
    """A run that was poisoned."""

    hash: str
    dead: set[tuple[str, int, int]]
    letters: dict[tuple[str, int, int], DeadLetter]
    said: list[str]
    logs: list[str]


def poisoned(stack: Stack, folder: Path, per_message: int, poisoner: Poisoner, run_id: str) -> Done:
    """Run the small scenario on Kafka while somebody poisons it."""
    kafka = {
        "broker": stack.broker,
        "partitions": PARTS,
        "workers": 2,
        "events_per_message": per_message,
        "snapshot_every": 7,
    }
    table = {"engine": "kafka", "kafka": kafka, "redis": {"url": stack.redis_url}}
    said: list[str] = []
    scenario = small(ONE, table)
    with engines(scenario, run_id, folder, said.append) as made:
        prepared = prepare(scenario, made)
        arm = prepared.arms["attacked"]
        poisoner.poison(-1)
        for tick in ticks(prepared):
            poisoner.poison(tick)
        letters = letters_on(stack.broker, run_id, len(poisoner.letters))
        assert isinstance(arm.engine, KafkaEngine)
        until = time.monotonic() + 60
        while len(arm.engine.dead) < len(letters) and time.monotonic() < until:
            arm.engine._poll()
    logs = [path.read_text() for path in sorted(folder.glob("worker-*.log"))]
    return Done(arm.hash, arm.engine.dead, letters, said, logs)


@pytest.fixture(scope="module")
def embedded() -> str:
    """The hash of the same run in one process, without poison."""
    return run(small(ONE)).arms["attacked"].hash


@pytest.mark.parametrize(
    ("per_thousand", "per_message", "all_kinds"), [(1, 1, False), (10, 500, False), (100, 3, True)]
)
def test_each_pill_is_one_dead_letter_and_the_run_goes_on_as_if_there_were_none(
    per_thousand: int,
    per_message: int,
    all_kinds: bool,
    stack: Stack,
    tmp_path: Path,
    embedded: str,
) -> None:
    run_id = f"poison-{per_thousand}"
    with Poisoner(stack.broker, run_id, per_thousand / 1000, all_kinds) as poisoner:
        done = poisoned(stack, tmp_path, per_message, poisoner, run_id)
        shares = [poisoner.share_of(place) for place in places()]
    told = {at: letter.code for at, letter in done.letters.items()}
    assert told == {at: pill.code for at, pill in poisoner.letters.items()}
    assert done.dead == set(told)
    assert {(name, part) for name, part, _ in told} == {*places(), (DEAD_LETTERS, 0)}
    assert max(shares) > per_thousand / 2000
    for at, pill in poisoner.letters.items():
        raw, letter = pill.value or b"", done.letters[at]
        assert (letter.size, letter.payload) == (len(raw), raw[:CAPPED].hex())
        assert letter.reason.startswith(f"{letter.code}: ")
    assert not [one for one in done.said if "ended" in one]
    assert not done.logs
    assert done.hash == embedded


def test_a_snapshot_is_found_among_pieces_that_are_none(stack: Stack) -> None:
    run_id, stage = "poison-snapshots", "learner"
    state = bytes(range(256)) * 8000
    topic = snapshot_topic(stage)
    with opened(stack, run_id), Poisoner(stack.broker, run_id, 0.0, False) as poisoner:

        def put(of: int, raw: bytes, slice_: int = 0) -> None:
            headers = written(run_id, Header(240, 0, slice_, of))
            poisoner.put(topic, 0, Pill("", raw, headers)).get(30)

        async def saved_and_loaded() -> tuple[int, bytes] | None:
            async with Courier(stack.broker, run_id) as courier:
                for of in (1, 3, 5):
                    put(of, b"before")
                await courier.save(stage, 0, 240, state)
                for of in (1, 2, 3, 4, 5):
                    put(of, b"behind", of - 1)
                put(MANY, b"behind")
                return await courier.load(stage, 0)

        assert asyncio.run(saved_and_loaded()) == (240, state)


def test_a_run_whose_topics_hold_poison_can_be_resumed(stack: Stack) -> None:
    run_id = "poison-resumed"
    with opened(stack, run_id), Poisoner(stack.broker, run_id, 0.0, True) as poisoner:
        poisoner.poison(-1)
    with opened(stack, run_id):
        assert run_id in runs_on(stack.broker)


def test_a_run_that_is_over_stays_so_whatever_is_said_afterwards(stack: Stack) -> None:
    run_id = "poison-over"
    with opened(stack, run_id) as broker, Poisoner(stack.broker, run_id, 0.0, False) as poisoner:
        broker.end()
        for pill in junk(run_id, 1):
            poisoner.put(CONTROL, 0, pill).get(30)
        assert run_id not in runs_on(stack.broker)


@contextmanager
def opened(stack: Stack, run_id: str) -> Iterator[Broker]:
    """A run's topics, without a run."""
    broker = Broker(stack.broker, run_id, PARTS)
    try:
        broker.open(msgspec.structs.replace(charter(), run=run_id, parts=PARTS))
        yield broker
    finally:
        broker.close()
