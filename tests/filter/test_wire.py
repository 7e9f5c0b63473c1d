import json
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any, get_args, get_type_hints

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter import codec, wire
from filter.collector import Collector
from filter.columns import Judgements, Kept, Mails, Verdicts
from filter.events import Claim, Lesson, Limits, Vote
from filter.features import MAX_BYTES, hash_texts
from filter.ragged import Ragged, ragged
from filter.release import Change
from filter.sharing import shares
from filter.stage import Flow, Release
from filter.unit import sources
from filter.wire import (
    LARGEST,
    MANY,
    SLICE,
    Addressed,
    Header,
    Letters,
    WireError,
    addressed,
    decoded,
    read,
    slices,
    together,
    topics,
    written,
)

STREAMS = tuple(Flow.__struct_fields__)
RECORDS = (
    "votes",
    "probes",
    "claims",
    "stopped",
    "rulings",
    "lessons",
    "credits",
    "requests",
    "responses",
)
COLUMNS = ("mails", "kept", "judgements", "verdicts", "features", "trusted", "believed")
SINGLE, MANY_EVENTS = 1, 500
SMALLEST, HIGHEST = 5e-324, 1.7976931348623157e308


class Maker:
    """Makes whatever flows, from a seed: the numbers at the ends of their ranges among them."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def stream(self, stream: str, count: int) -> Any:
        """A tick of a stream with so many events, in the order of their ids."""
        if stream == "releases":
            return self.change(count)
        if stream == "mails":
            return self.columns(Letters, count)
        kind = next(one for one in get_args(get_type_hints(Flow)[stream]) if one is not type(None))
        if hasattr(kind, "_fields"):
            return self.columns(kind, count)
        record = get_args(kind)[0]
        return tuple(sorted(self.record(record) for _ in range(count)))

    def columns(self, kind: Any, count: int) -> Any:
        hints = get_type_hints(kind)
        made = [self.column(hint, count) for hint in hints.values()]
        made[0] = np.sort(np.array(self.different(count), np.uint64))
        return kind(*made)

    def column(self, hint: Any, count: int) -> Any:
        if hint is Ragged:
            low_high = (0, 2**32 - 1)
            return ragged([self.whole(self._random.randrange(5), *low_high) for _ in range(count)])
        if hint == list[str]:
            return [self.text() for _ in range(count)]
        dtype = np.dtype(get_args(get_args(hint)[1])[0])
        if dtype.kind == "f":
            return np.array([self.real() for _ in range(count)], dtype)
        if dtype.kind == "b":
            return np.array([self._random.random() < 0.5 for _ in range(count)], dtype)
        ends = {"<u8": (0, 2**64 - 1), "<i8": (1 - 2**48, 2**48 - 1), "|i1": (0, 2)}[dtype.str]
        return np.array(self.whole(count, *ends), dtype)

    def record(self, kind: Any) -> Any:
        return kind(**{name: self.value(name, one) for name, one in get_type_hints(kind).items()})

    def value(self, name: str, hint: Any) -> Any:
        if hint is int:
            low, high = (0, 2**64 - 1) if name in wire.IDS else (1 - 2**48, 2**48 - 1)
            return self.whole(1, low, high)[0]
        if hint is float:
            return self.real()
        if hint is bool:
            return self._random.random() < 0.5
        if hint is str:
            return self.text()
        pairs = range(self._random.randrange(4))
        return tuple((self.value("account", int), self.value("weight", int)) for _ in pairs)

    def whole(self, count: int, low: int, high: int) -> list[int]:
        return [
            self._random.choice((low, high, self._random.randint(low, high), 7))
            for _ in range(count)
        ]

    def different(self, count: int) -> list[int]:
        found = {0, 2**64 - 1} if count > 1 else set[int]()
        while len(found) < count:
            found.add(self._random.randrange(2**64))
        return list(found)

    def real(self) -> float:
        any_ = self._random.uniform(-9, 9)
        return self._random.choice((0.0, -0.0, 1.0, SMALLEST, -HIGHEST, 0.1, any_))

    def text(self) -> str:
        letters = 'aé\u202e日\U0001f600\0\x1b"\\ \n\x7f/'
        return "".join(self._random.choice(letters) for _ in range(self._random.randrange(9)))

    def change(self, count: int) -> Change:
        size = 1 << 20
        buckets = np.array(sorted(self._random.sample(range(size), count)), np.uint32)
        odds = np.array([self.real() for _ in range(count)], np.float64)
        limits = Limits(self.real(), self.real())
        same = (self.real(), self.real(), self._random.randrange(2))
        release = Release(7, "promote", self.text(), None, limits)
        return Change(release, False, size, same, buckets, odds, b"")


def bits(value: Any) -> bytes:
    """All of a value, bit for bit."""
    return codec.pack(value)


def as_read(stream: str, value: Any) -> Any:
    """What readers make of a stream: of letters, tokens."""
    if stream != "mails":
        return value
    said = [f"{one}\n{two}" for one, two in zip(value.subject, value.text, strict=True)]
    return Mails(value.mail, value.sender, value.domain, value.recipient, hash_texts(said))


def given_by_all(stream: str, value: Any, tick: int, parts: int, per_message: int) -> list[Any]:
    """The messages of all producing partitions, each with its share."""
    maker = wire.producer(stream)
    key = maker.key if maker else ""
    mine = shares(value, key, parts) if key else [value]
    return [
        message
        for part, share in enumerate(mine)
        for message in addressed(stream, share, tick, part, parts, per_message)
    ]


def collected(
    topic: wire.Topic, place: int, parts: int, per_message: int, messages: list[Addressed]
) -> Any:
    """What a reader of one partition of a topic makes of its messages."""

    def decode(stream: str, raw: bytes | None) -> Any:
        return decoded(stream, raw, per_message)

    of = sources(topic, place, parts)
    if not topic.stages and topic.split:
        of = [(place, place)]
    collector = Collector({topic.stream: of}, 100, decode)
    for one in messages:
        assert not collector.complete(topic.stream, one.header.tick) or one in messages
        header = read("r", written("r", one.header))
        collector.add(topic.stream, one.partition, header, one.value)
    assert collector.complete(topic.stream, 9)
    return collector.take(topic.stream, 9)


@pytest.mark.parametrize("stream", STREAMS)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 7),
    per_message=st.sampled_from((1, 3, 500)),
    parts=st.sampled_from((1, 2, 5)),
)
@settings(max_examples=30, deadline=None)
def test_every_stream_reads_back_bit_for_bit_in_any_order_of_arrival(
    stream: str, seed: int, count: int, per_message: int, parts: int
) -> None:
    value = Maker(seed).stream(stream, count)
    messages = given_by_all(stream, value, 9, parts, per_message)
    Random(seed).shuffle(messages)
    whole = as_read(stream, value)
    for topic in topics():
        if topic.stream != stream:
            continue
        for place in range(topic.parts(parts)):
            arriving = [
                one for one in messages if (one.topic, one.partition) == (topic.name, place)
            ]
            found = collected(topic, place, parts, per_message, [*arriving, *arriving[:2]])
            key = topic.key or "recipient" * (not topic.stages and stream == "verdicts")
            key = key or "account" * (not topic.stages and stream == "stopped")
            expected = shares(whole, key, parts)[place] if topic.split else whole
            assert bits(found) == bits(expected)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("per_message", [1, 3, 500])
def test_nothing_at_all_is_one_mark(stream: str, per_message: int) -> None:
    nothing = Maker(0).stream(stream, 0)
    (raw,) = slices(stream, nothing, per_message)
    again = together(stream, [[decoded(stream, raw, per_message)]])
    assert bits(again) == bits(as_read(stream, nothing))


@pytest.mark.parametrize("parts", [1, 2, 5])
@pytest.mark.parametrize("stream", STREAMS)
def test_every_reader_gets_the_mark_of_every_producing_partition(stream: str, parts: int) -> None:
    messages = given_by_all(stream, Maker(0).stream(stream, 0), 9, parts, 500)
    made = {(one.topic, one.partition, one.header.part) for one in messages}
    maker = wire.producer(stream)
    many = parts if maker and maker.key else 1
    wanted = {
        (topic.name, place, part)
        for topic in topics()
        if topic.stream == stream
        for place in range(topic.parts(parts))
        for part in range(many)
        if topic.stages or not topic.split or place == part
    }
    assert made == wanted
    assert len(messages) == len(wanted)
    assert {one.header[2:] for one in messages} == {(0, 1)}


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_a_message_carries_no_more_events_than_it_may(count: int) -> None:
    cut = slices("votes", Maker(1).stream("votes", count), 3)
    assert [len(decoded("votes", raw, 3)) for raw in cut] == [3] * (count // 3) + (
        [count % 3] * (count % 3 > 0)
    )


def letters(*texts: str) -> Letters:
    n = np.arange(len(texts), dtype=np.uint64)
    return Letters(n, n, n, n, ["s"] * len(texts), list(texts))


@pytest.mark.parametrize("per_message", [3, 500])
def test_big_mails_are_halved_until_they_fit(per_message: int) -> None:
    mails = letters(*("x" * 200_000 for _ in range(17)))
    cut = slices("mails", mails, per_message)
    assert len(cut) >= 4
    assert max(map(len, cut)) <= SLICE
    found = together("mails", [[decoded("mails", raw, per_message) for raw in cut]])
    assert bits(found) == bits(as_read("mails", mails))


@pytest.mark.parametrize("per_message", [1, 500])
def test_the_longest_mail_of_control_characters_fits_into_a_message(per_message: int) -> None:
    mails = letters("\x01" * MAX_BYTES)
    (raw,) = slices("mails", mails, per_message)
    assert len(raw) <= LARGEST
    assert decoded("mails", raw, per_message).mail.tolist() == [0]


def test_a_release_travels_in_as_many_messages_as_it_takes() -> None:
    change = Maker(3).change(200_000)
    cut = slices("releases", change, 3)
    assert len(cut) > 1
    assert max(map(len, cut)) <= SLICE
    found = together("releases", [[decoded("releases", raw, 3) for raw in cut]])
    assert bits(found) == bits(change)


# Headers.


@given(st.integers(0, 10**10 - 1), st.integers(0, 10**10 - 1), st.integers(1, MANY), st.data())
def test_a_header_reads_back(tick: int, part: int, of: int, data: st.DataObject) -> None:
    header = Header(tick, part, data.draw(st.integers(0, of - 1)), of)
    assert read("r1", written("r1", header)) == header


def head(**changes: bytes | None) -> list[tuple[str, Any]]:
    fields: dict[str, bytes | None] = {
        "run": b"r",
        "tick": b"1",
        "part": b"0",
        "slice": b"0",
        "of": b"1",
    }
    return list((fields | changes).items())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        (None, "run"),
        ([], "run"),
        (head(run=None), "run"),
        (head(run=b"r2"), "run"),
        (head(run=b"\xff"), "run"),
        (head()[1:], "run"),
        (head()[:-1], "header"),
        (head(tick=None), "header"),
        (head(tick=b""), "header"),
        (head(tick=b"-1"), "header"),
        (head(tick=b"+1"), "header"),
        (head(tick=b"1.0"), "header"),
        (head(tick=b" 1"), "header"),
        (head(tick=b"1_0"), "header"),
        (head(tick="٣".encode()), "header"),
        (head(tick=b"9" * 11), "header"),
        (head(tick=b"9" * 1_000_000), "header"),
        (head(part=b"x"), "header"),
        (head(slice=b"1"), "header"),
        (head(slice=b"2", of=b"1"), "header"),
        (head(of=b"0"), "header"),
        (head(of=str(MANY + 1).encode()), "header"),
        (head(of=b"\xff\xfe"), "header"),
    ],
)
def test_a_header_that_is_none_is_refused(headers: Any, code: str) -> None:
    with pytest.raises(WireError) as refused:
        read("r", headers)
    assert refused.value.code == code
    assert len(str(refused.value)) < 300


@given(
    st.lists(
        st.tuples(st.sampled_from(("run", "tick", "part", "slice", "of", "x")), st.binary()),
        max_size=8,
    )
)
def test_any_headers_are_read_or_refused(headers: list[tuple[str, bytes]]) -> None:
    with suppress(WireError):
        read("r", [("run", b"r"), *headers])


# Poison.


def plain(stream: str, count: int = 2) -> list[dict[str, Any]]:
    """A message of events as JSON's own types, to be spoiled."""
    (raw,) = slices(stream, Maker(5).stream(stream, count), SINGLE if count == 1 else MANY_EVENTS)
    found: list[dict[str, Any]] = json.loads(raw)
    return found


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def spoiled(stream: str, **changes: Any) -> bytes:
    (one,) = plain(stream, 1)
    return compact([one | changes])


