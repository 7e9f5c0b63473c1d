"""The wire: what flows between stages as messages on topics, and back.

A tick of a stream is cut into slices, a message each: at most so many events, and about a megabyte.
The message's header says whose slice it is; the last of them, sent even when it is empty, is the
mark that the tick is complete. Every reader gets the marks of every producing partition.

Records travel as JSON, mail and other columns as MessagePack, or as JSON too where a message has
one event. What does not read back as it was written is refused.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import GenericAlias
from typing import Any, Final, NamedTuple, Protocol, get_args, get_type_hints

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter import codec
from filter.chain import CHAIN, Link
from filter.columns import Ids, Mails, stacked
from filter.features import hash_texts
from filter.ragged import Ragged, ragged
from filter.release import Change
from filter.sharing import merged, shares
from filter.stage import Flow

SLICE: Final = 960 * 1024
"""Bytes from which a message is cut in two, if it carries more than one event."""

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of a message at most: what is longer is not looked at."""

MANY: Final = 100_000
"""Slices of a tick at most."""

TOP: Final = 1 << 64
FAR: Final = 1 << 48
"""Ticks and counts lie between minus this and this."""


class WireError(ValueError):
    """Bytes on a topic that are not what its readers expect: a code, and why."""

    def __init__(self, code: str, why: str) -> None:
        """Keep both apart: the code is counted, the reason is for people."""
        super().__init__(f"{code}: {why}")
        self.code = code


class Header(NamedTuple):
    """Whose slice a message is, of the ``of`` slices that a producing partition gives at a tick."""

    tick: int
    part: int
    slice: int
    of: int


def written(run: str, header: Header) -> list[tuple[str, bytes]]:
    """A header as Kafka carries it: names and numbers in ASCII, that any tool can show."""
    numbers = zip(Header._fields, header, strict=True)
    return [("run", run.encode()), *((name, b"%d" % number) for name, number in numbers)]


def read(run: str, given: Iterable[tuple[str, bytes]] | None) -> Header:
    """The header of a message of this run.

    Raises:
        WireError: it has none (``header``), or it is of another run (``run``).
    """
    found = dict(given or ())
    if found.get("run") != run.encode():
        raise WireError("run", f"expected a message of run {run}")
    numbers = []
    for name in Header._fields:
        digits = found.get(name) or b""
        if not digits.isdigit() or len(digits) > 10:
            raise WireError("header", f"expected a number as {name}, got {digits[:20]!r}")
        numbers.append(int(digits))
    header = Header(*numbers)
    if not header.slice < header.of <= MANY:
        raise WireError("header", f"there is no slice {header.slice} of {header.of}")
    return header


class Topic(NamedTuple):
    """A stream on its way to readers of one shape.

    Args:
        name: the stream's, with ``.split`` where it goes to readers of both shapes.
        stream: field of `filter.stage.Flow`.
        key: by which it is dealt out among a stage's parts; empty where there is one reader, the
            driver alone, or readers of several keys, each part of which gets all of it.
        split: whether there are as many partitions as the run has.
        stages: that read it.
    """

    name: str
    stream: str
    key: str
    split: bool
    stages: tuple[str, ...]

    def parts(self, parts: int) -> int:
        """How many partitions it has."""
        return parts if self.split else 1


def producer(stream: str) -> Link | None:
    """The stage that gives a stream; None: the world does."""
    return next((link for link in CHAIN if stream in link.gives._fields), None)


@cache
def topics() -> tuple[Topic, ...]:
    """All topics of a run: each has the shape of its readers."""
    found = []
    for stream in Flow.__struct_fields__:
        readers = [link for link in CHAIN if stream in link.takes._fields]
        one = tuple(link.stage for link in readers if not link.key)
        split = [link for link in readers if link.key]
        if split:
            name = f"{stream}.split" if one else stream
            keys = {link.key for link in split}
            key = keys.pop() if len(keys) == 1 else ""
            found.append(Topic(name, stream, key, True, tuple(link.stage for link in split)))
        maker = producer(stream)
        if one:
            found.append(Topic(stream, stream, "", False, one))
        elif not readers and maker is not None:
            found.append(Topic(stream, stream, "", bool(maker.key), ()))
    return tuple(found)


def seen_by_driver() -> tuple[Topic, ...]:
    """The topics from which the driver reads what the stages gave: one for each stream."""
    chosen: dict[str, Topic] = {}
    for topic in topics():
        if (
            producer(topic.stream)
            and topic.stream != "features"
            and not (topic.split and topic.stream in chosen)
        ):
            chosen[topic.stream] = topic
    return tuple(chosen.values())


class Addressed(NamedTuple):
    """A message to send: topic, partition, header and value."""

    topic: str
    partition: int
    header: Header
    value: bytes


