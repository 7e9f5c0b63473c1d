"""The engine on Kafka: hands a tick over to the workers, and gathers what they made of it."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError

from filter import codec
from filter.collector import Collector
from filter.columns import Mails
from filter.courier import DEAD_LETTERS, FAILED, DeadLetter, dead_letter, topic_name
from filter.features import MAX_BYTES
from filter.release import Change, Scorer, changes, released
from filter.stage import Flow, Release
from filter.tolerant import tolerate
from filter.unit import no_scorer, sources
from filter.wire import (
    LARGEST,
    Addressed,
    Letters,
    Topic,
    WireError,
    addressed,
    decoded,
    read,
    written,
)
from filter.wire import seen_by_driver as seen
from simulator.broker import Broker, client_settings
from simulator.mail import Source
from simulator.servers import EngineError

GIVEN: Final = ("mails", "votes", "kept", "judgements")
MANY_DEAD: Final = 100_000
"""Dead letters that are told apart at most."""

LONGER: Final = 60.0
"""Seconds that a message may take beyond the patience: whoever waits for results gives up first."""

LEAVES: Final = 5.0
"""Seconds to disconnect in."""

WAITS: Final = 10.0
"""Seconds without anything new after which it says what it waits for."""


class State(msgspec.Struct, forbid_unknown_fields=True):
    """What is on its way: ticks not collected yet, where their results begin, the last scorer."""

    collected: int
    flows: dict[int, Flow]
    offsets: dict[str, dict[int, int]]
    scorer: Change


class KafkaEngine:
    """All stages in workers elsewhere.

    Args:
        broker: the run's topics, which are there.
        delay: ticks after which what flows back acts: as many may be in flight.
        per_message: events that a message carries at most.
        last: the last tick of the run.
        start: the release that the filter starts with.
        source: gives mail its text.
        mend: called while waiting, once a second, with the last tick that is whole: looks after the
            workers.
        say: tells people, in a sentence.
        amiss: called when nothing has come for some seconds: what is wrong elsewhere, if anything.
        patience: seconds without anything new after which it gives up.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        delay: int,
        per_message: int,
        last: int,
        start: Release,
        source: Source,
        mend: Callable[[int], None],
        say: Callable[[str], None],
        amiss: Callable[[], str],
        patience: float,
    ) -> None:
        """Begin before the first tick."""
        tolerate()
        self._broker = broker
        self._per_message = per_message
        self._source = source
        self._mend, self._say, self._amiss, self._patience = mend, say, amiss, patience
        self._topics = {topic_name(broker.run, topic.name): topic for topic in seen()}
        self._scorer: Scorer = start.scorer or no_scorer()
        self._collector = Collector(
            {topic.stream: self._sources(topic) for topic in seen()},
            last,
            partial(decoded, per_message=per_message),
        )
        self._flows: dict[int, Flow] = {}
        self.collected, self.last = -1, last
        """The last tick that was gathered, and that of the run."""
        self._next: dict[tuple[str, int], dict[int, int]] = {}
        self.dead: set[tuple[str, int, int]] = set()
        """Where the messages lie that could not be read; of very many, the first."""
        self.reasons: Counter[str] = Counter()
        """Their codes, so many each."""
        self._unsent: Exception | None = None
        keeps_trying = int(1000 * (patience + LONGER))
        self._producer = KafkaProducer(
            **client_settings(broker.address),
            acks="all",
            delivery_timeout_ms=keeps_trying,
            max_block_ms=keeps_trying,
            linger_ms=0 if delay == 1 else 4,
            batch_size=256 * 1024,
            max_request_size=2 * LARGEST,
        )
        self._consumer = KafkaConsumer(
            **client_settings(broker.address),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=2 * LARGEST,
            max_poll_records=5000,
            fetch_min_bytes=1 if delay == 1 else 1024 * 1024,
            fetch_max_wait_ms=500 if delay == 1 else 4 * min(delay, 4),
        )
        self._graves = TopicPartition(topic_name(broker.run, DEAD_LETTERS), 0)
        self._consumer.assign([*self._places(), self._graves])
        self._consumer.seek_to_beginning()
        (self._earlier,) = self._consumer.end_offsets([self._graves]).values()

    def _sources(self, topic: Topic) -> list[tuple[int, int]]:
        """Where a stream comes from; what goes to all of a stage's partitions is read from one."""
        parts = self._broker.parts
        if topic.stream == "releases":
            return sources(topic, 0, parts)
        if not topic.stages:
            return [(part, part) for part in range(topic.parts(parts))]
        return [one for part in range(topic.parts(parts)) for one in sources(topic, part, parts)]

    def _places(self) -> list[TopicPartition]:
        return [
            TopicPartition(name, part)
            for name, topic in self._topics.items()
            for part in range(1 if topic.stream == "releases" else topic.parts(self._broker.parts))
        ]

    def submit(self, tick: int, given: Flow) -> None:
        """Hand a tick's mail, votes, looks and judgements over."""
        for stream in GIVEN:
            value = (
                self._letters(tick, given.mails) if stream == "mails" else getattr(given, stream)
            )
            for message in addressed(stream, value, tick, 0, self._broker.parts, self._per_message):
                self._send(message)
        self._flows[tick] = msgspec.structs.replace(given, mails=None)

    def _letters(self, tick: int, mails: Mails | None) -> Letters:
        """A tick's mail as text; what no reader would look at of a long one stays here."""
        assert mails is not None
        said = self._source.texts(tick, mails)
        subjects = [_first(one.subject, MAX_BYTES) for one in said]
        left = [max(0, MAX_BYTES - len(subject.encode())) for subject in subjects]
        texts = [_first(one.text, most) for one, most in zip(said, left, strict=True)]
        return Letters(*mails[:4], subjects, texts)

    def _send(self, message: Addressed) -> None:
        self._producer.send(
            topic_name(self._broker.run, message.topic),
            message.value,
            partition=message.partition,
            headers=written(self._broker.run, message.header),
        ).add_errback(self._not_sent)

    def _not_sent(self, error: Exception) -> None:
        """Keep why a message did not arrive; the producer's own thread says so."""
        self._unsent = error

    def _must_be_sent(self) -> None:
        """See that nothing was lost on the way to the broker.

        Raises:
            EngineError: something was.
        """
        if self._unsent is not None:
            raise EngineError(f"the broker did not take a message: {self._unsent}")

    def collect(self, tick: int) -> Flow:
        """All that flowed at a tick, once every stage has taken it.

        Raises:
            EngineError: the workers cannot go on, or have given nothing for too long.
        """
        self._must_be_sent()
        streams = [topic.stream for topic in self._topics.values()]
        quiet = told = mended = time.monotonic()
        while not all(self._collector.complete(stream, tick) for stream in streams):
            now = time.monotonic()
            if self._poll():
                quiet = told = now
            if now - mended > 1:
                self._must_be_sent()
                self._mend(self.collected)
                mended = now
            if now - told > WAITS:
                self._say(f"waiting for {self._missing(tick)} of tick {tick}{self._amiss()}")
                told = now
            if now - quiet > self._patience:
                raise EngineError(
                    f"the workers gave nothing for {self._patience:.0f} s: {self._missing(tick)} of"
                    f" tick {tick} is missing{self._amiss()}"
                    f"{'; the run can be resumed' * (self.collected >= 0)}"
                )
        return self._gathered(tick)

    def _missing(self, tick: int) -> str:
        return ", ".join(
            topic.stream
            for topic in self._topics.values()
            if self._collector.waits_for(topic.stream, tick)
        )

    def _gathered(self, tick: int) -> Flow:
        flow = self._flows.pop(tick)
        for topic in self._topics.values():
            value = self._collector.take(topic.stream, tick)
            if isinstance(value, Change):
                value = released(value, self._scorer)
                self._scorer = value[0].scorer or self._scorer
            setattr(flow, topic.stream, value)
        self.collected = tick
        for ticks in self._next.values():
            for old in [one for one in ticks if one <= tick]:
                del ticks[old]
        return flow

    def _poll(self) -> bool:
        """Take in what has come; whether anything has."""
        fetched = self._consumer.poll(200)
        for place, messages in fetched.items():
            if place == self._graves:
                for message in messages:
                    self._count(message)
                continue
            topic = self._topics[place.topic]
            for message in messages:
                try:
                    header = read(self._broker.run, message.headers)
                    if header.tick <= self.collected:
                        continue
                    self._collector.add(topic.stream, place.partition, header, message.value)
                except WireError as why:
                    self._bury(topic.name, message, why)
                    continue
                first = self._next.setdefault((place.topic, place.partition), {})
                first.setdefault(header.tick, message.offset)
        return bool(fetched)

    def _bury(self, topic: str, message: Any, why: WireError) -> None:
        """Make a dead letter of what the driver itself cannot read."""
        key, value = dead_letter(topic, message.partition, message.offset, message.value, why)
        self._producer.send(
            self._graves.topic,
            value,
            key=key,
            partition=0,
            headers=[("run", self._broker.run.encode())],
        )

    def _count(self, message: Any) -> None:
        """Count a dead letter; one however often it was written. What is none becomes one.

        Raises:
            EngineError: it is no message's: a stage has failed since this engine began.
        """
        try:
            letter = _letter(self._broker.run, message.headers, message.value)
        except WireError as why:
            self._bury(DEAD_LETTERS, message, why)
            return
        if letter.code == FAILED and not letter.topic:
            if message.offset < self._earlier:
                return
            raise EngineError(f"a worker failed: {letter.reason}")
        where = (letter.topic, letter.partition, letter.offset)
        if len(self.dead) < MANY_DEAD and where not in self.dead:
            self.dead.add(where)
            self.reasons[letter.code] += 1

    def lag(self) -> dict[str, int]:
        """How many messages of each topic are known to lie there unread; asks nobody."""
        lag: Counter[str] = Counter()
        for place in self._places():
            end = self._consumer.highwater(place)
            unread = 0 if end is None else end - self._consumer.position(place)
            lag[self._topics[place.topic].name] += max(0, unread)
        return dict(lag)

    def freeze(self) -> bytes:
        """What is on its way; the ticks handed over lie safely with the broker after this.

        Raises:
            EngineError: they do not.
        """
        self._flush()
        release = Release(self.collected, "", "", self._scorer, None)
        scorer, _ = changes((release,), no_scorer())
        offsets: dict[str, dict[int, int]] = {}
        for place in self._places():
            pending = self._next.get((place.topic, place.partition))
            offset = min(pending.values()) if pending else self._consumer.position(place)
            offsets.setdefault(place.topic, {})[place.partition] = offset
        return codec.pack(State(self.collected, self._flows, offsets, scorer))

    def _flush(self) -> None:
        """Wait until the broker has all that was sent, and say so if it takes long.

        Raises:
            EngineError: the broker has not, for as long as the patience lasts.
        """
        until = time.monotonic() + self._patience
        while True:
            try:
                self._producer.flush(timeout=WAITS)
            except KafkaTimeoutError as error:
                if time.monotonic() > until:
                    self._unsent = error
            else:
                break
            self._must_be_sent()
            self._say("waiting for the broker to take what was sent; a second Ctrl-C ends this")
        self._must_be_sent()

    def thaw(self, frozen: bytes) -> None:
        """Go on from there: what came after it is read once more."""
        state = codec.unpack(State, frozen)
        self.collected, self._flows = state.collected, state.flows
        (release,) = released(state.scorer, no_scorer())
        self._scorer = release.scorer or no_scorer()
        for name, of in state.offsets.items():
            for part, offset in of.items():
                self._consumer.seek(TopicPartition(name, part), offset)

    def close(self) -> None:
        """Disconnect; what the broker has not taken after some seconds is given up."""
        with suppress(KafkaError):
            self._producer.close(timeout=LEAVES)
        self._consumer.close(timeout_ms=int(1000 * LEAVES))


def _first(text: str, most: int) -> str:
    """The beginning of a text: ``most`` bytes as UTF-8, and the rest of the last character."""
    if len(text) * 4 <= most:
        return text
    raw = text[:most].encode()
    stop = most
    while stop < len(raw) and raw[stop] & 0xC0 == 0x80:
        stop += 1
    return raw[:stop].decode()


def _letter(run: str, headers: Any, raw: bytes | None) -> DeadLetter:
    """A dead letter of this run.

    Raises:
        WireError: it is none, or of another run.
    """
    if ("run", run.encode()) not in headers:
        raise WireError("run", f"expected a message of run {run}")
    try:
        return msgspec.json.decode(raw or b"", type=DeadLetter)
    except (ValueError, RecursionError) as error:
        raise WireError("content", str(error)[:200]) from error
