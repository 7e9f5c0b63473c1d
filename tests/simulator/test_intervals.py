import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.intervals import median, of_mean, of_median, rule_of_three

FIGURES = st.floats(0, 1, allow_subnormal=False)
TIMES = st.one_of(st.integers(0, 300).map(float), st.just(math.inf))


@settings(max_examples=25, deadline=None)
@given(st.lists(FIGURES, min_size=3, max_size=20))
def test_an_interval_lies_within_the_values_and_around_their_mean(values: list[float]) -> None:
    found = of_mean(values)
    assert found is not None
    slack = 1e-9
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert found.low <= float(np.mean(values)) + slack
    assert found.high >= float(np.mean(values)) - slack


def test_ninety_five_in_a_hundred_intervals_hold_the_true_mean() -> None:
    rng = np.random.default_rng(5)
    worlds = rng.exponential(1.0, (200, 30))
    found = [of_mean(world.tolist()) for world in worlds]
    holds = sum(one is not None and one.low <= 1.0 <= one.high for one in found)
    assert 176 <= holds <= 198, holds


def test_one_value_has_no_interval() -> None:
    assert of_mean([0.5]) is None
    assert of_median([5.0]) is None
    assert of_mean([]) is None


def test_the_same_values_have_the_same_interval_each_time() -> None:
    values = [0.1, 0.4, 0.2, 0.9, 0.3]
    assert of_mean(values) == of_mean(values)
    assert of_median(values) == of_median(values)


@pytest.mark.parametrize(
    ("times", "middle"),
    [([3.0], 3.0), ([1.0, 9.0], 1.0), ([4.0, math.inf, 2.0], 4.0), ([math.inf] * 3, math.inf)],
)
def test_a_time_that_was_not_reached_is_later_than_all_others(
    times: list[float], middle: float
) -> None:
    assert median(times) == middle


@settings(max_examples=25, deadline=None)
@given(st.lists(TIMES, min_size=2, max_size=20))
def test_the_interval_of_a_median_is_made_of_the_times_themselves(times: list[float]) -> None:
    found = of_median(times)
    assert found is not None
    assert found.low in times
    assert found.high in times
    assert found.low <= median(times) <= found.high


def test_none_in_twenty_leaves_fifteen_per_cent() -> None:
    assert rule_of_three(20) == pytest.approx(0.15)
    assert rule_of_three(2) == 1.0
    assert math.isnan(rule_of_three(0))
