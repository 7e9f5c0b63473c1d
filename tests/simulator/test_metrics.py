"""The metrics of DESIGN.md "Measuring truly", on frames whose numbers are worked out by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from simulator import loop
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.metric_names import NAMES
from simulator.metrics import RATES, Metric, measure, vote_value
from tests.contracts.small import NO_ATTACK, run, small

START, END, LAST = 8, 22, 60
"""The attack's window in the small world; hand-made runs go on until tick 60."""

BLANK = Frame(
    tick=0,
    mails=0,
    ham=0,
    ham_in_spam=0,
    ham_unsure=0,
    spam=0,
    spam_in_inbox=0,
    spam_unsure=0,
    campaign=0,
    campaign_in_inbox=0,
    campaign_unsure=0,
    copies=0,
    votes_people=0,
    votes_bots=0,
    rulings_people={},
    rulings_bots={},
    lessons_people=0.0,
    lessons_bots=0.0,
    kept=0,
    judged=0,
    asked=0,
    held=0,
    release="promote",
    alarms=0,
    alarms_true=0,
    decoys=0,
    harmed=0,
)
Numbers = Mapping[int, Mapping[str, Any]]


def frames(numbers: Numbers) -> list[Frame]:
    return [
        msgspec.structs.replace(BLANK, tick=tick, **numbers.get(tick, {})) for tick in range(LAST)
    ]


def made(of_arm: Mapping[str, Numbers], *, peace: bool = False) -> Prepared:
    """A run that was never run, with these frames."""
    change = {"arms": list(of_arm), "duration": LAST}
    prepared = loop.prepare(small(change, NO_ATTACK if peace else {}))
    for name, numbers in of_arm.items():
        prepared.arms[name].frames = frames(numbers)
    return prepared


def measured(attacked: Numbers, twin: Numbers | None = None) -> dict[str, Metric]:
    arms = {"attacked": attacked} if twin is None else {"attacked": attacked, "twin": twin}
    return measure(made(arms), "attacked")


def campaign(inbox: Sequence[int], of: int = 10, start: int = START) -> Numbers:
    """The campaign's mails that reached the inbox, tick by tick from the attack's start."""
    return {
        start + place: {"campaign": of, "campaign_in_inbox": count}
        for place, count in enumerate(inbox)
    }


def never(ticks: int = LAST - START) -> Numbers:
    return campaign([0] * ticks)


def test_every_metric_is_there_for_every_arm() -> None:
    prepared = made({"attacked": {}, "twin": {}})
    for arm in prepared.arms:
        assert tuple(measure(prepared, arm)) == NAMES
    assert set(RATES) < set(NAMES)


def test_rates_are_ratios_of_sums_never_means_of_ratios() -> None:
    found = measured(
        {
            START: {"ham": 10, "ham_in_spam": 10, "ham_unsure": 0, "spam": 4, "spam_in_inbox": 1},
            END - 1: {"ham": 90, "ham_in_spam": 0, "ham_unsure": 9, "spam": 4, "spam_unsure": 2},
        }
    )
    assert found["ham_misclassified"] == Metric(0.1, 0.0, 1.0, 1.0)
    assert found["ham_unsure"].mean == 0.09
    assert found["spam_misclassified"].mean == 0.125
    assert found["spam_unsure"].mean == 0.25


def test_only_the_attack_s_window_is_measured() -> None:
    outside = {"ham": 50, "ham_in_spam": 50, "lessons_bots": 9.0}
    found = measured({START - 1: outside, END: outside, START: {"ham": 2, "ham_in_spam": 1}})
    assert found["ham_misclassified"].mean == 0.5
    assert found["poison_share"].mean is None


def test_peace_is_measured_from_the_first_tick_to_the_last() -> None:
    prepared = made(
        {"default": {0: {"ham": 3}, LAST - 1: {"ham": 1, "ham_in_spam": 1}}}, peace=True
    )
    assert measure(prepared, "default")["ham_misclassified"].mean == 0.25


