"""The account guard: what is known of one account, and no more."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest

from filter.account_guard import AccountGuard, AccountGuardIn, AccountGuardOut
from filter.checks.data_quality import DataQuality
from filter.checks.duplicates import Duplicates
from filter.checks.rate_limit import RateLimit
from filter.checks.reputation import Reputation
from filter.columns import Kept, no_kept
from filter.delivery import sign, sign_one
from filter.events import (
    DECOY,
    DUPLICATE,
    HAM,
    LIMITED,
    QUARANTINE,
    REJECTED,
    RESPONDER,
    SHADOW,
    SHADOWED,
    SPAM,
    SUBNET,
    UNIT,
    Credit,
    Response,
    Vote,
)
from filter.ledger import Everything, Memory, Pasts
from filter.stage import Histories, Provider

PROVIDER = Provider(bytes(range(16)), 48)
CHECKS: list[tuple[str, Any]] = [
    ("data_quality", DataQuality()),
    ("duplicates", Duplicates()),
    ("rate_limit", RateLimit(votes_per_day=24.0, burst=3.0)),
    ("reputation", Reputation()),
]
OLD, GOOD, BAD = 100, 200, 300


def histories() -> Histories:
    account = np.array([OLD, GOOD, BAD], np.uint64)
    opened = np.array([-5000, -5000, -5000])
    return Histories(account, opened, np.array([0, 9, 0]), np.array([0, 0, 9]))


def guard() -> AccountGuard:
    return AccountGuard(PROVIDER, CHECKS, histories(), new_age=168)


def vote(account: int, mail: int, tick: int, label: str = HAM, sent: int | None = None) -> Vote:
    when = tick - 1 if sent is None else sent
    token = sign_one(PROVIDER.secret, account, mail, when)
    return Vote(account * 10**6 + mail, account, mail, when, label, tick, 7, 8, tick - 1000, token)


def step(
    stage: AccountGuard,
    tick: int,
    *votes: Vote,
    judged: tuple[Credit, ...] = (),
    responses: tuple[Response, ...] = (),
    kept: Kept | None = None,
) -> AccountGuardOut:
    given = AccountGuardIn(votes, kept or no_kept(), judged, responses)
    return stage.step(tick, given)


def test_a_good_vote_becomes_a_claim_of_full_weight() -> None:
    (claim,), _, stopped = step(guard(), 10, vote(GOOD, 5, 10, SPAM))
    assert stopped == ()
    assert (claim.account, claim.mail, claim.spam, claim.weight) == (GOOD, 5, True, UNIT)
    assert (claim.sent, claim.tick, claim.address, claim.subnet) == (9, 10, 7, 8)
    assert claim.reputation == pytest.approx(10 / 11, abs=0.01)
    assert (claim.vetted, claim.hold) == (True, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": "good"}, "unknown label"),
        ({"tick": 11}, "from the future: tick 11 at tick 10"),
        ({"sent": 10**9, "tick": 10}, "before its mail was delivered"),
        ({"sent": -1}, "before its mail was delivered"),
        ({"token": 12345}, "forged token: never delivered to this account"),
        ({"account": GOOD}, "forged token: never delivered to this account"),
        ({"mail": 6}, "forged token: never delivered to this account"),
        ({"sent": 8}, "forged token: never delivered to this account"),
    ],
)
def test_a_vote_that_cannot_be_true_is_rejected(change: dict[str, Any], reason: str) -> None:
    import msgspec

    bad = msgspec.structs.replace(vote(OLD, 5, 10), **change)
    out = step(guard(), 10, bad)
    assert out.claims == ()
    assert [(one.ruling, one.check, one.reason) for one in out.stopped] == [
        (REJECTED, "data_quality", reason)
    ]


@pytest.mark.parametrize(("late", "passes"), [(48, True), (49, False)])
def test_a_vote_counts_for_as_long_as_the_window_says(late: int, passes: bool) -> None:
    out = step(guard(), 60, vote(OLD, 5, 60, sent=60 - late))
    assert bool(out.claims) == passes
    assert passes or out.stopped[0].reason == f"too late: after {late} h"


def test_the_second_vote_on_a_mail_is_a_duplicate_whatever_it_says() -> None:
    stage = guard()
    first = step(stage, 10, vote(OLD, 5, 10), vote(OLD, 5, 10, SPAM))
    assert len(first.claims) == 1
    assert [one.ruling for one in first.stopped] == [DUPLICATE]
    for tick in (11, 30, 57):
        again = step(stage, tick, vote(OLD, 5, tick, sent=9))
        assert [one.ruling for one in again.stopped] == [DUPLICATE]


def test_a_duplicate_is_told_from_two_people_who_vote_on_one_story() -> None:
    out = step(guard(), 10, vote(OLD, 5, 10), vote(GOOD, 6, 10), vote(OLD, 7, 10))
    assert len(out.claims) == 3


def test_no_account_says_more_than_its_rate_and_others_do_not_pay_for_it() -> None:
    stage = guard()
    out = step(stage, 10, *[vote(OLD, mail, 10) for mail in range(8)], vote(GOOD, 99, 10))
    assert [claim.mail for claim in out.claims] == [0, 1, 2, 99]
    assert {one.ruling for one in out.stopped} == {LIMITED}
    later = step(stage, 12, *[vote(OLD, mail, 12) for mail in range(20, 28)])
    assert len(later.claims) == 2


def test_an_account_that_was_refuted_before_is_held_not_stopped() -> None:
    (claim,), _, stopped = step(guard(), 10, vote(BAD, 5, 10))
    assert stopped == ()
    assert claim.hold.startswith("reputation 0.09 below")


def test_credits_move_the_standing_of_their_account_alone() -> None:
    stage = guard()
    refuted = tuple(Credit(OLD, mail, mail, -1, 0) for mail in range(5))
    out = step(stage, 10, vote(OLD, 5, 10), vote(GOOD, 6, 10), judged=refuted)
    of_old, of_good = out.claims
    assert of_old.hold
    assert of_good.vetted


def test_quarantine_holds_until_its_end_and_no_longer() -> None:
    stage = guard()
    ends = Response(GOOD, QUARANTINE, 20, "")
    held = [step(stage, 10, vote(GOOD, 1, 10), responses=(ends,)).claims[0].hold]
    held += [step(stage, tick, vote(GOOD, tick, tick)).claims[0].hold for tick in (19, 20, 21)]
    assert held == ["source in quarantine until 20 h"] * 2 + ["", ""]


def test_a_claim_names_who_would_have_it_wait() -> None:
    stage = guard()
    refuted = tuple(Credit(OLD, mail, mail, -1, 0) for mail in range(5))
    ends = Response(GOOD, QUARANTINE, 20, "")
    votes = (vote(OLD, 5, 10), vote(GOOD, 6, 10), vote(777, 7, 10))
    out = step(stage, 10, *votes, judged=refuted, responses=(ends,))
    assert {one.account: one.holder for one in out.claims} == {
        OLD: "reputation",
        GOOD: RESPONDER,
        777: "",
    }


def test_quarantine_of_a_subnet_holds_whoever_votes_from_it() -> None:
    stage = guard()
    there, elsewhere = vote(GOOD, 1, 10), msgspec.structs.replace(vote(OLD, 2, 10), subnet=9)
    out = step(stage, 10, there, elsewhere, responses=(Response(8, QUARANTINE, 12, "", SUBNET),))
    assert [claim.hold for claim in out.claims] == ["its subnet in quarantine until 12 h", ""]
    held = [step(stage, tick, vote(GOOD, tick, tick)).claims[0].hold for tick in (11, 12)]
    assert [bool(one) for one in held] == [True, False]


def test_an_account_that_has_the_number_of_a_subnet_is_another_source() -> None:
    stage = AccountGuard(PROVIDER, CHECKS, histories(), new_age=168)
    subnet, account = Response(GOOD, QUARANTINE, 99, "", SUBNET), Response(8, QUARANTINE, 99, "")
    out = step(stage, 10, vote(GOOD, 1, 10), responses=(subnet, account))
    assert out.claims[0].hold == ""


def test_a_shadowed_vote_teaches_nothing_and_what_it_keeps_counts_nothing_until_the_end() -> None:
    stage = guard()
    ends = (Response(GOOD, SHADOW, 20, ""),)
    out = step(stage, 10, vote(GOOD, 1, 10), kept=looks(OLD, GOOD), responses=ends)
    assert out.claims == ()
    (ruling,) = out.stopped
    assert (ruling.ruling, ruling.check) == (SHADOWED, "responder")
    assert ruling.reason == "source shadowed until 20 h"
    assert out.trusted.account.tolist() == [OLD]
    (again,) = step(stage, 11, vote(GOOD, 1, 11, sent=9)).stopped
    assert again.ruling == DUPLICATE, "what no guard is needed for is told first"
    out = step(stage, 20, vote(GOOD, 2, 20), kept=looks(OLD, GOOD))
    assert len(out.claims) == 1
    assert out.trusted.account.tolist() == [OLD, GOOD]


def test_who_is_shown_decoys_is_heard_as_before_for_a_stranger_may_have_sent_him_the_mail() -> None:
    ends = (Response(GOOD, DECOY, 20, ""),)
    out = step(guard(), 10, vote(GOOD, 1, 10), kept=looks(OLD, GOOD), responses=ends)
    assert [claim.hold for claim in out.claims] == [""]
    assert out.trusted.account.tolist() == [OLD, GOOD]


def test_without_a_responder_nobody_is_in_quarantine_not_even_who_was_before() -> None:
    heeds, free = guard(), AccountGuard(PROVIDER, CHECKS, histories(), 168, heeds=False)
    response = Response(GOOD, QUARANTINE, 99, "")
    step(heeds, 10, responses=(response,))
    free.thaw(heeds.freeze())
    assert free.ledger.quarantined(11) == {}
    for stage, held in ((heeds, True), (free, False)):
        (claim,) = step(stage, 12, vote(GOOD, 5, 12), responses=(response,)).claims
        assert bool(claim.hold) == held


def looks(*accounts: int, opened: int = -500) -> Kept:
    account = np.array(accounts, np.uint64)
    count = len(accounts)
    ticks = np.full(count, opened)
    return Kept(np.arange(count, dtype=np.uint64), account, ticks, ticks, np.zeros(count, np.bool_))


def test_what_new_accounts_and_those_in_quarantine_keep_counts_nothing() -> None:
    stage = guard()
    assert len(step(stage, 10, kept=looks(OLD, GOOD)).trusted.mail) == 2
    assert len(step(stage, 11, kept=looks(OLD, opened=-100)).trusted.mail) == 0
    out = step(stage, 12, kept=looks(OLD, GOOD), responses=(Response(GOOD, QUARANTINE, 99, ""),))
    assert out.trusted.account.tolist() == [OLD]


def test_what_one_account_does_never_changes_what_becomes_of_another() -> None:
    """So that the stage can be split by account: each account's rulings are its own."""
    votes = [vote(account, mail, 10) for account in (OLD, GOOD, BAD) for mail in range(5)]
    whole = step(guard(), 10, *votes)
    alone = [step(guard(), 10, *[v for v in votes if v.account == a]) for a in (OLD, GOOD, BAD)]
    assert sorted(whole.claims) == sorted(claim for out in alone for claim in out.claims)
    assert sorted(whole.stopped) == sorted(one for out in alone for one in out.stopped)


