"""Mail as the world makes it: what is sent to whom, and the part that only the truth knows."""

from collections.abc import Iterable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from filter.columns import Bits, Floats, Ids, Ints, Mails
from filter.learner import StartSet
from filter.ragged import Ragged

LONG = 60
"""Tokens from which a spam mail may serve as the attacker's campaign."""

PEOPLE, CAMPAIGN, COPY = 0, 1, 2
"""Whose mail it is: people's ordinary mail, the attacker's campaign, or a copy to a bot."""


class Letters(NamedTuple):
    """Mail without recipients: n mails of a source at a tick."""

    mail: Ids
    sender: Ids
    domain: Ids
    genre: NDArray[np.int8]
    story: Ids
    tokens: Ragged


class Post(NamedTuple):
    """A tick's mail with all that is true of it, in order of the mail's id."""

    mail: Ids
    sender: Ids
    domain: Ids
    recipient: Ids
    tokens: Ragged
    owner: Ints
    """Number of the recipient among people, or among bots."""
    genre: NDArray[np.int8]
    spam: Bits
    story: Ids
    kind: NDArray[np.int8]

    @property
    def mails(self) -> Mails:
        """What the filter is given of it."""
        return Mails(self.mail, self.sender, self.domain, self.recipient, self.tokens)


class Genres(NamedTuple):
    """The kinds of mail that a source has, as readers tell them."""

    names: tuple[str, ...]
    spam: Bits


class Campaign(Protocol):
    """A campaign's mail: the same template, with some words varied from mail to mail."""

    @property
    def genre(self) -> int:
        """Its genre's number."""
        ...

    @property
    def story(self) -> int:
        """Its id."""
        ...

    def mails(self, ids: Ids, varies: Floats) -> Ragged:
        """The tokens of n mails, each with its own share of varied words."""
        ...


class Source(Protocol):
    """Where ordinary mail comes from: made up, or dealt from a corpus."""

    genres: Genres

    def start(self) -> StartSet:
        """The labelled mails that the filter starts from; none of them comes again."""
        ...

    def letters(self, tick: int) -> Letters:
        """The ordinary mail of a tick: a function of the tick alone."""
        ...

    def campaigns(self) -> Iterable[Campaign]:
        """Candidates for the attacker's campaign, in the order in which to try them."""
        ...

    def withhold(self, campaign: Campaign) -> None:
        """Keep the near-duplicates of the chosen campaign out of everything."""
        ...
