"""What a topic of a run carries, as it comes: ``hamstrung tail TOPIC``.

A shell: it reads from Kafka and writes lines, an event each, until the run is over or somebody has
seen enough. What it cannot read it says, and goes on.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from filter import codec
from filter.chain import CHAIN
from filter.charter import Charter, unpacked
from filter.codec import CodecError
from filter.courier import (
    BEGUN,
    CONTROL,
    DEAD_LETTERS,
    ENDED,
    DeadLetter,
    snapshot_topic,
    topic_name,
)
from filter.plugins import SettingsError, unknown
from filter.ragged import Ragged
from filter.release import Change
from filter.wire import IDS, LARGEST, Header, Letters, WireError, decoded, read, topics
from simulator import stdout
from simulator.broker import client_settings, unreached
from simulator.exits import DONE
from simulator.paint import width
from simulator.safe import safe
from simulator.servers import KafkaSettings

LOOK: Final = 500
"""Milliseconds that a look for new messages takes at most."""

PLAIN: Final = re.compile(r"[\w.+-]+", re.ASCII)
SHORT, LEAST, FEW = 60, 20, 4
"""Characters of a subject at most and of a mail's text at least; entries shown of a long list."""

_RUN: Final = re.compile(r"hamstrung\.(.+)\.control")
Headers = Sequence[tuple[str, bytes]]


class Event(NamedTuple):
    """An event of a topic.

    Args:
        tick: at which it was given, -1 where that cannot be told.
        kind: the topic it is on, or what it is.
        fields: names and values, ids as 16 hexadecimal digits.
    """

    tick: int
    kind: str
    fields: dict[str, Any]


def names() -> list[str]:
    """The topics of a run by their short names."""
    snapshots = [snapshot_topic(link.stage) for link in CHAIN]
    return [*(topic.name for topic in topics()), *snapshots, DEAD_LETTERS, CONTROL]


def events(
    name: str, run: str, headers: Headers, raw: bytes | None, per_message: int
) -> list[Event]:
    """What a message says; of what cannot be read, why.

    Args:
        name: the topic's short one.
        run: the run's id.
        headers: of the message.
        raw: its value.
        per_message: events that a message carries at most; 0 where nobody knows.
    """
    try:
        if name == DEAD_LETTERS:
            return [_letter(run, headers, raw)]
        if name == CONTROL:
            return [_control(run, headers, raw)]
        header = read(run, headers)
        if name.startswith(snapshot_topic("")):
            return [Event(header.tick, name, _piece(header, raw))]
        stream = next(topic.stream for topic in topics() if topic.name == name)
        told = _told(stream, header, raw, per_message)
        return [Event(header.tick, name, fields) for fields in told]
    except WireError as why:
        return [Event(-1, "unreadable", {"code": why.code, "reason": str(why)})]


def _piece(header: Header, raw: bytes | None) -> dict[str, Any]:
    """A piece of something that is not shown."""
    whole = f"{header.slice + 1} of {header.of}"
    return {"part": header.part, "piece": whole, "bytes": len(raw or b"")}


def _control(run: str, headers: Headers, raw: bytes | None) -> Event:
    """A message of ``control``; the charter holds the provider's secret, and is not shown."""
    for word in (BEGUN, ENDED):
        if _says(run, word, headers):
            return Event(-1, word, {"run": run})
    header = read(run, headers)
    return Event(-1, "charter", _piece(header, raw))


def _says(run: str, word: str, headers: Headers) -> bool:
    """Whether a message on ``control`` says so of this run."""
    return {("run", run.encode()), (word, run.encode())} <= set(headers)


def _letter(run: str, headers: Headers, raw: bytes | None) -> Event:
    if ("run", run.encode()) not in headers:
        raise WireError("run", f"expected a message of run {run}")
    try:
        letter = msgspec.json.decode(raw or b"", type=DeadLetter)
    except (ValueError, RecursionError) as error:
        raise WireError("content", str(error)[:200]) from error
    return Event(-1, DEAD_LETTERS, msgspec.structs.asdict(letter))


def _told(
    stream: str, header: Header, raw: bytes | None, per_message: int
) -> Iterable[dict[str, Any]]:
    """The events in a message, one dict of fields each."""
    value, single = _either(stream, raw, per_message)
    if isinstance(value, Change):
        return [_release(value, header)]
    if stream == "mails":
        return _mails(raw or b"", single)
    if not hasattr(value, "_fields"):
        return [_record(one) for one in value]
    return _rows(value._asdict())


def _either(stream: str, raw: bytes | None, per_message: int) -> tuple[Any, bool]:
    """The value of a message, read as the charter says or either way; and whether it is JSON."""
    ways = [per_message] if per_message else [2, 1]
    for way in ways[:-1]:
        try:
            return decoded(stream, raw, way), False
        except WireError:
            continue
    return decoded(stream, raw, ways[-1]), ways[-1] == 1


