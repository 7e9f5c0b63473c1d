"""The world: accounts, a tick's mail, and the attacker's campaign. It is the same in every arm."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np

from agents.actor import Draft
from agents.people import Accounts, BotSettings, Habits, accounts, bots
from filter.chain import Beginning
from filter.columns import Folders, Ids, Ints, rows
from filter.events import INBOX, JUNK, UNIT
from filter.limits import LimitSettings
from filter.model import ModelSettings
from filter.scoring import folders
from filter.stage import Histories, Provider
from simulator.mail import CAMPAIGN, COPY, PEOPLE, Campaign, Post, Source
from simulator.seeds import Draws

CAUGHT, MISSED = 0.95, 0.1
"""Shares of a campaign's mails that the start release puts into spam, and into the inbox."""
VARIES = 0.3
"""Share of the words that vary in the mails that a candidate is judged by."""
TRIES = 50


@dataclass(frozen=True)
class WorldSettings:
    """Who there is.

    Args:
        people: honest accounts.
    """

    people: int = 8000


class NoCampaignError(ValueError):
    """No candidate for the attacker's campaign is caught by the start release."""


class World:
    """All that is the same in every arm of a run.

    Args:
        seed: of the run.
        settings: how many people.
        habits: what people do.
        source: of ordinary mail.
        owned: how many accounts the attacker owns.
        farm: where they come from.
        mail_window: ticks in which a mail can be voted on.
    """

    def __init__(
        self,
        seed: int,
        settings: WorldSettings,
        habits: Habits,
        source: Source,
        owned: int,
        farm: BotSettings,
        mail_window: int,
    ) -> None:
        """Draw the accounts."""
        self.draws = Draws(seed)
        self.source = source
        self.people = accounts(seed, "person", settings.people, habits)
        self._bots_of = partial(bots, seed, habits=habits, settings=farm)
        self.bots = self._bots_of(owned)
        self.bot_ids: set[int] = set(self.bots.id.tolist())
        self.bot_subnets: set[int] = set(self.bots.subnet.tolist())
        secret = self.draws.generator("provider's secret").bytes(16)
        self.provider = Provider(secret, mail_window)
        self.campaign: Campaign | None = None
        self._last: tuple[int, Post] | None = None

    def join(self, count: int) -> None:
        """Let more bots join, of whom the provider knows nothing."""
        self.bots = self._bots_of(len(self.bots.id) + count)
        self.bot_ids.update(self.bots.id.tolist())
        self.bot_subnets.update(self.bots.subnet.tolist())

    def choose_campaign(self, model: ModelSettings, limits: LimitSettings) -> None:
        """Draw the campaign: the first one that a filter which has learned the start set catches.

        A filter that starts from few mails may catch none of fifty: then it is the first one that
        hardly ever reaches the inbox.

        Raises:
            NoCampaignError: all of fifty candidates reach the inbox.
        """
        second = None
        for campaign in islice(self.source.campaigns(), TRIES):
            self.source.withhold(campaign)
            put = self._put(campaign, model, limits)
            if (put == JUNK).mean() >= CAUGHT:
                self.campaign = campaign
                return
            if second is None and (put == INBOX).mean() <= MISSED:
                second = campaign
        if second is None:
            raise NoCampaignError(
                f"no campaign: all of {TRIES} candidates reach the inbox without any bot's help;"
                " try another seed, or a larger start set"
            )
        self.source.withhold(second)
        self.campaign = second

    def _put(self, campaign: Campaign, model: ModelSettings, limits: LimitSettings) -> Folders:
        """Where the start release would put some mails of a campaign."""
        start = self.source.start()
        learned = model.begin()
        learned.learn(0, start.tokens, start.spam, np.full(start.tokens.rows, UNIT, np.int64))
        release = learned.release(0)
        ids = self.draws.bits("sample", np.arange(40, dtype=np.uint64))
        odds = release.log_odds(campaign.mails(ids, np.full(40, VARIES), np.zeros(40)))
        limit = limits.of(release.log_odds(start.ham))
        return folders(odds, limit)

    def beginning(self) -> Beginning:
        """What the filter knows before the first tick."""
        both = [np.concatenate(columns) for columns in zip(self.people, self.bots, strict=True)]
        known = Accounts(*both)
        order = np.argsort(known.id)
        histories = Histories(
            known.id[order], known.opened[order], known.confirmed[order], known.refuted[order]
        )
        return Beginning(self.provider, self.source.start(), histories)

    def ordinary(self, tick: int) -> Post:
        """A tick's mail among people, the same in every arm."""
        if self._last is None or self._last[0] != tick:
            self._last = (tick, self._ordinary(tick))
        return self._last[1]

    def _ordinary(self, tick: int) -> Post:
        letters = self.source.letters(tick)
        people = self.people
        owner = self._person(letters.mail)
        count = len(letters.mail)
        return Post(
            letters.mail,
            letters.sender,
            letters.domain,
            people.id[owner],
            letters.tokens,
            owner,
            letters.genre,
            self.source.genres.spam[letters.genre],
            letters.story,
            np.full(count, PEOPLE, np.int8),
            np.zeros(count, np.int64),
        )

    def _person(self, mail: Ids) -> Ints:
        drawn = self.draws.uniform("recipient", mail)
        return np.floor(drawn * len(self.people.id)).astype(np.int64)

    def drafted(self, tick: int, drafts: Iterable[Draft], purpose: str) -> Post | None:
        """The mails that an attacker ordered, as a tick's post; nothing if he ordered none."""
        ordered = list(drafts)
        if not ordered or self.campaign is None:
            return None
        count = len(ordered)
        ids = self.draws.bits(purpose, np.arange(count, dtype=np.uint64), tick) >> np.uint64(1)
        to = np.array([-1 if draft.to is None else draft.to for draft in ordered], np.int64)
        copy = to >= 0
        owner = np.where(copy, to, self._person(ids))
        recipient = np.where(
            copy,
            self.bots.id[np.where(copy, to, 0)] if len(self.bots.id) else 0,
            self.people.id[np.where(copy, 0, owner)],
        ).astype(np.uint64)
        sender = self.draws.bits("spammer", ids) >> np.uint64(1)
        varies, ham = np.array([(draft.varies, draft.ham) for draft in ordered], np.float64).T
        variant = np.array([draft.variant for draft in ordered], np.int64)
        same = self.draws.bits("variant", variant.astype(np.uint64))
        tokens = self.campaign.mails(np.where(variant > 0, same, ids), varies, ham)
        post = Post(
            ids,
            sender,
            sender % np.uint64(4000),
            recipient,
            tokens,
            owner,
            np.full(count, self.campaign.genre, np.int8),
            np.ones(count, np.bool_),
            np.full(count, self.campaign.story, np.uint64),
            np.where(copy, COPY, CAMPAIGN).astype(np.int8),
            variant,
        )
        return rows(post, np.argsort(ids, kind="stable"))
