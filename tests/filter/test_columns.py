import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter import codec
from filter.columns import (
    Features,
    Ids,
    find,
    joined,
    no_judgements,
    no_kept,
    no_mails,
    partition,
    rows,
    stacked,
)
from filter.ragged import ragged

unique = st.lists(st.integers(0, 2**64 - 1), unique=True, max_size=40)


def ids(numbers: list[int]) -> Ids:
    return np.array(numbers, np.uint64)


def features(mails: list[int]) -> Features:
    column = ids(mails)
    tokens = ragged([[mail % 1000] * (mail % 4) for mail in mails])
    return Features(column, column, column, (column % np.uint64(3)).astype(np.int8), tokens)


@given(unique, st.integers(1, 9))
def test_rows_dealt_to_parts_and_joined_are_the_rows_in_order_of_id(
    mails: list[int], parts: int
) -> None:
    whole = features(sorted(mails))
    where = partition(whole.mail, parts)
    dealt = [rows(whole, where == part) for part in range(parts)]
    assert codec.pack(joined(dealt[::-1])) == codec.pack(whole)


@given(unique, unique)
def test_an_id_is_found_where_it_stands_and_nowhere_else(there: list[int], more: list[int]) -> None:
    known = ids(sorted(there))
    place = find(known, ids(there + more))
    for wanted, found in zip(there + more, place.tolist(), strict=True):
        assert (found >= 0) == (wanted in there)
        assert found < 0 or int(known[found]) == wanted


def test_rows_are_chosen_by_mask_or_by_number() -> None:
    whole = features([1, 2, 3, 5])
    by_mask = rows(whole, np.array([True, False, True, False]))
    by_number = rows(whole, np.array([0, 2]))
    assert codec.pack(by_mask) == codec.pack(by_number)
    assert rows(whole, np.array([3, 0])).mail.tolist() == [5, 1]


def test_stacking_keeps_the_order_given() -> None:
    assert stacked([features([9]), features([1, 2])]).mail.tolist() == [9, 1, 2]
    assert joined([features([9]), features([1, 2])]).mail.tolist() == [1, 2, 9]


@pytest.mark.parametrize("parts", [1, 2, 7, 64])
def test_partitions_are_about_even(parts: int) -> None:
    counts = np.bincount(partition(np.arange(10_000, dtype=np.uint64), parts), minlength=parts)
    assert len(counts) == parts
    assert counts.min() > 0.6 * 10_000 / parts


def test_nothing_has_no_rows() -> None:
    for nothing in (no_mails(), no_kept(), no_judgements()):
        assert {len(column) for column in nothing if isinstance(column, np.ndarray)} == {0}
    assert no_mails().tokens.rows == 0
    assert len(find(ids([]), ids([4]))) == 1
