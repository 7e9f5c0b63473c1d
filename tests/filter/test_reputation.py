import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.checks import HOLD, History
from filter.checks.reputation import Reputation
from filter.events import Credit, Vote
from filter.reputation import Standing
from filter.stage import Provider

HALF_LIFE = 100.0
PRIOR = (1.0, 1.0)
PROVIDER = Provider(bytes(16), 48)
outcomes = st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=30)


def test_a_new_account_stands_at_its_prior() -> None:
    assert Standing(0.0, 0.0, 0).mean(50, HALF_LIFE, PRIOR) == 0.5
    assert Standing(0.0, 0.0, 0).mean(50, HALF_LIFE, (1.0, 3.0)) == 0.25


def test_evidence_counts_half_after_a_half_life() -> None:
    assert Standing(8.0, 4.0, 0).at(100, HALF_LIFE) == Standing(4.0, 2.0, 100)
    assert Standing(8.0, 4.0, 0).at(300, HALF_LIFE) == Standing(1.0, 0.5, 300)


def test_two_fades_are_one_long_one() -> None:
    there = Standing(7.0, 3.0, 0)
    assert there.at(40, HALF_LIFE).at(90, HALF_LIFE).confirmed == pytest.approx(
        there.at(90, HALF_LIFE).confirmed
    )


def test_a_tick_of_the_past_changes_nothing() -> None:
    assert Standing(7.0, 3.0, 50).at(10, HALF_LIFE) == Standing(7.0, 3.0, 50)


def test_an_outcome_moves_the_standing_its_way() -> None:
    standing = Standing(2.0, 2.0, 0)
    for right in (True, False):
        moved = standing.outcome(0, HALF_LIFE, right).mean(0, HALF_LIFE, PRIOR)
        assert (moved > 0.5) == right


@given(outcomes)
def test_a_standing_stays_between_nothing_and_one(gaps: list[tuple[int, bool]]) -> None:
    standing, tick = Standing(0.0, 0.0, 0), 0
    for gap, right in gaps:
        tick += gap
        standing = standing.outcome(tick, HALF_LIFE, right)
        assert 0 < standing.mean(tick, HALF_LIFE, PRIOR) < 1
    assert standing.confirmed + standing.refuted <= len(gaps)


def vote(account: int = 1) -> Vote:
    return Vote(1, account, 2, 0, "ham", 1, 0, 0, 0, 0)


def test_an_unknown_account_is_neither_held_nor_vetted() -> None:
    check = Reputation()
    found, _ = check.examine(0, check.fresh(History(0, 0, 0)), vote(), PROVIDER)
    assert (found.ruling, found.vetted, found.trust) == ("", False, 0.5)


def test_an_old_account_with_a_good_past_is_vetted_and_a_young_one_is_not() -> None:
    check = Reputation()
    for opened, vetted in ((-336, True), (-335, False)):
        found, _ = check.examine(0, check.fresh(History(opened, 4, 0)), vote(), PROVIDER)
        assert found.vetted == vetted


def test_a_sleeper_loses_its_trust_after_a_few_refuted_claims() -> None:
    check = Reputation()
    past = check.fresh(History(-5000, 3, 0))
    rulings = []
    for tick in range(1, 12):
        found, past = check.examine(tick, past, vote(), PROVIDER)
        rulings.append(found.ruling)
        past = check.credited(tick, past, Credit(1, 2, tick, -1, 0))
    assert rulings[0] == ""
    assert rulings[-1] == HOLD


def test_looking_does_not_move_a_standing() -> None:
    check = Reputation()
    past = check.fresh(History(-5000, 3, 1))
    assert check.examine(9, past, vote(), PROVIDER)[1] == past
