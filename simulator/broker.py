"""Kafka as the driver sees it: topics made and checked, the charter handed over, the end said."""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, NamedTuple

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import BrokerResponseError, KafkaError

from filter.chain import CHAIN
from filter.charter import Charter, packed
from filter.courier import BEGUN, CONTROL, DEAD_LETTERS, ENDED, snapshot_topic, topic_name
from filter.plugins import SettingsError
from filter.wire import LARGEST, SLICE, Header, WireError, read, topics, written
from simulator.manifest import versions
from simulator.servers import HOW, Misplaced, Unreached
from simulator.source import source

OLDEST: Final = (2, 4)
"""The first version of Kafka that will do."""

DAY: Final = 24 * 3600
FOREVER: Final = {"retention.ms": "-1"}
"""How long the charter and the snapshots are kept: a worker that takes up may need them."""

REMEMBERED: Final = 20
"""Runs that are over whose topics stay, to be looked at."""

WITHIN: Final = 30.0
"""Seconds in which the broker has to take, or give, what lies on ``control``."""

LONG_AGO: Final = 2 * DAY
"""Seconds after which a run that holds no mail any more is not gone on with."""

_RUN: Final = re.compile(r"hamstrung\.(.+)\.control")


def client_settings(address: str) -> dict[str, Any]:
    """What every client of kafka-python is given."""
    return {"bootstrap_servers": address.split(","), "client_id": "hamstrung"}


def unreached(address: str) -> Unreached:
    """Nothing answers at an address."""
    return Unreached(f"Kafka does not answer at {address} (kafka.broker): start one with {HOW}")


@contextmanager
def _told(address: str) -> Iterator[None]:
    """Tell people what a broker answers.

    Raises:
        Unreached: it does not, or not in time.
        Misplaced: it answers that it will not do what it is asked.
    """
    try:
        yield
    except SettingsError:
        raise
    except BrokerResponseError as error:
        if error.retriable:
            raise unreached(address) from error
        raise Misplaced(f"Kafka at {address} refuses: {error.description.strip()}") from error
    except (KafkaError, OSError, ValueError) as error:
        raise unreached(address) from error


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
        with _told(address):
            self._admin = KafkaAdminClient(
                **client_settings(address), bootstrap_timeout_ms=6000, request_timeout_ms=8000
            )
            version = self._admin.get_broker_version_data(self._any_broker()).broker_version
        if version < OLDEST:
            said, wanted = (".".join(map(str, one)) for one in (version, OLDEST))
            raise Misplaced(f"Kafka at {address} is of version {said}, expected {wanted} or later")

    def _any_broker(self) -> int:
        node: int = self._admin.describe_cluster()["brokers"][0]["broker_id"]
        return node

    def wanted(self) -> dict[str, int]:
        """The run's topics with their numbers of partitions."""
        return _topics(self.run, self.parts)

    def open(self, charter: Charter) -> None:
        """Make the topics that are missing, check those that are there, hand over the charter.

        Before a new run makes its own, the topics of those that were over long ago are deleted.

        Raises:
            Unreached: the broker does not answer.
            Misplaced: a topic of that name is somebody else's, or of another number of partitions;
                or the broker refuses.
        """
        pieces = packed(charter, SLICE)
        with _told(self.address):
            self._open(pieces)

    def _open(self, pieces: list[bytes]) -> None:
        wanted = self.wanted()
        there = self._there(wanted)
        known = self._control() if topic_name(self.run, CONTROL) in there else {}
        whole = [known.get(place) for place in range(len(pieces))] == pieces
        self._must_be_ours(there, wanted, whole)
        if known and any(known.get(place, piece) != piece for place, piece in enumerate(pieces)):
            raise Misplaced(f"the topics of run {self.run} were made with other settings")
        missing = [name for name in wanted if name not in there]
        if missing:
            with suppress(KafkaError, Unreached):  # the run does not hang on it
                self._delete(_forgotten(self.address))
            self._create({name: wanted[name] for name in missing})
        if not whole:
            self._send(
                (Header(0, 0, place, len(pieces)), piece) for place, piece in enumerate(pieces)
            )
        self._say(BEGUN)

    def _delete(self, runs: Iterable[str]) -> None:
        """Delete the topics of runs; ``control``, by which they are found, is the last to go."""
        there = set(self._admin.list_topics())
        for run in runs:
            control = topic_name(run, CONTROL)
            rest = sorted(there & _topics(run, 1).keys() - {control})
            for names in (rest, [control]):
                self._admin.delete_topics(names, raise_errors=False)

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
            until = time.monotonic() + WITHIN
            while consumer.position(place) < end:
                if time.monotonic() > until:
                    raise unreached(self.address)
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
        with _told(self.address):
            producer = KafkaProducer(**client_settings(self.address), max_request_size=2 * LARGEST)
            try:
                control = topic_name(self.run, CONTROL)
                sent = [
                    producer.send(control, value, partition=0, headers=headers)
                    for headers, value in messages
                ]
                for one in sent:
                    one.get(timeout=WITHIN)
            finally:
                producer.close(timeout=WITHIN)

    def close(self) -> None:
        """Disconnect."""
        self._admin.close()


