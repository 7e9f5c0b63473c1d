import msgspec
import numpy as np
import pytest

from filter import codec
from filter.collector import Collector
from filter.events import PROMOTE, JudgeRequest, Limits
from filter.release import Change
from filter.stage import Release
from filter.wire import Header, WireError, decoded, slices

REQUESTS = tuple(JudgeRequest(number, 3) for number in range(6))
ONE, TWO, THREE = slices("requests", REQUESTS, 2)
LAST = 9


def decode(stream: str, raw: bytes | None) -> object:
    return decoded(stream, raw, 2)


def collector() -> Collector:
    """Of requests that two producing partitions give, and of credits that one gives."""
    sources = {"requests": [(0, 0), (0, 1)], "credits": [(1, 0)]}
    return Collector(sources, LAST, decode)


def add(into: Collector, tick: int, part: int, slice_: int, of: int, raw: bytes | None) -> None:
    into.add("requests", 0, Header(tick, part, slice_, of), raw)


def test_a_tick_is_complete_with_the_marks_of_all_sources_and_not_before() -> None:
    one = collector()
    add(one, 4, 0, 1, 2, TWO)
    assert not one.complete("requests", 4)
    add(one, 4, 0, 0, 2, ONE)
    assert not one.complete("requests", 4)
    add(one, 4, 1, 0, 1, THREE)
    assert one.complete("requests", 4)
    assert one.take("requests", 4) == REQUESTS


def test_an_empty_tick_needs_its_marks_too() -> None:
    one = collector()
    add(one, 4, 0, 0, 1, b"[]")
    assert not one.complete("requests", 4)
    add(one, 4, 1, 0, 1, b"[]")
    assert one.complete("requests", 4)
    assert one.take("requests", 4) == ()


def test_slices_stand_in_their_order_whatever_the_order_of_arrival() -> None:
    one = Collector({"requests": [(0, 0)]}, LAST, decode)
    for number, raw in ((2, THREE), (0, ONE), (1, TWO)):
        add(one, 4, 0, number, 3, raw)
    assert one.take("requests", 4) == REQUESTS


def test_what_comes_again_changes_nothing() -> None:
    one = collector()
    for _ in range(3):
        add(one, 4, 0, 0, 2, ONE)
    assert not one.complete("requests", 4)
    add(one, 4, 0, 1, 2, TWO)
    add(one, 4, 1, 0, 1, THREE)
    add(one, 4, 1, 0, 1, b"[]")
    assert one.take("requests", 4) == REQUESTS


def test_a_tick_that_was_taken_is_not_there_any_more() -> None:
    one = collector()
    add(one, 4, 0, 0, 1, ONE)
    add(one, 4, 1, 0, 1, TWO)
    one.take("requests", 4)
    assert not one.complete("requests", 4)
    assert one.waits_for("requests", 4) == [(0, 0), (0, 1)]


def test_ticks_do_not_get_in_one_another_s_way() -> None:
    one = collector()
    add(one, 5, 0, 0, 1, ONE)
    add(one, 4, 1, 0, 1, TWO)
    assert not one.complete("requests", 4)
    assert not one.complete("requests", 5)
    assert one.waits_for("requests", 4) == [(0, 0)]
    assert one.waits_for("requests", 5) == [(0, 1)]


@pytest.mark.parametrize(
    ("partition", "header"),
    [
        (0, Header(LAST + 1, 0, 0, 1)),
        (0, Header(10**9, 0, 0, 1)),
        (0, Header(4, 2, 0, 1)),
        (1, Header(4, 0, 0, 1)),
        (7, Header(4, 0, 0, 1)),
    ],
)
def test_a_tick_or_source_that_does_not_exist_is_refused(partition: int, header: Header) -> None:
    one = collector()
    with pytest.raises(WireError) as refused:
        one.add("requests", partition, header, ONE)
    assert refused.value.code == "header"
    assert one.waits_for("requests", 4) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("of", [1, 3, 100_000])
def test_another_number_of_slices_than_before_is_refused(of: int) -> None:
    one = collector()
    add(one, 4, 0, 0, 2, ONE)
    with pytest.raises(WireError) as refused:
        add(one, 4, 0, 0, of, ONE)
    assert refused.value.code == "header"
    add(one, 4, 0, 1, 2, TWO)
    add(one, 4, 1, 0, 1, THREE)
    assert one.take("requests", 4) == REQUESTS


@pytest.mark.parametrize("raw", [None, b"", b"[{}]", b"\xff"])
def test_a_slice_that_cannot_be_read_leaves_its_place_to_the_true_one(raw: bytes | None) -> None:
    one = collector()
    for of in (1, 2, 7):
        with pytest.raises(WireError):
            add(one, 4, 0, 0, of, raw)
    assert one.waits_for("requests", 4) == [(0, 0), (0, 1)]
    add(one, 4, 0, 0, 1, ONE)
    add(one, 4, 1, 0, 1, TWO)
    assert one.take("requests", 4) == REQUESTS[:4]


def test_what_is_dropped_is_that_stream_s_past_alone() -> None:
    one = collector()
    for tick in (3, 4, 5):
        add(one, tick, 0, 0, 1, ONE)
        add(one, tick, 1, 0, 1, TWO)
        one.add("credits", 1, Header(tick, 0, 0, 1), b"[]")
    one.drop("requests", 5)
    assert [one.complete("requests", tick) for tick in (3, 4, 5)] == [False, False, True]
    assert all(one.complete("credits", tick) for tick in (3, 4, 5))


def test_a_release_whose_scorer_is_none_is_refused_if_it_stands_alone() -> None:
    given = Release(4, PROMOTE, "", None, Limits(-1.0, 2.0))
    none = np.empty(0, np.uint32)
    junk = Change(given, False, 0, (0.0, 0.0, 0), none, np.empty(0), b"\x81junk")
    raw = codec.pack(junk)
    one = Collector({"releases": [(0, 0)]}, LAST, decode)
    with pytest.raises(WireError, match="content"):
        one.add("releases", 0, Header(4, 0, 0, 1), raw)
    good = codec.pack(msgspec.structs.replace(junk, packed=b""))
    one.add("releases", 0, Header(4, 0, 0, 1), good)
    assert one.complete("releases", 4)