def without(stream: str, name: str) -> bytes:
    (one,) = plain(stream, 1)
    del one[name]
    return compact([one])


def twice(stream: str, name: str) -> bytes:
    raw = compact(plain(stream, 1))
    (one,) = plain(stream, 1)
    return raw.replace(b"[{", f'[{{"{name}":{json.dumps(one[name])},'.encode(), 1)


def deep(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


ANYWHERE: dict[str, tuple[bytes | None, str]] = {
    "null": (None, "null"),
    "empty": (b"", "null"),
    "3 MB": (b"[" + b" " * 3_000_000 + b"]", "size"),
    "bad JSON": (b"[{", "content"),
    "bad UTF-8": (b'[{"id":"\xff\xfe"}]', "content"),
    "NaN": (b"[NaN]", "content"),
    "Infinity": (b"[Infinity]", "content"),
    "5,000 deep": (deep(5_000), "content"),
    "1,000,000 deep": (deep(1_000_000), "content"),
    "1,000,000 deep arrays of MessagePack": (b"\x91" * 1_000_000, "content"),
    "1,000,000 deep maps of MessagePack": (b"\x81\xa0" * 1_000_000, "content"),
    "wrong type": (b'{"votes":[]}', "content"),
    "a number": (b"1", "content"),
    "a text": (b'"votes"', "content"),
    "JSON's null": (b"null", "content"),
    "a list of null": (b"[null]", "content"),
    "two values": (b"[][]", "content"),
    "a byte order mark": (b"\xef\xbb\xbf[]", "content"),
    "a number of 2,000,000 digits": (b"[" + b"9" * 2_000_000 + b"]", "content"),
    "a real of 2,000,000 digits": (b"[0." + b"9" * 2_000_000 + b"]", "content"),
    "an array that says it is huge": (b"\xdd\xff\xff\xff\xff", "content"),
    "bytes that say they are huge": (b"\xc6\xff\xff\xff\xff", "content"),
    "an extension": (b"\xc7\x01\x05x", "content"),
}


@pytest.mark.parametrize("per_message", [SINGLE, MANY_EVENTS])
@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("poison", ANYWHERE)
def test_poison_is_refused_with_its_code(poison: str, stream: str, per_message: int) -> None:
    raw, code = ANYWHERE[poison]
    refused(stream, raw, per_message, code)


def refused(stream: str, raw: bytes | None, per_message: int, code: str = "content") -> None:
    began = time.process_time()
    with pytest.raises(WireError) as why:
        decoded(stream, raw, per_message)
    assert why.value.code == code
    assert len(str(why.value)) < 300
    assert time.process_time() - began < 5


SPOILED_RECORDS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "an unknown field": ("votes", lambda: spoiled("votes", is_bot=True)),
    "a missing field": ("votes", lambda: without("votes", "token")),
    "a key twice": ("votes", lambda: twice("votes", "id")),
    "white space": ("votes", lambda: json.dumps(plain("votes"), ensure_ascii=False).encode()),
    "white space behind": ("votes", lambda: compact(plain("votes")) + b"\n"),
    "other order of keys": (
        "votes",
        lambda: compact([dict(reversed(one.items())) for one in plain("votes")]),
    ),
    "escapes that need not be": (
        "votes",
        lambda: compact([plain("votes")[0] | {"label": "XYZ"}]).replace(b"XYZ", b"\\u0058YZ"),
    ),
    "a float for an integer": ("votes", lambda: spoiled("votes", tick=1.0)),
    "an exponent": (
        "votes",
        lambda: compact([plain("votes")[0] | {"tick": 12345}]).replace(b"12345", b"1e3"),
    ),
    "an integer for a float": ("claims", lambda: spoiled("claims", reputation=1)),
    "a text for an integer": ("votes", lambda: spoiled("votes", tick="1")),
    "a number for a truth": ("claims", lambda: spoiled("claims", spam=1)),
    "null for a number": ("votes", lambda: spoiled("votes", tick=None)),
    "NaN": ("claims", lambda: spoiled("claims", reputation=float("nan"))),
    "Infinity": ("claims", lambda: spoiled("claims", reputation=float("inf"))),
    "beyond all floats": (
        "claims",
        lambda: spoiled("claims", reputation=0.123).replace(b"0.123", b"1e999"),
    ),
    "an id beyond 64 bits": ("votes", lambda: spoiled("votes", id=2**64)),
    "an id below 0": ("votes", lambda: spoiled("votes", account=-1)),
    "an id of 4,000 digits": ("votes", lambda: spoiled("votes", mail=10**4000)),
    "a tick beyond all": ("votes", lambda: spoiled("votes", tick=2**48)),
    "a tick before all": ("votes", lambda: spoiled("votes", sent=-(2**48) - 1)),
    "minus 0": ("votes", lambda: spoiled("votes", tick=54321).replace(b"54321", b"-0")),
    "half a surrogate pair": (
        "votes",
        lambda: spoiled("votes", label="XYZ").replace(b"XYZ", b"\\ud800"),
    ),
    "a share of three": ("lessons", lambda: spoiled("lessons", shares=[[1, 2, 3]])),
    "a share below 0": ("lessons", lambda: spoiled("lessons", shares=[[-1, 2]])),
    "a share beyond 64 bits": ("lessons", lambda: spoiled("lessons", shares=[[2**64, 2]])),
    "a weight beyond all": ("lessons", lambda: spoiled("lessons", shares=[[1, 2**48]])),
}


