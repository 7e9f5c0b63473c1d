"""What each attack does that makes it what it is, hour by hour."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from agents.actor import Delivery, Draft, View, fresh
from agents.attacks.boiling_frog import BoilingFrog
from agents.attacks.lurkers import Lurkers
from agents.attacks.sleepers import Sleepers
from agents.attacks.slow_drip import SlowDrip
from agents.attacks.sybil_farm import SybilFarm
from filter.events import FOLDERS, HAM, SPAM, Vote
from simulator.seeds import Draws


def inbox(hour: int, bots: list[int]) -> tuple[Delivery, ...]:
    """A mail to each of these bots, one in each folder in turn."""
    return tuple(
        Delivery(bot, 1000 + bot, bot, bot, -900, 100 * hour + n, hour, FOLDERS[n % 3], 7)
        for n, bot in enumerate(bots)
    )


def hours(attack: Any, count: int) -> Iterator[tuple[list[Draft], list[Vote], list[Draft]]]:
    """The copies and votes of each hour, and the campaign; copies arrive the hour after."""
    came: tuple[Delivery, ...] = ()
    for hour in range(count):
        rng = Draws(1).generator("attack", hour)
        orders = list(attack.poison(View(72 + hour, hour, came), rng))
        copies = [one for one in orders if isinstance(one, Draft)]
        campaign = list(attack.campaign(hour, Draws(1).generator("campaign", hour)))
        yield copies, [one for one in orders if isinstance(one, Vote)], campaign
        came = inbox(hour, [one.to for one in copies if one.to is not None])


def test_slow_drip_uses_each_account_once_in_its_pause_and_all_of_them() -> None:
    attack = SlowDrip(accounts=50, pause=12)
    sent = [[one.to for one in copies if one.to is not None] for copies, _, _ in hours(attack, 36)]
    for first in range(0, 36, 12):
        used = [bot for hour in sent[first : first + 12] for bot in hour]
        assert sorted(used) == list(range(50))
    assert sent[:12] == sent[12:24]
    assert {len(hour) for hour in sent} == {4, 5}


def test_sybils_vote_once_and_begin_again_only_when_all_have() -> None:
    attack = SybilFarm(accounts=60, votes_per_hour=10)
    votes = [vote for _, cast, _ in hours(attack, 7) for vote in cast]
    assert max(Counter(vote.account for vote in votes).values()) == 1
    sent = [one.to for copies, _, _ in hours(attack, 12) for one in copies]
    assert Counter(sent) == dict.fromkeys(range(60), 2)


def test_sleepers_are_right_until_they_strike() -> None:
    attack = Sleepers(accounts=48, sleep=30, votes_per_hour=6)
    asleep = list(hours(attack, 30))
    labels = {vote.label for _, cast, _ in asleep for vote in cast}
    assert labels == {SPAM}
    assert not any(campaign for _, _, campaign in asleep)
    first_day = [one for copies, _, _ in asleep[:24] for one in copies]
    assert sorted(one.to for one in first_day if one.to is not None) == list(range(48))
    assert {(one.variant, one.varies, one.ham) for one in first_day} == {(1, 1.0, 0.5)}
    awake = list(hours(attack, 40))[31:]
    assert {vote.label for _, cast, _ in awake for vote in cast} == {HAM}
    assert all(len(copies) == 6 and len(campaign) == 25 for copies, _, campaign in awake)
    assert {one.variant for copies, _, _ in awake for one in copies} == {0}


def test_sleepers_do_not_report_what_is_in_the_spam_folder_already() -> None:
    attack = Sleepers()
    cast = list(attack.poison(View(80, 8, inbox(7, [0, 1, 2])), Draws(1).generator("x")))
    assert [vote.account for vote in cast if isinstance(vote, Vote)] == [1000, 1001]


def test_a_boiling_frog_grows_by_the_day_then_strikes_with_the_campaign() -> None:
    attack = BoilingFrog(warm=240, first=3.0, growth_per_day=0.2, votes_per_hour=25)
    done = list(hours(attack, 250))
    sent = [sum(len(copies) for copies, _, _ in done[day : day + 24]) for day in range(0, 240, 24)]
    assert sent[0] == pytest.approx(24 * 3.0 * 1.1, rel=0.1)
    assert sent[9] / sent[0] == pytest.approx(1.2**9, rel=0.1)
    assert {one.varies for copies, _, _ in done[:240] for one in copies} == {1.0}
    assert not any(campaign for _, _, campaign in done[:240])
    assert [len(campaign) for _, _, campaign in done[240:]] == [25] * 10
    assert {one.varies for copies, _, _ in done[240:] for one in copies} == {0.3}
    assert {vote.label for _, cast, _ in done for vote in cast} == {HAM}


def test_lurkers_never_vote_and_take_off_their_disguise_as_it_is_needed_no_more() -> None:
    attack = Lurkers(accounts=20, copies_per_hour=50, begin=0.5, step=0.1, arrive=0.6)
    memory, shares = fresh(attack), []
    for hour, folder in enumerate(["spam", "inbox", "inbox", "unsure", *["inbox"] * 6], 1):
        came = tuple(one._replace(folder=folder) for one in inbox(hour, [1, 2, 3]))
        orders = list(attack.poison(View(hour, hour, came, memory), Draws(1).generator("x", hour)))
        assert {type(one) for one in orders} == {Draft}
        assert len(orders) == 50
        assert {one.to for one in orders if isinstance(one, Draft)} <= set(range(20))
        shares.append({round(one.ham, 6) for one in orders if isinstance(one, Draft)})
    assert shares == [{0.6}, {0.5}, {0.4}, {0.5}, {0.4}, {0.3}, {0.2}, {0.1}, {0.0}, {0.0}]


def test_lurkers_that_get_no_mail_change_nothing() -> None:
    attack = Lurkers(begin=0.5)
    orders = list(attack.poison(View(9, 9, (), fresh(attack)), Draws(1).generator("x")))
    assert {one.ham for one in orders if isinstance(one, Draft)} == {0.5}
