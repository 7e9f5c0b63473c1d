"""The second opinion: a model that only judges have taught."""

import numpy as np
import pytest

from filter import codec
from filter.checks import Case, Heard, Suspicion
from filter.checks.second_opinion import Opinion, SecondOpinion
from filter.columns import Judgements, no_judgements
from filter.events import INBOX, QUARANTINED, UNIT, Claim
from filter.ragged import ragged

CHECK = SecondOpinion(enough=20, newest=100)
MAILS = 1000
"""Of a tick."""
CAMPAIGN = list(range(5000, 5040))


def mails(count: int, spam: bool, seed: int, campaign: int = 0) -> list[list[int]]:
    """Mails of 30 words that all use and 10 of their label's; the last ones are a campaign's."""
    rng = np.random.default_rng(seed)
    own, shared = (
        rng.integers(1000 * (1 + spam), 1000 * (1 + spam) + 300, (count, 10)),
        (rng.integers(0, 300, (count, 30))),
    )
    rows: list[list[int]] = np.concatenate((own, shared), axis=1).tolist()
    return rows[: count - campaign] + [campaign_mail(seed + n) for n in range(campaign)]


def campaign_mail(seed: int, kept: int = 8) -> list[int]:
    """A mail that keeps few of the campaign's words; its other words are new every time."""
    rng = np.random.default_rng(10**6 + seed)
    new: list[int] = rng.integers(10**5, 10**6, 32).tolist()
    return CAMPAIGN[:kept] + new


def judged(tokens: list[list[int]], spam: list[bool]) -> Heard:
    count = len(spam)
    ids, zero = np.arange(count, dtype=np.uint64), np.zeros(count, np.int64)
    labels, folder = np.array(spam, np.bool_), np.full(count, INBOX, np.int8)
    said = Judgements(ids, zero, labels, folder, ids, labels & False, zero + 1)
    return Heard([], [], said, MAILS, ragged(tokens))


def taught(check: SecondOpinion = CHECK, ticks: int = 150, campaign: int = 0) -> Opinion:
    """Twenty judgements of each label a tick; some of the spam a campaign's."""
    past = check.fresh()
    for tick in range(1, ticks + 1):
        tokens = mails(20, False, tick) + mails(20, True, 100 + tick, campaign)
        past = check.learn(tick, past, judged(tokens, [False] * 20 + [True] * 20))
    return past


def case(tokens: list[int], spam: bool = False, said: bool | None = None, arrived: int = 8) -> Case:
    claim = Claim(1, 2, 3, 8, spam, 9, 0, 0, 0.5, False, UNIT, "")
    return Case(claim, 3, said, arrived, np.array(tokens, np.uint32))


def rulings(past: Opinion, *cases: Case, check: SecondOpinion = CHECK, tick: int = 9) -> list[str]:
    return [one.ruling for one in check.examine(tick, past, list(cases))]


HAMMY, SPAMMY = mails(40, False, 77), mails(40, True, 78)


def test_a_claim_that_judged_mail_contradicts_is_held_and_one_that_it_bears_out_is_not() -> None:
    past = taught()
    rescued = rulings(past, *[case(one) for one in HAMMY + SPAMMY])
    assert rescued[:40] == [""] * 40
    assert 10 <= rescued[40:].count(QUARANTINED) <= 30, "about half of spam is like half of it"
    reported = rulings(past, *[case(one, spam=True) for one in HAMMY + SPAMMY])
    assert 10 <= reported[:40].count(QUARANTINED) <= 30
    assert reported[40:] == [""] * 40


def test_what_judges_said_of_its_story_goes_before() -> None:
    past = taught()
    contradicted = next(one for one in SPAMMY if rulings(past, case(one)) == [QUARANTINED])
    assert rulings(past, case(contradicted, said=False)) == [""]
    assert rulings(past, case(contradicted, said=True)) == [QUARANTINED]


def test_a_campaign_of_which_a_few_copies_were_judged_is_known_however_its_words_vary() -> None:
    copies = [case(campaign_mail(500 + n)) for n in range(20)]
    assert rulings(taught(), *copies) == [""] * 20, "nobody has seen one yet"
    assert rulings(taught(campaign=2), *copies) == [QUARANTINED] * 20


def test_with_little_judged_it_says_nothing() -> None:
    check = SecondOpinion(enough=200)
    assert rulings(taught(check, 9), *[case(one) for one in SPAMMY], check=check) == [""] * 40
    assert rulings(check.fresh(), case(SPAMMY[0]), check=check) == [""]
    assert CHECK.examine(1, taught(), []) == []