def test_a_thawed_guard_goes_on_as_if_nothing_had_happened() -> None:
    stage = guard()
    credit = (Credit(OLD, 1, 1, -1, 0), Credit(OLD, 2, 2, -1, 0))
    votes = [vote(OLD, mail, 10) for mail in range(5)]
    step(stage, 10, *votes, judged=credit, responses=(Response(GOOD, QUARANTINE, 99, ""),))
    other = guard()
    other.thaw(stage.freeze())
    assert other.freeze() == stage.freeze()
    for tick in (11, 24, 30):
        more = [vote(account, mail, tick, sent=9) for account in (OLD, GOOD) for mail in range(3)]
        assert step(stage, tick, *more)[0::2] == step(other, tick, *more)[0::2]
    assert other.freeze() == stage.freeze()


def test_a_guard_with_another_check_takes_up_what_it_knows() -> None:
    stage = AccountGuard(PROVIDER, CHECKS[:2], histories(), 168)
    step(stage, 10, vote(OLD, 5, 10), vote(BAD, 5, 10))
    more = guard()
    more.thaw(stage.freeze())
    assert len(more.freeze()) > len(stage.freeze())
    again = step(more, 11, vote(OLD, 5, 11, sent=9), vote(BAD, 6, 11))
    assert [one.ruling for one in again.stopped] == [DUPLICATE]
    assert [one.hold for one in again.claims] == ["reputation 0.09 below 0.3"]


