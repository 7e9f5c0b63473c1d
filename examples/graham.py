"""A model of one's own: the spam filter of 2002, word by word.

    ./dev hamstrung run quickstart --model ./examples/graham.py

Where it differs from naive Bayes: a word counts by the share of mails that hold it, however long
they are, and nothing is ever forgotten. Is it easier to poison? In this world a little
harder: 54 % of the campaign without a guard, 70 % with naive Bayes. Several say how sure that is:

    ./dev hamstrung run quickstart --replicates 5 -o bayes
    ./dev hamstrung run quickstart --replicates 5 -o graham --model ./examples/graham.py
    ./dev hamstrung compare bayes graham
"""

from dataclasses import dataclass
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter import codec
from filter.columns import Bits, Ints
from filter.events import UNIT
from filter.model import LogOdds
from filter.portable import log
from filter.ragged import Ragged


@dataclass(frozen=True)
class Graham:
    """How likely is spam, given one word?

    After Graham, A Plan for Spam (2002): the share of spam that holds the word, beside the same
    share of ham; drawn towards one half for words that were hardly seen (Robinson 2003). A mail's
    log odds are the sum over its words.

    Args:
        bits: words are told apart by this many bits of their hash.
        strength: how many mails have to hold a word for it to be believed halfway.
    """

    bits: int = 17
    strength: float = 1.0
    travels: ClassVar[bool] = True

    def begin(self) -> "GrahamModel":
        """A model that has learned nothing."""
        return GrahamModel(self)


class Learned(msgspec.Struct, forbid_unknown_fields=True):
    """The weight of all mails of each class, and of those that hold each word: ham, then spam."""

    mails: NDArray[np.int64]
    words: NDArray[np.int64]


class GrahamModel:
    """The same in training: sums of whole numbers, which have no order."""

    def __init__(self, settings: Graham) -> None:
        """Start from nothing."""
        self._settings = settings
        self._state = Learned(np.zeros(2, np.int64), np.zeros((2, 1 << settings.bits), np.int64))

    def learn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Count mails, and the words in them."""
        label = spam.astype(np.int64)
        np.add.at(self._state.mails, label, weight)
        buckets = tokens.values & np.uint32((1 << self._settings.bits) - 1)
        each = (np.repeat(label, tokens.lengths), buckets.astype(np.int64))
        np.add.at(self._state.words, each, np.repeat(weight, tokens.lengths))

    def release(self, tick: int) -> LogOdds:
        """What each word adds, as learned so far."""
        ham, spam = self._state.words / np.maximum(self._state.mails, 1)[:, np.newaxis]
        seen = self._state.words.sum(axis=0) / UNIT
        strength = self._settings.strength
        alone = np.divide(spam, ham + spam, out=np.full_like(ham, 0.5), where=seen > 0)
        likely = (strength * 0.5 + seen * alone) / (strength + seen)
        return LogOdds(log(likely / (1.0 - likely)), per_token=0.0, prior=0.0, by_root=True)

    def snapshot(self) -> object:
        """The state of training."""
        return self.freeze()

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot."""
        assert isinstance(snapshot, bytes)
        self.thaw(snapshot)

    def freeze(self) -> bytes:
        """The same as bytes."""
        return codec.pack(self._state)

    def thaw(self, frozen: bytes) -> None:
        """Take it up again."""
        self._state = codec.unpack(Learned, frozen)
