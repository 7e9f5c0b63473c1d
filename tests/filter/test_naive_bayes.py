"""The default classifier: integers that have no order, forget, and stay finite."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from filter.columns import Bits, Ints
from filter.events import UNIT
from filter.model.naive_bayes import NaiveBayes, NaiveBayesModel
from filter.ragged import Ragged, concatenate, ragged

BITS = 10
mails = st.lists(
    st.tuples(
        st.lists(st.integers(0, 2**32 - 1), max_size=12),
        st.booleans(),
        st.sampled_from([0, 1, 100, UNIT, 3 * UNIT]),
    ),
    max_size=25,
)
Mail = tuple[list[int], bool, int]


def columns(given: list[Mail]) -> tuple[Ragged, Bits, Ints]:
    return (
        ragged([tokens for tokens, _, _ in given]),
        np.array([spam for _, spam, _ in given], np.bool_),
        np.array([weight for _, _, weight in given], np.int64),
    )


def taught(batches: list[list[Mail]], tick: int = 5, **kwargs: float) -> NaiveBayesModel:
    model = NaiveBayes(bits=BITS, half_life=kwargs.get("half_life", 100.0)).begin()
    for batch in batches:
        model.learn(tick, *columns(batch))
    return model


@given(mails)
def test_the_order_of_lessons_does_not_matter(given: list[Mail]) -> None:
    shuffled = sorted(given, key=lambda one: sum(one[0]) % 1009)
    assert taught([given]).freeze() == taught([shuffled]).freeze()
    assert (
        taught([given[::-1]]).release(6).fingerprint() == taught([given]).release(6).fingerprint()
    )


@given(mails, st.integers(0, 25))
def test_batches_teach_what_their_mails_teach_one_by_one(given: list[Mail], cut: int) -> None:
    whole = taught([given]).freeze()
    assert taught([[one] for one in given]).freeze() == whole
    assert taught([given[:cut], given[cut:]]).freeze() == whole


@settings(max_examples=40)
@given(mails, mails)
def test_a_release_made_piece_by_piece_is_the_one_made_at_once(
    first: list[Mail], second: list[Mail]
) -> None:
    """Only what was taught since the last release is worked out anew: to the same bit."""
    by_piece = taught([first])
    by_piece.release(5)
    by_piece.learn(6, *columns(second))
    at_once = NaiveBayes(bits=BITS, half_life=100.0).begin()
    at_once.thaw(by_piece.freeze())
    one, other = by_piece.release(6), at_once.release(6)
    assert one.table.tobytes() == other.table.tobytes()
    assert one.fingerprint() == other.fingerprint()


def evidence(model: NaiveBayesModel, bucket: int) -> tuple[int, int]:
    return int(model._evidence[0, bucket]), int(model._evidence[1, bucket])


def test_a_lesson_s_weight_is_evidence_for_each_time_its_token_stands_there() -> None:
    model = taught([[([7, 7, 9], True, UNIT), ([9], False, 100)]], tick=0)
    assert evidence(model, 7) == (0, 2 * UNIT)
    assert evidence(model, 9) == (100, UNIT)


@pytest.mark.parametrize("half_life", [10.0, 100.0])
def test_what_was_learned_a_half_life_ago_counts_half(half_life: float) -> None:
    model = NaiveBayes(bits=BITS, half_life=half_life).begin()
    model.learn(0, *columns([([7], True, UNIT)]))
    model.learn(int(half_life), *columns([([8], True, UNIT)]))
    old, new = evidence(model, 7)[1], evidence(model, 8)[1]
    assert new == 2 * old


def odds(model: NaiveBayesModel, tick: int, *tokens: int) -> float:
    return float(model.release(tick).log_odds(ragged([list(tokens)]))[0])


def test_what_is_not_confirmed_fades_towards_nothing() -> None:
    model = NaiveBayes(bits=BITS, half_life=24.0).begin()
    model.learn(0, *columns([([7], True, UNIT), ([8], False, UNIT)]))
    values = [odds(model, tick, 7) for tick in (0, 24, 48, 240, 2400)]
    assert values == sorted(values, reverse=True)
    assert values[0] > 0.6
    assert abs(values[-1]) < 1e-6


def test_without_a_half_life_nothing_fades() -> None:
    model = NaiveBayes(bits=BITS, half_life=0.0).begin()
    model.learn(0, *columns([([7], True, UNIT), ([8], False, UNIT)]))
    assert odds(model, 0, 7) == odds(model, 10**6, 7)


def test_a_token_of_both_classes_says_nothing_and_one_of_a_class_says_which() -> None:
    model = taught([[([7, 9], True, UNIT), ([8, 9], False, UNIT)]])
    assert odds(model, 5, 9) == pytest.approx(0.0)
    assert odds(model, 5, 7) == pytest.approx(-odds(model, 5, 8))
    assert odds(model, 5, 7) > 0


def test_a_mail_without_tokens_says_nothing() -> None:
    assert odds(taught([[([7], True, UNIT)]]), 5) == 0.0


def random_mails(count: int, seed: int, low: int = 0) -> Ragged:
    rng = np.random.default_rng(seed)
    return ragged([rng.integers(low, low + 200, 30) for _ in range(count)])


@pytest.mark.parametrize("weight", [UNIT, 10**6, 10**10])
def test_absurd_weights_and_times_leave_finite_odds(weight: int) -> None:
    """Promise 7: ten years of hourly lessons a thousand to ten million times too heavy."""
    model = NaiveBayes(bits=BITS).begin()
    for tick in range(0, 87_600, 1_700):
        for spam in (True, False):
            label = np.full(20, spam, np.bool_)
            model.learn(tick, random_mails(20, tick + spam), label, np.full(20, weight, np.int64))
        release = model.release(tick)
        assert np.isfinite(release.table).all()
        assert np.isfinite(release.log_odds(random_mails(5, 1))).all()
        assert (model._evidence >= 0).all(), "evidence overflowed"


def test_a_year_between_two_lessons_is_forgotten_not_overflowed() -> None:
    model = NaiveBayes(bits=BITS, half_life=1.0).begin()
    model.learn(0, *columns([([7], True, UNIT)]))
    model.learn(8760, *columns([([8], True, UNIT)]))
    assert evidence(model, 7) == (0, 0)
    assert evidence(model, 8)[1] >= UNIT
    assert np.isfinite(model.release(8761).table).all()


def known_story() -> tuple[NaiveBayesModel, NDArray[np.uint32]]:
    """A filter that has learned 300 mails, ten of them of one spam story."""
    model = NaiveBayes(bits=14).begin()
    story = random_mails(1, 99, 5000).row(0)
    spam = concatenate([random_mails(140, 1, 1000), ragged([story] * 10)])
    ham = random_mails(150, 2)
    tokens = concatenate([spam, ham])
    label = np.arange(300) < 150
    model.learn(0, tokens, label, np.full(300, UNIT, np.int64))
    return model, story


def test_one_vote_does_not_flip_a_well_known_story_and_a_hundred_do() -> None:
    """A saturated filter that nothing moves, or one that a single vote flips, is a defect."""
    model, story = known_story()
    one = ragged([story])
    trail = []
    for _ in range(100):
        model.learn(1, one, np.array([False]), np.array([UNIT]))
        trail.append(float(model.release(1).log_odds(one)[0]))
    before = float(known_story()[0].release(1).log_odds(one)[0])
    assert before > 2
    assert trail == sorted(trail, reverse=True), "each vote moves it further"
    assert 0.5 * before < trail[0] < before
    assert trail[3] > 0
    assert trail[99] < -2


def test_votes_on_one_story_leave_the_others_where_they_were() -> None:
    model, story = known_story()
    others = random_mails(20, 1, 1000)
    before = model.release(1).log_odds(others)
    label = np.zeros(100, np.bool_)
    model.learn(1, ragged([story] * 100), label, np.full(100, UNIT))
    moved = model.release(1).log_odds(others) - before
    assert np.abs(moved).max() < 0.35 * np.abs(before).min()