def addressed(
    stream: str, value: Any, tick: int, part: int, parts: int, per_message: int
) -> list[Addressed]:
    """A tick of a stream as the messages to all its readers, with their marks.

    Args:
        stream: field of `Flow`.
        value: what it gave; for ``mails`` `Letters`, for ``releases`` a `Change`.
        tick: at which.
        part: the producer's partition.
        parts: of the run.
        per_message: events that a message carries at most.
    """
    messages = []
    for topic in topics():
        if topic.stream != stream:
            continue
        for place, mine in enumerate(_dealt(topic, value, part, parts)):
            if mine is None:
                continue
            cut = slices(stream, mine, per_message)
            messages += [
                Addressed(topic.name, place, Header(tick, part, number, len(cut)), raw)
                for number, raw in enumerate(cut)
            ]
    return messages


def _dealt(topic: Topic, value: Any, part: int, parts: int) -> list[Any]:
    """What each partition of a topic gets; None: not even a mark."""
    if not topic.split:
        return [value]
    if not topic.stages:
        return [value if place == part else None for place in range(parts)]
    return shares(value, topic.key, parts)


class Letters(NamedTuple):
    """Mail as a mail server hands it over, in columns; on the wire its text is still text."""

    mail: Ids
    sender: Ids
    domain: Ids
    recipient: Ids
    subject: list[str]
    text: list[str]


class Form(Protocol):
    """How a stream is written and read."""

    def count(self, value: Any) -> int:
        """How many events there are."""
        ...

    def write(self, value: Any, first: int, stop: int, single: bool) -> bytes:
        """Some of the events as bytes."""
        ...

    def read(self, raw: bytes, single: bool) -> Any:
        """The events in a message."""
        ...

    def join(self, parts: Sequence[Any]) -> Any:
        """The slices that one producing partition gave, in order."""
        ...


def slices(stream: str, value: Any, per_message: int) -> list[bytes]:
    """A value cut into messages; at least one, which may be empty."""
    made = form(stream)
    count = made.count(value)
    step = count if stream == "releases" else per_message
    cut: list[bytes] = []
    for first in range(0, max(count, 1), max(step, 1)):
        cut += _halved(made, value, first, min(first + step, count), per_message == 1)
    return cut


def _halved(made: Form, value: Any, first: int, stop: int, single: bool) -> list[bytes]:
    raw = made.write(value, first, stop, single)
    if len(raw) <= SLICE or stop - first <= 1:
        return [raw]
    middle = (first + stop) // 2
    return [
        *_halved(made, value, first, middle, single),
        *_halved(made, value, middle, stop, single),
    ]


def decoded(stream: str, raw: bytes | None, per_message: int) -> Any:
    """The events in a message.

    Raises:
        WireError: there are none (``null``), too many bytes (``size``), or other things than this
            stream carries (``content``).
    """
    if not raw:
        raise WireError("null", "expected bytes, got none")
    if len(raw) > LARGEST:
        raise WireError("size", f"expected at most {LARGEST} bytes, got {len(raw)}")
    try:
        return form(stream).read(raw, per_message == 1)
    except (ValueError, OverflowError, RecursionError) as error:
        raise WireError("content", str(error)[:200]) from error


def must_stand_alone(events: Any) -> None:
    """Refuse what cannot be all that a tick has: a release whose scorer is none.

    Raises:
        WireError: ``content``.
    """
    if isinstance(events, Change):
        try:
            events.check_whole()
        except codec.CodecError as error:
            raise WireError("content", str(error)[:200]) from error


def together(stream: str, parts: Sequence[Sequence[Any]]) -> Any:
    """What all producing partitions gave at a tick: their slices, in order."""
    made = form(stream)
    whole = [made.join(cut) for cut in parts]
    return merged(whole)


@cache
def form(stream: str) -> Form:
    """How a stream travels: found from its type in `Flow`."""
    if stream == "mails":
        return _Mails()
    if stream == "releases":
        return _Changes()
    kind = next(one for one in get_args(get_type_hints(Flow)[stream]) if one is not type(None))
    return _Columns(kind) if hasattr(kind, "_fields") else _Records(get_args(kind)[0])


class _Records:
    """Records: a JSON array of objects."""

    def __init__(self, kind: Any) -> None:
        self._decoder: Any = msgspec.json.Decoder(tuple[kind, ...])
        hints = get_type_hints(kind)
        self._whole = [(name, name in IDS) for name, hint in hints.items() if hint is int]
        self._paired = [name for name, hint in hints.items() if get_args(hint)]

    def count(self, value: Any) -> int:
        return len(value)

    def write(self, value: Any, first: int, stop: int, single: bool) -> bytes:
        return msgspec.json.encode(value[first:stop])

    def read(self, raw: bytes, single: bool) -> Any:
        found = self._decoder.decode(raw)
        _must_be_canonical(raw, msgspec.json.encode(found))
        for one in found:
            for name, is_id in self._whole:
                _must_be_in_range(name, getattr(one, name), is_id)
            for name in self._paired:
                for account, weight in getattr(one, name):
                    _must_be_in_range(name, account, is_id=True)
                    _must_be_in_range(name, weight, is_id=False)
        return found

    def join(self, parts: Sequence[Any]) -> Any:
        return parts[0] if len(parts) == 1 else tuple(one for part in parts for one in part)


