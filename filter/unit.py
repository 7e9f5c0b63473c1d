"""A unit of work: one partition of one stage, taken up, taken tick by tick, and handed over.

A tick is published, then saved, then acknowledged. Whoever takes a partition up begins with its
last snapshot and takes the ticks since then again; up to the saved position they are not published
again, and what is published twice is dropped by its readers. A stage with a ledger saves every tick
there, and the position with it; the others have nothing to lose between two snapshots.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec
import numpy as np

from filter import codec
from filter.chain import Link
from filter.charter import Charter
from filter.collector import Collector, Decode
from filter.courier import Courier
from filter.ledger import Everything
from filter.ledger_redis import RedisLedger
from filter.model import LogOdds
from filter.position import Position
from filter.redis_server import Unreachable
from filter.release import Change, Scorer, changes, released
from filter.stage import Release
from filter.wire import Addressed, Topic, addressed, producer, read, topics

PATIENCE = 600.0
"""Seconds that a unit waits for Redis."""

TELLS = 10.0
"""Seconds after which it says, and says again, that it waits."""

T = TypeVar("T")


class Message(Protocol):
    """A message of Faust's, with what is needed of it."""

    topic: str
    partition: int
    offset: int
    headers: Any
    value: Any


class Event(Protocol):
    """A message on its way to an agent, to be acknowledged."""

    message: Message
    value: Any

    def ack(self) -> bool:
        """Say that it need not come again."""
        ...


class Held(NamedTuple):
    """An event that is acknowledged when a snapshot covers the tick at which it acts."""

    event: Event
    acts: int


class Frozen(msgspec.Struct, forbid_unknown_fields=True):
    """A snapshot: the stage, and the last scorer that was released, as changes against nothing."""

    stage: bytes
    scorer: Change


