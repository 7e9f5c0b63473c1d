import json
import unicodedata
from typing import Any

import msgspec
import pytest

from filter.charter import packed
from filter.courier import BEGUN, CONTROL, DEAD_LETTERS, dead_letter
from filter.events import Limits, Vote
from filter.plugins import SettingsError
from filter.wire import Header, WireError, slices, topics, written
from simulator import tail as module
from simulator.safe import UNSHOWN
from simulator.servers import KafkaSettings
from simulator.tail import Event, events, names, shown, tail
from tests.filter.test_charter import SECRET, made
from tests.filter.test_wire import STREAMS, Maker, letters

HEADER = Header(7, 0, 0, 1)
HEADERS = written("r", HEADER)
EVIL = '\x1b]52;c;aGk=\x07\x9b31m\u202eexe" tick=5\\\n\x7f'
VOTE = Vote(2**63, 5, 6, 3, "spam", 7, 10, 11, -400, 2**64 - 1)


def told(stream: str, value: Any, per_message: int) -> list[Event]:
    """What is told of a value, message after message."""
    (topic, *_) = [topic.name for topic in topics() if topic.stream == stream]
    return [
        event
        for raw in slices(stream, value, per_message)
        for event in events(topic, "r", HEADERS, raw, per_message)
    ]


def test_an_event_is_a_line_with_its_tick_stream_and_fields() -> None:
    (event,) = told("votes", (VOTE,), 500)
    assert shown(event, 80) == (
        "    7  votes id=8000000000000000 account=0000000000000005 mail=0000000000000006 sent=3"
        " label=spam tick=7 address=000000000000000a subnet=000000000000000b opened=-400"
        " token=ffffffffffffffff"
    )


@pytest.mark.parametrize("per_message", [1, 3, 500])
@pytest.mark.parametrize("stream", [one for one in STREAMS if one != "releases"])
def test_every_stream_is_told_event_by_event_however_it_travels(
    stream: str, per_message: int
) -> None:
    value = Maker(3).stream(stream, 5)
    found = told(stream, value, per_message)
    assert len(found) == 5
    assert {event.kind for event in found} <= set(names())
    assert {event.tick for event in found} == {7}
    fields = type(value[0]).__struct_fields__ if stream not in COLUMNS else value._fields
    assert all(tuple(event.fields) == fields for event in found)
    assert found == told(stream, value, 500)
    assert not told(stream, Maker(3).stream(stream, 0), per_message)


COLUMNS = ("mails", "kept", "judgements", "verdicts", "features", "trusted", "believed")


@pytest.mark.parametrize("per_message", [1, 500])
@pytest.mark.parametrize("stream", STREAMS)
def test_who_knows_no_charter_reads_the_same(stream: str, per_message: int) -> None:
    (topic, *_) = [topic.name for topic in topics() if topic.stream == stream]
    (raw, *_) = slices(stream, Maker(4).stream(stream, 1), per_message)
    known = events(topic, "r", HEADERS, raw, per_message)
    assert events(topic, "r", HEADERS, raw, 0) == known
    assert len(known) == 1


def test_a_release_is_told_in_sum() -> None:
    change = msgspec.structs.replace(
        Maker(1).change(3),
        release=msgspec.structs.replace(Maker(1).change(0).release, limits=Limits(-1.5, 2.0)),
    )
    (event,) = told("releases", change, 500)
    line = shown(event, 80)
    assert "action=promote" in line
    assert "limits=[-1.5 2] changed=3 buckets=1048576" in line
    assert 'slice="1 of 1"' in line


@pytest.mark.parametrize("per_message", [1, 500])
def test_nothing_that_a_sender_writes_acts(per_message: int) -> None:
    mails = letters("text")._replace(subject=[EVIL])
    (event,) = told("mails", mails, per_message)
    assert event.fields["subject"] == EVIL
    line, data = shown(event, 100), module.written(event)
    assert not [one for one in line if unicodedata.category(one) in UNSHOWN]
    assert 'exe\\" tick=5\\\\' in line
    assert not [one for one in data if unicodedata.category(one) in UNSHOWN - {"Cc"}]
    assert "\x1b" not in data
    assert data.isascii()
    assert json.loads(data)["fields"]["subject"] == EVIL


@pytest.mark.parametrize("columns", [60, 100])
def test_a_mail_s_text_is_cut_to_the_width(columns: int) -> None:
    (event,) = told("mails", letters("word " * 10_000), 500)
    short, long = shown(event, columns), shown(event, 200)
    assert short.count("word") < long.count("word") < 40
    assert len(long) <= 200
    assert short.endswith('…"')
    assert len(event.fields["text"]) == 50_000


def test_long_lists_are_cut_for_people_and_whole_in_json() -> None:
    event = Event(1, "features", {"tokens": [f"{one:08x}" for one in range(9)]})
    line = "tokens=[00000000 00000001 00000002 00000003 … 9 in all]"
    assert shown(event, 80) == f"    1  features {line}"
    assert len(json.loads(module.written(event))["fields"]["tokens"]) == 9


def test_a_dead_letter_is_told_with_its_code_and_reason() -> None:
    _, raw = dead_letter("votes", 1, 12, b"\x1b[2J", WireError("content", "\x1b[31mno"))
    (event,) = events(DEAD_LETTERS, "r", [("run", b"r")], raw, 500)
    assert shown(event, 200) == (
        'dead-letters code=content reason="content: ␛[31mno" topic=votes partition=1 offset=12'
        " size=4 payload=1b5b324a"
    )


@pytest.mark.parametrize("headers", [[], [("run", b"other")], HEADERS])
@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("raw", [None, b"", b"{}", b"\xff\xfe", b"[" * 5000])
def test_what_cannot_be_read_is_said(name: str, headers: Any, raw: bytes | None) -> None:
    (event,) = events(name, "r", headers, raw, 500)
    summed = name == CONTROL or name.startswith("snapshots.")
    assert event.kind == "unreadable" or (summed and headers == HEADERS)
    assert shown(event, 80)


def test_the_provider_s_secret_is_never_shown() -> None:
    (raw,) = packed(made(), 1 << 20)
    assert SECRET in raw
    (event,) = events(CONTROL, "r", HEADERS, raw, 500)
    assert shown(event, 80) == f'charter part=0 piece="1 of 1" bytes={len(raw)}'
    (begun,) = events(CONTROL, "r", [("run", b"r"), (BEGUN, b"r")], b"", 500)
    assert shown(begun, 80) == "begun run=r"


def test_a_snapshot_is_a_piece_of_so_many_bytes() -> None:
    headers = written("r", Header(240, 1, 0, 2))
    (event,) = events("snapshots.learner", "r", headers, b"12345", 500)
    assert shown(event, 80) == '  240  snapshots.learner part=1 piece="1 of 2" bytes=5'


def test_an_unknown_topic_is_refused_with_the_nearest_before_anything_is_asked() -> None:
    nowhere = KafkaSettings(broker="127.0.0.1:1")
    with pytest.raises(SettingsError, match="unknown 'vote'; did you mean 'votes'"):
        tail(nowhere, "vote", None, None, False)


def test_every_topic_of_a_run_can_be_named() -> None:
    assert {"votes", "credits.split", "control", "dead-letters", "snapshots.learner"} < set(names())
