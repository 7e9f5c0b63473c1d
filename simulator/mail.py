"""Mail as the world makes it: what is sent to whom, and the part that only the truth knows."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
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

_LEADING = 16
"""Bits of a hash that say where to look for its word: a binary search was measured slower."""


class Text(NamedTuple):
    """What a mail says."""

    subject: str
    text: str


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
    variant: Ints
    """The attacker's number for its text, 0 for none."""

    @property
    def mails(self) -> Mails:
        """What the filter is given of it."""
        return Mails(self.mail, self.sender, self.domain, self.recipient, self.tokens)


class Genres(NamedTuple):
    """The kinds of mail that a source has, as readers tell them."""

    names: tuple[str, ...]
    spam: Bits
    share: Floats
    """Of all mail."""


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

    def mails(self, ids: Ids, varies: Floats, ham: Floats) -> Ragged:
        """The tokens of n mails, each with its own shares of varied words and of ham's words."""
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

    def texts(self, tick: int, mails: Mails) -> list[Text]:
        """What a tick's mails say, in their order: ordinary mail, the campaign, copies to bots.

        Subject, line end and text in one have the mail's tokens for `filter.features.hash_texts`.
        """
        ...


class Spelling:
    """Words by their hashes, to write out what is tokens alone.

    Args:
        words: in any order, as often as they come.
        hashes: of each word; of words with the same hash the first one is written.

    >>> from filter.ragged import ragged
    >>> words = "a cheap pill that you will like".split()
    >>> spelling = Spelling(words, np.arange(7, dtype=np.uint32))
    >>> spelling.texts(ragged([[4, 5, 6, 0, 1, 2, 3, 4, 6], []]))
    [Text(subject='you will like a cheap pill', text='that you like'), Text(subject='', text='')]
    """

    def __init__(self, words: Sequence[str], hashes: NDArray[np.uint32]) -> None:
        """Sort the words by their hashes, and note where each leading number begins."""
        self._hashes, chosen = np.unique(hashes, return_index=True)
        self._words = np.array(words, np.object_)[chosen]
        leading = np.arange(1 << _LEADING, dtype=np.uint32) << np.uint32(32 - _LEADING)
        self._begins = np.searchsorted(self._hashes, leading)

    def texts(self, tokens: Ragged) -> list[Text]:
        """What mails of these tokens say: six words are the subject, the rest is the body.

        Raises:
            IndexError: if a token is no word's hash.
        """
        place = self._begins[tokens.values >> np.uint32(32 - _LEADING)]
        while (later := self._hashes[place] != tokens.values).any():
            place += later
        said: list[str] = self._words[place].tolist()
        return [
            Text(" ".join(said[first : min(first + 6, stop)]), " ".join(said[first + 6 : stop]))
            for first, stop in pairwise(tokens.starts.tolist())
        ]