def test_what_has_no_data_has_no_value_and_no_replicate() -> None:
    found = measured({}, {})
    for name in ("ham_misclassified", "attack_success", "honest_votes_lost", "one_minus_roca"):
        assert found[name] == Metric(None, n=0)


def test_poison_share_is_the_bots_part_of_all_weight_taught_by_votes() -> None:
    found = measured(
        {
            START: {"lessons_bots": 1.0, "lessons_people": 0.0},
            START + 1: {"lessons_bots": 1.0, "lessons_people": 6.0},
        }
    )
    assert found["poison_share"].mean == 0.25


def test_attack_success_is_the_inbox_share_less_the_twin_s_as_ratios_of_sums() -> None:
    attacked = {
        START: {"campaign": 10, "campaign_in_inbox": 10},
        START + 1: {"campaign": 90, "campaign_in_inbox": 15},
    }
    twin = {
        START: {"campaign": 10, "campaign_in_inbox": 0},
        START + 1: {"campaign": 90, "campaign_in_inbox": 5},
    }
    found = measured(attacked, twin)["attack_success"]
    assert found.mean == pytest.approx(0.25 - 0.05)
    assert found.min == pytest.approx(10 / 90)
    assert found.max == 1.0


def test_attack_success_needs_a_twin_and_mail_of_the_campaign() -> None:
    assert measured(campaign([10]))["attack_success"].mean is None
    assert measured({}, campaign([10]))["attack_success"].mean is None
    assert measured(campaign([10]))["campaign_in_inbox"].mean == 1.0


def test_an_arm_is_compared_with_the_twin_that_has_its_guards() -> None:
    ten, four, one = (campaign([count]) for count in (10, 4, 1))
    prepared = made({"attacked": four, "twin": one, "unguarded": ten, "reference": four})
    assert measure(prepared, "attacked")["attack_success"].mean == pytest.approx(0.3)
    assert measure(prepared, "attacked")["attack_success_ref"].mean == 0.0
    assert measure(prepared, "unguarded")["attack_success"].mean == pytest.approx(0.6)
    assert measure(prepared, "twin")["attack_success"].mean is None


def test_the_end_is_the_last_quarter_of_the_attack() -> None:
    """Fourteen ticks of attack: the last quarter is three ticks, 19, 20 and 21."""
    inbox = [0] * 11 + [10, 10, 10] + [0] * 5
    found = measured(campaign(inbox), never())
    assert found["attack_success_end"].mean == 1.0
    assert found["attack_success"].mean == pytest.approx(3 / 14)


@pytest.mark.parametrize(("first", "ticks"), [(0, 5), (3, 5), (4, 6), (10, 12), (49, 51)])
def test_compromise_is_the_first_tick_whose_six_hours_reach_a_half(first: int, ticks: int) -> None:
    inbox = [0] * first + [10] * (LAST - START - first)
    found = measured(campaign(inbox), never())
    assert found["ticks_to_compromise"] == Metric(float(ticks))


def test_compromise_is_measured_against_the_twin() -> None:
    everything = campaign([10] * (LAST - START))
    some = campaign([6] * (LAST - START))
    assert measured(everything, some)["ticks_to_compromise"].mean is None
    assert measured(everything, campaign([5] * (LAST - START)))["ticks_to_compromise"].mean == 5.0


def test_what_was_never_compromised_is_censored_and_has_recovered_at_once() -> None:
    found = measured(campaign([4] * (LAST - START)), never())
    assert found["ticks_to_compromise"] == Metric(None, n=0)
    assert found["ticks_to_recover"] == Metric(0.0)


def test_recovery_is_the_first_tick_after_the_attack_whose_day_is_below_a_twentieth() -> None:
    """At 22 + 22 h one of 24 hours is left of the attack's success: 1/24 < 0.05 < 2/24."""
    inbox = [10] * (END - START) + [0] * (LAST - END)
    assert measured(campaign(inbox), never())["ticks_to_recover"] == Metric(22.0)


