"""What the topics of a run tell of its workers: asked beside the run, in no group.

A shell. It reads the ends of all topics, and of a few small ones the newest message: its header
says how far the stage that gives it has come. Positions in Redis do not: most stages move theirs
with a snapshot alone.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from filter.courier import topic_name
from filter.wire import WireError, read, topics
from simulator.broker import client_settings

WORLD: Final = "world"
TELLS: Final = {
    WORLD: "judgements",
    "scoring": "verdicts",
    "account_guard": "stopped",
    "crowd_guard": "rulings",
    "learner": "requests",
    "responder": "responses",
}
"""Topics by who alone gives them, each partition of a stage into one of its own; of what the driver
hands over of a tick, judgements come last."""
PATIENCE: Final = 2000
"""Milliseconds that an answer may take."""

Place = tuple[str, int]
"""A stage, or `WORLD`, and the number of its partition."""


class OnKafka:
    """How far the stages of a run have come, and how much flows.

    Args:
        address: of the broker.
        run: the run's id.
        connect: makes a consumer of kafka-python's for an address.
        clock: seconds.
    """

    def __init__(
        self, address: str, run: str, connect: Callable[[str], Any], clock: Callable[[], float]
    ) -> None:
        """Ask nothing yet."""
        self._address, self._run, self._connect, self._clock = address, run, connect, clock
        self._consumer: Any = None
        self._places: dict[str, list[Any]] = {}
        self._ends: dict[Any, int] = {}
        self._counted = 0.0
        self.rates: dict[str, float] = {}
        """Messages a second by topic, since the look before."""
        self.ticks: dict[Place, int] = {}
        """The newest tick that was given whole."""
        self.changed: dict[Place, float] = {}
        """When that was last another one."""

    def look(self) -> float:
        """Look once; how many seconds the broker took to answer.

        Raises:
            OSError: it does not, or has no such run; with its address.
        """
        try:
            if self._consumer is None:
                self._consumer = self._connect(self._address)
            if not self._places:
                self._find()
            begun = self._clock()
            ends = self._consumer.end_offsets(self._all())
            took = self._clock() - begun
            self._count(ends)
            self._listen(ends)
        except (KafkaError, OSError, ValueError, LookupError) as error:
            said = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else error
            raise OSError(f"Kafka at {self._address}: {said}") from error
        return took

    def close(self) -> None:
        """Disconnect."""
        if self._consumer is not None:
            self._consumer.close(timeout_ms=PATIENCE)

    def places(self) -> Iterator[tuple[Place, Any]]:
        """Who tells how far it has come, and where; nobody before the topics were found."""
        for stage, name in TELLS.items():
            for part, place in enumerate(self._places.get(name, ())):
                yield (stage, part), place

    def _all(self) -> list[Any]:
        return [place for of in self._places.values() for place in of]

    def _find(self) -> None:
        """Where the run's topics are, once all are there; to ask for one could make it."""
        there = self._consumer.topics()
        names = {topic.name: topic_name(self._run, topic.name) for topic in topics()}
        if not there.issuperset(names.values()):
            raise OSError(f"no run {self._run} there, or not yet")
        found = {name: self._consumer.partitions_for_topic(full) for name, full in names.items()}
        if not all(found.values()):
            raise OSError(f"run {self._run} has topics without partitions yet")
        self._places = {
            name: [TopicPartition(names[name], part) for part in sorted(parts)]
            for name, parts in found.items()
        }
        telling = {place for _, place in self.places()}
        self._consumer.assign(self._all())  # the client forgets topics that are not
        self._consumer.pause(*(place for place in self._all() if place not in telling))

    def _count(self, ends: dict[Any, int]) -> None:
        now = self._clock()
        if self._ends and now > self._counted:
            for name, places in self._places.items():
                new = sum(ends[one] - self._ends[one] for one in places)
                self.rates[name] = new / (now - self._counted)
        self._ends, self._counted = ends, now

    def _listen(self, ends: dict[Any, int]) -> None:
        """Hear the newest message of each place that tells something."""
        waiting = {place: of for of, place in self.places() if ends[place]}
        for place in waiting:
            self._consumer.seek(place, ends[place] - 1)
        until = self._clock() + PATIENCE / 1000
        while waiting and self._clock() < until:
            for place, messages in self._consumer.poll(PATIENCE // 10).items():
                if place in waiting and messages:
                    self._note(waiting.pop(place), messages[-1].headers)

    def _note(self, of: Place, headers: Any) -> None:
        try:
            header = read(self._run, headers)
        except WireError:
            return
        tick = header.tick - (header.slice + 1 < header.of)
        if self.ticks.get(of) != tick:
            self.ticks[of], self.changed[of] = tick, self._clock()


def connected(address: str) -> Any:
    """A consumer that soon gives up, and leaves nothing behind if it cannot connect.

    Raises:
        KafkaError: nothing answers.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    made: list[Any] = []

    def client(**settings: Any) -> Any:
        made.append(KafkaConsumer.DEFAULT_CONFIG["kafka_client"](**settings))
        return made[-1]

    try:
        return KafkaConsumer(
            **client_settings(address),
            bootstrap_timeout_ms=PATIENCE,
            request_timeout_ms=PATIENCE,
            fetch_max_wait_ms=PATIENCE // 10,
            max_partition_fetch_bytes=64 * 1024,
            allow_auto_create_topics=False,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            kafka_client=client,
        )
    except (KafkaError, OSError, ValueError):
        for one in made:  # or its thread would stay
            one.close()
        raise
