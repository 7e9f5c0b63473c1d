"""The verdict says what an arm errs beside another one, label by label and phase by phase."""

import msgspec
import pytest

from simulator.damage import Phase, beside
from simulator.phases import AFTER, BEFORE, UNDER
from simulator.verdict import aside


def phases(
    arm: str, spam: tuple[float | None, ...], ham: tuple[float, ...] = (0, 0)
) -> list[Phase]:
    past = Phase(arm, BEFORE, 0, 24, 0.5, 0.5, None)
    pairs = zip((UNDER, AFTER), spam, ham, strict=True)
    return [
        past,
        *(Phase(arm, phase, 24, 48, of_ham, of_spam, 0.1) for phase, of_spam, of_ham in pairs),
    ]


def test_two_arms_stand_beside_each_other_from_the_attack_s_start_on() -> None:
    told = [*phases("twin", (0.08, 0.15)), *phases("reference", (0.06, 0.08))]
    spam, ham = beside(told, "twin", "reference")
    assert (spam.label, spam.ours, spam.theirs) == ("spam", (0.08, 0.15), (0.06, 0.08))
    assert (spam.notable, ham.notable) == (True, False)


def test_a_phase_without_data_in_one_arm_is_left_out() -> None:
    told = [*phases("twin", (0.08, None)), *phases("reference", (0.06, 0.08))]
    assert beside(told, "twin", "reference")[0].phases == (UNDER,)
    assert beside(told, "twin", "nobody") == []


def test_the_price_of_the_guard_is_told_under_the_attack_and_after_it() -> None:
    told = [*phases("twin", (0.079, 0.147)), *phases("reference", (0.06, 0.082))]
    assert aside(told, "attacked") == (
        " The guard has a price: unpoisoned, the filter misses 7.9 % of other spam under the attack"
        " and 14.7 % after it (without a guard 6.0 % and 8.2 %)."
    )


def test_a_guard_that_errs_less_than_none_has_no_price() -> None:
    told = [
        *phases("twin", (0.0, 0.0), (0.01, 0.01)),
        *phases("reference", (0.0, 0.0), (0.02, 0.03)),
    ]
    assert aside(told, "attacked") == (
        " Unpoisoned, the filter puts 1.0 % of other ham under the attack and 1.0 % after it into"
        " the spam folder (without a guard 2.0 % and 3.0 %)."
    )


@pytest.mark.parametrize(("reports", "why"), [(True, True), (False, False)])
def test_who_misses_less_for_the_poison_is_told_why_if_people_reported_more(
    reports: bool, why: bool
) -> None:
    told = [*phases("unguarded", (0.051, 0.065)), *phases("reference", (0.06, 0.082))]
    said = aside(told, "unguarded", reports)
    assert said.startswith(" Poisoned, the filter misses 5.1 % of other spam under the attack and")
    assert said.endswith(
        "(in its twin 6.0 % and 8.2 %)"
        + ": people report the campaign that reaches them, and so teach more" * why
        + "."
    )


def test_what_is_not_notable_is_not_told() -> None:
    told = [*phases("attacked", (0.08, 0.15)), *phases("twin", (0.079, 0.147))]
    assert aside(told, "attacked", True) == ""


def test_people_report_a_campaign_only_if_it_reaches_them() -> None:
    told = [*phases("attacked", (0.151, 0.202)), *phases("twin", (0.147, 0.211))]
    assert "people report" not in aside(told, "attacked", True), "it misses more under the attack"
    less = [*phases("attacked", (0.1, 0.1)), *phases("twin", (0.147, 0.211))]
    assert "people report" in aside(less, "attacked", True)
    kept = [msgspec.structs.replace(one, campaign_in_inbox=0.0) for one in less]
    assert "people report" not in aside(kept, "attacked", True)


def test_an_arm_without_a_guard_has_no_price_of_one() -> None:
    told = [*phases("unguarded", (0.06, 0.08)), *phases("reference", (0.06, 0.08))]
    assert aside(told, "unguarded") == ""


def test_both_labels_stand_in_one_sentence() -> None:
    told = [
        *phases("twin", (0.08, 0.15), (0.03, 0.03)),
        *phases("reference", (0.06, 0.08), (0.01, 0.01)),
    ]
    said = aside(told, "attacked")
    assert said.count("has a price") == said.count(". ") + 1 == 1
    assert "; and it puts 3.0 % of other ham" in said