def test_a_filter_that_does_not_recover_is_censored() -> None:
    found = measured(campaign([10] * (LAST - START)), never())
    assert found["ticks_to_recover"] == Metric(None, n=0)


def test_recovery_needs_no_time_when_success_ended_a_day_before_the_attack_did() -> None:
    prepared = made({"attacked": {}, "twin": {}})
    strike = prepared.strike
    assert strike is not None
    longer = prepared._replace(strike=strike._replace(end=START + 40))
    prepared.arms["attacked"].frames = frames(campaign([10] * 8 + [0] * 44))
    prepared.arms["twin"].frames = frames(never())
    assert measure(longer, "attacked")["ticks_to_recover"] == Metric(0.0)


@pytest.mark.parametrize(
    ("numbers", "ticks"),
    [
        ({START + 3: {"alarms": 1, "alarms_true": 1}}, 3.0),
        ({START + 2: {"alarms": 1, "alarms_true": 0}}, None),
        ({START + 4: {"release": "hold"}, START + 6: {"alarms_true": 2}}, 4.0),
        ({START: {"release": "roll back"}}, 0.0),
        ({START - 1: {"alarms_true": 1, "release": "hold"}}, None),
    ],
)
def test_detection_is_the_first_alarm_on_a_bot_or_a_refusal_by_the_gate(
    numbers: Numbers, ticks: float | None
) -> None:
    assert measured(numbers, {})["ticks_to_detect"].mean == ticks


def test_beside_it_stand_the_twin_s_alarms_a_day() -> None:
    twin = {START: {"alarms": 3}, END - 1: {"alarms": 4}, END: {"alarms": 9}}
    assert measured({}, twin)["twin_alarms_a_day"].mean == pytest.approx(7 / (14 / 24))


def test_where_nobody_poisons_there_is_nothing_to_compromise_or_to_detect() -> None:
    loud = {START: {"alarms_true": 1}, START + 9: {"campaign": 1, "campaign_in_inbox": 1}}
    prepared = made({"attacked": loud, "twin": loud})
    found = measure(prepared, "twin")
    for name in ("ticks_to_compromise", "ticks_to_detect", "ticks_to_recover"):
        assert found[name].mean is None


def test_the_value_of_votes_is_the_error_without_any_less_the_error_with_all() -> None:
    counts = {"ham": 100, "spam": 100}
    prepared = made(
        {
            "default": {5: counts},
            "reference": {5: counts | {"ham_in_spam": 1, "spam_in_inbox": 2}},
            "reject_all": {5: counts | {"ham_in_spam": 3, "spam_in_inbox": 9}},
        },
        peace=True,
    )
    assert vote_value(prepared, "default") == pytest.approx(0.12 - 0.03)
    assert vote_value(prepared, "reference") is None


def test_under_attack_votes_have_no_value_to_be_measured() -> None:
    counts = {START: {"ham": 1, "spam": 1}}
    prepared = made({"attacked": counts, "reference": counts, "reject_all": counts})
    assert vote_value(prepared, "attacked") is None


def test_a_real_run_has_a_value_wherever_it_has_data() -> None:
    prepared = run(small({"arms": ["attacked", "twin", "unguarded", "reference"]}))
    found = measure(prepared, "unguarded")
    for name in ("ham_misclassified", "attack_success", "one_minus_roca", "poison_share"):
        assert found[name].mean is not None
    assert found["honest_votes_lost"].mean is None
    assert 0 < (found["one_minus_roca"].mean or 0) < 0.5


def test_people_s_mail_alone_is_counted_as_ham_spam_or_campaign() -> None:
    prepared = run(small())
    for frame in prepared.arms["attacked"].frames:
        assert frame.mails == frame.ham + frame.spam + frame.campaign + frame.copies
        assert frame.campaign == (10 if frame.tick >= START else 0)
        assert frame.copies == (8 if START <= frame.tick < END else 0)
    assert not sum(frame.copies for frame in prepared.arms["twin"].frames)
    assert not sum(frame.votes_bots for frame in prepared.arms["twin"].frames)
