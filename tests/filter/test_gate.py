from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.columns import Folders
from filter.events import HOLD, INBOX, JUNK, PROMOTE, ROLL_BACK, UNSURE
from filter.gate import Comparison, GateSettings, compare, decide, differ

SETTINGS = GateSettings(significance=0.001, patience=6)
counts = st.integers(0, 60)


def folders(*given: int) -> Folders:
    return np.array(given, np.int8)


@given(counts, counts)
def test_the_sign_test_is_the_tail_of_a_fair_coin(worse: int, better: int) -> None:
    n = worse + better
    tail = sum(comb(n, k) for k in range(worse, n + 1)) / 2**n
    assert Comparison(worse, better).p() == pytest.approx(tail)
    assert 0 < Comparison(worse, better).p() <= 1


def test_without_a_difference_nothing_is_proved() -> None:
    assert Comparison(0, 0).p() == 1.0


def test_worse_is_ham_that_fell_into_spam_and_spam_that_rose_into_the_inbox() -> None:
    now = folders(JUNK, INBOX, JUNK, INBOX, UNSURE, UNSURE)
    then = folders(INBOX, JUNK, INBOX, JUNK, INBOX, JUNK)
    spam = np.array([False, False, True, True, False, True])
    ham_compared, spam_compared = compare(now, then, spam)
    assert ham_compared == Comparison(worse=1, better=1)
    assert spam_compared == Comparison(worse=1, better=1)


def test_outright_disagreement_is_inbox_here_and_spam_there() -> None:
    now = folders(INBOX, JUNK, UNSURE, INBOX, JUNK)
    then = folders(JUNK, INBOX, JUNK, UNSURE, JUNK)
    assert differ(now, then).tolist() == [True, True, False, False, False]


def test_ten_mails_worse_and_none_better_is_too_much() -> None:
    fine = Comparison(0, 0)
    assert decide(SETTINGS, (fine, Comparison(9, 0)), 0).action == PROMOTE
    refused = decide(SETTINGS, (fine, Comparison(10, 0)), 0)
    assert refused.action == HOLD
    assert refused.reason == (
        "judged spam: worse than the anchor on 10, better on 0 (sign test p = 9.8e-04)"
    )


def test_a_candidate_held_for_its_patience_is_rolled_back() -> None:
    worse = (Comparison(20, 0), Comparison(0, 0))
    actions = [decide(SETTINGS, worse, held).action for held in range(8)]
    assert actions == [HOLD] * 6 + [ROLL_BACK] * 2


def test_being_better_on_spam_does_not_pay_for_being_worse_on_ham() -> None:
    assert decide(SETTINGS, (Comparison(20, 0), Comparison(0, 500)), 0).action == HOLD


@given(counts, counts, counts, counts)
def test_a_candidate_that_is_not_worse_is_promoted(a: int, b: int, c: int, d: int) -> None:
    better = (Comparison(min(a, b), max(a, b)), Comparison(min(c, d), max(c, d)))
    assert decide(SETTINGS, better, 99).action == PROMOTE
