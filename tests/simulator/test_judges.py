"""The judges: whom they draw, how often they err, and what they are asked."""

from typing import Any

import numpy as np
import pytest

from filter.columns import Bits, Ids, Judgements
from filter.events import INBOX, JUNK, UNSURE, JudgeRequest
from simulator.judges import Judges, JudgeSettings
from simulator.seeds import Draws
from simulator.truth import Known, Truth

TICK = 5
SECRET = b"the provider's.."
MANY = 100_000
ERRORS = 0.1


def ids(count: int) -> Ids:
    return np.arange(1, count + 1, dtype=np.uint64)


def alternating(count: int) -> Bits:
    return (np.arange(count) % 2).astype(np.bool_)


def key(count: int, folder: int = UNSURE, spam: Bits | None = None) -> Known:
    """Mails 1 to ``count``, each of its own domain and recipient; every second one is spam."""
    mail = ids(count)
    return Known(
        mail,
        mail,
        mail,
        np.zeros(count, np.int8),
        alternating(count) if spam is None else spam,
        mail,
        np.zeros(count, np.int8),
        np.full(count, folder, np.int8),
        np.full(count, folder, np.int8),
    )


def judge(
    known: Known,
    requests: tuple[JudgeRequest, ...] = (),
    earlier: Known | None = None,
    secret: bytes = SECRET,
    seed: int = 1,
    everything: bool = False,
    **settings: Any,
) -> Judgements:
    truth = Truth(100, set(), set())
    truth.restore({TICK: known} | ({} if earlier is None else {TICK - 1: earlier}))
    judges = Judges(JudgeSettings(**settings), Draws(seed), secret, everything)
    return judges.judge(TICK, known, requests, truth)


def ask(*mails: int, sent: int = TICK) -> tuple[JudgeRequest, ...]:
    return tuple(JudgeRequest(mail, sent) for mail in mails)


def wrong(judged: Judgements, known: Known) -> Bits:
    """Which judgements err; mail ``n`` stands in row ``n - 1``."""
    return judged.spam ^ known.spam[judged.mail.astype(np.int64) - 1]


@pytest.mark.parametrize("golden", [0.0, 0.01, 0.2, 1.0])
def test_the_golden_share_is_as_set(golden: float) -> None:
    share = len(judge(key(MANY), golden=golden).mail) / MANY
    assert share == pytest.approx(golden, abs=4 * (golden * (1 - golden) / MANY) ** 0.5)


def test_another_secret_draws_other_mails() -> None:
    one, two = (judge(key(MANY), secret=secret, golden=0.1) for secret in (SECRET, b"another" * 2))
    both = len(np.intersect1d(one.mail, two.mail)) / MANY
    assert both == pytest.approx(0.1**2, abs=0.002)


def test_the_same_secret_draws_the_same_mails_whatever_the_seed_the_truth_and_the_folder() -> None:
    drawn = judge(key(MANY)).mail.tolist()
    assert drawn == judge(key(MANY), seed=2).mail.tolist()
    assert drawn == judge(key(MANY, JUNK, ~alternating(MANY))).mail.tolist()


@pytest.mark.parametrize("golden", [0.3, 1.0])
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("column", ["recipient", "domain"])
def test_of_one_recipient_and_of_one_domain_only_so_many_are_judged(
    column: str, most: int, golden: float
) -> None:
    shared = np.random.default_rng(3).integers(0, 50, 1000).astype(np.uint64)
    changed: dict[str, Any] = {column: shared}
    limit: dict[str, Any] = {f"per_{column}": most}
    judged = judge(key(1000)._replace(**changed), golden=golden, **limit)
    _, counts = np.unique(shared[judged.mail.astype(np.int64) - 1], return_counts=True)
    assert counts.max() == most
    if golden == 1.0:
        assert counts.tolist() == [most] * len(np.unique(shared))


