"""Rows of unequal length: gathering, joining and adding up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filter.ragged import Ragged, concatenate, ragged, sums

Lists = list[list[int]]

U32, I64 = np.dtype(np.uint32), np.dtype(np.int64)

LISTS = st.lists(st.lists(st.integers(0, 2**32 - 1), max_size=20), max_size=20)
CHOSEN = LISTS.filter(len).flatmap(
    lambda lists: st.tuples(st.just(lists), st.lists(st.integers(0, len(lists) - 1)))
)


def as_lists(rows: Ragged) -> Lists:
    return [rows.row(number).tolist() for number in range(rows.rows)]


def index(numbers: list[int]) -> NDArray[np.int64]:
    return np.array(numbers, np.int64)


@given(LISTS)
def test_rows_come_back_as_they_were_put_in(lists: Lists) -> None:
    rows = ragged(lists)
    assert as_lists(rows) == lists
    assert rows.rows == len(lists)
    assert rows.lengths.tolist() == [len(row) for row in lists]
    assert (rows.values.dtype, rows.starts.dtype) == (U32, I64)


@given(CHOSEN)
def test_rows_are_taken_in_any_order_and_again(chosen: tuple[Lists, list[int]]) -> None:
    lists, numbers = chosen
    taken = ragged(lists).take(index(numbers))
    assert as_lists(taken) == [lists[number] for number in numbers]
    assert (taken.values.dtype, taken.starts.dtype) == (U32, I64)


def test_nothing_can_be_taken_from_nothing() -> None:
    assert as_lists(ragged([]).take(index([]))) == []
    assert as_lists(ragged([[1]]).take(index([]))) == []


@given(st.lists(LISTS, max_size=5))
def test_batches_are_joined_in_their_order(batches: list[Lists]) -> None:
    joined = concatenate([ragged(lists) for lists in batches])
    assert as_lists(joined) == [row for lists in batches for row in lists]
    assert (joined.values.dtype, joined.starts.dtype) == (U32, I64)


@given(LISTS)
def test_whole_numbers_add_up_exactly_and_empty_rows_to_nothing(lists: Lists) -> None:
    rows = ragged(lists)
    assert sums(rows, rows.values.astype(np.float64)).tolist() == [sum(row) for row in lists]


@given(CHOSEN, st.integers(0, 2**32))
def test_a_sum_does_not_depend_on_its_neighbours(
    chosen: tuple[Lists, list[int]], seed: int
) -> None:
    lists, numbers = chosen
    table = np.random.default_rng(seed).standard_normal(257)
    rows = ragged(lists)
    taken = rows.take(index(numbers))
    whole = sums(rows, table[rows.values % 257])
    part = sums(taken, table[taken.values % 257])
    assert part.tobytes() == whole[index(numbers)].tobytes()


def test_long_rows_add_up_to_the_same_bits_wherever_they_start() -> None:
    rng = np.random.default_rng(5)
    numbers = [rng.standard_normal(int(size)) for size in rng.integers(0, 5000, 40)]
    rows = ragged([np.zeros(len(row), np.uint32) for row in numbers])
    together = sums(rows, np.concatenate(numbers))
    for alone, row in zip(together, numbers, strict=True):
        shifted = ragged([[0], np.zeros(len(row), np.uint32)])
        assert sums(shifted, np.concatenate([[1.0], row]))[1] == alone