def _topics(run: str, parts: int) -> dict[str, int]:
    """A run's topics with their numbers of partitions."""
    found = {topic.name: topic.parts(parts) for topic in topics()}
    for link in CHAIN:
        found[snapshot_topic(link.stage)] = parts if link.key else 1
    found |= {DEAD_LETTERS: 1, CONTROL: 1}
    return {topic_name(run, name): parts for name, parts in found.items()}


class _Said(NamedTuple):
    """What was said of a run last, and when, in milliseconds: that it was begun, or is over."""

    when: int
    run: str
    over: bool


def runs_on(address: str) -> list[str]:
    """The ids of the runs on a broker that are not over, the one begun or resumed last at the end.

    Raises:
        Unreached: nothing answers there.
    """
    with _reading(address) as consumer:
        return [one.run for one in _said(consumer) if not one.over]


def _forgotten(address: str) -> list[str]:
    """The runs that need their topics no more.

    They are over, and not among the last; or they were begun days ago, and their mail, which is
    kept for a day, is gone.
    """
    with _reading(address) as consumer:
        said = _said(consumer)
        over = [one.run for one in said if one.over][:-REMEMBERED]
        long_ago = 1000 * (time.time() - LONG_AGO)
        begun = {one.run for one in said if not one.over and one.when < long_ago}
        mails = {TopicPartition(topic_name(run, "mails"), 0): run for run in sorted(begun)}
        mails = {place: run for place, run in mails.items() if place.topic in consumer.topics()}
        first = consumer.beginning_offsets(list(mails)) if mails else {}
        end = consumer.end_offsets(list(mails)) if mails else {}
        return over + [run for place, run in mails.items() if first[place] == end[place]]


@contextmanager
def _reading(address: str) -> Iterator[Any]:
    """A consumer of what other runs have on a broker."""
    with _told(address):
        consumer = KafkaConsumer(
            **client_settings(address), bootstrap_timeout_ms=6000, enable_auto_commit=False
        )
        try:
            yield consumer
        finally:
            consumer.close()


def _said(consumer: Any) -> list[_Said]:
    """What was said last of each run on the broker, in the order of time."""
    found = {name: of[1] for name in consumer.topics() if (of := _RUN.fullmatch(name))}
    places = [TopicPartition(name, 0) for name in sorted(found)]
    ends = consumer.end_offsets(places) if places else {}
    said: list[_Said] = []
    for place, end in ends.items():
        run = found[place.topic]
        word = _last_word(consumer, place, run, end)
        if word is not None:
            said.append(_Said(word.timestamp, run, (ENDED, run.encode()) in word.headers))
    return sorted(said)


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
