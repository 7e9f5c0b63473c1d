"""Each idea that keeps a run whole, put to the test: without it, one of these fails.

The stages of a run work for real, on a broker that is a list and a Redis that is fakeredis, so that
they can be killed between any two steps; what they give has to be what the embedded engine gave.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple, TypeVar

import fakeredis
import msgspec
import pytest
import redis

from filter import chain, codec
from filter.chain import CHAIN, Beginning
from filter.charter import charter
from filter.collector import Collector
from filter.courier import Courier
from filter.ledger_redis import RedisLedger
from filter.position import WRITE, Fenced, Position
from filter.redis_server import Lost, Unreachable
from filter.release import Change, Scorer, released
from filter.settings import FilterSettings
from filter.stage import Flow
from filter.unit import Unit, inputs, sources
from filter.wire import Addressed, Header, Letters, addressed, decoded, written
from filter.wire import seen_by_driver as seen
from simulator.engine import Embedded
from simulator.loop import prepare, ticks
from simulator.mail import Source
from tests.contracts.small import small

RUN, PARTS, DELAY, PER_MESSAGE, EVERY = "run", 2, 2, 12, 5
DURATION = 26
TABLE: dict[str, Any] = {
    "arms": ["attacked"],
    "duration": DURATION,
    "feedback_delay": DELAY,
    "synthetic": {"mails_per_hour": 40},
    "attack": {"start": 3, "duration": 20},
}
GUARD = ("account_guard", 1)
EVERY_PLACE = [(link.stage, part) for link in CHAIN for part in range(PARTS if link.key else 1)]
Place = tuple[str, int]
T = TypeVar("T")


class Course(NamedTuple):
    """A run in one process: what each tick was given, and all that flowed at it, as bytes."""

    own: FilterSettings
    beginning: Beginning
    given: list[Flow]
    letters: list[Letters]
    flowed: list[bytes]


class Noting(Embedded):
    """The embedded engine, which notes what goes in and what comes out."""

    given: list[Flow]
    flowed: list[bytes]

    def submit(self, tick: int, given: Flow) -> None:
        self.given.append(msgspec.structs.replace(given))
        super().submit(tick, given)

    def collect(self, tick: int) -> Flow:
        flow = super().collect(tick)
        self.flowed.append(print_of(flow))
        return flow


def print_of(flow: Flow) -> bytes:
    """What the driver sees of a tick."""
    return codec.pack(msgspec.structs.replace(flow, mails=None, features=None))


@pytest.fixture(scope="module")
def course() -> Course:
    made: list[tuple[FilterSettings, Beginning, Source, Noting]] = []

    def engine(own: FilterSettings, beginning: Beginning, source: Source, _last: int) -> Noting:
        noting = Noting(chain.stages(own, beginning), DELAY)
        noting.given, noting.flowed = [], []
        made.append((own, beginning, source, noting))
        return noting

    prepared = prepare(small(TABLE), engine)
    for _ in ticks(prepared):
        pass
    own, beginning, source, noted = made[0]
    letters = []
    for tick, flow in enumerate(noted.given):
        assert flow.mails is not None
        said = source.texts(tick, flow.mails)
        letters.append(
            Letters(*flow.mails[:4], [one.subject for one in said], [one.text for one in said])
        )
    assert len(noted.flowed) == DURATION
    return Course(own, beginning, noted.given, letters, noted.flowed)


class Killed(Exception):  # noqa: N818 - the process ends here
    """Where a worker was killed."""


Hook = Callable[[str, Place, int], None]
"""Is told what a place is about to do, or has done, and at which tick; may kill it there."""


def nothing(_moment: str, _place: Place, _tick: int) -> None:
    """Nobody is killed."""


def in_time(_message: "Message") -> bool:
    """No message is late."""
    return False


def idle(_tick: int) -> None:
    """Nothing happens between two ticks."""


class Message(NamedTuple):
    topic: str
    partition: int
    offset: int
    header: Header
    raw: bytes


Asleep = Callable[[Place, int], Awaitable[None]]
"""Lets a place sleep between publishing a tick and saving it."""


class Log:
    """A broker: messages in order, snapshots, and how far each place has acknowledged."""

    def __init__(self) -> None:
        self.topics: dict[tuple[str, int], list[Message]] = defaultdict(list)
        self.snapshots: dict[Place, list[tuple[int, bytes]]] = defaultdict(list)
        self.committed: dict[tuple[Place, str], int] = defaultdict(int)

    def append(self, messages: Iterable[Addressed]) -> None:
        for topic, partition, header, raw in messages:
            kept = self.topics[topic, partition]
            kept.append(Message(topic, partition, len(kept), header, raw))


class Hand(Courier):
    """A courier to that broker, which can be killed between any two steps."""

    def __init__(self, log: Log, place: Place, hook: Hook, asleep: "Asleep") -> None:
        self._log, self._place, self._hook, self._asleep = log, place, hook, asleep

    async def publish(self, messages: Iterable[Addressed]) -> None:
        for number, one in enumerate(messages):
            self._hook("publish" if number == 0 else "publish more", self._place, one.header.tick)
            self._log.append([one])
        self._hook("published", self._place, one.header.tick)
        await self._asleep(self._place, one.header.tick)

    async def save(self, stage: str, part: int, tick: int, state: bytes) -> int:
        self._hook("snapshot", self._place, tick)
        self._log.snapshots[stage, part].append((tick, state))
        self._hook("snapshot saved", self._place, tick)
        return len(self._log.snapshots[stage, part]) - 1

    async def load(self, stage: str, part: int) -> tuple[int, bytes] | None:
        return max(self._log.snapshots[stage, part], default=None)

    async def delete(self, stage: str, part: int, before: int) -> None:
        self._hook("delete", self._place, DURATION - 1)


class Mortal(Position):
    """A position whose owner can be killed between any two calls."""

    def __init__(self, client: redis.Redis, place: Place, owner: str, hook: Hook) -> None:
        super().__init__(client, RUN, *place, owner)
        self._place, self._hook = place, hook

    def call(self, script: str, *arguments: Any, keys: Iterable[str] = ()) -> Any:
        how = arguments[1:4:2] if script == WRITE else ()
        saves = how and how[0] == "commit"
        if saves:
            self._hook("save", self._place, arguments[0])
        said = super().call(script, *arguments, keys=keys)
        if saves:
            self._hook(f"saved {how[1]}", self._place, arguments[0])
        return said


class Event:
    """A message as Faust gives it to an agent."""

    def __init__(self, message: Message, acked: Callable[[int], None]) -> None:
        self.topic, self.partition, self.offset = message.topic, message.partition, message.offset
        self.headers: Any = written(RUN, message.header)
        self.value: Any = message.raw
        self._acked = acked
        self.message: Any = self

    def ack(self) -> bool:
        self._acked(self.offset)
        return True


class Member:
    """A unit at work, and how far it has read."""

    def __init__(self, unit: Unit, log: Log, place: Place) -> None:
        self.unit, self._log, self._place = unit, log, place
        self._next = {topic.name: log.committed[place, topic.name] for topic in inputs(unit.link)}
        self.task = asyncio.create_task(unit.work())

    def read(self, name: str, late: Callable[[Message], bool]) -> bool:
        """Hear what has come, up to a message that is late; whether anything has."""
        messages = self._log.topics[name, self._place[1]]
        before = self._next[name]
        while self._next[name] < len(messages) and not late(messages[self._next[name]]):
            message = messages[self._next[name]]
            self.unit.hear(name, Event(message, partial(self._acked, name)))
            self._next[name] += 1
        return self._next[name] > before

    def _acked(self, name: str, offset: int) -> None:
        self._log.committed[self._place, name] = offset + 1


class Works:
    """All stages of a run, each partition a worker's; whoever dies has a successor."""

    def __init__(self, course: Course, hook: Hook = nothing) -> None:
        self.course, self.hook, self.log = course, hook, Log()
        self.client = fakeredis.FakeRedis(server=fakeredis.FakeServer())
        self.members: dict[Place, Member] = {}
        self.zombies: list[Member] = []
        self.sleeps: tuple[Place, int] | None = None
        self._wakes = asyncio.Event()
        self.deaths: list[BaseException] = []
        self.late: Callable[[Message], bool] = in_time
        self.patience = 3
        """Rounds without anything new after which nobody does anything any more."""
        self.times = 1
        """How often each message is written."""
        self._names = iter(range(10**6))
        self._fresh: dict[Place, tuple[Any, str]] = {}
        self._charter = charter(
            RUN,
            course.own,
            b"{}",
            course.beginning,
            {},
            parts=PARTS,
            delay=DELAY,
            last=DURATION - 1,
            per_message=PER_MESSAGE,
            snapshot_every=EVERY,
        )
        (learner,) = chain.stages(course.own, course.beginning)["learner"]
        self._driver = Driver(learner.start.scorer)  # type: ignore[attr-defined]  # a learner

    def take_up(self, place: Place) -> None:
        """Another worker takes a partition up."""
        stage, owner = self._stage(place)
        link = next(one for one in CHAIN if one.stage == place[0])
        position = Mortal(self.client, place, owner, self.hook)
        hand = Hand(self.log, place, self.hook, self._asleep)
        decode = partial(decoded, per_message=PER_MESSAGE)
        unit = Unit(self._charter, link, place[1], stage, position, hand, decode, print)
        self.members[place] = Member(unit, self.log, place)

    def _stage(self, place: Place) -> tuple[Any, str]:
        """A stage as it begins, and the name of who owns it: each is handed out once."""
        if place not in self._fresh:
            owner = f"owner-{next(self._names)}"

            def ledgers(part: int, checks: Any) -> RedisLedger:
                position = Mortal(self.client, ("account_guard", part), owner, self.hook)
                return RedisLedger(position, checks)

            made = chain.stages(self.course.own, self.course.beginning, PARTS, ledgers)
            self._fresh = {
                (name, part): (one, owner)
                for name, of in made.items()
                for part, one in enumerate(of)
            }
        return self._fresh.pop(place)

    async def _asleep(self, place: Place, tick: int) -> None:
        if (place, tick) == self.sleeps:
            self.sleeps = None
            await self._wakes.wait()

    def replace(self, place: Place) -> None:
        """Take a worker for dead that is not."""
        self.zombies.append(self.members[place])
        self.take_up(place)

    def wake(self) -> None:
        """Whoever slept goes on."""
        self._wakes.set()

    async def run(self, meanwhile: Callable[[int], None] = idle) -> list[bytes]:
        """All ticks; what the driver has gathered of each by the end.

        Args:
            meanwhile: called after every tick, when nothing goes on any more.
        """
        for place in EVERY_PLACE:
            self.take_up(place)
        for tick in range(DURATION):
            self._submit(tick)
            await self.settle()
            meanwhile(tick)
        await self.settle()
        for member in (*self.members.values(), *self.zombies):
            member.task.cancel()
        return self._driver.gathered

    def _submit(self, tick: int) -> None:
        given = self.course.given[tick]
        self._driver.given(tick, given)
        for stream in ("mails", "votes", "kept", "judgements"):
            value = self.course.letters[tick] if stream == "mails" else getattr(given, stream)
            for _ in range(self.times):
                self.log.append(addressed(stream, value, tick, 0, PARTS, PER_MESSAGE))

    async def settle(self) -> None:
        """Let everybody work until nothing goes on any more."""
        quiet = 0
        while quiet < self.patience:
            going = bool(
                [one for one in (*self.members.values(), *self.zombies) if self._hear(one)]
            )
            for _ in range(3):
                await asyncio.sleep(0)
            going |= self._driver.read(self.log, self.late)
            quiet = 0 if going or self._bury() else quiet + 1

    def _hear(self, member: Member) -> bool:
        if member.task.done():
            return False
        return bool([t for t in inputs(member.unit.link) if member.read(t.name, self.late)])

    def _bury(self) -> bool:
        """Find successors for the dead."""
        dead = [place for place, member in self.members.items() if member.task.done()]
        for place in dead:
            error = self.members[place].task.exception()
            assert isinstance(error, Killed | Fenced | Lost), error
            self.deaths.append(error)
            assert len(self.deaths) < 50
            self.take_up(place)
        return bool(dead)


