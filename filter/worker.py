"""A worker: all stages of a run on Faust, as many partitions of each as Kafka gives it.

One agent a stage takes that stage's messages in; each partition's unit does the work in a task of
its own. Whatever goes wrong that a unit cannot wait out (another owner, a Redis that was emptied)
ends the Faust app and begins a new one: taking up is the one way back.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import faust
import redis
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer

from filter.chain import CHAIN, Link
from filter.charter import PROTOCOL, Charter, unpacked
from filter.codec import CodecError
from filter.courier import BEGUN, CONTROL, ENDED, FAILED, Courier, patiently, topic_name
from filter.ledger_redis import RedisLedger
from filter.plugins import SettingsError, told
from filter.position import Fenced, Position
from filter.redis_server import Lost, Unreachable, connect
from filter.tolerant import tolerate
from filter.unit import Unit, inputs
from filter.wire import LARGEST, WireError, decoded, read, topics

GATHERS: Final = 12
"""Milliseconds that a fetch may wait for more, where there are ticks to do meanwhile."""

LINGERS: Final = 4
"""Milliseconds that a message may wait for others to be sent with, likewise."""

GATHERED: Final = 4 * 1024 * 1024
"""Bytes that end such a wait."""

KEPT: Final = 64
"""Messages that wait for their second reader, at most."""

AGAIN: Final = 1.0
"""Seconds before a worker takes up again."""


class Settings(NamedTuple):
    """Where things are.

    Args:
        broker: Kafka's bootstrap servers, ``host:port`` separated by commas.
        redis_url: of the ledger.
        password: Redis's, if it asks for one.
        session_timeout: seconds after which a worker that says nothing is taken for dead.
        versions: what has to be the same here and at the driver's (`Charter.versions`).
    """

    broker: str
    redis_url: str
    password: str | None = None
    session_timeout: float = 6.0
    versions: Mapping[str, str] = MappingProxyType({})


class Refused(SettingsError):  # noqa: N818 - a worker's answer, not a fault
    """This worker cannot take part in this run."""


Say = Callable[[str], None]


async def serve(settings: Settings, run: str, say: Say) -> None:
    """Work for a run until it is over, or until cancelled.

    Args:
        settings: where Kafka and Redis are.
        run: the run's id.
        say: tells people, in a sentence.

    Raises:
        Refused: it cannot.
        Unreachable: Redis has been away for too long.
        KafkaError: Kafka has.
    """
    tolerate()
    charter = await _charter(settings, run)
    client = connect(settings.redis_url, settings.password)
    over = asyncio.create_task(_over(settings.broker, run))
    try:
        while not over.done():
            why = await _life(settings, charter, client, over, say)
            if why is not None:
                say(f"taking up again: {why}")
                await asyncio.wait([over], timeout=AGAIN)
    finally:
        over.cancel()
        with suppress(asyncio.CancelledError):
            await over
        client.close()


async def _life(
    settings: Settings,
    charter: Charter,
    client: "redis.Redis",
    over: "asyncio.Task[None]",
    say: Say,
) -> Exception | None:
    """One app from start to stop; why it has to begin again, or None if the run is over."""
    linger = LINGERS if charter.delay > 1 else 0
    async with Courier(settings.broker, charter.run, linger) as courier:
        worker = Worker(settings, charter, client, courier, say)
        try:
            await worker.start()
            failed = asyncio.create_task(worker.failed())
            await asyncio.wait([over, failed], return_when=asyncio.FIRST_COMPLETED)
            if not failed.done():
                failed.cancel()
                return None
            error = failed.result()
        finally:
            await worker.stop()
        if isinstance(error, Fenced | Lost):
            return error
        if not isinstance(error, Unreachable | KafkaError):
            await courier.bury("", 0, 0, None, WireError(FAILED, told(error)))
        raise error


class _Once:
    """Decodes, once only, a message that several of a worker's stages read.

    Args:
        per_message: events that a message carries at most.
    """

    def __init__(self, per_message: int) -> None:
        """Remember nothing yet."""
        self._per_message = per_message
        self._shared = {topic.stream for topic in topics() if len(topic.stages) > 1}
        self._read: dict[int, tuple[bytes, Any]] = {}

    def __call__(self, stream: str, raw: bytes | None) -> Any:
        """The events in a message, which whoever comes second gets as they are."""
        if raw is None or stream not in self._shared:
            return decoded(stream, raw, self._per_message)
        known = self._read.pop(id(raw), None)
        if known is not None:
            return known[1]
        events = decoded(stream, raw, self._per_message)
        self._read[id(raw)] = raw, events
        if len(self._read) > KEPT:
            del self._read[next(iter(self._read))]
        return events


class _Thread(AIOKafkaConsumerThread):
    """Begins a partition of which nothing is acknowledged at its beginning, whatever was fetched.

    In a rebalance Faust drops what was fetched, and aiokafka seeks back to what is committed: where
    nothing is, the dropped messages would never come.
    """

    async def seek_to_committed(self) -> Any:
        """Seek all partitions to where they are to go on."""
        return await self.call_thread(self._sought)

    async def _sought(self) -> Any:
        consumer = self._ensure_consumer()
        found = await consumer.seek_to_committed()
        fresh = [place for place, offset in found.items() if not offset]
        if fresh:
            await consumer.seek_to_beginning(*fresh)
        return found


class _Gathering(_Thread):
    """Fetches what has come together in some milliseconds; Faust has no setting for that."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_min_bytes = GATHERED
        consumer._fetch_max_wait_ms = GATHERS
        return consumer