@pytest.mark.parametrize("per_message", [SINGLE, MANY_EVENTS])
@pytest.mark.parametrize("poison", SPOILED_RECORDS)
def test_records_that_are_none_are_refused(poison: str, per_message: int) -> None:
    stream, make = SPOILED_RECORDS[poison]
    refused(stream, make(), per_message)


@pytest.mark.parametrize("stream", RECORDS)
def test_one_stream_s_records_are_refused_on_another(stream: str) -> None:
    alike = {frozenset(("stopped", "rulings"))}
    (raw,) = slices(stream, Maker(2).stream(stream, 1), MANY_EVENTS)
    for other in STREAMS:
        if other != stream and frozenset((stream, other)) not in alike:
            refused(other, raw, MANY_EVENTS)


SPOILED_ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "an unknown field": ("kept", {"owner": 1}),
    "a float for an integer": ("kept", {"sent": 1.0}),
    "an integer for a float": ("verdicts", {"score": 1}),
    "NaN": ("verdicts", {"score": float("nan")}),
    "an id beyond 64 bits": ("kept", {"account": 2**64}),
    "an id below 0": ("kept", {"account": -1}),
    "a tick beyond 64 bits": ("kept", {"sent": 2**63}),
    "a folder beyond 8 bits": ("verdicts", {"folder": 300}),
    "a token beyond 32 bits": ("features", {"tokens": [2**32]}),
    "a token below 0": ("features", {"tokens": [-1]}),
    "tokens of two levels": ("features", {"tokens": [[1]]}),
    "a number for a truth": ("kept", {"spam": 1}),
    "a number for a text": ("mails", {"subject": 1}),
    "null for a text": ("mails", {"text": None}),
}