class Driver:
    """Gathers what the stages give, as the engine's driver does."""

    def __init__(self, scorer: Scorer) -> None:
        self._topics = {topic.name: topic for topic in seen()}
        whence = {}
        for topic in seen():
            many = 1 if topic.stream == "releases" else topic.parts(PARTS)
            whence[topic.stream] = [
                one
                for part in range(many)
                for one in (sources(topic, part, PARTS) if topic.stages else [(part, part)])
            ]
        self._collector = Collector(whence, DURATION - 1, partial(decoded, per_message=PER_MESSAGE))
        self._places = {(s, part) for s, pairs in whence.items() for part, _ in pairs}
        self._next: dict[tuple[str, int], int] = defaultdict(int)
        self._flows: dict[int, Flow] = {}
        self._scorer = scorer
        self.gathered: list[bytes] = []

    def given(self, tick: int, flow: Flow) -> None:
        self._flows[tick] = msgspec.structs.replace(flow)

    def read(self, log: Log, late: Callable[[Message], bool]) -> bool:
        before = sum(self._next.values())
        for name, topic in self._topics.items():
            for part in range(topic.parts(PARTS)):
                if (topic.stream, part) in self._places:
                    messages = log.topics[name, part]
                    for one in messages[self._next[name, part] :]:
                        if late(one):
                            break
                        self._next[name, part] += 1
                        if one.header.tick >= len(self.gathered):
                            self._collector.add(topic.stream, part, one.header, one.raw)
        while len(self.gathered) < len(self._flows) and self._whole(len(self.gathered)):
            self._gather(len(self.gathered))
        return sum(self._next.values()) > before

    def _whole(self, tick: int) -> bool:
        return all(self._collector.complete(t.stream, tick) for t in self._topics.values())

    def _gather(self, tick: int) -> None:
        flow = self._flows[tick]
        for topic in self._topics.values():
            value = self._collector.take(topic.stream, tick)
            if isinstance(value, Change):
                value = released(value, self._scorer)
                self._scorer = value[0].scorer or self._scorer
            setattr(flow, topic.stream, value)
        self.gathered.append(print_of(flow))


