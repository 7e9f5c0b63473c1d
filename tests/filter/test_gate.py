from collections.abc import Sequence
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from filter.columns import Folders
from filter.events import HOLD, INBOX, JUNK, PROMOTE, ROLL_BACK, UNSURE
from filter.gate import Comparison, GateSettings, Shift, compare, decide, questions

SETTINGS = GateSettings(significance=0.001, patience=6)
counts = st.integers(0, 60)


def folders(*given: int) -> Folders:
    return np.array(given, np.int8)


def compared(worse: int, better: int) -> Comparison:
    return Comparison("spam let in, ham rescued", worse, better)


def moved(wrong: Sequence[bool]) -> list[Comparison | Shift]:
    """Judged mails that the candidate brought out of spam, the newest last: spam where wrong."""
    out = np.full(len(wrong), INBOX, np.int8)
    return compare(out, np.full(len(wrong), JUNK, np.int8), np.array(wrong, np.bool_))


@given(counts, counts)
def test_the_sign_test_is_the_tail_of_a_fair_coin(worse: int, better: int) -> None:
    n = worse + better
    tail = sum(comb(n, k) for k in range(worse, n + 1)) / 2**n
    assert compared(worse, better).p() == pytest.approx(tail)
    assert 0 < compared(worse, better).p() <= 1


@given(counts, counts, counts, counts)
def test_the_test_of_a_shift_is_fishers(a: int, b: int, c: int, d: int) -> None:
    known = fisher_exact([[a, b], [c, d]], alternative="greater").pvalue
    assert Shift("", a, b, c, d).p() == pytest.approx(known)


def test_without_a_difference_nothing_is_proved() -> None:
    assert compared(0, 0).p() == 1.0
    assert Shift("", 0, 0, 0, 0).p() == 1.0
    assert decide(SETTINGS, moved([]), 99).action == PROMOTE


def test_worse_is_ham_that_fell_into_spam_and_spam_that_rose_into_the_inbox() -> None:
    now = folders(JUNK, INBOX, JUNK, INBOX, UNSURE, UNSURE, UNSURE)
    then = folders(INBOX, JUNK, INBOX, JUNK, INBOX, JUNK, JUNK)
    spam = np.array([False, False, True, True, False, True, False])
    assert compare(now, then, spam) == [
        Comparison("spam let in, ham rescued", worse=1, better=2),
        Comparison("ham lost, spam caught", worse=1, better=1),
        Comparison("spam let in, spam caught", worse=1, better=1),
        Comparison("ham lost, ham rescued", worse=1, better=2),
    ]


def test_the_newest_mails_are_compared_alone_too() -> None:
    found = moved([False] * 80 + [True] * 20)
    assert found[:4] == [compared(16, 0), compared(20, 12), compared(20, 44), compared(20, 80)]
    shift = Shift("spam let in, ham rescued", 16, 0, worse_before=4, better_before=80)
    assert next(one for one in found if isinstance(one, Shift)) == shift


def test_ten_mails_worse_and_none_better_is_too_much() -> None:
    fine = compared(0, 0)
    assert decide(SETTINGS, [compared(9, 0)], 0).action == PROMOTE
    refused = decide(SETTINGS, [compared(10, 0)], 0)
    assert refused.action == HOLD
    assert refused.reason == (
        "of the newest judged mails, spam let in, ham rescued: 10 worse than the anchor,"
        " 0 better (sign test p = 9.8e-04)"
    )
    assert decide(SETTINGS, [compared(10, 0), fine], 0).action == PROMOTE  # they share the level


def test_what_is_let_in_is_seen_though_far_more_was_rescued_in_the_days_before() -> None:
    before, now = [False] * 200, [True, False] * 12
    assert decide(SETTINGS, moved(before), 0).action == PROMOTE
    refused = decide(SETTINGS, moved(before + now), 0)
    assert refused.action == HOLD
    assert refused.reason.startswith("spam let in, ham rescued: 8 of the newest 16 wrong, 4 of 208")


def test_a_share_of_wrong_moves_that_stays_as_it_was_is_no_shift() -> None:
    shifts = [one for one in moved([False, False, True] * 100) if isinstance(one, Shift)]
    assert shifts
    assert decide(SETTINGS, shifts, 0).action == PROMOTE


def test_a_candidate_held_for_its_patience_is_rolled_back() -> None:
    actions = [decide(SETTINGS, [compared(20, 0)], held).action for held in range(8)]
    assert actions == [HOLD] * 6 + [ROLL_BACK] * 2


def test_catching_much_spam_does_not_pay_for_letting_in_other_spam() -> None:
    now = folders(*[JUNK] * 500, *[INBOX] * 30)
    then = folders(*[INBOX] * 500, *[JUNK] * 30)
    assert decide(SETTINGS, compare(now, then, np.ones(530, np.bool_)), 0).action == HOLD


@given(counts, counts)
def test_a_candidate_that_is_not_worse_is_promoted(a: int, b: int) -> None:
    better = [compared(min(a, b), max(a, b))]
    assert decide(SETTINGS, better, 99).action == PROMOTE


def test_questions_are_of_outright_disagreements_alone() -> None:
    now = folders(INBOX, JUNK, UNSURE, INBOX, JUNK)
    then = folders(JUNK, INBOX, JUNK, UNSURE, JUNK)
    assert questions(now, then, np.zeros(5, np.uint64), 5).tolist() == [0, 1]


def test_questions_go_in_turn_to_what_came_out_and_what_went_in() -> None:
    now = folders(*[JUNK] * 100, *[INBOX] * 3)
    then = folders(*[INBOX] * 100, *[JUNK] * 3)
    lots = np.arange(103, dtype=np.uint64)[::-1].copy()
    assert questions(now, then, lots, 5).tolist() == [102, 99, 101, 98, 100]
    assert questions(now[:100], then[:100], lots[:100], 3).tolist() == [99, 98, 97]
