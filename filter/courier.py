"""The courier: a worker's hand on Kafka, for what Faust's agents do not do themselves.

Results are published with their headers and waited for; what cannot be read becomes a dead letter;
snapshots are written to a topic and found again there.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from filter.wire import LARGEST, SLICE, Addressed, Header, WireError, read, written

CAPPED: Final = 1024
"""Bytes of a payload that a dead letter keeps."""

DIGEST: Final = 32
WHOLE: Final = "whole"
"""The header of a snapshot's pieces that holds the digest of all of it."""

Pieces = dict[tuple[int, int, bytes], dict[int, bytes]]
"""Of snapshots: by tick, number of pieces and digest, the pieces."""

T = TypeVar("T")


class DeadLetter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that could not be read: what was wrong, where it lies, and how it begins."""

    code: str
    reason: str
    topic: str
    partition: int
    offset: int
    size: int
    payload: str
    """Its first bytes in hexadecimal digits."""


def topic_name(run: str, name: str) -> str:
    """A topic of a run as Kafka knows it."""
    return f"hamstrung.{run}.{name}"


def snapshot_topic(stage: str) -> str:
    """Where a stage's snapshots are."""
    return f"snapshots.{stage}"


DEAD_LETTERS: Final = "dead-letters"
CONTROL: Final = "control"
BEGUN: Final = "begun"
"""The header of the message on ``control`` that says that a run was begun, or resumed."""

ENDED: Final = "ended"
"""The header of the message on ``control`` that says that it is over."""

FAILED: Final = "stage"
"""Code of the letter that no message is the cause of: a stage raised."""


def dead_letter(
    topic: str, partition: int, offset: int, raw: bytes | None, why: WireError
) -> tuple[bytes, bytes]:
    """A dead letter's key and value.

    The key is where the message lies: who reads it again writes the same letter again, and readers
    count it once.
    """
    given = raw or b""
    letter = DeadLetter(
        why.code, str(why)[:300], topic, partition, offset, len(given), given[:CAPPED].hex()
    )
    return f"{topic}/{partition}/{offset}".encode(), msgspec.json.encode(letter)


class Courier:
    """Publishes for one worker.

    Args:
        broker: address of the bootstrap servers.
        run: the run's id.
        linger: milliseconds that a message may wait for others.
    """

    def __init__(self, broker: str, run: str, linger: int = 0) -> None:
        """Connect nothing yet."""
        self._broker = broker
        self.run = run
        self._producer = AIOKafkaProducer(
            bootstrap_servers=broker,
            acks="all",
            enable_idempotence=False,  # a batch that expired leaves a gap that blocks all after it
            linger_ms=linger,
            max_request_size=2 * LARGEST,
        )

    async def __aenter__(self) -> "Courier":
        """Connect."""
        await patiently(self._producer.start)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self._producer.stop()

    async def publish(self, messages: Iterable[Addressed]) -> None:
        """Send a tick's results; all brokers have them when this returns."""
        waiting = list(messages)

        async def send() -> None:
            sent = [await self._send(*one) for one in waiting]
            await asyncio.gather(*sent)

        await patiently(send)

    async def _send(
        self, name: str, partition: int, header: Header, value: bytes
    ) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = await self._producer.send(
            topic_name(self.run, name),
            value,
            partition=partition,
            headers=written(self.run, header),
        )
        return sent

    async def bury(
        self, topic: str, partition: int, offset: int, raw: bytes | None, why: WireError
    ) -> None:
        """Make a dead letter of a message."""
        key, value = dead_letter(topic, partition, offset, raw, why)

        async def send() -> None:
            await self._producer.send_and_wait(
                topic_name(self.run, DEAD_LETTERS),
                value,
                key=key,
                partition=0,
                headers=[("run", self.run.encode())],
            )

        await patiently(send)

    async def save(self, stage: str, part: int, tick: int, state: bytes) -> int:
        """Write a snapshot; gives the offset at which it begins."""
        digest = hashlib.blake2b(state, digest_size=DIGEST).digest()
        pieces = [state[first : first + SLICE] for first in range(0, len(state) or 1, SLICE)]

        async def send() -> int:
            first = -1
            for number, piece in enumerate(pieces):
                headers = written(self.run, Header(tick, part, number, len(pieces)))
                sent = await self._producer.send_and_wait(
                    topic_name(self.run, snapshot_topic(stage)),
                    piece,
                    partition=part,
                    headers=[*headers, (WHOLE, digest)],
                )
                first = sent.offset if number == 0 else first
            return first

        return await patiently(send)

    async def delete(self, stage: str, part: int, before: int) -> None:
        """Delete a partition's snapshots before an offset, if that can be done now."""
        place = TopicPartition(topic_name(self.run, snapshot_topic(stage)), part)
        admin = AIOKafkaAdminClient(bootstrap_servers=self._broker)
        try:
            await admin.start()
            await admin.delete_records({place: RecordsToDelete(before_offset=before)})
        except (KafkaError, TimeoutError):
            pass  # what is older stays until the next time: nobody reads it
        finally:
            await admin.close()

    async def load(self, stage: str, part: int) -> tuple[int, bytes] | None:
        """The newest snapshot that is whole: tick and state."""
        place = TopicPartition(topic_name(self.run, snapshot_topic(stage)), part)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._broker,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2 * LARGEST,
        )
        pieces: Pieces = {}
        try:
            await patiently(consumer.start)
            consumer.assign([place])
            (end,) = (await patiently(lambda: consumer.end_offsets([place]))).values()
            (begin,) = (await patiently(lambda: consumer.beginning_offsets([place]))).values()
            consumer.seek(place, begin)
            while end > begin and await consumer.position(place) < end:
                fetched = await consumer.getmany(place, timeout_ms=1000)
                for message in fetched.get(place, ()):
                    _put(pieces, self.run, message.headers, message.value)
        finally:
            await consumer.stop()
        for (tick, of, digest), found in sorted(pieces.items(), reverse=True):
            if len(found) == of:
                state = b"".join(found[number] for number in range(of))
                if hashlib.blake2b(state, digest_size=DIGEST).digest() == digest:
                    return tick, state
        return None


def _put(
    pieces: Pieces,
    run: str,
    headers: Sequence[tuple[str, bytes]],
    value: bytes | None,
) -> None:
    """Put a piece of a snapshot in its place; bytes of somebody else's are passed over."""
    try:
        header = read(run, headers)
    except WireError:
        return
    digest = dict(headers).get(WHOLE) or b""
    pieces.setdefault((header.tick, header.of, digest), {}).setdefault(header.slice, value or b"")


async def patiently(do: Callable[[], Awaitable[T]], seconds: float = 300.0) -> T:
    """Do something with Kafka until it works: again and again while the broker is away.

    Raises:
        KafkaError: it has not worked for ``seconds``.
    """
    until = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await do()
        except KafkaError:
            if asyncio.get_running_loop().time() > until:
                raise
            await asyncio.sleep(0.5)
