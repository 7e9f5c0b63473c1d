"""What an attacker is, what he may see, and what he may do."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

import msgspec
from numpy.random import Generator

from filter.events import FOLDERS, HAM, INBOX, Vote


class Delivery(NamedTuple):
    """A mail in a mailbox of the attacker's own: all that the provider shows him.

    Args:
        bot: which of his accounts, counted from 0.
        account: that account's id; ``address``, ``subnet`` and ``opened`` are its own.
        mail: the mail's id.
        sent: the tick of its delivery.
        folder: where it was put, one of `filter.events.FOLDERS`.
        token: the delivery token, which a vote has to show.
        variant: the draft's.
    """

    bot: int
    account: int
    address: int
    subnet: int
    opened: int
    mail: int
    sent: int
    folder: str
    token: int
    variant: int = 0

    def vote(self, tick: int, label: str) -> Vote:
        """A vote on this mail, ``"ham"`` (not spam) or ``"spam"``."""
        return Vote(
            id=0,
            account=self.account,
            mail=self.mail,
            sent=self.sent,
            label=label,
            tick=tick,
            address=self.address,
            subnet=self.subnet,
            opened=self.opened,
            token=self.token,
        )


class Draft(msgspec.Struct, frozen=True):
    """A mail of the campaign, as the attacker orders it.

    Args:
        varies: share of the words that differ from one mail of the campaign to the next, 0 to 1.
        to: which of his own accounts it goes to, counted from 0; none for a person drawn by chance.
        variant: which words those are, from 1: equal numbers, equal mails; 0 for its own words.
        ham: share of the words that are replaced by words of ham, 0 to 1.
    """

    varies: float
    to: int | None = None
    variant: int = 0
    ham: float = 0.0


class View(NamedTuple):
    """What an attacker knows when he acts.

    Args:
        tick: now.
        hour: ticks since the attack began.
        inbox: what came to his accounts since the last tick, in order of the mail's id.
        memory: what his `fresh` gave, to be changed in place; nothing if he has none.
    """

    tick: int
    hour: int
    inbox: tuple[Delivery, ...]
    memory: Any = None

    def rescues(self) -> Iterator[Vote]:
        """A vote "not spam" on each of his mails that is not in the inbox."""
        for delivery in self.inbox:
            if delivery.folder != FOLDERS[INBOX]:
                yield delivery.vote(self.tick, HAM)


class Attack(Protocol):
    """An attack: a frozen dataclass whose fields are its settings.

    It has to have the fields ``accounts`` (its bots) and ``atlas`` (ids of MITRE ATLAS, in the
    class). Each method gets a generator of its own, keyed by seed, attack, method and tick. One
    that remembers something has a method ``fresh`` besides, which gives an empty memory: a
    `msgspec.Struct`.
    """

    @property
    def accounts(self) -> int:
        """How many accounts the attacker owns."""
        ...

    def campaign(self, hour: int, rng: Generator) -> Iterable[Draft]:
        """The mail that the attacker wants in people's inboxes; it is sent in the twin too.

        Args:
            hour: ticks since the attack began.
            rng: his luck.
        """
        ...

    def poison(self, view: View, rng: Generator) -> Iterable[Draft | Vote]:
        """What he does to the filter; absent from the twin.

        Args:
            view: the time, what came to his accounts, and his memory.
            rng: his luck.
        """
        ...


def fresh(attack: Attack) -> Any:
    """An attack's memory before it begins; nothing if it has none."""
    return attack.fresh() if hasattr(attack, "fresh") else None