@pytest.mark.parametrize("poison", SPOILED_ROWS)
def test_rows_that_are_none_are_refused(poison: str) -> None:
    stream, changes = SPOILED_ROWS[poison]
    refused(stream, spoiled(stream, **changes), SINGLE)


@pytest.mark.parametrize("stream", COLUMNS)
def test_a_row_that_lacks_a_field_or_has_it_twice_is_refused(stream: str) -> None:
    name = next(iter(plain(stream, 1)[0]))
    refused(stream, without(stream, name), SINGLE)
    refused(stream, twice(stream, name), SINGLE)


NONE = np.empty(0, np.uint64)
IDS, TICKS = np.arange(3, dtype=np.uint64), np.arange(3, dtype=np.int64)
BITS, FOLDERS = np.zeros(3, np.bool_), np.zeros(3, np.int8)
KEPT = Kept(IDS, IDS, TICKS, TICKS, BITS)
VERDICTS = Verdicts(IDS, IDS, np.zeros(3), FOLDERS, IDS, FOLDERS)
JUDGEMENTS = Judgements(IDS, TICKS, BITS, FOLDERS, IDS, BITS, TICKS)


def features(values: Any, starts: Any) -> Any:
    rag = Ragged(np.asarray(values, np.uint32), np.asarray(starts, np.int64))
    return (IDS, IDS, IDS, FOLDERS, rag)