def result(works: Works, meanwhile: Callable[[int], None] = idle) -> list[bytes]:
    """What came of a run; a wait costs no time."""
    return asyncio.run(works.run(meanwhile))


def must_equal(found: Sequence[bytes], course: Course) -> None:
    assert len(found) == DURATION, f"nothing goes on after tick {len(found) - 1}"
    different = [tick for tick in range(DURATION) if found[tick] != course.flowed[tick]]
    assert not different


class Once:
    """Kills a place at a moment of a tick, once."""

    def __init__(self, moment: str, place: Place, tick: int, error: Exception) -> None:
        self._at, self._error, self.happened = (moment, place, tick), error, 0

    def __call__(self, moment: str, place: Place, tick: int) -> None:
        if (moment, place, tick) == self._at and not self.happened:
            self.happened += 1
            raise self._error


def test_what_nothing_happens_to_gives_what_the_embedded_engine_gives(course: Course) -> None:
    works = Works(course)
    must_equal(result(works), course)
    assert not works.deaths


# Dedup by header


def test_every_message_that_comes_twice_is_counted_once(course: Course) -> None:
    works = Works(course)
    works.times = 2

    class Twice(Log):
        def append(self, messages: Iterable[Addressed]) -> None:
            for one in messages:
                super().append([one, one])

    works.log = Twice()
    must_equal(result(works), course)


