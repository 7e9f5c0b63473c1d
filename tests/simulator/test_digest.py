"""The run's hash: nothing that was decided or counted can change without it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from filter.columns import Verdicts, rows
from filter.events import HOLD, INBOX, JUNK, MERGED, PROMOTE, QUARANTINED, TAUGHT, Limits, Ruling
from filter.model import LogOdds
from filter.stage import Flow, Release
from simulator.digest import START, chained
from simulator.frame import Frame

STREAMS = ("stopped", "rulings")


def verdicts() -> Verdicts:
    return Verdicts(
        np.array([1, 2, 3], np.uint64),
        np.array([11, 12, 13], np.uint64),
        np.array([-2.5, 0.0, 4.0]),
        np.array([INBOX, INBOX, JUNK], np.int8),
        np.array([101, 102, 103], np.uint64),
        np.array([INBOX, INBOX, JUNK], np.int8),
    )


def rulings(ruling: str) -> tuple[Ruling, ...]:
    return tuple(Ruling(vote, 7, 1, 5, ruling, "rate", "too many") for vote in (1, 2))


def scorer() -> LogOdds:
    return LogOdds(np.array([0.5, -0.75, 1.5, 0.0]), 0.25, -1.0, False)


def release() -> Release:
    return Release(5, PROMOTE, "quieter", scorer(), Limits(-1.0, 2.0))


def flow() -> Flow:
    return Flow(
        verdicts=verdicts(),
        stopped=rulings(QUARANTINED),
        rulings=rulings(TAUGHT),
        releases=(release(),),
    )


def frame() -> Frame:
    numbers: dict[str, Any] = dict.fromkeys(Frame.__struct_fields__, 3)
    numbers |= {"rulings_people": {TAUGHT: 2}, "rulings_bots": {TAUGHT: 1, MERGED: 4}}
    return Frame(**(numbers | {"lessons_people": 1.5, "lessons_bots": 0.0, "release": PROMOTE}))


def digest(before: str = START, /, **changes: Any) -> str:
    return chained(before, msgspec.structs.replace(flow(), **changes), frame())


def other(value: Any) -> Any:
    """A value of the same type that differs as little as it can."""
    match value:
        case str():
            return value + "."
        case int():
            return value + 1
        case float():
            return np.nextafter(value, np.inf).item()
        case dict():
            return value | {TAUGHT: value[TAUGHT] + 1}
    raise TypeError(type(value))


def released(**changes: Any) -> tuple[Release, ...]:
    return (msgspec.structs.replace(release(), **changes),)


def test_the_same_values_give_the_same_hash() -> None:
    assert digest() == digest()
    assert len(bytes.fromhex(digest())) == 16
    strided = Verdicts._make(np.repeat(column, 2)[::2] for column in verdicts())
    assert digest(verdicts=strided) == digest()


def test_the_hash_before_changes_the_hash() -> None:
    assert digest(digest()) != digest()
    assert digest("0" * 31 + "1") != digest()


def test_the_order_of_the_ticks_changes_the_hash() -> None:
    def run(scores: Sequence[float]) -> str:
        chain = START
        for score in scores:
            chain = digest(chain, verdicts=verdicts()._replace(score=np.full(3, score)))
        return chain

    assert run([1.0, 2.0]) != run([2.0, 1.0])


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("column", Verdicts._fields)
def test_any_value_of_any_verdict_column_changes_the_hash(column: str, row: int) -> None:
    changed = verdicts()
    values = getattr(changed, column)
    values[row] = other(values[row].item())
    assert digest(verdicts=changed) != digest()


def test_a_verdict_less_and_verdicts_in_another_order_change_the_hash() -> None:
    fewer, turned = (rows(verdicts(), np.array(chosen)) for chosen in ([0, 1], [2, 1, 0]))
    assert len({digest(), digest(verdicts=fewer), digest(verdicts=turned)}) == 3


@pytest.mark.parametrize("place", range(2))
@pytest.mark.parametrize("field", Ruling.__struct_fields__)
@pytest.mark.parametrize("stream", STREAMS)
def test_any_field_of_any_ruling_changes_the_hash(stream: str, field: str, place: int) -> None:
    ruled = list(getattr(flow(), stream))
    ruled[place] = msgspec.structs.replace(
        ruled[place], **{field: other(getattr(ruled[place], field))}
    )
    assert digest(START, **{stream: tuple(ruled)}) != digest()


@pytest.mark.parametrize("stream", STREAMS)
def test_a_ruling_dropped_or_doubled_or_in_another_place_changes_the_hash(stream: str) -> None:
    first, second = getattr(flow(), stream)
    changed = [(first,), (second,), (), (second, first), (first, second, second)]
    assert len({digest(), *(digest(START, **{stream: ruled}) for ruled in changed)}) == 6


def test_a_ruling_that_moves_from_one_stream_to_the_other_changes_the_hash() -> None:
    stopped, ruled = rulings(QUARANTINED), rulings(TAUGHT)
    assert digest(stopped=stopped + ruled[:1], rulings=ruled[1:]) != digest()


@pytest.mark.parametrize(("field", "value"), [("action", HOLD), ("reason", "louder")])
def test_a_release_s_action_and_reason_change_the_hash(field: str, value: str) -> None:
    assert digest(releases=released(**{field: value})) != digest()


@pytest.mark.parametrize("bucket", range(4))
def test_any_entry_of_the_released_table_changes_the_hash(bucket: int) -> None:
    changed = scorer()
    changed.table[bucket] = other(changed.table[bucket].item())
    assert digest(releases=released(scorer=changed)) != digest()


def test_two_entries_of_the_table_that_change_sign_change_the_hash() -> None:
    changed = scorer()
    changed.table[:2] *= -1
    assert digest(releases=released(scorer=changed)) != digest()


@pytest.mark.parametrize(("field", "value"), [("per_token", 0.5), ("prior", -2), ("by_root", True)])
def test_the_rest_of_the_released_model_changes_the_hash(field: str, value: float) -> None:
    changed = msgspec.structs.replace(scorer(), **{field: value})
    assert digest(releases=released(scorer=changed)) != digest()


@pytest.mark.parametrize("field", Limits.__struct_fields__)
def test_the_released_limits_change_the_hash(field: str) -> None:
    limits = Limits(-1.0, 2.0)
    moved = msgspec.structs.replace(limits, **{field: other(getattr(limits, field))})
    assert digest(releases=released(limits=moved)) != digest()


def test_a_release_without_model_or_limits_and_no_release_at_all_change_the_hash() -> None:
    changed = [released(scorer=None), released(limits=None), (), (release(), release())]
    assert len({digest(), *(digest(releases=releases) for releases in changed)}) == 5


@pytest.mark.parametrize("field", Frame.__struct_fields__)
def test_any_field_of_the_frame_changes_the_hash(field: str) -> None:
    changed = msgspec.structs.replace(frame(), **{field: other(getattr(frame(), field))})
    assert chained(START, flow(), changed) != chained(START, flow(), frame())


@pytest.mark.parametrize("field", ["rulings_people", "rulings_bots"])
def test_a_kind_of_ruling_more_or_less_in_the_frame_changes_the_hash(field: str) -> None:
    changed = [msgspec.structs.replace(frame(), **{field: {}})]
    counted = getattr(frame(), field) | {QUARANTINED: 1}
    changed.append(msgspec.structs.replace(frame(), **{field: counted}))
    assert len({digest(), *(chained(START, flow(), one) for one in changed)}) == 3