def raw_array(dtype: object, shape: object, raw: object) -> Any:
    """An array on the wire, whatever its parts."""
    return (dtype, shape, raw)


SPOILED_COLUMNS: dict[str, tuple[str, Any]] = {
    "a column too short": ("kept", KEPT._replace(opened=TICKS[:2])),
    "a column too long": ("kept", KEPT._replace(mail=IDS[:2])),
    "a column of two dimensions": ("kept", KEPT._replace(mail=IDS.reshape(3, 1))),
    "a column of no dimension": ("kept", KEPT._replace(mail=raw_array("<u8", [], bytes(8)))),
    "a later column of no dimension": (
        "kept",
        KEPT._replace(opened=raw_array("<i8", [], bytes(8))),
    ),
    "a column too few": ("kept", KEPT[:4]),
    "a column too many": ("kept", (*KEPT, BITS)),
    "NaN": ("verdicts", VERDICTS._replace(score=np.array([0, np.nan, 0]))),
    "Infinity": ("verdicts", VERDICTS._replace(score=np.array([0, np.inf, 0]))),
    "a tick far beyond": ("kept", KEPT._replace(opened=TICKS + 2**48)),
    "a tick far before": ("kept", KEPT._replace(opened=TICKS - 2**62)),
    "signed ids": ("kept", (TICKS, *KEPT[1:])),
    "half floats": ("verdicts", VERDICTS._replace(score=raw_array("<f4", [3], bytes(12)))),
    "objects": ("kept", KEPT._replace(mail=raw_array("|O", [3], bytes(24)))),
    "another byte order": ("kept", KEPT._replace(mail=raw_array(">u8", [3], bytes(24)))),
    "a truth of 2": ("kept", KEPT._replace(spam=raw_array("|b1", [3], b"\0\1\2"))),
    "a huge shape": ("kept", KEPT._replace(mail=raw_array("<u8", [2**40], bytes(24)))),
    "a huge empty shape": ("kept", KEPT._replace(mail=raw_array("<u8", [2**47, 0], b""))),
    "a negative shape": ("kept", KEPT._replace(mail=raw_array("<u8", [-3], bytes(24)))),
    "a shape of 70 lengths": ("kept", KEPT._replace(mail=raw_array("<u8", [1] * 70, bytes(8)))),
    "a shape of floats": ("kept", KEPT._replace(mail=raw_array("<u8", [3.0], bytes(24)))),
    "too few bytes": ("kept", KEPT._replace(mail=raw_array("<u8", [3], bytes(23)))),
    "text for bytes": ("kept", KEPT._replace(mail=raw_array("<u8", [1], "12345678"))),
    "a map": ("kept", KEPT._asdict()),
    "rows that end too late": ("features", features([1, 2], [0, 1, 2, 3])),
    "rows that end too early": ("features", features([1, 2], [0, 1, 1, 1])),
    "rows that begin late": ("features", features([1, 2], [1, 1, 2, 2])),
    "rows that go back": ("features", features([1, 2], [0, 2, 1, 2])),
    "rows that go far back": ("features", features([1, 2], [0, 2**62, -(2**62), 2])),
    "rows that jump around the range": (
        "features",
        features([1, 2], [0, 2**63 - 1, -(2**63), 2]),
    ),
    "too few rows": ("features", features([1, 2], [0, 1, 2])),
    "no rows": ("features", features([], [])),
    "rows of two dimensions": ("features", features([[1, 2]], [0, 1, 1, 1])),
    "a text too few": ("mails", letters("a", "b")._replace(subject=["s"])),
    "a text that is a number": ("mails", (*letters("a", "b")[:5], ["a", 1])),
    "tokens for texts": ("mails", features([1, 2, 3], [0, 1, 2, 3])),
}