def _release(change: Change, header: Header) -> dict[str, Any]:
    release = change.release
    limits = release.limits and [release.limits.inbox, release.limits.spam]
    return {
        "action": release.action,
        "reason": release.reason,
        "limits": limits,
        "changed": len(change.buckets),
        "buckets": change.size,
        "packed": len(change.packed),
        "slice": f"{header.slice + 1} of {header.of}",
    }


def _record(one: Any) -> dict[str, Any]:
    return {name: _plain(name, value) for name, value in msgspec.structs.asdict(one).items()}


def _plain(name: str, value: Any) -> Any:
    """A value of a record as JSON has it."""
    if isinstance(value, tuple):
        return [[_id(account), weight] for account, weight in value]
    return _id(value) if name in IDS else value


def _id(number: int) -> str:
    """As a run's folder has it, and `hamstrung explain` takes it."""
    return f"{number:016x}"


def _rows(columns: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    listed = [_listed(column) for column in columns.values()]
    for row in zip(*listed, strict=True):
        yield dict(zip(columns, row, strict=True))


def _listed(column: Any) -> list[Any]:
    if isinstance(column, Ragged):
        return [[f"{one:08x}" for one in column.row(n).tolist()] for n in range(column.rows)]
    if isinstance(column, list):
        return column
    values: list[Any] = column.tolist()
    return [_id(one) for one in values] if column.dtype == np.uint64 else values


def _mails(raw: bytes, single: bool) -> Iterator[dict[str, Any]]:
    """Mail with its text, of a message that was read already."""
    if not single:
        yield from _rows(codec.unpack(Letters, raw)._asdict())
        return
    for one in msgspec.json.decode(raw):
        yield {name: _id(value) if isinstance(value, int) else value for name, value in one.items()}


def shown(event: Event, columns: int) -> str:
    """An event in a line for people: nothing in it acts, and a mail's text is cut to fit."""
    start = f"{event.tick:>5}  " if event.tick >= 0 else ""
    said = [f"{start}{event.kind}"]
    for name, value in event.fields.items():
        room = max(LEAST, columns - len(" ".join(said)) - len(name) - 4)
        limit = {"subject": SHORT, "text": room, "payload": room}.get(name, 200)
        said.append(f"{name}={_value(value, limit)}")
    return " ".join(said)


def _value(value: Any, limit: int) -> str:
    match value:
        case str() if PLAIN.fullmatch(value[: limit + 1]):
            return safe(value, limit)
        case str():
            marked = safe(value, limit).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{marked}"'
        case list():
            more = [f"… {len(value)} in all"] if len(value) > FEW else []
            return "[" + " ".join([*(_value(one, limit) for one in value[:FEW]), *more]) + "]"
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
    return str(value)


def written(event: Event) -> str:
    """An event as a line of JSON, in ASCII: whole, and nothing in it acts."""
    typed = {"type": event.kind, "schema_version": stdout.SCHEMA_VERSION, "tick": event.tick}
    return json.dumps(typed | {"fields": event.fields})


def tail(
    kafka: KafkaSettings,
    topic: str,
    run: str | None,
    limit: int | None,
    from_beginning: bool,
    as_json: bool = False,
) -> int:
    """Print what a topic carries; gives the exit code.

    Args:
        kafka: where the broker is.
        topic: its short name, as ``votes``.
        run: the run's id; None: the one of which something was said last.
        limit: events after which it ends; None: none.
        from_beginning: print what is there already too, as it does of a run that is over.
        as_json: lines of JSON, whole, instead of lines for people.

    Raises:
        SettingsError: there is no such topic, or no such run.
        Unreached: no broker answers.
    """
    if topic not in names():
        raise SettingsError(f"topic: {unknown(topic, names())}")
    try:
        with reading(kafka.broker, run) as (consumer, chosen):
            return _Tail(consumer, topic, chosen, limit, as_json).follow(from_beginning)
    except KeyboardInterrupt:
        return DONE


@contextmanager
def reading(address: str, run: str | None) -> Iterator[tuple[Any, str]]:
    """A consumer that belongs to no group and commits nothing; and the run, named or the last.

    Raises:
        SettingsError: there is no such run.
        Unreached: no broker answers.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    try:
        consumer = _consumer(address)
    except (KafkaError, OSError, ValueError) as error:
        raise unreached(address) from error
    try:
        yield consumer, _chosen(consumer, run, address)
    finally:
        consumer.close()


def _consumer(address: str) -> Any:
    return KafkaConsumer(
        **client_settings(address),
        bootstrap_timeout_ms=6000,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * LARGEST,
    )


def _chosen(consumer: Any, run: str | None, address: str) -> str:
    """The run that is named, or the last one."""
    found = {of[1]: TopicPartition(name, 0) for name in consumer.topics() if (of := _of_run(name))}
    if run is not None:
        if run not in found:
            raise SettingsError(f"run: {unknown(run, sorted(found))}")
        return run
    if not found:
        raise SettingsError(
            f"run: there is none on {address}; begin one with: hamstrung run quickstart"
            " --engine kafka"
        )
    return max(found, key=_last_said(consumer, list(found.values())).__getitem__)


def _of_run(name: str) -> re.Match[str] | None:
    return _RUN.fullmatch(name)


def _last_said(consumer: Any, places: list[Any]) -> dict[str, int]:
    """When something was last said on ``control``, by run, in milliseconds."""
    said = {_RUN.sub(r"\1", place.topic): -1 for place in places}
    ends = consumer.end_offsets(places)
    open_ = [place for place in places if ends[place]]
    if not open_:
        return said
    consumer.assign(open_)
    for place in open_:
        consumer.seek(place, ends[place] - 1)
    for _ in range(10):
        for place, messages in consumer.poll(LOOK).items():
            said[_RUN.sub(r"\1", place.topic)] = messages[-1].timestamp
        if all(consumer.position(place) >= ends[place] for place in open_):
            break
    return said


class Control:
    """What the topic ``control`` says of a run: its charter, and whether it is over.

    Args:
        run: the run's id.
    """

    def __init__(self, run: str) -> None:
        """Nothing was said yet."""
        self._run = run
        self._pieces: dict[int, bytes] = {}
        self.over = False
        self.charter: Charter | None = None

    @property
    def per_message(self) -> int:
        """Events that a message carries at most; 0 where nobody knows."""
        return self.charter.per_message if self.charter else 0

    def take(self, message: Any) -> None:
        """Hear a message; one that is of another version, or nobody's, says nothing."""
        begun, ended = (_says(self._run, word, message.headers) for word in (BEGUN, ENDED))
        self.over = ended or (self.over and not begun)
        try:
            header = read(self._run, message.headers)
            self._pieces.setdefault(header.slice, message.value or b"")
            if len(self._pieces) == header.of and self.charter is None:
                self.charter = unpacked([self._pieces[n] for n in range(header.of)])
        except (WireError, CodecError, KeyError):
            return


class _Tail:
    """A topic that is followed.

    Args:
        consumer: of kafka-python.
        name: the topic's short name.
        run: the run's id.
        limit: events after which it ends.
        as_json: lines of JSON, not for people.
    """

    def __init__(
        self, consumer: Any, name: str, run: str, limit: int | None, as_json: bool
    ) -> None:
        self._consumer, self._name, self._run = consumer, name, run
        self._left, self._json = limit, as_json
        self._said = Control(run)
        self._looked = 0
        self._columns = width()
        self._control = TopicPartition(topic_name(run, CONTROL), 0)
        topic = topic_name(run, name)
        parts = consumer.partitions_for_topic(topic) or {0}
        self._places = [TopicPartition(topic, part) for part in sorted(parts)]
        self._nobody = _to_nobody()

    def follow(self, from_beginning: bool) -> int:
        """Print until the run is over, the limit is reached, or nobody reads any more."""
        self._look_at_control()
        self._consumer.assign(list({*self._places, self._control}))
        if from_beginning or self._said.over:
            self._consumer.seek_to_beginning(*self._places)
        else:
            self._consumer.seek_to_end(*self._places)
        if self._control not in self._places or not (from_beginning or self._said.over):
            self._consumer.seek(self._control, self._looked)
        for place in self._places:
            self._consumer.position(place)  # seeks are lazy: be at the end as it is now
        while not self._at_end():
            for place, messages in self._consumer.poll(LOOK).items():
                for message in messages:
                    if place == self._control:
                        self._said.take(message)
                    if place in self._places and not self._print(message):
                        return DONE
        return DONE

    def _look_at_control(self) -> None:
        """Read the charter, and whether the run is over."""
        self._consumer.assign([self._control])
        (end,) = self._consumer.end_offsets([self._control]).values()
        self._looked = end
        self._consumer.seek_to_beginning(self._control)
        for _ in range(20):
            if self._consumer.position(self._control) >= end:
                break
            for message in self._consumer.poll(LOOK).get(self._control, ()):
                self._said.take(message)

    def _at_end(self) -> bool:
        """Whether the run is over and all of the topic was printed."""
        if not self._said.over:
            return False
        ends = self._consumer.end_offsets(self._places)
        return all(self._consumer.position(place) >= ends[place] for place in self._places)

    def _print(self, message: Any) -> bool:
        """Print a message's events; whether to go on."""
        per_message = self._said.per_message
        found = events(self._name, self._run, message.headers, message.value, per_message)
        for event in found if self._left is None else found[: self._left]:
            stdout.write(written(event) if self._json else shown(event, self._columns))
        if self._left is not None:
            self._left -= min(self._left, len(found))
        return self._left != 0 and _to_nobody() == self._nobody


def _to_nobody() -> bool:
    """Whether standard output goes nowhere, as it does once its reader has gone."""
    try:
        return os.path.samestat(os.fstat(sys.stdout.fileno()), os.stat(os.devnull))  # noqa: PTH116
    except (OSError, ValueError):
        return False