def test_a_tick_that_is_published_again_after_all_have_taken_it_changes_nothing(
    course: Course,
) -> None:
    works = Works(course)

    def again(tick: int) -> None:
        if tick % 4 == 3:
            for kept in [*works.log.topics.values()]:
                for one in [one for one in kept if one.header.tick == tick - 2]:
                    works.log.append([Addressed(one.topic, one.partition, one.header, one.raw)])

    must_equal(result(works, again), course)
    for (stage, _), member in works.members.items():
        link = next(one for one in CHAIN if one.stage == stage)
        for stream in link.takes._fields:
            assert (stream, 21) not in member.unit._collector._slices, "it is kept for ever"


# The mark


@pytest.mark.parametrize("seed", range(2))
def test_no_tick_is_taken_before_every_producing_partition_s_last_slice(
    course: Course, seed: int
) -> None:
    draw = Random(seed)
    works = Works(course)
    held: dict[tuple[str, int, int, int], int] = {}

    def late(message: Message) -> bool:
        """Some last slices, and some partitions' whole ticks, come late."""
        header = message.header
        place = message.topic, message.partition, header.tick, header.part
        held.setdefault(place, draw.choice((0, 0, 4, 12)))
        if header.slice == header.of - 1 and held[place] > 0:
            held[place] -= 1
            return True
        return False

    works.late, works.patience = late, 15
    must_equal(result(works), course)


