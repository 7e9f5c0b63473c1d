"""Kafka as the driver sees it: topics made and checked, the charter handed over, the end said."""

import re
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from filter.chain import CHAIN
from filter.charter import Charter, packed
from filter.courier import BEGUN, CONTROL, DEAD_LETTERS, ENDED, snapshot_topic, topic_name
from filter.wire import LARGEST, SLICE, Header, WireError, read, topics, written
from simulator.manifest import versions
from simulator.servers import HOW, Misplaced, Unreached
from simulator.source import source

OLDEST: Final = (2, 4)
"""The first version of Kafka that will do."""

DAY: Final = 24 * 3600
FOREVER: Final = {"retention.ms": "-1"}
"""How long the charter and the snapshots are kept: a worker that takes up may need them."""

_RUN: Final = re.compile(r"hamstrung\.(.+)\.control")


def client_settings(address: str) -> dict[str, Any]:
    """What every client of kafka-python is given."""
    return {"bootstrap_servers": address.split(","), "client_id": "hamstrung"}


def unreached(address: str) -> Unreached:
    """Nothing answers at an address."""
    return Unreached(f"Kafka does not answer at {address} (kafka.broker): start one with {HOW}")


def program() -> dict[str, str]:
    """What a run's driver and workers must have alike: versions, and the program's own files."""
    known = versions()
    return {name: known[name] for name in ("hamstrung", "numpy")} | {"files": source()}


class Broker:
    """A run's topics on a broker.

    Args:
        address: ``host:port``, several separated by commas.
        run: the run's id.
        parts: partitions of what is split.
    """

    def __init__(self, address: str, run: str, parts: int) -> None:
        """Connect.

        Raises:
            Unreached: nothing answers there within some seconds.
            Misplaced: what answers is too old.
        """
        self.address, self.run, self.parts = address, run, parts
        try:
            self._admin = KafkaAdminClient(
                **client_settings(address), bootstrap_timeout_ms=6000, request_timeout_ms=8000
            )
            version = self._admin.get_broker_version_data(self._any_broker()).broker_version
        except (KafkaError, OSError, ValueError) as error:
            raise unreached(address) from error
        if version < OLDEST:
            said, wanted = (".".join(map(str, one)) for one in (version, OLDEST))
            raise Misplaced(f"Kafka at {address} is of version {said}, expected {wanted} or later")

    def _any_broker(self) -> int:
        node: int = self._admin.describe_cluster()["brokers"][0]["broker_id"]
        return node

    def wanted(self) -> dict[str, int]:
        """The run's topics with their numbers of partitions."""
        found = {topic.name: topic.parts(self.parts) for topic in topics()}
        for link in CHAIN:
            found[snapshot_topic(link.stage)] = self.parts if link.key else 1
        found |= {DEAD_LETTERS: 1, CONTROL: 1}
        return {topic_name(self.run, name): parts for name, parts in found.items()}

    def open(self, charter: Charter) -> None:
        """Make the topics that are missing, check those that are there, hand over the charter.

        Raises:
            Misplaced: a topic of that name is somebody else's, or of another number of partitions.
        """
        wanted = self.wanted()
        there = self._there(wanted)
        pieces = packed(charter, SLICE)
        known = self._control() if topic_name(self.run, CONTROL) in there else {}
        whole = [known.get(place) for place in range(len(pieces))] == pieces
        self._must_be_ours(there, wanted, whole)
        if known and any(known.get(place, piece) != piece for place, piece in enumerate(pieces)):
            raise Misplaced(f"the topics of run {self.run} were made with other settings")
        missing = [name for name in wanted if name not in there]
        if missing:
            self._create({name: wanted[name] for name in missing})
        if not whole:
            self._send(
                (Header(0, 0, place, len(pieces)), piece) for place, piece in enumerate(pieces)
            )
        self._say(BEGUN)

    def _there(self, wanted: Iterable[str]) -> dict[str, int]:
        """Those topics that exist, with their numbers of partitions."""
        names = set(self._admin.list_topics()) & set(wanted)
        described = self._admin.describe_topics(sorted(names)) if names else []
        return {one["name"]: len(one["partitions"]) for one in described}

    def _must_be_ours(self, there: dict[str, int], wanted: dict[str, int], begun: bool) -> None:
        """Check the topics that exist; of a run that was ``begun``, others may have written first.

        Raises:
            Misplaced: a topic is somebody else's, or of another number of partitions.
        """
        for name, parts in there.items():
            if parts != wanted[name]:
                raise Misplaced(
                    f"{name} has {parts} partitions, expected {wanted[name]} (kafka.partitions)"
                )
        for place, headers in self._firsts([] if begun else sorted(there)).items():
            if ("run", self.run.encode()) not in headers:
                raise Misplaced(
                    f"{place.topic} holds messages that are not of run {self.run}: nothing was"
                    " written; is this broker somebody else's?"
                )

    def _firsts(self, names: Sequence[str]) -> dict[TopicPartition, Sequence[Any]]:
        """The headers of the first message of each partition that has one."""
        if not names:
            return {}
        consumer = self._consumer()
        try:
            places = [
                TopicPartition(name, part) for name in names for part in range(self.parts_of(name))
            ]
            begin, end = consumer.beginning_offsets(places), consumer.end_offsets(places)
            places = [place for place in places if end[place] > begin[place]]
            found: dict[TopicPartition, Sequence[Any]] = {}
            for place in places:
                consumer.assign([place])
                consumer.seek(place, begin[place])
                until = time.monotonic() + 8
                while place not in found and time.monotonic() < until:
                    for message in consumer.poll(1000, max_records=1).get(place, ()):
                        found[place] = message.headers
            return found
        finally:
            consumer.close()

    def parts_of(self, name: str) -> int:
        """How many partitions a topic of the run has."""
        return self.wanted()[name]

    def _create(self, names: dict[str, int]) -> None:
        config = {
            "max.message.bytes": str(2 * LARGEST),
            "retention.ms": str(1000 * DAY),
            "compression.type": "uncompressed",
        }
        stages = [topic_name(self.run, snapshot_topic(link.stage)) for link in CHAIN]
        lasting = (topic_name(self.run, CONTROL), *stages)
        made = [
            NewTopic(
                name,
                num_partitions=parts,
                replication_factor=-1,
                topic_configs=config | (FOREVER if name in lasting else {}),
            )
            for name, parts in names.items()
        ]
        self._admin.create_topics(made)
        self._admin.wait_for_topics(list(names))

    def _control(self) -> dict[int, bytes]:
        """The pieces of the charter that are there."""
        consumer = self._consumer()
        place = TopicPartition(topic_name(self.run, CONTROL), 0)
        found: dict[int, bytes] = {}
        try:
            consumer.assign([place])
            consumer.seek_to_beginning(place)
            (end,) = consumer.end_offsets([place]).values()
            while consumer.position(place) < end:
                for message in consumer.poll(1000).get(place, ()):
                    try:
                        found.setdefault(read(self.run, message.headers).slice, message.value)
                    except WireError:
                        continue
        finally:
            consumer.close()
        return found

    def _consumer(self) -> Any:
        return KafkaConsumer(
            **client_settings(self.address),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2 * LARGEST,
        )

    def end(self) -> None:
        """Say to all workers that the run is over."""
        self._say(ENDED)

    def _say(self, word: str) -> None:
        self._send_all([([("run", self.run.encode()), (word, self.run.encode())], b"")])

    def _send(self, messages: Iterable[tuple[Header, bytes]]) -> None:
        self._send_all((written(self.run, header), value) for header, value in messages)

    def _send_all(self, messages: Iterable[tuple[list[tuple[str, bytes]], bytes]]) -> None:
        try:
            producer = KafkaProducer(**client_settings(self.address), max_request_size=2 * LARGEST)
            for headers, value in messages:
                producer.send(topic_name(self.run, CONTROL), value, partition=0, headers=headers)
            producer.close(timeout=30)
        except KafkaError as error:
            raise unreached(self.address) from error

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()


