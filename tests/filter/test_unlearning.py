"""Unlearning: the model is, bit for bit, what it would be without a source."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filter import codec
from filter.events import UNIT, Lesson
from filter.model.naive_bayes import NaiveBayes
from filter.ragged import ragged
from filter.unlearning import Unlearner, Unlearning

Votes = list[tuple[int, int, bool]]
"""Of each lesson: tick, account, label."""

MODELS = [NaiveBayes(bits=10, half_life=half_life) for half_life in (0.0, 30.0, 720.0)]


def lesson(number: int, spam: bool, *shares: tuple[int, int]) -> Lesson:
    return Lesson(number, spam, 0, sum(part for _, part in shares), shares)


def words(lessons: list[Lesson]) -> list[list[int]]:
    return [[7 * one.mail % 97, 1 + one.mail % 13, 500 + one.mail] for one in lessons]


def taught(model: Unlearner, record: Unlearning | None, tick: int, lessons: list[Lesson]) -> None:
    tokens = ragged(words(lessons))
    spam = np.array([one.spam for one in lessons], np.bool_)
    model.learn(tick, tokens, spam, np.array([one.weight for one in lessons], np.int64))
    if record:
        record.note(tick, lessons, tokens)


votes = st.lists(
    st.tuples(st.integers(0, 20), st.integers(1, 5), st.booleans()), min_size=1, max_size=60
)


@settings(max_examples=60)
@given(votes, st.sets(st.integers(1, 5)), st.sampled_from(MODELS))
def test_a_source_is_unlearned_to_the_last_bit(
    cast: Votes, gone: set[int], made: NaiveBayes
) -> None:
    model, never, record = made.begin(), made.begin(), Unlearning(100)
    for tick in range(21):
        all_ = [
            lesson(n, spam, (account, UNIT))
            for n, (when, account, spam) in enumerate(cast)
            if when == tick
        ]
        taught(model, record, tick, all_)
        taught(never, None, tick, [one for one in all_ if one.shares[0][0] not in gone])
    changed = record.take_back(21, gone, model)
    assert changed == sum(account in gone for _, account, _ in cast)
    assert model.freeze() == never.freeze()
    one, other = model.release(30), never.release(30)
    assert one.table.tobytes() == other.table.tobytes()
    assert (one.per_token, one.prior) == (other.per_token, other.prior)
    assert record.take_back(22, gone, model) == 0


@pytest.mark.parametrize("made", MODELS)
def test_of_a_shared_lesson_the_others_shares_stay(made: NaiveBayes) -> None:
    model, other, record = made.begin(), made.begin(), Unlearning(100)
    taught(model, record, 3, [lesson(1, True, (1, 300), (2, 333), (3, 367))])
    taught(other, None, 3, [lesson(1, True, (1, 300), (3, 367))])
    record.take_back(9, {2}, model)
    assert model.freeze() == other.freeze()


def test_what_is_older_than_the_window_stays_learned() -> None:
    model, record = MODELS[0].begin(), Unlearning(10)
    for tick in range(0, 30, 3):
        taught(model, record, tick, [lesson(tick, True, (1, UNIT))])
    assert record.take_back(29, {1}, model) == 4


def test_after_a_roll_back_what_was_taken_back_since_is_taken_back_again() -> None:
    made = MODELS[1]
    model, never, record = made.begin(), made.begin(), Unlearning(100)
    for tick in range(10):
        taught(model, record, tick, [lesson(10 * tick + a, a == 1, (a, UNIT)) for a in (1, 2, 3)])
        if tick <= 5:
            lessons = [lesson(10 * tick + a, a == 1, (a, UNIT)) for a in (1, 2, 3)]
            keep = [one for one in lessons if one.shares[0][0] == 3]
            taught(never, None, tick, keep)
        if tick == 2:
            record.take_back(2, {1}, model)
        if tick == 5:
            snapshot = model.snapshot()
    record.take_back(8, {1, 2}, model)
    model.restore(snapshot)
    record.back(5, model)
    assert model.freeze() == never.freeze()
    assert record.take_back(10, {1, 2, 3}, model) == 6


def test_a_frozen_record_goes_on() -> None:
    model, record = MODELS[2].begin(), Unlearning(100)
    taught(model, record, 3, [lesson(1, True, (1, UNIT)), lesson(2, False, (2, UNIT))])
    record.take_back(4, {1}, model)
    again = Unlearning(100)
    again.thaw(record.freeze())
    assert again.freeze() == record.freeze()
    assert again.take_back(5, {1, 2}, model) == 1
    empty = MODELS[2].begin()
    assert codec.pack(model.release(9)) == codec.pack(empty.release(9))
