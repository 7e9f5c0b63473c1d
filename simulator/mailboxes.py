"""Mailboxes: from verdicts to what people and bots do about them."""

from typing import NamedTuple

import numpy as np

from agents.actor import Delivery
from agents.people import Accounts, Cast, People, Seen
from filter.columns import Bits, Ids, Ints, Kept, Ticks, Verdicts, joined, no_kept, rows
from filter.events import FOLDERS, HAM, INBOX, JUNK, SPAM, Vote
from filter.hashing import combine, key
from simulator.mail import COPY, Post

VOTE = key("vote")


class Pending(NamedTuple):
    """Votes that people will cast, in columns."""

    mail: Ids
    sent: Ticks
    person: Ints
    spam: Bits
    token: Ids


class Mailboxes:
    """What was delivered, and the votes and looks that it leads to.

    Args:
        people: their accounts.
        habits: what they do about a delivery.
        bots: the attacker's accounts.
        kept_after: ticks after which a mail that was seen and left counts as kept.
    """

    def __init__(self, people: Accounts, habits: People, bots: Accounts, kept_after: int) -> None:
        """Start with empty mailboxes."""
        self._people = people
        self._habits = habits
        self._bots = bots
        self._kept_after = kept_after
        self._votes: dict[int, list[Pending]] = {}
        self._kept: dict[int, list[Kept]] = {}

    def join(self, bots: Accounts) -> None:
        """Take the attacker's accounts anew, when there are more of them."""
        self._bots = bots

    def deliver(self, now: int, sent: int, post: Post, verdicts: Verdicts) -> None:
        """Let people see a tick's mail; what they will do is drawn at once."""
        own = np.flatnonzero(post.kind != COPY)
        seen = Seen(verdicts.mail[own], post.owner[own], verdicts.shown[own], post.genre[own])
        self._keep_copies(now, sent, post, verdicts)
        cast = self._habits.votes(seen)
        keeps = self._habits.keeps(seen)
        keeps[cast.row] = False
        self._note_votes(now, sent, seen, cast, verdicts.token[own])
        self._keep(now, sent, rows(seen, keeps), self._people)

    def _keep_copies(self, now: int, sent: int, post: Post, verdicts: Verdicts) -> None:
        """Bots look at every copy that reached their inboxes, and keep it there."""
        own = np.flatnonzero((post.kind == COPY) & (verdicts.shown == INBOX))
        if len(own):
            kept = Seen(verdicts.mail[own], post.owner[own], verdicts.shown[own], post.genre[own])
            self._keep(now, sent, kept, self._bots)

    def _keep(self, now: int, sent: int, seen: Seen, accounts: Accounts) -> None:
        """Note what counts as kept some hours after it was sent."""
        kept = Kept(
            seen.mail,
            accounts.id[seen.person],
            np.full(len(seen.mail), sent),
            accounts.opened[seen.person],
            seen.folder == JUNK,
        )
        self._kept.setdefault(max(now, sent + self._kept_after), []).append(kept)

    def _note_votes(self, now: int, sent: int, seen: Seen, cast: Cast, token: Ids) -> None:
        for delay in np.unique(cast.delay).tolist():
            at = np.flatnonzero(cast.delay == delay)
            row = cast.row[at]
            pending = Pending(
                seen.mail[row],
                np.full(len(row), sent),
                seen.person[row],
                cast.spam[at],
                token[row],
            )
            self._votes.setdefault(now + delay, []).append(pending)

    def votes(self, tick: int) -> list[Vote]:
        """The votes that people cast at a tick."""
        return [vote for pending in self._votes.pop(tick, ()) for vote in self._cast(tick, pending)]

    def _cast(self, tick: int, pending: Pending) -> list[Vote]:
        people, who = self._people, pending.person
        account = people.id[who]
        columns = (
            combine(VOTE, account, pending.mail, tick, 0),
            account,
            pending.mail,
            pending.sent,
            pending.spam,
            people.address[who],
            people.subnet[who],
            people.opened[who],
            pending.token,
        )
        return [
            Vote(id_, who_, mail, sent, SPAM if spam else HAM, tick, address, net, opened, token)
            for id_, who_, mail, sent, spam, address, net, opened, token in zip(
                *(column.tolist() for column in columns), strict=True
            )
        ]

    def kept(self, tick: int) -> Kept:
        """What counts as kept at a tick, in order of the mail's id."""
        parts = self._kept.pop(tick, [])
        return joined(parts) if parts else no_kept()

    def inbox(self, sent: int, post: Post, verdicts: Verdicts) -> list[Delivery]:
        """What a tick brought to the attacker's own accounts."""
        own = np.flatnonzero(post.kind == COPY)
        bots, bot = self._bots, post.owner[own]
        columns = (
            bot,
            bots.id[bot],
            bots.address[bot],
            bots.subnet[bot],
            bots.opened[bot],
            verdicts.mail[own],
            np.full(len(own), sent),
            np.array(FOLDERS, np.object_)[verdicts.shown[own]],
            verdicts.token[own],
            post.variant[own],
        )
        return [Delivery(*one) for one in zip(*(c.tolist() for c in columns), strict=True)]

    def state(self) -> tuple[dict[int, list[Pending]], dict[int, list[Kept]]]:
        """What is still to come, to be frozen."""
        return self._votes, self._kept

    def restore(self, votes: dict[int, list[Pending]], kept: dict[int, list[Kept]]) -> None:
        """Take up what was frozen."""
        self._votes, self._kept = votes, kept