@pytest.mark.parametrize("poison", SPOILED_COLUMNS)
def test_columns_that_are_none_are_refused(poison: str) -> None:
    stream, value = SPOILED_COLUMNS[poison]
    refused(stream, codec.pack(value), MANY_EVENTS)


def test_bad_utf_8_in_a_mail_is_refused() -> None:
    (raw,) = slices("mails", letters("plain"), MANY_EVENTS)
    refused("mails", raw.replace(b"plain", b"pl\xff\xfen"), MANY_EVENTS)


CHANGE = Maker(4).change(3)
MADE = msgspec.structs.replace


def as_map(change: Change, **release: Any) -> dict[str, Any]:
    fields = msgspec.structs.asdict(change)
    fields["release"] = msgspec.structs.asdict(change.release) | release
    return fields


TABLE = {
    "type": "linear",
    "table": np.zeros(4),
    "per_token": 0.0,
    "prior": 0.0,
    "by_root": False,
}
RIVER = {
    "type": "river",
    "name": "linear_model.LogisticRegression",
    "arguments": {},
    "learned": b"junk",
    "digest": 1,
} | {name: TABLE[name] for name in ("table", "per_token", "prior", "by_root")}

SPOILED_CHANGES: dict[str, Any] = {
    "a bucket beyond the table": MADE(CHANGE, size=1),
    "buckets without a table": MADE(CHANGE, size=0),
    "a size that is no power of two": MADE(CHANGE, size=(1 << 20) + 1),
    "a negative size": MADE(CHANGE, size=-(1 << 20)),
    "a size beyond all": MADE(CHANGE, size=1 << 60),
    "NaN": MADE(CHANGE, odds=np.array([0, np.nan, 0])),
    "Infinity": MADE(CHANGE, odds=np.array([0, -np.inf, 0])),
    "NaN for every token": MADE(CHANGE, same=(float("nan"), 0.0, 0)),
    "Infinity for every mail": MADE(CHANGE, same=(0.0, float("inf"), 0)),
    "no limits": MADE(CHANGE, release=MADE(CHANGE.release, limits=None)),
    "NaN as a limit": MADE(CHANGE, release=MADE(CHANGE.release, limits=Limits(float("nan"), 0.0))),
    "too few odds": MADE(CHANGE, odds=np.zeros(2)),
    "odds of two dimensions": MADE(CHANGE, odds=np.zeros((3, 1))),
    "buckets of two dimensions": MADE(CHANGE, buckets=np.zeros((1, 3), np.uint32)),
    "signed buckets": as_map(CHANGE) | {"buckets": np.zeros(3, np.int64)},
    "a scorer beside its changes": as_map(CHANGE, scorer=TABLE),
    "a scorer of River's": as_map(CHANGE, scorer=RIVER),
    "a scorer of an unknown kind": as_map(CHANGE, scorer=TABLE | {"type": "pickle"}),
    "an unknown field": as_map(CHANGE) | {"owner": 1},
    "a missing field": {"release": as_map(CHANGE)["release"]},
    "text for bytes": as_map(CHANGE) | {"packed": "text"},
}


