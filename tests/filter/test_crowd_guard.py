"""The crowd guard: rulings, lessons and credits across accounts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from filter import codec
from filter.checks import HOLD, NOTHING, Case, Heard, Suspicion
from filter.checks.golden_neighbours import GoldenNeighbours
from filter.checks.near_duplicates import NearDuplicates
from filter.columns import Bits, Features, Judgements, Kept, no_judgements, no_kept
from filter.crowd_guard import CrowdGuard, CrowdGuardIn, CrowdGuardOut
from filter.events import (
    INBOX,
    MERGED,
    QUARANTINED,
    REJECTED,
    TAUGHT,
    UNIT,
    Claim,
    Credit,
    Lesson,
)
from filter.ragged import Ragged, ragged
from filter.stage import Provider

PROVIDER = Provider(bytes(16), 48)
COMMON = np.zeros(1 << 10, np.bool_)


class Budgeted:
    """Lets one claim of a tick pass, the first in the order given."""

    def fresh(self) -> int:
        return 0

    def examine(self, tick: int, past: int, cases: list[Case]) -> list[Suspicion]:
        waits = Suspicion(QUARANTINED, "one an hour")
        return [Suspicion() if place == 0 else waits for place, _ in enumerate(cases)]

    def learn(self, tick: int, past: int, heard: Heard) -> int:
        return past + len(heard.taught)


def guard(*checks: tuple[str, Any], most: int = 1000) -> CrowdGuard:
    return CrowdGuard(PROVIDER, checks, COMMON, 3, most)


def words(story: int) -> list[int]:
    return [int(t) for t in np.random.default_rng(story).integers(0, 2**32, 20)]


def features(mails: dict[int, int]) -> Features:
    """Mails by id, with the number of the story each is of."""
    column = np.array(sorted(mails), np.uint64)
    tokens = ragged([words(mails[mail]) for mail in sorted(mails)])
    return Features(column, column, column, np.full(len(mails), INBOX, np.int8), tokens)


SHOP = 44
"""The subnet of all claims."""


class Suspicious:
    """Holds every claim."""

    def fresh(self) -> None:
        """Nothing is remembered."""

    def examine(self, tick: int, past: None, cases: Sequence[Case]) -> list[Suspicion]:
        """Hold it."""
        return [Suspicion(QUARANTINED, "why not")] * len(cases)

    def learn(self, tick: int, past: None, heard: Heard) -> None:
        """Nothing is learned."""


def claim(
    mail: int,
    *,
    tick: int = 1,
    spam: bool = True,
    trust: float = 0.5,
    hold: str = "",
    vote: int = 0,
) -> Claim:
    number = vote or 100 + mail
    holder = "reputation" if hold else ""
    return Claim(
        number, 1000 + mail, mail, 0, spam, tick, 0, SHOP, trust, False, UNIT, hold, holder
    )


def judged(*labels: tuple[int, bool]) -> Judgements:
    mails = np.array([mail for mail, _ in labels], np.uint64)
    count = len(labels)
    spam = np.array([label for _, label in labels], np.bool_)
    zero = np.zeros(count, np.int64)
    return Judgements(mails, zero, spam, zero.astype(np.int8), mails, spam & False, zero + 1)


def step(
    stage: CrowdGuard,
    tick: int,
    *claims: Claim,
    mails: dict[int, int] | None = None,
    judgements: Judgements | None = None,
    kept: Kept | None = None,
) -> CrowdGuardOut:
    here = features(mails or {})
    given = CrowdGuardIn(here, claims, kept or no_kept(), judgements or no_judgements())
    return stage.step(tick, given)


MAILS = {1: 10, 2: 10, 3: 30, 4: 40}
"""Mails 1 and 2 are near-duplicates."""


def begun(*checks: tuple[str, Any]) -> CrowdGuard:
    stage = guard(*checks)
    step(stage, 0, mails=MAILS)
    return stage


def ruled(out: CrowdGuardOut) -> dict[int, str]:
    assert len({one.vote for one in out.rulings}) == len(out.rulings)
    return {one.mail: one.ruling for one in out.rulings}


def test_without_a_check_every_claim_teaches_at_once() -> None:
    out = step(begun(), 1, claim(1), claim(3, spam=False))
    assert ruled(out) == {1: TAUGHT, 3: TAUGHT}
    assert out.lessons == (
        Lesson(1, True, 0, UNIT, ((1001, UNIT),)),
        Lesson(3, False, 0, UNIT, ((1003, UNIT),)),
    )
    assert out.credits == ()


def test_a_held_claim_waits_for_a_judgement_and_is_ruled_on_once_more() -> None:
    for label, ruling in ((True, TAUGHT), (False, REJECTED)):
        stage = begun()
        assert ruled(step(stage, 1, claim(1, hold="low standing"))) == {1: QUARANTINED}
        assert ruled(step(stage, 2)) == {}
        out = step(stage, 3, judgements=judged((2, label)))
        assert ruled(out) == {1: ruling}
        assert len(out.lessons) == label
        assert step(stage, 4).rulings == ()


def test_a_held_claim_that_nobody_judges_is_rejected_when_its_mail_is_too_old() -> None:
    stage = begun()
    step(stage, 1, claim(1, hold="low standing"))
    rulings = {tick: ruled(step(stage, tick)) for tick in range(2, 55)}
    (late,) = [tick for tick, found in rulings.items() if found]
    assert late == PROVIDER.mail_window + 1
    assert rulings[late] == {1: REJECTED}


def test_a_ruling_on_a_claim_that_waited_names_who_had_it_wait() -> None:
    by_account, by_crowd = claim(1, hold="low standing"), claim(3)
    stage = begun(("suspicious", Suspicious()))
    found = [*step(stage, 1, by_account, by_crowd).rulings]
    for tick in range(2, 55):
        found += step(stage, tick).rulings
    assert [(one.mail, one.ruling, one.check) for one in found] == [
        (1, QUARANTINED, "reputation"),
        (3, QUARANTINED, "suspicious"),
        (1, REJECTED, "reputation"),
        (3, REJECTED, "suspicious"),
    ]
    assert found[-1].reason == "too late: not cleared in 48 h"


def test_a_claim_that_the_judges_refute_in_quarantine_counts_for_who_put_it_there() -> None:
    stage = begun()
    step(stage, 1, claim(1, hold="low standing"))
    (ruling,) = step(stage, 2, judgements=judged((2, False))).rulings
    assert (ruling.check, ruling.reason) == ("reputation", "refuted in quarantine (low standing)")


@pytest.mark.parametrize("first", ["claim", "judgement"])
def test_a_judgement_on_a_neighbour_credits_a_claim_whichever_came_first(first: str) -> None:
    stage = begun()
    right, wrong = claim(1), claim(3, spam=False)
    said = judged((2, True), (3, True))
    if first == "claim":
        step(stage, 1, right, wrong)
        out = step(stage, 2, judgements=said)
    else:
        step(stage, 1, judgements=said)
        out = step(stage, 2, right, wrong)
    assert out.credits == (Credit(1001, 1, 101, 1, SHOP), Credit(1003, 3, 103, -1, SHOP))


def test_a_claim_is_credited_once_however_often_its_story_is_judged() -> None:
    stage = begun()
    step(stage, 1, claim(1))
    given = [step(stage, tick, judgements=judged((2, True))).credits for tick in (2, 3, 4)]
    assert [len(one) for one in given] == [1, 0, 0]


def test_judges_who_disagree_with_one_another_credit_nobody_until_they_do_not() -> None:
    stage = begun()
    step(stage, 1, claim(1))
    assert step(stage, 2, judgements=judged((1, True), (2, False))).credits == (
        Credit(1001, 1, 101, 1, SHOP),
    )
    stage = begun()
    step(stage, 2, judgements=judged((1, True), (2, False)))
    assert step(stage, 3, claim(1)).credits == ()
    assert len(step(stage, 4, judgements=judged((2, True))).credits) == 1


def test_best_reputed_claims_go_first_then_those_of_the_smaller_id() -> None:
    stage = begun(("budgeted", Budgeted()))
    order = []
    given = [claim(1, trust=0.4), claim(3, trust=0.9), claim(4, trust=0.4)]
    out = step(stage, 1, *given)
    for tick in (2, 3, 4):
        order += [one.mail for one in out.rulings if one.ruling == TAUGHT]
        out = step(stage, tick)
    assert order == [3, 1, 4]


def test_a_claim_that_goes_on_waiting_gets_no_second_ruling() -> None:
    stage = begun(("budgeted", Budgeted()))
    step(stage, 1, claim(1), claim(3), claim(4))
    assert [len(step(stage, tick).rulings) for tick in (2, 3, 4)] == [1, 1, 0]


def test_the_first_check_that_stops_a_claim_is_named() -> None:
    stage = begun(("golden", GoldenNeighbours()), ("budgeted", Budgeted()))
    out = step(stage, 1, claim(1, spam=False), claim(3), judgements=judged((2, True)))
    assert {one.mail: one.check for one in out.rulings} == {1: "golden", 3: ""}


def test_near_duplicates_teach_once_and_the_others_merge() -> None:
    stage = guard(("near_duplicates", NearDuplicates(once_per=3)))
    mails = dict.fromkeys(range(1, 9), 10)
    step(stage, 0, mails=mails)
    first = step(stage, 1, *map(claim, (1, 2, 3)))
    assert sorted(ruled(first).values()) == [QUARANTINED, QUARANTINED, TAUGHT]
    assert sorted(ruled(step(stage, 2, claim(4))).values()) == [MERGED] * 3
    assert ruled(step(stage, 4, claim(5))) == {5: TAUGHT}
    assert len(step(stage, 5, claim(6, spam=False)).lessons) == 1


def test_the_order_of_a_tick_s_outputs_is_that_of_their_ids() -> None:
    out = step(begun(), 1, *map(claim, (4, 1, 3, 2)))
    assert list(out.rulings) == sorted(out.rulings)
    assert [lesson.mail for lesson in out.lessons] == [1, 2, 3, 4]


def test_a_thawed_guard_goes_on_as_if_nothing_had_happened() -> None:
    checks = (("near_duplicates", NearDuplicates()), ("budgeted", Budgeted()))
    stage, other = begun(*checks), guard(*checks)
    step(stage, 1, *map(claim, (1, 3, 4)), claim(2, hold="x"), judgements=judged((3, True)))
    other.thaw(stage.freeze())
    for tick in range(2, 60):
        said = judged((2, False)) if tick == 5 else None
        out, same = (step(one, tick, judgements=said) for one in (stage, other))
        assert codec.pack(out) == codec.pack(same)
    assert other.freeze() == stage.freeze()


def test_a_guard_with_another_check_takes_up_what_it_knows() -> None:
    stage = begun()
    step(stage, 1, claim(1, hold="x"))
    more = guard(("golden", GoldenNeighbours()))
    more.thaw(stage.freeze())
    assert ruled(step(more, 2, judgements=judged((2, True)))) == {1: TAUGHT}


def test_no_ruling_is_called_hold_outside_the_account_guard() -> None:
    assert HOLD not in {TAUGHT, MERGED, QUARANTINED, REJECTED}


def sizes(stage: CrowdGuard) -> dict[str, int]:
    memory = stage._memory
    return {
        "judged": len(memory.judged),
        "held": len(memory.held),
        "open": sum(map(len, memory.open.values())),
        "stories": len(stage._stories._leaders),
        "mails": len(stage._mails._by_tick),
        "index": sum(map(len, stage._stories._index.values())),
    }


def test_four_thousand_claims_of_new_accounts_leave_a_memory_that_is_flat() -> None:
    """Promise 9: ten new accounts an hour, for 400 hours, each with a story of its own."""
    stage = guard(("golden", GoldenNeighbours()), most=450)
    history = []
    rng = np.random.default_rng(1)
    for tick in range(400):
        mails = np.arange(10 * tick, 10 * tick + 10, dtype=np.uint64)
        tokens = ragged(list(rng.integers(0, 2**32, (10, 8))))
        given = Features(mails, mails, mails, np.zeros(10, np.int8), tokens)
        claims = tuple(
            Claim(m, m, m, tick, bool(m % 2), tick, 0, 0, 0.5, False, UNIT, "x" * (m % 3 == 0))
            for m in mails.tolist()
        )
        said = judged((int(mails[0]), True))._replace(sent=np.array([tick]))
        stage.step(tick, CrowdGuardIn(given, claims, no_kept(), said))
        history.append(sizes(stage))
    for name in history[0]:
        early, late = (
            max(one[name] for one in history[part]) for part in (slice(150, 250), slice(300, 400))
        )
        assert late <= early, name
    assert history[-1]["stories"] <= 450 + 24 * 10
    assert history[-1]["held"] <= 49 * 4 + 4
    assert len(codec.pack(stage.freeze())) < 1_000_000


class Doubting:
    """Doubts looks at mail in the spam folder, and at mail that holds a word."""

    def __init__(self, word: int) -> None:
        self._word = word

    def fresh(self) -> None:
        return None

    def examine(self, tick: int, past: None, cases: Sequence[Case]) -> list[Suspicion]:
        return [NOTHING] * len(cases)

    def learn(self, tick: int, past: None, heard: Heard) -> None:
        return None

    def doubted(self, tick: int, past: None, tokens: Ragged, spam: Bits) -> Bits:
        holds = [self._word in tokens.row(row).tolist() for row in range(tokens.rows)]
        return spam | np.array(holds, np.bool_)


def test_looks_at_mail_that_a_check_doubts_do_not_count() -> None:
    mails = {1: 10, 2: 20, 3: 20, 4: 10}
    number = np.array([1, 2, 3, 4], np.uint64)
    zero, junk = np.zeros(4, np.int64), np.array([False, False, False, True])
    kept = Kept(number, number, zero, zero, junk)
    word = int(features(mails).tokens.row(1)[0])
    for checks, counted in ((("doubting", Doubting(word)),), [1]), ((), [1, 2, 3, 4]):
        stage = guard(*checks)
        assert step(stage, 0, mails=mails).believed.mail.tolist() == []
        assert step(stage, 1, kept=kept).believed.mail.tolist() == counted
