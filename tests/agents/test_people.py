"""The people: whose mail moves them to what, each by numbers of their own."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.people import DAY, Accounts, Habits, People, Seen, accounts
from agents.vocabulary import GENRES
from filter.columns import Floats, rows
from filter.events import INBOX, JUNK, UNSURE

COUNT = 4000
HABITS = Habits()
ALIKE = replace(HABITS, lazy=0.0, skilled=0.0, careless=0.0, slips=0.0)
"""Everybody is as the others, and nothing happens by accident."""

NAMES = tuple(genre.name for genre in GENRES)
SPAM = np.array([genre.spam for genre in GENRES])
SHARE = np.array([genre.share for genre in GENRES])
EVEN = np.ones(COUNT)


def people(habits: Habits = HABITS, zeal: Floats = EVEN, seed: int = 1, window: int = 48) -> People:
    return People(seed, habits, zeal, NAMES, SPAM, SHARE, window)


def seen(genre: str, folder: int, count: int = 200_000, first: int = 0) -> Seen:
    mail = np.arange(first, first + count, dtype=np.uint64)
    person = np.arange(count) % COUNT
    place = NAMES.index(genre)
    return Seen(mail, person, np.full(count, folder, np.int8), np.full(count, place, np.int8))


def drawn(kind: str = "person", count: int = COUNT, seed: int = 1) -> Accounts:
    return accounts(seed, kind, count, HABITS)


def test_a_few_do_most_of_the_voting_and_the_mean_is_one() -> None:
    zeal = np.sort(drawn().zeal)[::-1]
    assert zeal.mean() == pytest.approx(1.0, abs=0.1)
    assert (zeal > 0).all()
    assert np.median(zeal) < 0.6
    assert zeal[: COUNT // 10].sum() > 0.4 * zeal.sum()
    even = accounts(1, "person", COUNT, replace(HABITS, zeal_spread=0.0)).zeal
    assert even.tolist() == pytest.approx([1.0] * COUNT)


def test_zeal_is_what_people_vote_by() -> None:
    zeal = np.where(np.arange(COUNT) % 2 == 0, 0.0, 2.0)
    cast = people(ALIKE, zeal).votes(seen("pharmacy", INBOX))
    voter = seen("pharmacy", INBOX).person[cast.row]
    assert (voter % 2 == 1).all()
    assert len(cast.row) == pytest.approx(200_000 * 0.8 * 0.2, rel=0.03)


def test_one_account_more_changes_no_other() -> None:
    few, more = drawn(count=300), drawn(count=301)
    for one, other in zip(few, more, strict=True):
        assert one.tolist() == other[:300].tolist()


def test_ids_tell_neither_kind_nor_number() -> None:
    ids = np.concatenate([drawn("person").id, drawn("bot").id])
    assert len(np.unique(ids)) == 2 * COUNT
    assert ids.max() < 2**48
    bots = drawn("bot").id
    assert abs(np.corrcoef(bots.astype(float), np.arange(COUNT))[0, 1]) < 0.06


def spread(column: Any) -> list[float]:
    return [float(x) for x in np.quantile(column.astype(float), [0.1, 0.5, 0.9])]


@pytest.mark.parametrize("column", ["opened", "confirmed", "refuted", "zeal"])
def test_bots_ages_and_histories_are_drawn_like_people_s(column: str) -> None:
    ours, theirs = (spread(getattr(drawn(kind), column)) for kind in ("person", "bot"))
    assert theirs == pytest.approx(ours, rel=0.15, abs=0.5)


def test_accounts_are_a_day_to_four_years_old_and_mostly_right() -> None:
    known = drawn()
    assert (known.opened <= -DAY).all()
    assert known.opened.min() > -DAY * 1600
    votes = known.confirmed + known.refuted
    assert (known.refuted >= 0).all()
    assert (known.confirmed >= 0).all()
    assert 0.88 < known.confirmed.sum() / votes.sum() < 0.98
    assert (votes == 0).mean() > 0.2, "many have never voted"


def test_offices_share_an_address_and_homes_do_not() -> None:
    known = drawn()
    _, counts = np.unique(known.address, return_counts=True)
    shared = counts[counts > 1]
    assert shared.sum() / COUNT == pytest.approx(HABITS.office, abs=0.05)
    assert 20 < shared.mean() < 80
    alone = accounts(1, "person", COUNT, replace(HABITS, office=0.0)).address
    assert len(np.unique(alone)) > 0.999 * COUNT


def rate(genre: str, folder: int, habits: Habits = ALIKE) -> float:
    cast = people(habits).votes(seen(genre, folder))
    wanted = SPAM[NAMES.index(genre)] if folder == UNSURE else folder == INBOX
    assert (cast.spam == wanted).all()
    return len(cast.row) / 200_000


@pytest.mark.parametrize("genre", NAMES)
def test_votes_come_as_often_as_stated_for_each_genre_and_folder(genre: str) -> None:
    spam = bool(SPAM[NAMES.index(genre)])
    mistaken = (HABITS.mistaken_ham if spam else HABITS.mistaken_spam).get(genre, 0.0)
    corrected = HABITS.report_spam if spam else HABITS.rescue_ham
    wrong, right = (JUNK, INBOX) if spam else (INBOX, JUNK)
    look = {INBOX: HABITS.look_inbox, JUNK: HABITS.look_spam, UNSURE: HABITS.look_unsure}
    assert rate(genre, right) == pytest.approx(look[right] * corrected, rel=0.05)
    assert rate(genre, UNSURE) == pytest.approx(look[UNSURE] * corrected, rel=0.05)
    assert rate(genre, wrong) == pytest.approx(look[wrong] * mistaken, rel=0.35, abs=2e-5)


def test_newsletters_are_reported_by_mistake_far_more_often_than_personal_mail() -> None:
    assert rate("newsletters", INBOX, HABITS) > 5 * rate("personal", INBOX, HABITS)
    assert rate("newsletters", INBOX, HABITS) > 5 * rate("work", INBOX, HABITS)


def test_lazy_people_report_newsletters_and_nothing_else_by_mistake() -> None:
    lazy = replace(ALIKE, lazy=0.25, lazy_reports=0.4)
    plain = ALIKE.mistaken_spam["newsletters"]
    assert rate("newsletters", INBOX, lazy) == pytest.approx(
        0.8 * (0.25 * 0.4 + 0.75 * plain), rel=0.1
    )
    assert rate("receipts", INBOX, lazy) == rate("receipts", INBOX)
    voters = people(lazy).votes(seen("newsletters", INBOX)).row % COUNT
    assert len(np.unique(voters)) < 0.45 * COUNT


def test_skilled_reporters_are_never_mistaken_and_report_more() -> None:
    skilled = replace(ALIKE, skilled=0.3, skilled_reports=0.9)
    everybody = 0.8 * (0.3 * 0.9 + 0.7 * ALIKE.report_spam)
    assert rate("pharmacy", INBOX, skilled) == pytest.approx(everybody, rel=0.1)
    for genre, folder in (("newsletters", INBOX), ("dating", JUNK)):
        assert rate(genre, folder, skilled) < rate(genre, folder)


def test_who_empties_the_spam_folder_carelessly_teaches_ham_whatever_lies_there() -> None:
    careless = replace(ALIKE, careless=0.1, emptied=0.5)
    for genre in ("pharmacy", "phishing"):
        wrong = rate(genre, JUNK, careless) - rate(genre, JUNK)
        assert wrong == pytest.approx(0.1 * 0.5, rel=0.25)
    assert rate("pharmacy", INBOX, careless) == rate("pharmacy", INBOX)


def test_a_slip_of_the_hand_spares_no_genre() -> None:
    slips = replace(ALIKE, slips=0.01)
    for genre in ("personal", "work", "newsletters"):
        more = rate(genre, INBOX, slips) - rate(genre, INBOX)
        assert more == pytest.approx(0.8 * 0.01, rel=0.2)


def test_uniform_mistakes_are_as_many_but_fall_on_all_genres_alike() -> None:
    uniform = replace(ALIKE, uniform=True)
    for label, folder in ((False, INBOX), (True, JUNK)):
        genres = [name for name, spam in zip(NAMES, SPAM, strict=True) if spam == label]
        share = SHARE[label == SPAM]
        rates = [rate(genre, folder, uniform) for genre in genres]
        assert max(rates) - min(rates) < 4e-4
        natural = np.array([rate(genre, folder) for genre in genres])
        assert np.dot(rates, share) == pytest.approx(float(natural @ share), rel=0.2)


def test_corrections_outnumber_mistakes_of_the_same_kind() -> None:
    assert rate("newsletters", JUNK) > 5 * rate("newsletters", INBOX)
    assert rate("dating", INBOX) > 20 * rate("dating", JUNK)


def test_delays_have_the_mean_that_is_stated_and_end_before_the_window() -> None:
    delay = people(window=200).votes(seen("pharmacy", INBOX)).delay
    assert delay.mean() == pytest.approx(HABITS.delay - 0.5, abs=0.2)
    assert delay.min() == 0
    short = people(window=6).votes(seen("pharmacy", INBOX)).delay
    assert short.max() == 5


def test_people_look_by_folder_and_unsure_mail_gives_no_sign() -> None:
    shares = [people().keeps(seen("work", folder)).mean() for folder in (INBOX, UNSURE, JUNK)]
    assert shares == [pytest.approx(0.8, abs=0.01), 0.0, pytest.approx(0.05, abs=0.003)]


def test_what_a_mail_moves_its_reader_to_is_the_same_whatever_lies_beside_it() -> None:
    whole = seen("pharmacy", INBOX, 5000)
    half = rows(whole, np.arange(0, 5000, 2))
    alone = people().votes(half)
    both = people().votes(whole)
    among = np.isin(both.row, np.arange(0, 5000, 2))
    assert (2 * alone.row).tolist() == both.row[among].tolist()
    assert alone.delay.tolist() == both.delay[among].tolist()
    assert people().keeps(half).tolist() == people().keeps(whole)[::2].tolist()


def test_another_seed_has_other_people_and_other_luck() -> None:
    assert drawn(seed=1).id.tolist() != drawn(seed=2).id.tolist()
    one, other = (people(seed=seed).votes(seen("dating", INBOX, 2000)).row for seed in (1, 2))
    assert one.tolist() != other.tolist()