IDS: Final = frozenset(
    ("id", "vote", "account", "mail", "address", "subnet", "token", "source", "recipient")
)
"""Fields of records that hold 64 bits; all other whole numbers are ticks, weights and outcomes."""


def _must_be_in_range(name: str, number: int, is_id: bool) -> None:
    low, high = (0, TOP) if is_id else (-FAR, FAR)
    if not low <= number < high:
        raise ValueError(f"{name}: expected a number from {low} to before {high}")


def _must_be_canonical(raw: bytes, again: bytes) -> None:
    """Refuse what decoders pass over in silence, as a key that stands twice."""
    if raw != again:
        raise ValueError("it does not read back as it was written (a key twice, or white space)")


class _Columns:
    """Columns: a MessagePack array of arrays; rows as JSON objects where a message has one."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind
        self._row: Any = msgspec.defstruct(
            kind.__name__, _fields_of(kind), frozen=True, forbid_unknown_fields=True
        )
        self._decoder: Any = msgspec.json.Decoder(GenericAlias(tuple, (self._row, ...)))

    def count(self, value: Any) -> int:
        return len(value[0])

    def write(self, value: Any, first: int, stop: int, single: bool) -> bytes:
        part = [
            one.part(first, stop) if isinstance(one, Ragged) else one[first:stop] for one in value
        ]
        if not single:
            return codec.pack(tuple(part))
        listed = map(_listed, part)
        return msgspec.json.encode([self._row(*row) for row in zip(*listed, strict=True)])

    def read(self, raw: bytes, single: bool) -> Any:
        if not single:
            return _sound(codec.unpack(self._kind, raw))
        found = self._decoder.decode(raw)
        _must_be_canonical(raw, msgspec.json.encode(found))
        hints = get_type_hints(self._kind)
        columns = [
            _column(hint, [getattr(one, name) for one in found]) for name, hint in hints.items()
        ]
        return _sound(self._kind(*columns))

    def join(self, parts: Sequence[Any]) -> Any:
        return stacked(parts)


def _listed(column: Any) -> list[Any]:
    if isinstance(column, Ragged):
        return [column.row(row).tolist() for row in range(column.rows)]
    return column if isinstance(column, list) else list(column.tolist())


def _column(hint: Any, values: list[Any]) -> Any:
    if hint is Ragged:
        return ragged(values)
    return values if hint == list[str] else np.array(values, _dtype(hint))


def _fields_of(kind: Any) -> list[tuple[str, Any]]:
    scalars: Mapping[str, Any] = {"f": float, "b": bool, "i": int, "u": int}
    return [
        (name, _SCALARS.get(hint) or scalars[_dtype(hint).kind])
        for name, hint in get_type_hints(kind).items()
    ]


_SCALARS: Final[Mapping[Any, Any]] = {Ragged: list[int], list[str]: str}


def _dtype(hint: Any) -> np.dtype[Any]:
    dtype: np.dtype[Any] = np.dtype(get_args(get_args(hint)[1])[0])
    return dtype


def _sound(columns: Any) -> Any:
    """The columns, if they are of one length and hold nothing but numbers."""
    if any(one.ndim != 1 for one in columns if isinstance(one, np.ndarray)):
        raise ValueError("expected columns of one dimension")
    count = len(columns[0])
    for name, column in zip(columns._fields, columns, strict=True):
        if isinstance(column, Ragged):
            starts: NDArray[np.int64] = column.starts
            if (
                starts.ndim != 1
                or column.values.ndim != 1
                or len(starts) != count + 1
                or starts[0] != 0
                or starts[-1] != len(column.values)
                or (np.diff(starts) < 0).any()
            ):
                raise ValueError(f"{name}: the rows do not fit")
        elif len(column) != count:
            raise ValueError(f"{name}: expected {count} values")
        elif isinstance(column, list):
            continue
        elif column.dtype.kind == "f" and not np.isfinite(column).all():
            raise ValueError(f"{name}: not every value is finite")
        elif column.dtype.kind == "i" and not ((column >= -FAR) & (column < FAR)).all():
            raise ValueError(f"{name}: expected numbers from {-FAR} to before {FAR}")
    return columns


class _Mails(_Columns):
    """Mail: letters, whose text becomes tokens where it is read."""

    def __init__(self) -> None:
        super().__init__(Letters)

    def read(self, raw: bytes, single: bool) -> Mails:
        letters: Letters = super().read(raw, single)
        said = map("\n".join, zip(letters.subject, letters.text, strict=True))
        return Mails(*letters[:4], tokens=hash_texts(list(said)))


class _Changes:
    """Releases: what changed against the one before, in as many messages as it takes."""

    def count(self, value: Change) -> int:
        return value.rows()

    def write(self, value: Change, first: int, stop: int, single: bool) -> bytes:
        return codec.pack(value.part(first, stop))

    def read(self, raw: bytes, single: bool) -> Change:
        found: Change = codec.unpack(Change, raw)
        found.check()
        return found

    def join(self, parts: Sequence[Change]) -> Change:
        return parts[0].joined(parts)