# Publish, then save, then acknowledge what a snapshot covers

MOMENTS = ("publish", "publish more", "published", "snapshot", "snapshot saved", "delete")


@pytest.mark.parametrize("moment", MOMENTS)
def test_workers_are_killed_at_a_moment_and_others_go_on(course: Course, moment: str) -> None:
    """One after the other, each at a tick of its own, with or without a snapshot before it."""
    left = dict(zip(EVERY_PLACE, (3, 7, 9, 12, 13, 16, 18), strict=True))

    def hook(now: str, place: Place, tick: int) -> None:
        if now == moment and tick >= left.get(place, DURATION):
            del left[place]
            raise Killed

    must_equal(result(Works(course, hook)), course)
    assert not left


@pytest.mark.parametrize("moment", ["save", "saved more", "saved last"])
def test_the_account_guard_is_killed_while_it_saves(
    course: Course, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filter.ledger_redis.SLICE", 2)
    hook = Once(moment, GUARD, 12, Killed())
    must_equal(result(Works(course, hook)), course)
    assert hook.happened == 1


@pytest.mark.parametrize("seed", range(2))
def test_workers_are_killed_at_any_moment_again_and_again(course: Course, seed: int) -> None:
    draw = Random(seed)
    killed: list[tuple[str, Place, int]] = []

    def hook(moment: str, place: Place, tick: int) -> None:
        if draw.random() < 0.008 and len(killed) < 20:
            killed.append((moment, place, tick))
            raise Killed

    must_equal(result(Works(course, hook)), course)
    assert len(killed) > 5


# Atomic save


def at_once(times: list[str]) -> Callable[[Unit, Callable[[], T]], Any]:
    """`Unit._patient` that does not sleep."""

    async def patient(_unit: Unit, do: Callable[[], T]) -> T:
        while True:
            try:
                return do()
            except Unreachable as error:
                times.append(str(error))

    return patient


@pytest.mark.parametrize("moment", ["save", "saved more", "saved last"])
def test_redis_is_away_in_the_middle_of_a_save(
    course: Course, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    away: list[str] = []
    monkeypatch.setattr("filter.ledger_redis.SLICE", 2)
    monkeypatch.setattr(Unit, "_patient", at_once(away))
    works = Works(course, Once(moment, GUARD, 12, Unreachable("away")))
    must_equal(result(works), course)
    assert away == ["away"]
    assert not works.deaths


@pytest.mark.parametrize("slices", [1, 2])
def test_redis_comes_back_without_the_last_slices_of_a_save(
    course: Course, slices: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filter.ledger_redis.SLICE", 2)
    dumps: list[dict[bytes, bytes]] = []

    def hook(moment: str, place: Place, tick: int) -> None:
        if (place, tick) == (GUARD, 12) and moment in ("save", "saved more"):
            dumps.append(dump(works.client))
            if len(dumps) == 2 * slices:
                restore(works.client, dumps[2 * slices - 2])

    works = Works(course, hook)
    must_equal(result(works), course)
    assert [type(one) for one in works.deaths] == [Lost]


# Positions


def dump(client: redis.Redis) -> dict[bytes, bytes]:
    """All of a Redis."""
    found: dict[Any, Any] = {key: client.dump(key) for key in client.keys("*")}
    return found


def restore(client: redis.Redis, dumped: dict[bytes, bytes]) -> None:
    client.flushall()
    for key, value in dumped.items():
        client.restore(key, 0, value)


@pytest.mark.parametrize("tick", [11, 23])
def test_a_redis_that_was_emptied_is_filled_again(course: Course, tick: int) -> None:
    works = Works(course)

    def empty(now: int) -> None:
        if now == tick:
            works.client.flushall()

    must_equal(result(works, empty), course)
    assert any(isinstance(one, Lost) for one in works.deaths)


def test_a_redis_that_comes_back_between_reading_and_saving_takes_no_part_of_a_tick(
    course: Course,
) -> None:
    """It comes back from a file of some ticks ago."""
    dumps: list[dict[bytes, bytes]] = []

    def hook(moment: str, place: Place, tick: int) -> None:
        if (moment, place) == ("save", GUARD) and len(dumps) <= 12:
            dumps.append(dump(works.client))
            if tick == 12:
                restore(works.client, dumps[8])

    works = Works(course, hook)
    must_equal(result(works), course)
    assert Lost in map(type, works.deaths)


@pytest.mark.parametrize("age", [1, 7])
def test_a_redis_from_an_old_file_is_not_believed(course: Course, age: int) -> None:
    works = Works(course)
    dumps: list[dict[bytes, bytes]] = []

    def old(now: int) -> None:
        dumps.append(dump(works.client))
        if now == 16:
            restore(works.client, dumps[now - age])

    must_equal(result(works, old), course)
    assert any(isinstance(one, Lost) for one in works.deaths)


@pytest.mark.parametrize("place", [GUARD, ("crowd_guard", 0)])
def test_a_worker_that_was_taken_for_dead_wakes_late_and_saves_nothing(
    course: Course, place: Place
) -> None:
    """It slept between publishing a tick and saving it, and its successor has gone on."""
    works = Works(course)
    works.sleeps = (place, 12)

    def at(now: int) -> None:
        if now == 13:
            works.replace(place)
        if now == 16:
            works.wake()

    must_equal(result(works, at), course)
    (zombie,) = works.zombies
    assert isinstance(zombie.task.exception(), Fenced)
    assert not works.deaths


def test_a_successor_that_has_come_just_as_far_is_not_disturbed(course: Course) -> None:
    """Its position would take the zombie's save: only the owner's name tells them apart."""
    works = Works(course)
    owners: list[int | None] = []

    def hook(moment: str, place: Place, tick: int) -> None:
        if (moment, place, tick) == ("save", GUARD, 12) and not owners:
            owners.append(Position(works.client, RUN, *GUARD, "successor").claim())

    works.hook = hook
    must_equal(result(works), course)
    assert owners == [11]
    assert [type(one) for one in works.deaths] == [Fenced]
