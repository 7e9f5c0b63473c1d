"""What any attack has to keep, as functions: for ours, and for a file of a user's own."""

import inspect
import re
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from agents.actor import Delivery, Draft, View, fresh
from filter import codec
from filter.events import FOLDERS, LABELS, Vote
from filter.plugins import Plugin
from simulator.seeds import Draws
from tests.contracts.small import run, small

ATLAS = re.compile(r"AML\.T\d{4}(\.\d{3})?")
TICKS = range(5, 15)


def hold_contract(plugin: Plugin, name: str) -> None:
    """All of it; ``name`` is what ``--attack`` is given.

    Raises:
        AssertionError: what is not kept.
    """
    is_described(plugin)
    attack: Any = plugin.settings()
    assert attack.accounts > 0
    orders_drafts_and_votes(attack)
    repeats_itself(attack)
    remembers_what_can_be_saved(attack)
    campaigns_without_having_poisoned(plugin)
    runs(name)


def is_described(plugin: Plugin) -> None:
    kind: Any = plugin.settings
    said = kind.__doc__ or ""
    assert said.strip().split("\n")[0].endswith("."), "the first line is a sentence"
    assert "Cost" in said, "what it costs: accounts, mails, votes"
    for field in fields(kind):
        assert field.name in said, f"the setting {field.name} is not explained"
    assert kind.atlas, "ids of MITRE ATLAS"
    assert all(ATLAS.fullmatch(one) for one in kind.atlas), "ids of ATLAS look like AML.T0020"
    assert "atlas" not in {field.name for field in fields(kind)}, "no setting, but of the class"
    assert kind() == kind()


def fits_on_a_page(plugin: Plugin) -> bool:
    """Whether the file is about as long as attacks should be."""
    return (
        25 <= len(inspect.getsource(inspect.getmodule(plugin.settings) or Plugin).split("\n")) <= 90
    )


def inbox(tick: int, accounts: int) -> tuple[Delivery, ...]:
    return tuple(
        Delivery(
            bot=number % accounts,
            account=1000 + number % accounts,
            address=7,
            subnet=8,
            opened=-900,
            mail=tick * 100 + number,
            sent=tick - 1,
            folder=FOLDERS[number % 3],
            token=number**5,
            variant=number % 4,
        )
        for number in range(12)
    )


def orders(attack: Any, method: str, tick: int, seed: int = 1) -> list[Any]:
    """What it orders at a tick, with nothing remembered."""
    rng = Draws(seed).generator("contract", method, tick)
    if method == "campaign":
        return list(attack.campaign(tick, rng))
    return list(attack.poison(View(tick, tick, inbox(tick, attack.accounts), fresh(attack)), rng))


def orders_drafts_and_votes(attack: Any) -> None:
    """Mail to himself or to people; votes from his own accounts on his own mail, as delivered."""
    for tick in TICKS:
        for draft in orders(attack, "campaign", tick):
            assert isinstance(draft, Draft), "a campaign is made of drafts"
            is_draft(draft, attack.accounts)
        for order in orders(attack, "poison", tick):
            assert isinstance(order, Draft | Vote), "poison is made of drafts and votes"
            if isinstance(order, Draft):
                is_draft(order, attack.accounts)
            else:
                is_own_vote(order, tick, inbox(tick, attack.accounts))


def is_draft(draft: Draft, accounts: int) -> None:
    assert 0 <= draft.varies <= 1, "a draft varies by 0 to 1"
    assert 0 <= draft.ham <= 1, "a draft has 0 to 1 of ham's words"
    assert draft.variant >= 0, "variants are numbered from 1; 0 is none"
    assert draft.to is None or 0 <= draft.to < accounts, "a draft to an account not his own"


def is_own_vote(vote: Vote, tick: int, delivered: Sequence[Delivery]) -> None:
    assert vote.label in LABELS, "a vote says ham or spam"
    own = {(d.account, d.address, d.subnet, d.opened) for d in delivered}
    assert (vote.account, vote.address, vote.subnet, vote.opened) in own, "an account not his own"
    assert vote.tick <= tick, "a vote from the future"


def repeats_itself(attack: Any) -> None:
    """All its luck comes from the generator it is given."""
    for tick in TICKS:
        for method in ("campaign", "poison"):
            again = orders(attack, method, tick)
            assert orders(attack, method, tick) == again, f"{method} does not repeat itself"


def remembers_what_can_be_saved(attack: Any) -> None:
    """Saved and taken up again between two ticks, its memory leads to the same orders."""
    one, other = fresh(attack), fresh(attack)
    for tick in TICKS:
        ordered = [
            list(
                attack.poison(
                    View(tick, tick, inbox(tick, attack.accounts), memory),
                    Draws(1).generator("contract", "poison", tick),
                )
            )
            for memory in (one, other)
        ]
        assert ordered[0] == ordered[1], "what it remembers is not what it was"
        if other is not None:
            other = codec.unpack(type(other), codec.pack(other))


def campaigns_without_having_poisoned(plugin: Plugin) -> None:
    """The twin's campaign is the same, though nobody poisons there."""
    poisoning, twin = plugin.settings(), plugin.settings()
    for tick in TICKS:
        orders(poisoning, "poison", tick)
        same = orders(poisoning, "campaign", tick) == orders(twin, "campaign", tick)
        assert same, "the campaign depends on the poison"


def runs(name: str) -> None:
    """It runs in a small world, in both arms, and every vote is accounted for."""
    change = {"duration": 14, "attack": {"name": name, "settings": {"accounts": 10}}}
    done = run(small(change))
    frames = [done.arms[arm].frames for arm in ("attacked", "twin")]
    attacked, twin = ([frame.campaign for frame in of] for of in frames)
    assert attacked == twin, "the campaign is the same in the twin"
    assert not any(frame.votes_bots or frame.copies for frame in frames[1])
    assert np.isfinite([frame.lessons_bots for frame in frames[0]]).all()