def test_both_limits_hold_at_once_and_the_ones_by_default_are_one_and_three() -> None:
    known = key(100)._replace(domain=np.zeros(100, np.uint64), recipient=ids(100) // np.uint64(2))
    judged = judge(known, golden=1.0)
    recipients = known.recipient[judged.mail.astype(np.int64) - 1].tolist()
    assert len(judged.mail) == len(set(recipients)) == 3


def test_what_the_gate_asks_for_is_not_limited() -> None:
    known = key(9)._replace(domain=np.zeros(9, np.uint64), recipient=np.zeros(9, np.uint64))
    assert judge(known, ask(*range(1, 10)), golden=0.0).mail.tolist() == list(range(1, 10))


def test_judgements_err_at_about_the_set_rate() -> None:
    known = key(MANY)
    judged = judge(known, golden=1.0, errors=ERRORS)
    assert (judged.times == 1).all()
    for spam in (False, True):
        assert wrong(judged, known)[known.spam == spam].mean() == pytest.approx(ERRORS, abs=0.006)


def test_other_seeds_err_elsewhere_and_without_errors_all_is_true() -> None:
    known = key(MANY)
    one, two = (judge(known, seed=seed, golden=1.0, errors=ERRORS) for seed in (1, 2))
    both = wrong(one, known) & wrong(two, known)
    assert both.mean() == pytest.approx(ERRORS**2, abs=0.002)
    assert not wrong(judge(known, golden=1.0, errors=0.0), known).any()


@pytest.mark.parametrize(("folder", "contrary"), [(INBOX, True), (JUNK, False)])
def test_a_judgement_against_the_folder_is_made_three_times_and_any_other_once(
    folder: int, contrary: bool
) -> None:
    known = key(1000, folder)
    judged = judge(known, golden=1.0, errors=0.0)
    assert judged.times.tolist() == [3 if spam == contrary else 1 for spam in known.spam]


@pytest.mark.parametrize("folder", [INBOX, JUNK])
def test_the_majority_of_three_seldom_errs(folder: int) -> None:
    """Of a mail in the wrong folder, both other judges must err; of one in the right, any other."""
    known = key(MANY, folder)
    judged = judge(known, golden=1.0, errors=ERRORS)
    misplaced = known.spam == (folder == INBOX)
    thrice = judged.times == 3
    assert thrice[judged.spam == (folder == INBOX)].all()
    err = wrong(judged, known)
    assert thrice[misplaced].mean() == pytest.approx(1 - ERRORS, abs=0.006)
    assert err[misplaced & thrice].mean() == pytest.approx(ERRORS**2, abs=0.003)
    assert thrice[~misplaced].mean() == pytest.approx(ERRORS, abs=0.006)
    assert err[~misplaced].mean() == pytest.approx(ERRORS * (1 - (1 - ERRORS) ** 2), abs=0.003)
    assert err[thrice].mean() < ERRORS / 2


def test_one_judge_who_errs_against_two_is_outvoted() -> None:
    known = key(MANY, INBOX, np.zeros(MANY, np.bool_))
    judged = judge(known, golden=1.0, errors=ERRORS)
    outvoted = (judged.times == 3) & ~judged.spam
    assert outvoted.mean() == pytest.approx(ERRORS * (1 - ERRORS) ** 2, abs=0.005)


def test_what_the_gate_asked_for_is_marked_and_nothing_else_is() -> None:
    golden = judge(key(1000), golden=0.1).mail.tolist()
    wanted = [mail for mail in (3, 500, 999) if mail not in golden]
    judged = judge(key(1000), ask(*wanted), golden=0.1)
    assert wanted
    assert judged.mail[judged.asked].tolist() == wanted
    assert judged.mail.tolist() == sorted(golden + wanted)
    assert not judge(key(1000), golden=0.1).asked.any()


def test_a_mail_both_golden_and_asked_for_is_judged_once_as_golden() -> None:
    golden = judge(key(1000), golden=0.1)
    judged = judge(key(1000), ask(*golden.mail.tolist()), golden=0.1)
    assert len(golden.mail) > 50
    for column in Judgements._fields:
        assert getattr(judged, column).tolist() == getattr(golden, column).tolist()


def test_the_gate_may_ask_for_a_mail_of_an_earlier_tick() -> None:
    earlier = key(4, JUNK)._replace(
        mail=np.array([101, 102, 103, 104], np.uint64), domain=np.array([7, 8, 9, 10], np.uint64)
    )
    requests = ask(103, 102, sent=TICK - 1) + ask(2)
    judged = judge(key(4, INBOX), requests, earlier, golden=0.0, errors=0.0)
    assert judged.mail.tolist() == [2, 102, 103]
    assert judged.sent.tolist() == [TICK, TICK - 1, TICK - 1]
    assert judged.spam.tolist() == [True, True, False]
    assert judged.folder.tolist() == [INBOX, JUNK, JUNK]
    assert judged.domain.tolist() == [2, 8, 9]
    assert judged.asked.all()


def test_judges_who_are_off_judge_nothing_at_all() -> None:
    judged = judge(key(1000), ask(1, 2, 3), on=False, golden=1.0)
    assert [len(column) for column in judged] == [0] * len(Judgements._fields)


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("folder", [INBOX, UNSURE, JUNK])
def test_everything_is_judged_once_and_without_error(folder: int, on: bool) -> None:
    known = key(1000, folder)._replace(domain=np.zeros(1000, np.uint64))
    judged = judge(known, ask(1, 2), everything=True, on=on, golden=0.0, errors=0.5)
    assert judged.mail.tolist() == known.mail.tolist()
    assert judged.spam.tolist() == known.spam.tolist()
    assert (judged.times == 1).all()
    assert (judged.sent == TICK).all()
    assert not judged.asked.any()


@pytest.mark.parametrize("everything", [True, False])
def test_permuted_truth_permutes_the_judgements_and_errors_stay_where_they_were(
    everything: bool,
) -> None:
    right = key(MANY)
    permuted = right._replace(spam=np.random.default_rng(6).permutation(right.spam))
    one, two = (
        judge(known, everything=everything, golden=0.2, errors=ERRORS)
        for known in (right, permuted)
    )
    assert (one.spam != two.spam).mean() == pytest.approx(0.5, abs=0.02)
    assert wrong(one, right).tolist() == wrong(two, permuted).tolist()
    assert one.mail.tolist() == two.mail.tolist()


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_of_all_labels_a_share_of_the_recipients_gives_theirs(share: float) -> None:
    known = key(MANY)
    known = known._replace(recipient=known.mail // np.uint64(10))
    judged = judge(known, everything=True, labelled=share)
    recipients = known.recipient[judged.mail.astype(np.int64) - 1]
    found = len(np.unique(recipients)) / len(np.unique(known.recipient))
    assert found == pytest.approx(share, abs=0.03)
    assert len(judged.mail) == np.isin(known.recipient, recipients).sum()
    assert not wrong(judged, known).any()


def test_labels_of_all_mail_end_at_a_tick() -> None:
    assert len(judge(key(9), everything=True, labelled_until=TICK + 1).mail) == 9
    assert len(judge(key(9), everything=True, labelled_until=TICK).mail) == 0