class Sure(Consumer):
    """Faust's consumer, that loses nothing in a rebalance."""

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)


class Gathering(Consumer):
    """The same for runs with several ticks in flight: fewer and larger fetches."""

    def _new_consumer_thread(self) -> _Thread:
        return _Gathering(self, loop=self.loop, beacon=self.beacon)


class _App(faust.App):
    """An app that makes no folders where it is started: it has no tables to keep in them."""

    def _create_directories(self) -> None:
        """Make none."""


class Worker:
    """A Faust app with an agent for each stage, and the units that it has been given.

    Args:
        settings: where Kafka and Redis are.
        charter: of the run.
        client: of Redis.
        courier: publishes.
        say: tells people, in a sentence.
    """

    def __init__(
        self,
        settings: Settings,
        charter: Charter,
        client: "redis.Redis",
        courier: Courier,
        say: Say,
    ) -> None:
        """Make the app; nothing is connected yet."""
        self._charter = charter
        self._client = client
        self._courier = courier
        self._say = say
        self._decode = _Once(charter.per_message)
        self._owner = uuid.uuid4().hex
        self._fresh: dict[str, list[Any]] = {}
        self._units: dict[tuple[str, int], Unit] = {}
        self._tasks: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._generation = 0
        self._settled = asyncio.Event()
        """Whether all units are those that the partitions which we have now are to have."""
        self._failed: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self._app = self._made(settings)

    def _made(self, settings: Settings) -> faust.App:
        app = _App(
            f"hamstrung.{self._charter.run}",
            broker=[f"kafka://{one}" for one in settings.broker.split(",")],
            store="memory://",
            autodiscover=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            consumer_auto_offset_reset="earliest",
            consumer_max_fetch_size=2 * LARGEST,
            broker_max_poll_records=500,
            broker_commit_interval=1.0,
            broker_session_timeout=settings.session_timeout,
            broker_heartbeat_interval=settings.session_timeout / 4,
            stream_wait_empty=False,
            web_enabled=False,
            key_serializer="raw",
            value_serializer="raw",
        )
        kind = Gathering if self._charter.delay > 1 else Sure
        app.transport.Consumer = kind  # type: ignore[misc]  # of this app alone
        for link in CHAIN:
            names = [topic_name(self._charter.run, topic.name) for topic in inputs(link)]
            app.agent(app.topic(*names), name=link.stage, concurrency=1)(self._agent(link))
        app.on_partitions_revoked.connect(self._revoked)  # type: ignore[arg-type]  # Faust's stub
        app.on_partitions_assigned.connect(self._assigned)  # type: ignore[arg-type]  # Faust's stub
        return app

    def _agent(self, link: Link) -> Callable[[Any], Any]:
        """What a stage's agent does with messages; it never raises, or Faust would skip them.

        A message waits until it is settled whose unit is to have it; if the partitions are dealt
        anew meanwhile, it comes again.
        """
        run = len(topic_name(self._charter.run, ""))

        async def hear(stream: Any) -> None:
            async for event in stream.noack().events():
                generation = self._generation
                await self._settled.wait()
                if generation != self._generation:
                    continue
                message = event.message
                name = message.topic[run:]
                try:
                    unit = self._unit(link, message.partition)
                    try:
                        unit.hear(name, event)
                    except WireError as why:
                        await self._courier.bury(
                            name, message.partition, message.offset, event.value, why
                        )
                        if generation == self._generation:
                            unit.pass_over(name, event)
                except Exception as error:  # noqa: BLE001 - whatever it is, the app ends with it
                    self._fail(error)

        return hear

    def _unit(self, link: Link, part: int) -> Unit:
        """The unit of a stage's partition: made at its first message."""
        place = link.stage, part
        if place not in self._units:
            unit = Unit(
                self._charter,
                link,
                part,
                self._stage(link.stage, part),
                self._position(link.stage, part),
                self._courier,
                self._decode,
                self._say,
            )
            self._units[place] = unit
            task = asyncio.create_task(unit.work(), name=f"{link.stage} {part}")
            task.add_done_callback(self._ended)
            self._tasks[place] = task
        return self._units[place]

    def _stage(self, name: str, part: int) -> Any:
        """A stage as it begins; each is handed out once."""
        if not self._fresh.get(name) or self._fresh[name][part] is None:
            self._fresh = self._charter.stages(self._ledger)
        stage, self._fresh[name][part] = self._fresh[name][part], None
        return stage

    def _ledger(self, part: int, checks: Any) -> RedisLedger:
        return RedisLedger(self._position("account_guard", part), checks)

    def _position(self, stage: str, part: int) -> Position:
        return Position(self._client, self._charter.run, stage, part, self._owner)

    async def _revoked(self, _app: Any, _revoked: Any, **_rest: Any) -> None:
        """Let go of all that was not acknowledged: it comes again. Take nothing in until then."""
        self._generation += 1
        self._settled.clear()
        for unit in self._units.values():
            unit.forget_events()

    async def _assigned(self, _app: Any, assigned: Any, **_rest: Any) -> None:
        """Keep the units that are ours and have been all the time; end the others.

        A worker that was taken for dead may get its partition back, but another one has had it
        meanwhile: its unit begins anew. Faust does not wait for this before it fetches again.
        """
        generation = self._generation
        ours = {(place.topic, place.partition) for place in assigned}
        for (stage, part), unit in list(self._units.items()):
            topics = [topic_name(self._charter.run, topic.name) for topic in inputs(unit.link)]
            try:
                kept = all((topic, part) in ours for topic in topics)
                if kept:
                    await unit.confirm()
            except (Fenced, Lost):
                kept = False
            except Unreachable as error:
                self._fail(error)
            if not kept and self._units.get((stage, part)) is unit:
                del self._units[stage, part]
                await _cancelled(self._tasks.pop((stage, part)))
        if generation == self._generation:
            self._settled.set()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error if isinstance(error, Exception) else RuntimeError(str(error)))

    def _fail(self, error: Exception) -> None:
        if not self._failed.done():
            self._failed.set_result(error)

    async def failed(self) -> Exception:
        """Wait for something that no unit can wait out, or for the end of Faust itself."""
        while not self._failed.done():
            await asyncio.wait([self._failed], timeout=AGAIN)
            if self._app.crashed:
                reason = self._app.crash_reason
                self._fail(reason if isinstance(reason, Exception) else RuntimeError(str(reason)))
        return self._failed.result()

    async def start(self) -> None:
        """Join the run's other workers."""
        await self._app.start()

    async def stop(self) -> None:
        """Leave them."""
        for task in self._tasks.values():
            await _cancelled(task)
        await self._app.stop()


