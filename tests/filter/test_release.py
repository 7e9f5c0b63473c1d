from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter import codec
from filter.codec import CodecError
from filter.events import HOLD, PROMOTE, ROLL_BACK, Limits
from filter.model import LogOdds
from filter.ragged import ragged
from filter.release import Change, Scorer, changes, released
from filter.river_model import RiverRelease, river_model
from filter.stage import Release
from filter.unit import no_scorer
from filter.wire import decoded, slices, together

LIMITS = Limits(-1.0, 2.0)


def linear(seed: int, bits: int = 6) -> LogOdds:
    random = Random(seed)
    ends = (0.0, -0.0, 5e-324, random.uniform(-9, 9))
    table = np.array([random.choice(ends) for _ in range(1 << bits)])
    return LogOdds(table, random.uniform(-1, 1), random.choice((0.0, -0.0)), random.random() < 0.5)


def nudged(scorer: LogOdds, seed: int) -> LogOdds:
    """A table of which some buckets are new."""
    random = Random(seed)
    table = scorer.table.copy()
    for _ in range(random.randrange(5)):
        table[random.randrange(len(table))] = random.uniform(-9, 9)
    return msgspec.structs.replace(scorer, table=table)


def sequence(seed: int, length: int) -> list[Release]:
    """Promoted, held and rolled back, as a gate does it; also to a table of another size."""
    random = Random(seed)
    served = [linear(seed)]
    found = []
    for tick in range(length):
        match random.randrange(4):
            case 0:
                found.append(Release(tick, HOLD, "differs", None, None))
            case 1:
                old = random.choice(served)
                found.append(Release(tick, ROLL_BACK, "damage", old, LIMITS, tick - 3))
            case 2:
                served.append(linear(seed + tick, random.choice((0, 4, 6, 7))))
                found.append(Release(tick, PROMOTE, "", served[-1], LIMITS))
            case _:
                served.append(nudged(served[-1], seed + tick))
                found.append(Release(tick, PROMOTE, "", served[-1], LIMITS))
    return found


def carried(found: list[Release], start: Scorer) -> list[Release]:
    """The releases as scoring has them, that the learner told as changes over the wire."""
    told, serving = start, start
    arrived = []
    for release in found:
        change, told = changes((release,), told)
        cut = [decoded("releases", raw, 500) for raw in slices("releases", change, 500)]
        (again,) = released(together("releases", [cut]), serving)
        serving = again.scorer or serving
        arrived.append(again)
    return arrived


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_releases_arrive_bit_for_bit(seed: int, length: int) -> None:
    found = sequence(seed, length)
    again = carried(found, linear(seed + 1))
    assert codec.pack(again) == codec.pack(found)
    assert [one.fingerprint() for one in again] == [one.fingerprint() for one in found]


def test_only_what_is_new_travels() -> None:
    start = linear(1)
    table = start.table.copy()
    table[[3, 9]] = 1.5, 2.5
    new = msgspec.structs.replace(start, table=table)
    change, _ = changes((Release(1, PROMOTE, "", new, LIMITS),), start)
    assert change.buckets.tolist() == [3, 9]
    assert change.odds.tolist() == [1.5, 2.5]
    again, _ = changes((Release(2, PROMOTE, "", new, LIMITS),), new)
    assert not again.rows()


def test_a_zero_that_turns_negative_is_new() -> None:
    plus = LogOdds(np.zeros(4), 0.0, 0.0, False)
    minus = LogOdds(np.array([0.0, -0.0, 0.0, 0.0]), 0.0, 0.0, False)
    change, _ = changes((Release(1, PROMOTE, "", minus, LIMITS),), plus)
    assert change.buckets.tolist() == [1]


def test_what_is_held_is_told_against_by_the_next_one_as_if_it_had_not_been() -> None:
    start = linear(2)
    held, told = changes((Release(1, HOLD, "differs", None, None),), start)
    assert told is start
    assert not held.rows()
    assert released(held, start) == (Release(1, HOLD, "differs", None, None),)


def test_a_scorer_that_was_read_does_not_change_with_the_next() -> None:
    first, second = linear(3), nudged(linear(3), 4)
    before = first.table.tobytes()
    carried([Release(1, PROMOTE, "", second, LIMITS)], first)
    assert first.table.tobytes() == before


def river(lessons: int) -> RiverRelease:
    training = river_model("linear_model.LogisticRegression", {"release_every": 1}).begin()
    mails = ragged([[7, 8, n] for n in range(lessons)])
    spam = np.arange(lessons) % 2 == 0
    training.learn(0, mails, spam, np.full(lessons, 1000))
    release: Any = training.release(0)
    return release  # type: ignore[no-any-return]  # of a classifier that travels


def test_river_s_releases_travel_whole_and_once() -> None:
    one, two = river(4), river(6)
    found = [
        Release(0, PROMOTE, "", one, LIMITS),
        Release(1, PROMOTE, "", one, LIMITS),
        Release(2, HOLD, "", None, None),
        Release(3, PROMOTE, "", two, LIMITS),
        Release(4, ROLL_BACK, "", one, LIMITS, 1),
        Release(5, PROMOTE, "", linear(5), LIMITS),
        Release(6, PROMOTE, "", two, LIMITS),
    ]
    again = carried(found, no_scorer())
    assert codec.pack(again) == codec.pack(found)
    mails = ragged([[7], [8, 3], []])
    for was, now in zip(found, again, strict=True):
        assert (was.scorer is None) == (now.scorer is None)
        if was.scorer and now.scorer:
            assert was.scorer.log_odds(mails).tolist() == now.scorer.log_odds(mails).tolist()
    sizes = []
    told: Scorer = no_scorer()
    for release in found:
        change, told = changes((release,), told)
        sizes.append(len(change.packed))
    assert [size > 0 for size in sizes] == [True, False, False, True, True, False, True]


@pytest.mark.parametrize("packed", [b"\xc0", b"\x00", b"junk", b"\x91" * 9_000])
def test_a_packed_scorer_that_is_none_is_refused(packed: bytes) -> None:
    change, _ = changes((Release(0, PROMOTE, "", river(2), LIMITS),), no_scorer())
    broken = msgspec.structs.replace(change, packed=packed)
    with pytest.raises(CodecError):
        released(broken, no_scorer())


def test_a_part_of_a_change_and_the_rest_are_the_whole() -> None:
    change, _ = changes((Release(0, PROMOTE, "", linear(6), LIMITS),), no_scorer())
    for cut in range(change.rows() + 1):
        parts = [change.part(0, cut), change.part(cut, change.rows())]
        assert codec.pack(parts[0].joined(parts)) == codec.pack(change)


def test_every_change_of_a_learner_passes_its_own_check() -> None:
    told: Scorer = no_scorer()
    for release in sequence(9, 30):
        change, told = changes((release,), told)
        assert isinstance(change, Change)
        change.check()
