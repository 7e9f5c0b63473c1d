"""Rules over metrics: how they are read, and what holds where there is no data."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filter.plugins import SettingsError
from simulator.metric_names import NAMES, STATISTICS
from simulator.metrics import Metric
from simulator.thresholds import OPERATORS, Threshold, check, parse

MEASURED = {
    "attacked": {
        "attack_success": Metric(0.04, 0.0, 0.5, 0.2),
        "honest_votes_lost": Metric(None, n=0),
        "ticks_to_compromise": Metric(None, n=0),
        "ticks_to_recover": Metric(0.0),
    },
    "unguarded": {"attack_success": Metric(0.6)},
}


def held(text: str, breaks: bool = False) -> bool:
    return check(parse(text, "thresholds[0]", breaks), MEASURED, "attacked").held


def test_a_rule_is_read_into_its_parts() -> None:
    assert parse(" unguarded.attack_success.p95>=.3 ", "x") == Threshold(
        "unguarded.attack_success.p95>=.3",
        "unguarded",
        "attack_success",
        "p95",
        ">=",
        0.3,
        False,
        False,
    )
    assert parse("honest_votes_lost.mean < 0.01 or no data", "x").empty


@given(
    st.sampled_from(NAMES),
    st.sampled_from(STATISTICS),
    st.sampled_from(sorted(OPERATORS)),
    st.floats(allow_nan=False),
    st.sampled_from(["", "twin."]),
)
def test_any_metric_statistic_and_number_can_stand_in_a_rule(
    metric: str, statistic: str, sign: str, value: float, arm: str
) -> None:
    rule = parse(f"{arm}{metric}.{statistic} {sign} {value!r}", "x")
    assert (rule.metric, rule.statistic, rule.sign) == (metric, statistic, sign)
    assert rule.value == value
    assert rule.arm == arm[:-1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("attack_succes.mean < 1", "did you mean 'attack_success'"),
        ("attack_success.maen < 1", "did you mean 'mean'"),
        ("attack_success < 1", "is no rule such as"),
        ("attack_success.mean < one", "'one' is no number"),
        ("attack_success.mean < nan", "nothing can be compared with nan"),
        ("attack_success.mean < 1 or nothing", "is no rule such as"),
        ("", "is no rule such as"),
    ],
)
def test_what_is_no_rule_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        parse(text, "thresholds[3]")
    assert str(error.value).startswith("thresholds[3]: ")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("attack_success.mean < 0.05", True),
        ("attack_success.mean < 0.04", False),
        ("attack_success.mean <= 0.04", True),
        ("attack_success.max >= 0.5", True),
        ("attack_success.p95 == 0.2", True),
        ("attack_success.min != 0", False),
        ("unguarded.attack_success.mean > 0.5", True),
    ],
)
def test_a_rule_compares_the_statistic_of_the_arm_it_names(text: str, holds: bool) -> None:
    assert held(text) is holds
    assert held(text, breaks=True) is not holds


@pytest.mark.parametrize("breaks", [False, True])
def test_no_data_breaks_a_rule_unless_the_rule_allows_it(breaks: bool) -> None:
    for text in (
        "honest_votes_lost.mean < 1",
        "twin.attack_success.mean < 1",
        "attack_success.ci_low < 1",
    ):
        assert not held(text, breaks)
        assert held(f"{text} or no data", breaks)


def test_a_time_never_reached_is_infinite() -> None:
    assert held("ticks_to_compromise.mean > 1000")
    assert not held("ticks_to_compromise.mean < 1000")
    assert not held("ticks_to_compromise.mean > 1000", breaks=True)
    assert held("ticks_to_compromise.mean >= inf")
    assert held("ticks_to_recover.mean == 0")


def test_what_became_of_a_rule_says_the_actual_value() -> None:
    assert check(parse("attack_success.mean < 1", "x"), MEASURED, "attacked").actual == 0.04
    assert check(parse("attack_success.mean < 1", "x"), MEASURED, "unguarded").actual == 0.6
    assert check(parse("ticks_to_compromise.mean < 1", "x"), MEASURED, "attacked").actual is None
    assert math.isinf(parse("attack_success.mean < inf", "x").value)
