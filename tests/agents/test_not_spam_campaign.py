import numpy as np
import pytest

from agents.actor import Delivery, Draft, View
from agents.attacks.not_spam_campaign import NotSpamCampaign
from filter.events import FOLDERS, HAM, Vote
from simulator import loop
from simulator.seeds import Draws
from tests.contracts.small import Table, run, small

ATTACK = NotSpamCampaign(accounts=50, mails_per_hour=7, votes_per_hour=9, varies=0.4)


def rng(tick: int = 1) -> np.random.Generator:
    return Draws(1).generator("not-spam-campaign", "poison", tick)


def delivery(number: int, folder: str) -> Delivery:
    return Delivery(number, 1000 + number, 7, 8, -500, 70 + number, 3, folder, 99 + number)


def test_the_campaign_is_so_many_mails_to_people_every_hour() -> None:
    assert list(ATTACK.campaign(5, rng())) == [Draft(0.4)] * 7


def test_copies_go_to_different_bots_of_his_own() -> None:
    drafts = [one for one in ATTACK.poison(View(5, 2, ()), rng()) if isinstance(one, Draft)]
    bots = {one.to for one in drafts}
    assert len(drafts) == len(bots) == 9
    assert all(bot is not None and 0 <= bot < 50 for bot in bots)
    assert {one.varies for one in drafts} == {0.4}


def test_bots_rescue_what_is_not_in_the_inbox_and_leave_the_rest() -> None:
    inbox = tuple(delivery(n, folder) for n, folder in enumerate(FOLDERS))
    votes = [one for one in ATTACK.poison(View(5, 2, inbox), rng()) if isinstance(one, Vote)]
    assert [(vote.account, vote.mail, vote.label) for vote in votes] == [
        (1001, 71, HAM),
        (1002, 72, HAM),
    ]


def test_a_vote_shows_the_token_and_the_address_of_its_own_delivery() -> None:
    (vote,) = [
        one
        for one in ATTACK.poison(View(5, 2, (delivery(2, "spam"),)), rng())
        if isinstance(one, Vote)
    ]
    assert (vote.sent, vote.tick, vote.token) == (3, 5, 101)
    assert (vote.address, vote.subnet, vote.opened) == (7, 8, -500)


@pytest.mark.parametrize("accounts", [1, 3])
def test_few_accounts_get_one_copy_each(accounts: int) -> None:
    attack = NotSpamCampaign(accounts=accounts, votes_per_hour=20)
    assert len(list(attack.poison(View(1, 1, ()), rng()))) == accounts


def test_in_another_hour_other_bots_get_copies() -> None:
    first, second = (
        [one.to for one in ATTACK.poison(View(tick, 1, ()), rng(tick)) if isinstance(one, Draft)]
        for tick in (1, 2)
    )
    assert first != second


STRONG: Table = {
    "arms": ["unguarded", "reference"],
    "duration": 30,
    "attack": {"settings": {"accounts": 60, "mails_per_hour": 10, "votes_per_hour": 40}},
}


def test_without_a_guard_the_campaign_moves_from_spam_to_the_inbox() -> None:
    done = run(small(STRONG))
    frames, twin = (done.arms[name].frames for name in ("unguarded", "reference"))
    late = [frame for frame in frames if 18 <= frame.tick < 30]
    quiet = [frame for frame in twin if 18 <= frame.tick < 30]
    share, alone = (
        sum(f.campaign_in_inbox for f in part) / sum(f.campaign for f in part)
        for part in (late, quiet)
    )
    assert alone < 0.2
    assert share > alone + 0.3


def test_every_bot_that_votes_votes_on_its_own_copy_the_hour_after() -> None:
    prepared = loop.prepare(small({"arms": ["unguarded"]}))
    bots = set(prepared.world.bots.id.tolist())
    for _ in loop.ticks(prepared):
        flow = prepared.arms["unguarded"].last
        for vote in (flow.votes or ()) if flow else ():
            if vote.account in bots:
                assert vote.tick == vote.sent + 1
                assert prepared.world.provider.signed(
                    vote.account, vote.mail, vote.sent, vote.token
                )