def newcomers(first: int, count: int, tick: int) -> tuple[Vote, ...]:
    """One good vote each of so many accounts that nobody has seen before."""
    account = np.arange(first, first + count, dtype=np.uint64)
    token = sign(PROVIDER.secret, account, account, tick).tolist()
    return tuple(
        Vote(one, one, one, tick, HAM, tick, 0, 0, tick, token[one - first])
        for one in range(first, first + count)
    )


def test_forty_thousand_new_accounts_leave_no_trace_in_four_hundred_hours() -> None:
    """Promise 9, with tokens that are checked one for one in another test."""
    stage = AccountGuard(PROVIDER, CHECKS[1:], histories(), 168)
    sizes = []
    for tick in range(400):
        step(stage, tick, *newcomers(1000 + 100 * tick, 100, tick))
        sizes.append(len(stage.ledger.everything(tick).accounts))
    assert max(sizes) <= 100 * (48 + 24 + 2)
    assert max(sizes[100:200]) >= max(sizes[300:])


def test_an_account_that_votes_every_hour_is_remembered_for_the_window_alone() -> None:
    stage = AccountGuard(PROVIDER, CHECKS[1:], histories(), 168)
    for tick in range(400):
        step(stage, tick, vote(OLD, tick, tick, sent=tick))
    (seen, *_) = stage.ledger.everything(399).accounts[OLD]
    assert len(seen) <= PROVIDER.mail_window + 1


