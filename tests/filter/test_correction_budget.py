"""The correction budget: "not spam" lessons are bounded by what can be honest."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest

from filter import codec
from filter.checks import NOTHING, Case, Heard, remembered
from filter.checks.correction_budget import Budget, CorrectionBudget
from filter.columns import Judgements, no_judgements, stacked
from filter.events import INBOX, JUNK, QUARANTINED, UNIT, UNSURE, Claim

DAY = 24
CHECK = CorrectionBudget()


def case(vote: int, *, spam: bool = False, vetted: bool = False, weight: int = UNIT) -> Case:
    claim = Claim(vote, vote, vote, 0, spam, 1, 0, 0, 0.5, vetted, weight, "")
    return Case(claim, vote, None, 1)


def cases(count: int, *, spam: bool = False, vetted: bool = False) -> list[Case]:
    return [case(number, spam=spam, vetted=vetted) for number in range(count)]


def judged(
    domain: int, *, spam: bool = False, folder: int = JUNK, asked: bool = False, times: int = 3
) -> Judgements:
    ids = np.array([domain], np.uint64)
    return Judgements(
        ids,
        np.array([0]),
        np.array([spam]),
        np.array([folder], np.int8),
        ids,
        np.array([asked]),
        np.array([times]),
    )


def heard(
    claims: Sequence[Case] = (),
    taught: Sequence[Case] = (),
    said: Judgements | None = None,
    mails: int = 1000,
) -> Heard:
    return Heard(claims, taught, said or no_judgements(), mails)


def usual(mails: int = 1000) -> Heard:
    """An hour in which vetted accounts claim as much as the budget's start says: one in 1,000."""
    return heard(cases(mails // 1000, vetted=True), mails=mails)


def after(
    past: Budget, ticks: Iterable[int], given: Heard, check: CorrectionBudget = CHECK
) -> Budget:
    for tick in ticks:
        past = check.learn(tick, past, given)
    return past


def passed(past: Budget, given: Sequence[Case]) -> list[int]:
    found = CHECK.examine(1, past, given)
    return [one.claim.vote for one, said in zip(given, found, strict=True) if said == NOTHING]


def test_spam_claims_are_free_even_when_nothing_is_left() -> None:
    broke = Budget(1.0, 1.1, level=0.0)
    assert CHECK.examine(1, broke, cases(50, spam=True)) == [NOTHING] * 50
    learned = CHECK.learn(1, CHECK.fresh(), heard(taught=cases(50, spam=True)))
    assert learned == CHECK.learn(1, CHECK.fresh(), heard())


def test_a_spam_claim_in_between_takes_nothing_from_the_others() -> None:
    given = [case(1, spam=True), case(2), case(3, spam=True), case(4), case(5)]
    assert passed(Budget(1.0, 1.1, level=2.0), given) == [1, 2, 3, 4]


@pytest.mark.parametrize(("level", "count"), [(-1.0, 0), (0.99, 0), (1.0, 1), (3.9, 3), (9.0, 5)])
def test_not_spam_claims_pass_in_the_order_given_while_there_is_budget(
    level: float, count: int
) -> None:
    given = [case(vote) for vote in (5, 3, 4, 1, 2)]
    assert passed(Budget(1.0, 1.1, level=level), given) == [5, 3, 4, 1, 2][:count]


def test_the_rest_is_quarantined_and_told_the_hourly_budget() -> None:
    first, second = CHECK.examine(1, Budget(1.0, 1.1, hourly=2.345, level=1.0), cases(2))
    assert first == NOTHING
    assert second.ruling == QUARANTINED
    assert "budget of 2.35 an hour" in second.reason


def test_asking_spends_nothing_and_a_lesson_costs_its_weight() -> None:
    past = Budget(1.0, 1.1, level=9.0)
    CHECK.examine(1, past, cases(5))
    assert past.level == 9.0
    taught = [case(1), case(2, weight=UNIT // 2)]
    cost = CHECK.learn(1, past, heard()).level - CHECK.learn(1, past, heard(taught=taught)).level
    assert cost == pytest.approx(1.5)


def test_the_rate_follows_vetted_accounts_claims_only() -> None:
    past = CHECK.fresh()
    silence = CHECK.learn(1, past, heard())
    assert CHECK.learn(1, past, heard(cases(100))) == silence
    assert CHECK.learn(1, past, heard(cases(100, spam=True, vetted=True))) == silence
    assert CHECK.learn(1, past, heard(taught=cases(1, vetted=True))).rate == silence.rate
    assert CHECK.learn(1, past, heard(cases(3, vetted=True))).rate == pytest.approx(1 + 2 / 168)


def test_the_rate_is_reckoned_by_mail() -> None:
    for mails in (1000, 2000, 30_000):
        assert CHECK.learn(1, CHECK.fresh(), usual(mails)).rate == pytest.approx(1.0)
    few = CHECK.learn(1, CHECK.fresh(), heard(cases(3, vetted=True), mails=3000)).rate
    many = CHECK.learn(1, CHECK.fresh(), heard(cases(3, vetted=True), mails=1000)).rate
    assert few < many


def test_the_rate_settles_at_what_vetted_accounts_claim() -> None:
    quieter = after(CHECK.fresh(), range(3000), heard(cases(1, vetted=True), mails=2000))
    busier = after(CHECK.fresh(), range(3000), heard(cases(4, vetted=True), mails=2000))
    assert quieter.rate == pytest.approx(0.5, rel=0.01)
    assert busier.rate == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize("count", [5, 100, 10_000])
def test_a_boiling_frog_moves_the_rate_by_no_more_than_its_growth_a_day(count: int) -> None:
    past = CHECK.learn(0, CHECK.fresh(), usual())
    flood = heard(cases(count, vetted=True))
    for day in range(5):
        before = past.rate
        past = after(past, range(max(1, day * DAY), (day + 1) * DAY), flood)
        assert before < past.rate <= before * (1 + CHECK.growth_per_day) + 1e-9


def test_the_rate_is_held_at_the_same_height_through_a_day_of_flood() -> None:
    past = after(CHECK.fresh(), range(1), usual())
    rates = []
    for tick in range(1, DAY):
        past = CHECK.learn(tick, past, heard(cases(1000, vetted=True)))
        rates.append(past.rate)
    assert rates == pytest.approx([1.1] * 23)


@pytest.mark.parametrize("start", [0, DAY, 2 * DAY])
def test_a_flood_in_the_first_hour_of_a_day_moves_the_rate_no_more_than_one_later(
    start: int,
) -> None:
    past = after(CHECK.fresh(), range(start), heard())
    flooded = after(past, range(start, start + DAY), heard(cases(1000, vetted=True)))
    assert flooded.rate <= past.rate * (1 + CHECK.growth_per_day) + 1e-9


def test_the_rate_may_fall_at_once() -> None:
    past = CHECK.learn(1, CHECK.fresh(), heard(mails=84_000))
    assert past.rate == pytest.approx(0.5)
    assert past.hourly == pytest.approx(3 * 0.5 * 84)


def test_more_mail_in_an_hour_than_is_averaged_over_leaves_no_negative_rate() -> None:
    past = CHECK.learn(1, CHECK.fresh(), heard(mails=200_000))
    assert past.rate >= 0.0


def test_a_golden_error_raises_the_budget() -> None:
    calm = after(CHECK.fresh(), range(10 * DAY), usual())
    alarmed = CHECK.learn(241, calm, usual()._replace(judgements=judged(7)))
    assert CHECK.learn(241, calm, usual()).hourly == pytest.approx(3.0)
    mean = 1 / len(alarmed.errors)
    assert alarmed.hourly == pytest.approx(3.0 * (4 + 1) / (4 + mean))


@pytest.mark.parametrize(
    "said",
    [
        judged(7, asked=True),
        judged(7, spam=True),
        judged(7, folder=INBOX),
        judged(7, folder=UNSURE),
        judged(7, times=1),
    ],
    ids=["asked for", "spam", "in the inbox", "in unsure", "looked at once"],
)
def test_another_judgement_does_not_raise_it(said: Judgements) -> None:
    past = CHECK.fresh()
    assert CHECK.learn(1, past, heard(said=said)) == CHECK.learn(1, past, heard())


def test_a_domain_counts_once_a_day() -> None:
    twice = stacked([judged(7), judged(7)])
    past = CHECK.learn(1, CHECK.fresh(), heard(said=twice))
    past = CHECK.learn(2, past, heard(said=judged(7)))
    assert past.errors[-1] == 1
    past = CHECK.learn(3, past, heard(said=stacked([judged(8), judged(9)])))
    assert past.errors[-1] == 3
    past = CHECK.learn(DAY, past, heard(said=judged(7)))
    assert past.errors[-2:] == [3, 1]


def test_golden_errors_are_compared_with_thirty_days_and_then_forgotten() -> None:
    many = stacked([judged(domain) for domain in range(16)])
    past = after(CHECK.fresh(), range(DAY), usual()._replace(judgements=many))
    height = past.hourly
    past = after(past, range(DAY, 2 * DAY), usual())
    assert past.hourly > 3.0 * 1.5
    past = after(past, range(2 * DAY, 3 * DAY), usual())
    assert past.hourly < 3.0 < height
    past = after(past, range(3 * DAY, 40 * DAY), usual())
    assert past.hourly == pytest.approx(3.0)
    assert past.errors == [0] * 30


def test_errors_that_come_every_day_become_usual() -> None:
    every_day = usual()._replace(judgements=stacked([judged(domain) for domain in range(16)]))
    assert after(CHECK.fresh(), range(40 * DAY), every_day).hourly == pytest.approx(3.0)


@pytest.mark.parametrize("saved", [2, 24])
def test_savings_are_capped(saved: int) -> None:
    check = CorrectionBudget(saved=saved)
    levels = [after(check.fresh(), range(ticks), usual(), check).level for ticks in (1, 100, 500)]
    assert levels == pytest.approx([4.0, saved * 3.0, saved * 3.0])


def test_a_small_provider_can_save_up_one_lesson() -> None:
    past = after(CHECK.fresh(), range(1, 500), heard(mails=1))
    assert past.level == 1.0


@pytest.mark.parametrize("vetted", [False, True])
def test_a_flood_of_a_thousand_claims_an_hour_teaches_no_more_than_the_budget(
    vetted: bool,
) -> None:
    past = CHECK.fresh()
    budget, taught = past.level, 0
    for tick in range(96):
        flood = [case(1000 * tick + number, vetted=vetted) for number in range(1000)]
        found = CHECK.examine(tick, past, flood)
        lessons = [one for one, said in zip(flood, found, strict=True) if not said.ruling]
        past = CHECK.learn(tick, past, heard(flood, lessons))
        budget += past.hourly
        taught += len(lessons)
    assert budget - 2 * past.hourly - 1 < taught <= budget
    assert budget <= 1 + 96 * 3.0 * (1.1**5 if vetted else 1.0)


def test_its_memory_survives_packing() -> None:
    said = stacked([judged(7), judged(8)])
    past = after(CHECK.fresh(), range(DAY + 5), heard(cases(2, vetted=True), cases(1), said))
    again = codec.unpack(remembered(CHECK), codec.pack(past))
    assert again == past
    assert again.domains == {7, 8}
    assert CHECK.learn(40, again, usual()) == CHECK.learn(40, past, usual())


def test_learning_leaves_the_past_as_it_was() -> None:
    past = CHECK.fresh()
    before = codec.pack(past)
    for tick in (0, 1):
        CHECK.learn(tick, past, heard(cases(2, vetted=True), cases(1), judged(7)))
    assert codec.pack(past) == before
    assert CHECK.fresh() == codec.unpack(Budget, before)


def test_twice_the_mail_gives_twice_the_budget() -> None:
    one, two = (after(CHECK.fresh(), range(100), usual(mails)) for mails in (1000, 2000))
    assert two.hourly == pytest.approx(2 * one.hourly)
    assert two.level == pytest.approx(2 * one.level)
    assert CHECK.learn(100, one, heard(mails=0)).hourly == 0.0
