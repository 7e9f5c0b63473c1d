import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.decay import growth, halving

ticks = st.integers(-10_000, 10_000)
half_lives = st.floats(30, 10_000)


def test_after_a_half_life_half_is_left() -> None:
    assert halving(720, 720.0) == 0.5
    assert halving(0, 720.0) == 1.0
    assert halving(2160, 720.0) == 0.125


def test_an_infinite_half_life_fades_nothing() -> None:
    assert halving(10**9, math.inf) == 1.0
    assert growth(10**9, math.inf) == 1.0


@given(ticks, half_lives)
def test_halving_is_the_power_of_two_it_says(ticks: int, half_life: float) -> None:
    assert halving(ticks, half_life) == pytest.approx(2.0 ** (-ticks / half_life), rel=1e-12)


@given(ticks, half_lives)
def test_growth_undoes_halving(ticks: int, half_life: float) -> None:
    assert growth(ticks, half_life) * halving(ticks, half_life) == pytest.approx(1.0, rel=1e-15)
    assert growth(ticks, half_life) == halving(-ticks, half_life)


@given(st.integers(0, 5000), half_lives)
def test_more_time_leaves_less(ticks: int, half_life: float) -> None:
    assert halving(ticks + 1, half_life) < halving(ticks, half_life)


def test_what_is_past_all_numbers_is_nothing_or_infinite() -> None:
    assert halving(10**9, 1.0) == 0.0
    assert growth(10**9, 1.0) == math.inf