async def _cancelled(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, Exception):
        await task


@asynccontextmanager
async def _reading(broker: str, run: str) -> AsyncIterator[tuple[Any, TopicPartition]]:
    """A consumer at the beginning of a run's ``control``."""
    place = TopicPartition(topic_name(run, CONTROL), 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * LARGEST,
    )
    await patiently(consumer.start)
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        yield consumer, place
    finally:
        await consumer.stop()


async def _charter(settings: Settings, run: str) -> Charter:
    """The charter of a run, once all of it is there.

    Raises:
        Refused: it is one that this program does not understand.
    """
    pieces: dict[int, bytes] = {}
    async with _reading(settings.broker, run) as (consumer, place):
        while True:
            fetched = await consumer.getmany(place, timeout_ms=1000)
            for message in fetched.get(place, ()):
                with suppress(WireError):
                    header = read(run, message.headers)
                    pieces[header.slice] = message.value or b""
                    if len(pieces) == header.of:
                        whole = [pieces[number] for number in range(header.of)]
                        return understood(whole, settings.versions)


def understood(pieces: list[bytes], versions: Mapping[str, str]) -> Charter:
    """A charter from its pieces.

    Raises:
        Refused: it is one that this program does not understand, or another one's.
    """
    try:
        made = unpacked(pieces)
    except CodecError as error:
        raise Refused(f"the run's charter is of another version of the program: {error}") from None
    if made.protocol != PROTOCOL:
        raise Refused(f"the run speaks protocol {made.protocol}, this worker {PROTOCOL}")
    for name, version in versions.items():
        if made.versions.get(name) != version:
            raise Refused(
                f"the run was begun with {name} {made.versions.get(name)}, here it is {version}:"
                " give this worker the driver's version"
            )
    return made


async def _over(broker: str, run: str) -> None:
    """Wait until a run is said to be over, and not to be begun again after that."""
    over = False
    async with _reading(broker, run) as (consumer, place):
        (end,) = (await patiently(lambda: consumer.end_offsets([place]))).values()
        while not over or await consumer.position(place) < end:
            fetched = await consumer.getmany(place, timeout_ms=1000)
            for message in fetched.get(place, ()):
                if ("run", run.encode()) in message.headers:
                    words = {name for name, of in message.headers if of == run.encode()}
                    over = ENDED in words or (over and BEGUN not in words)


def quiet() -> None:
    """Let Faust and the clients speak only of what is wrong."""
    for name in ("faust", "mode", "aiokafka", "kafka"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