@pytest.mark.parametrize("per_message", [SINGLE, MANY_EVENTS])
@pytest.mark.parametrize("poison", SPOILED_CHANGES)
def test_releases_that_are_none_are_refused(poison: str, per_message: int) -> None:
    refused("releases", codec.pack(SPOILED_CHANGES[poison]), per_message)


@pytest.mark.parametrize("stream", STREAMS)
@given(raw=st.binary(max_size=200), per_message=st.sampled_from((SINGLE, MANY_EVENTS)))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_or_refused(stream: str, raw: bytes, per_message: int) -> None:
    with suppress(WireError):
        decoded(stream, raw, per_message)


@pytest.mark.parametrize("per_message", [SINGLE, MANY_EVENTS])
@pytest.mark.parametrize("stream", STREAMS)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_a_message_with_flipped_bits_is_read_or_refused(
    stream: str, per_message: int, seed: int, flips: int
) -> None:
    random = Random(seed)
    valid = slices(stream, Maker(seed % 50).stream(stream, 2), per_message)[0]
    raw = bytearray(valid)
    for _ in range(flips):
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
    with suppress(WireError):
        found = decoded(stream, bytes(raw), per_message)
        bits(together(stream, [[found]]))


@pytest.mark.parametrize("per_message", [SINGLE, MANY_EVENTS])
@pytest.mark.parametrize("stream", STREAMS)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_a_message_that_was_cut_off_is_refused(stream: str, per_message: int, seed: int) -> None:
    valid = slices(stream, Maker(seed).stream(stream, 2), per_message)[0]
    refused(stream, valid[: Random(seed).randrange(1, len(valid))], per_message)


@pytest.mark.parametrize("stream", STREAMS)
def test_the_largest_messages_are_decoded_or_refused_in_bounded_time(stream: str) -> None:
    for filling in (b"[", b"{}", b'""', b'"\\', b"0,", b"\x91", b"\x90", b"\xdc\xff\xff", b"\xc0"):
        raw = b"[" + filling * ((LARGEST - 2) // len(filling)) + b"]"
        for per_message in (SINGLE, MANY_EVENTS):
            refused(stream, raw, per_message)


def test_the_records_of_a_whole_message_keep_their_types() -> None:
    votes: tuple[Vote, ...] = Maker(8).stream("votes", 3)
    claims: tuple[Claim, ...] = Maker(8).stream("claims", 3)
    lessons: tuple[Lesson, ...] = Maker(8).stream("lessons", 3)
    for stream, records in (("votes", votes), ("claims", claims), ("lessons", lessons)):
        (raw,) = slices(stream, records, MANY_EVENTS)
        assert decoded(stream, raw, MANY_EVENTS) == records
