"""Limits on sources: addresses and subnets, shares of what teaches, and accounts in lockstep."""

from collections.abc import Sequence
from typing import Any

from filter.checks import Case, Heard
from filter.checks.lockstep import Lockstep
from filter.checks.share_cap import ShareCap
from filter.checks.source_limits import SourceLimits
from filter.columns import no_judgements
from filter.events import LIMITED, QUARANTINED, UNIT, Claim


def case(
    vote: int,
    tick: int = 1,
    story: int | None = None,
    *,
    account: int | None = None,
    address: int | None = None,
    subnet: int | None = None,
    spam: bool = False,
    judged: bool | None = None,
) -> Case:
    """A claim from sources of its own, but for those that are named."""
    who, where, net = (vote if one is None else one for one in (account, address, subnet))
    claim = Claim(vote, who, vote, 0, spam, tick, where, net, 0.5, False, UNIT, "")
    return Case(claim, vote if story is None else story, judged, tick)


def said(check: Any, tick: int, past: Any, cases: Sequence[Case]) -> list[str]:
    return [one.ruling for one in check.examine(tick, past, cases)]


def after(check: Any, tick: int, past: Any, cases: Sequence[Case], taught: bool = True) -> Any:
    return check.learn(tick, past, Heard(cases, cases if taught else (), no_judgements(), 100))


LIMITS = SourceLimits(address_per_day=4, subnet_per_day=6)


def test_an_address_spends_its_day_and_gets_it_back_by_the_hour() -> None:
    five = [case(vote, address=9) for vote in range(5)]
    assert said(LIMITS, 1, LIMITS.fresh(), five) == [""] * 4 + [LIMITED]
    spent = after(LIMITS, 1, LIMITS.fresh(), five)
    for tick, passes in ((2, False), (6, False), (7, True)):
        (ruling,) = said(LIMITS, tick, spent, [case(9, tick, address=9)])
        assert (ruling == "") == passes
    assert said(LIMITS, 2, spent, [case(11, 2)]) == [""]


def test_a_subnet_spends_for_all_its_addresses() -> None:
    many = [case(vote, subnet=3) for vote in range(8)]
    assert said(LIMITS, 1, LIMITS.fresh(), many) == [""] * 6 + [LIMITED] * 2


def test_what_was_held_does_not_spend_twice() -> None:
    held = [case(vote, 1, address=9) for vote in range(4)]
    past = after(LIMITS, 1, LIMITS.fresh(), held)
    assert said(LIMITS, 2, past, held) == [""] * 4


def test_full_buckets_are_forgotten() -> None:
    past = after(LIMITS, 1, LIMITS.fresh(), [case(1), case(2)])
    assert len(past.addresses) == 2
    assert after(LIMITS, 30, past, []) == LIMITS.fresh()


CAP = ShareCap(account=0.2, address=0.2, subnet=0.5, story=0.2, least=2, window=10)


def crowd(tick: int, count: int, spam: bool = False) -> list[Case]:
    return [case(1000 * tick + n, tick, spam=spam) for n in range(count)]


def test_nobody_is_above_his_share_of_what_was_taught() -> None:
    past = after(CAP, 1, CAP.fresh(), crowd(1, 20))
    for kind in ("account", "address", "story"):
        source: dict[str, Any] = {kind: 7}
        own = [case(vote, **source) for vote in range(9)]
        assert said(CAP, 2, past, own) == [""] * 5 + [QUARANTINED] * 4
    net = [case(vote, subnet=7) for vote in range(30)]
    assert said(CAP, 2, past, net).count("") == 20


def test_few_lessons_are_always_allowed_and_labels_are_reckoned_apart() -> None:
    assert said(CAP, 1, CAP.fresh(), [case(v, account=7) for v in range(3)]) == [
        "",
        "",
        QUARANTINED,
    ]
    past = after(CAP, 1, CAP.fresh(), crowd(1, 50, spam=True))
    assert said(CAP, 2, past, [case(v, account=7) for v in range(3)])[2] == QUARANTINED
    assert said(CAP, 2, past, [case(v, account=7, spam=True) for v in range(9)]) == [""] * 9


def test_a_story_that_the_judges_confirmed_may_be_claimed_by_all() -> None:
    past = after(CAP, 1, CAP.fresh(), crowd(1, 20))
    confirmed = [case(vote, story=7, judged=False) for vote in range(9)]
    assert said(CAP, 2, past, confirmed) == [""] * 9


def test_lessons_of_another_day_and_claims_that_did_not_teach_do_not_count() -> None:
    past = after(CAP, 1, CAP.fresh(), [case(v, account=7) for v in range(2)])
    assert said(CAP, 10, past, [case(9, 10, account=7)]) == [QUARANTINED]
    assert said(CAP, 11, after(CAP, 11, past, []), [case(9, 11, account=7)]) == [""]
    assert after(CAP, 1, CAP.fresh(), crowd(1, 5), taught=False) == []


STEP = Lockstep(hours=6, meetings=3, others=2, memory=48)


def met(times: int, accounts: Sequence[int], first: int = 0) -> Any:
    """What is remembered when these accounts met in so many stretches."""
    past = STEP.fresh()
    for number in range(times):
        tick = first + 6 * number
        cases = [case(100 * tick + a, tick, 50, account=a) for a in accounts]
        past = after(STEP, tick, past, cases)
    return past


def test_accounts_that_meet_often_enough_are_held_and_others_are_not() -> None:
    claims = [case(1, account=1), case(2, account=9)]
    assert said(STEP, 20, met(3, [1, 2, 3]), claims) == [QUARANTINED, ""]
    assert said(STEP, 20, met(2, [1, 2, 3]), claims) == ["", ""]
    assert said(STEP, 20, met(3, [1, 2]), claims) == ["", ""]


def test_votes_in_one_stretch_are_one_meeting() -> None:
    past = STEP.fresh()
    for tick in range(6):
        cases = [case(100 * tick + a, tick, 50, account=a) for a in (1, 2, 3)]
        past = after(STEP, tick, past, cases)
    assert said(STEP, 6, past, [case(1, account=1)]) == [""]


def test_who_says_the_other_thing_of_the_story_has_not_met_them() -> None:
    past = STEP.fresh()
    for number in range(3):
        tick = 6 * number
        past = after(
            STEP, tick, past, [case(tick + a, tick, 50, account=a, spam=a == 3) for a in (1, 2, 3)]
        )
    assert said(STEP, 20, past, [case(1, account=1)]) == [""]


def test_meetings_are_forgotten_and_a_judged_story_frees_its_claim() -> None:
    past = met(3, [1, 2, 3])
    assert said(STEP, 20, past, [case(1, account=1, judged=False)]) == [""]
    later = after(STEP, 66, past, [])
    assert said(STEP, 66, later, [case(1, account=1)]) == [""]
    assert later == STEP.fresh()