class Unit:
    """One partition of one stage.

    Args:
        charter: of the run.
        link: the stage's place in the flow.
        part: the number of the partition.
        stage: as it begins; its ledger is the one in Redis if it has one.
        position: its place in Redis.
        courier: publishes.
        decode: reads a message of a stream.
        say: tells people, in a sentence.
    """

    def __init__(
        self,
        charter: Charter,
        link: Link,
        part: int,
        stage: Any,
        position: Position,
        courier: Courier,
        decode: Decode,
        say: Callable[[str], None],
    ) -> None:
        """Begin before the first tick."""
        self.link, self.part = link, part
        self._charter = charter
        self._stage = stage
        self._position = position
        self._courier = courier
        self._say = say
        self._topics = {topic.name: topic for topic in inputs(link)}
        self._collector = Collector(
            {topic.stream: sources(topic, part, charter.parts) for topic in self._topics.values()},
            charter.last,
            decode,
        )
        self._held: dict[str, deque[Held]] = {name: deque() for name in self._topics}
        self._arrived = asyncio.Event()
        self._published = -1
        self._covered = -1
        self._before = -1
        """Where its last snapshot begins. What is older than the last but one is deleted: a worker
        that was taken for dead, and does so late, deletes nothing of its successor's."""
        self._scorer: Scorer = self._stage.start.scorer if link.stage == "learner" else no_scorer()
        self.at = -1
        """The last tick that was taken."""

    def hear(self, name: str, event: Event) -> None:
        """Take a message in.

        Args:
            name: of the topic, without the run.
            event: as Faust gives it.

        Raises:
            WireError: it cannot be read; it is to be buried, and then to be passed over.
        """
        topic, message = self._topics[name], event.message
        header = read(self._charter.run, message.headers)
        acts = header.tick + (self._charter.delay if topic.stream in self.link.back else 0)
        if acts > self.at:
            self._collector.add(topic.stream, message.partition, header, event.value)
        event.value = message.value = b""
        self._held[name].append(Held(event, acts))
        self._arrived.set()

    def pass_over(self, name: str, event: Event) -> None:
        """Wait for nothing of a message but its turn to be acknowledged."""
        event.value = event.message.value = b""
        self._held[name].append(Held(event, -1))
        self._arrived.set()

    def forget_events(self) -> None:
        """Everything that was not acknowledged comes again: let go of it."""
        for held in self._held.values():
            held.clear()

    async def confirm(self) -> None:
        """See that nobody has taken the partition up since.

        Raises:
            Fenced: somebody has, and may have acknowledged what this unit still waits for.
            Lost: Redis does not know.
        """
        if self._ledger is None:
            await self._patient(lambda: self._position.begin(self._covered))
        else:
            await self._patient(lambda: self._position.advance(self.at))

    async def work(self) -> None:
        """Take the partition up, then tick after tick as they come, until cancelled."""
        await self._take_up()
        while True:
            self._arrived.clear()
            while self._ready(self.at + 1):
                await self._take(self.at + 1)
            self._acknowledge()
            await self._arrived.wait()

    async def _take_up(self) -> None:
        saved = await self._patient(self._position.claim)
        tick, frozen = -1, None
        found = await self._courier.load(self.link.stage, self.part)
        if found is not None:
            tick, frozen = found[0], codec.unpack(Frozen, found[1])
            (before,) = released(frozen.scorer, no_scorer())
            self._scorer = before.scorer or no_scorer()
        await self._patient(lambda: self._restore(tick, frozen))
        self.at = self._covered = tick
        self._published = tick if saved is None else max(tick, saved)
        for topic in self._topics.values():
            self._collector.drop(topic.stream, self._wanted(topic.stream, tick + 1))

    def _restore(self, tick: int, frozen: Frozen | None) -> None:
        """The stage as it was after a tick, in this process and in Redis."""
        ledger = self._ledger
        if ledger is None:
            if frozen is not None:
                self._stage.thaw(frozen.stage)
            self._position.begin(tick)
        elif frozen is None:
            ledger.replace(tick, Everything({}, {}))
        else:
            self._stage.thaw(frozen.stage, tick)

    @property
    def _ledger(self) -> RedisLedger | None:
        """Where the stage keeps what it remembers, if that is not in this process."""
        ledger: RedisLedger | None = getattr(self._stage, "ledger", None)
        return ledger

    def _wanted(self, stream: str, tick: int) -> int:
        """The tick of a stream that is needed to take a tick."""
        return tick - self._charter.delay if stream in self.link.back else tick

    def _ready(self, tick: int) -> bool:
        return all(
            (wanted := self._wanted(stream, tick)) < 0 or self._collector.complete(stream, wanted)
            for stream in self.link.takes._fields
        )

    async def _take(self, tick: int) -> None:
        """Take a tick: step, publish, save; a snapshot when it is time."""
        given = self.link.takes(
            **{name: self._given(name, tick) for name in self.link.takes._fields}
        )
        gives = await self._patient(lambda: self._stage.step(tick, given))
        messages = self._messages(tick, gives)
        if tick > self._published:
            await self._courier.publish(messages)
        await self._patient(lambda: self._save(tick))
        self.at = tick
        if tick - self._covered >= self._charter.snapshot_every:
            await self._snapshot(tick)

    def _given(self, stream: str, tick: int) -> Any:
        wanted = self._wanted(stream, tick)
        if wanted < 0:
            return ()
        given = self._collector.take(stream, wanted)
        if isinstance(given, Change):
            return released(given, self._stage.serving)
        return given

    def _messages(self, tick: int, gives: Any) -> list[Addressed]:
        messages: list[Addressed] = []
        for name in self.link.gives._fields:
            value = getattr(gives, name)
            if name == "releases":
                value, self._scorer = changes(value, self._scorer)
            if tick > self._published:
                charter = self._charter
                messages += addressed(
                    name, value, tick, self.part, charter.parts, charter.per_message
                )
        return messages

    async def _patient(self, do: Callable[[], T]) -> T:
        """Do something with Redis, again and again while it does not answer; say that it waits.

        Raises:
            Unreachable: it has not answered for `PATIENCE` seconds.
        """
        time = asyncio.get_running_loop().time
        until, tell = time() + PATIENCE, time() + TELLS
        while True:
            try:
                return do()
            except Unreachable as away:
                if time() > until:
                    raise
                if time() > tell:
                    self._say(f"{self.link.stage} {self.part} waits: {away}")
                    tell += TELLS
                await asyncio.sleep(0.2)

    def _save(self, tick: int) -> None:
        """Save a tick: what is remembered of accounts, and with it the position."""
        if self._ledger is not None:
            self._ledger.commit(tick)

    async def _snapshot(self, tick: int) -> None:
        stage = await self._patient(self._stage.freeze)
        scorer, _ = changes((Release(tick, "", "", self._scorer, None),), no_scorer())
        state = codec.pack(Frozen(stage, scorer))
        if self._ledger is None:
            await self._patient(lambda: self._position.begin(tick))
        begins = await self._courier.save(self.link.stage, self.part, tick, state)
        self._covered = tick
        if self._before >= 0:
            await self._courier.delete(self.link.stage, self.part, self._before)
        self._before = begins

    def _acknowledge(self) -> None:
        """Acknowledge what the snapshot covers: in order, or Faust may commit past a gap."""
        for held in self._held.values():
            while held and held[0].acts <= self._covered:
                held.popleft().event.ack()


def no_scorer() -> LogOdds:
    """A scorer that every change can be told against."""
    return LogOdds(np.zeros(0), 0.0, 0.0, False)


def inputs(link: Link) -> list[Topic]:
    """The topics that a stage reads."""
    return [topic for topic in topics() if link.stage in topic.stages]


def sources(topic: Topic, partition: int, parts: int) -> list[tuple[int, int]]:
    """Who gives a partition of a topic: pairs of that partition and of the producer's."""
    maker = producer(topic.stream)
    many = parts if maker is not None and maker.key else 1
    return [(partition, part) for part in range(many)]