def test_the_first_mails_it_learns_tell_no_scores() -> None:
    """They were scored by a model that knew nothing."""
    past = taught(ticks=1)
    assert (len(past.of_ham), len(past.of_spam)) == (0, 0)
    assert past.ham.sum() == past.spam.sum() == 20 * 40
    assert len(taught(ticks=3).of_ham) == 40


def test_in_a_flood_more_is_held_until_it_is_over() -> None:
    check = SecondOpinion(enough=20, newest=100, share=0.5, strict=0.1, start=1.0, hours=3)
    past = taught(check)
    quiet = rulings(past, *[case(one) for one in SPAMMY[:3]], check=check)
    flood = rulings(past, *[case(one, arrived=9) for one in SPAMMY], check=check)
    assert flood.count(QUARANTINED) > 30
    assert flood[:3].count(QUARANTINED) >= quiet.count(QUARANTINED)
    held = [case(one) for one in SPAMMY]
    assert rulings(past, *held, check=check).count(QUARANTINED) < 30, "they came before"
    for tick, strict in ((10, True), (11, True), (12, False)):
        claims = [case(one, arrived=9) for one in SPAMMY] if tick == 10 else []
        past = check.learn(tick - 1, past, Heard(claims, [], no_judgements(), MAILS))
        many = rulings(past, *held, check=check, tick=tick).count(QUARANTINED)
        assert (many > 30) == strict


def test_what_is_usual_grows_by_a_tenth_a_day_at_most() -> None:
    check = SecondOpinion(enough=20, start=1.0)
    past, claims = taught(check), [case(one) for one in SPAMMY]
    usual = [past.usual]
    for tick in range(24, 24 * 6):
        past = check.learn(tick, past, Heard(claims, [], no_judgements(), MAILS))
        if tick % 24 == 23:
            usual.append(past.usual)
    growth = np.diff(np.log(usual[1:]))
    assert growth == pytest.approx([np.log(1.1)] * len(growth), rel=0.01)


def test_judged_mail_fades_by_the_day() -> None:
    past = taught(SecondOpinion(half_life=24.0))
    after = SecondOpinion(half_life=24.0).learn(24, past, Heard([], [], no_judgements(), MAILS))
    assert after.ham.sum() == pytest.approx(past.ham.sum() / 2)
    kept = SecondOpinion(half_life=0.0).learn(24, past, Heard([], [], no_judgements(), MAILS))
    assert kept.ham.sum() == past.ham.sum()


def test_what_it_knows_travels_and_the_order_of_claims_does_not_matter() -> None:
    past = taught(campaign=3)
    again = codec.unpack(Opinion, codec.pack(past))
    cases = [case(one) for one in HAMMY + SPAMMY]
    found: list[Suspicion] = CHECK.examine(9, again, cases)
    assert found == CHECK.examine(9, past, cases)
    assert found[::-1] == CHECK.examine(9, past, cases[::-1])


def test_looks_at_mail_in_a_folder_that_judged_mail_finds_wrong_are_doubted() -> None:
    past, tokens = taught(), ragged(HAMMY + SPAMMY)
    for junk in (False, True):
        doubted = CHECK.doubted(9, past, tokens, np.full(80, junk)).reshape(2, 40).sum(axis=1)
        right, wrong = doubted if not junk else doubted[::-1]
        assert right == 0
        assert wrong > 25
    nothing = CHECK.doubted(9, CHECK.fresh(), tokens, np.zeros(80, np.bool_))
    assert not nothing.any()


def test_a_mail_that_is_gone_is_not_contradicted() -> None:
    past = taught()
    assert rulings(past, case([]), case([], spam=True)) == ["", ""]


def test_a_quiet_hour_after_busy_ones_is_no_flood() -> None:
    check = SecondOpinion(enough=20, newest=100, start=1.0, hours=3)
    past = taught(check)
    for tick, mails_ in ((9, 20_000), (10, 20_000), (11, 0), (12, 500)):
        past = check.learn(tick, past, Heard([], [], no_judgements(), mails_))
    assert past.flood > 4 + 3 * past.usual * 20


def test_while_it_says_nothing_the_usual_stays_as_it_was_and_it_never_sticks_at_nothing() -> None:
    mute, speaking = SecondOpinion(enough=10**6), SecondOpinion(enough=20, memory=1.0)
    for check, least in ((mute, 0.6), (speaking, 0.0)):
        past = taught(check)
        for tick in range(24, 24 * 4):
            past = check.learn(tick, past, Heard([], [], no_judgements(), 5000))
        assert past.usual == pytest.approx(least)
        assert past.cap >= 0.06
