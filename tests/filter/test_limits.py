import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.events import Limits
from filter.limits import LimitSettings

SETTINGS = LimitSettings(ham_in_spam=0.01, ham_unsure=0.02, step_per_day=0.05)


def test_limits_lose_the_stated_shares_of_ham() -> None:
    ham = np.random.default_rng(1).permutation(np.arange(1000.0))
    limits = SETTINGS.of(ham)
    assert (ham >= limits.spam).mean() == 0.01
    assert ((ham >= limits.inbox) & (ham < limits.spam)).mean() == pytest.approx(0.02)


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=300))
def test_the_inbox_ends_before_spam_begins_and_few_ham_are_lost(odds: list[float]) -> None:
    ham = np.array(odds)
    limits = SETTINGS.of(ham)
    assert limits.inbox <= limits.spam
    assert (ham > limits.spam).mean() <= 0.01


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=100), st.floats(-90, 90), st.floats(0, 20))
def test_a_day_moves_limits_towards_what_is_wanted_by_a_step_at_most(
    odds: list[float], inbox: float, width: float
) -> None:
    ham = np.array(odds)
    before = Limits(inbox, inbox + width)
    after, wanted = SETTINGS.moved(before, ham), SETTINGS.of(ham)
    most = 0.05 * (ham.max() - ham.min())
    for old, new, aim in (
        (before.inbox, after.inbox, wanted.inbox),
        (before.spam, after.spam, wanted.spam),
    ):
        assert abs(new - old) <= most + 1e-9
        assert abs(aim - new) <= abs(aim - old) + 1e-9


def test_limits_that_fit_stay() -> None:
    ham = np.arange(1000.0)
    assert SETTINGS.moved(SETTINGS.of(ham), ham) == SETTINGS.of(ham)


def test_one_strange_mail_does_not_move_the_limits_of_two_thousand() -> None:
    ham = np.append(np.arange(2000.0), 1e9)
    assert SETTINGS.of(ham).spam <= 1981