def runs_on(address: str) -> list[str]:
    """The ids of the runs on a broker that are not over, the one begun or resumed last at the end.

    Raises:
        Unreached: nothing answers there.
    """
    try:
        consumer = KafkaConsumer(
            **client_settings(address), bootstrap_timeout_ms=6000, enable_auto_commit=False
        )
    except (KafkaError, OSError, ValueError) as error:
        raise unreached(address) from error
    try:
        found = {name: of[1] for name in consumer.topics() if (of := _RUN.fullmatch(name))}
        places = [TopicPartition(name, 0) for name in sorted(found)]
        ends = consumer.end_offsets(places) if places else {}
        open_: list[tuple[int, str]] = []
        for place, end in ends.items():
            run = found[place.topic]
            word = _last_word(consumer, place, run, end)
            if word is not None and (ENDED, run.encode()) not in word.headers:
                open_.append((word.timestamp, run))
        return [run for _, run in sorted(open_)]
    finally:
        consumer.close()


def _last_word(consumer: Any, place: TopicPartition, run: str, end: int) -> Any:
    """The last message on ``control`` that says that a run was begun, or is over; None: no such."""
    own = ("run", run.encode())
    words = {(BEGUN, run.encode()), (ENDED, run.encode())}
    consumer.assign([place])
    begin = consumer.beginning_offsets([place])[place]
    back = 1
    while end > begin:
        first, last = max(begin, end - back), None
        consumer.seek(place, first)
        while consumer.position(place) < end and (fetched := consumer.poll(3000)):
            for message in fetched.get(place, ()):
                if own in message.headers and words & set(message.headers):
                    last = message
        if last is not None or first == begin:
            return last
        back *= 8
    return None