def test_accounts_that_leave_lose_their_quarantine_too() -> None:
    stage = guard()
    for tick in range(200):
        ends = Response(10**6 + tick, QUARANTINE, tick + 10, "")
        step(stage, tick, responses=(ends,))
    assert len(stage.ledger.quarantined(200)) <= 10


def test_a_packed_past_takes_some_two_hundred_bytes() -> None:
    stage = guard()
    step(stage, 1, *newcomers(1000, 500, 1))
    assert len(stage.freeze()) < 500 * 200


class Watched(Memory):
    """A ledger that notes what it is asked, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []
        self.fails = ""

    def _note(self, name: str, *what: Any) -> None:
        self.asked.append((name, *what))
        if name == self.fails:
            self.fails = ""
            raise ConnectionError(name)

    def load(self, tick: int, accounts: Collection[int]) -> dict[int, Pasts]:
        self._note("load", tick, sorted(accounts))
        return super().load(tick, accounts)

    def quarantined(self, tick: int) -> dict[int, int]:
        self._note("quarantined", tick)
        return super().quarantined(tick)

    def put(
        self, tick: int, changed: Mapping[int, Pasts | None], quarantined: dict[int, int] | None
    ) -> None:
        self._note("put", tick, {a: p is not None for a, p in changed.items()}, quarantined)
        super().put(tick, changed, quarantined)

    def everything(self, tick: int) -> Everything:
        self._note("everything", tick)
        return super().everything(tick)


def watched() -> tuple[AccountGuard, Watched]:
    ledger = Watched()
    return AccountGuard(PROVIDER, CHECKS, histories(), 168, ledger=ledger), ledger


def asked(ledger: Watched) -> list[Any]:
    told = [one for one in ledger.asked if one[0] != "quarantined"]
    ledger.asked.clear()
    return told


def test_a_step_loads_its_accounts_once_and_puts_once_what_changed() -> None:
    stage, ledger = watched()
    step(stage, 10, vote(OLD, 5, 10), vote(OLD, 6, 10), judged=(Credit(BAD, 1, 1, -1, 0),))
    assert asked(ledger) == [("load", 10, [OLD, BAD]), ("put", 10, {OLD: True, BAD: True}, None)]
    step(stage, 11, vote(OLD, 5, 11, sent=9), vote(GOOD, 5, 11, sent=8, label="good"))
    assert asked(ledger) == [("load", 11, [OLD, GOOD]), ("put", 11, {}, None)]
    step(stage, 12, responses=(Response(GOOD, QUARANTINE, 14, ""),))
    step(stage, 13)
    step(stage, 14)
    puts = [one for one in asked(ledger) if one[0] == "put"]
    assert puts == [("put", 12, {}, {GOOD: 14}), ("put", 13, {}, None), ("put", 14, {}, {})]


def test_a_vote_that_cannot_be_true_leaves_no_trace_of_its_account() -> None:
    stage, ledger = watched()
    step(stage, 10, *[vote(account, 5, 10, label="good") for account in range(1000, 1100)])
    assert ledger.everything(10).accounts == {}


def test_once_a_day_everybody_of_whom_nothing_matters_is_forgotten() -> None:
    stage, ledger = watched()
    step(stage, 10, vote(GOOD, 5, 10), vote(OLD, 6, 10), judged=(Credit(BAD, 1, 1, -1, 0),))
    for tick in (24, 48, 72):
        ledger.asked.clear()
        step(stage, tick, *[vote(OLD, 7, tick, sent=60)] * (tick == 72))
        assert asked(ledger)[0] == ("everything", tick - 1)
    assert sorted(ledger.everything(72).accounts) == [OLD, BAD]
    assert list(ledger.everything(72).accounts[OLD][1]) == [7]


def test_who_votes_in_the_hour_of_being_forgotten_begins_afresh() -> None:
    stage, late = guard(), 24 * 500
    step(stage, 23, judged=(Credit(OLD, 5, 5, -1, 0),))
    (claim,) = step(stage, late, vote(OLD, 6, late)).claims
    assert claim.reputation == 0.5


def test_who_is_judged_in_the_hour_of_forgetting_is_not_forgotten() -> None:
    stage, ledger = watched()
    step(stage, 23, vote(OLD, 5, 23, sent=0))
    step(stage, 96, judged=(Credit(OLD, 5, 5, -1, 0),))
    assert sorted(ledger.everything(96).accounts) == [OLD]


@pytest.mark.parametrize("fails", ["load", "quarantined", "put"])
@pytest.mark.parametrize("tick", [10, 24])
def test_a_step_that_failed_can_be_called_again(fails: str, tick: int) -> None:
    (stage, ledger), (other, _) = watched(), watched()
    for one in (stage, other):
        step(one, tick - 1, vote(OLD, 5, tick - 1), judged=(Credit(BAD, 1, 1, -1, 0),))
    given = [vote(OLD, mail, tick, sent=tick - 2) for mail in (5, 6, 7, 8)]
    judged, ends = (Credit(OLD, 1, 1, -1, 0),), (Response(GOOD, QUARANTINE, 99, ""),)
    ledger.fails = "everything" if (fails, tick) == ("load", 24) else fails
    with pytest.raises(ConnectionError):
        step(stage, tick, *given, judged=judged, responses=ends)
    again = step(stage, tick, *given, judged=judged, responses=ends)
    assert again[0::2] == step(other, tick, *given, judged=judged, responses=ends)[0::2]
    assert stage.freeze() == other.freeze()


def test_a_frozen_guard_is_the_same_bytes_in_whatever_order_its_accounts_came() -> None:
    stage, other = guard(), guard()
    first, second = vote(OLD, 5, 10), vote(GOOD, 6, 10)
    held = (Response(OLD, QUARANTINE, 99, ""), Response(GOOD, QUARANTINE, 98, ""))
    step(stage, 10, first, second, responses=held)
    step(other, 10, second, first, responses=held[::-1])
    assert stage.freeze() == other.freeze()
