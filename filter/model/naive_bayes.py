"""Multinomial naive Bayes over hashed tokens, in integers, with forgetting."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter import codec
from filter.columns import Bits, Floats, Ints
from filter.decay import growth
from filter.events import UNIT
from filter.model import LogOdds
from filter.portable import log
from filter.ragged import Ragged, sums

DAY = 24
EPOCH = 20
"""Half-lives after which all evidence is made small again, so that integers never overflow."""


@dataclass(frozen=True)
class NaiveBayes:
    """Which class would rather have written these words?

    The evidence for a token is the weight of the lessons that hold it, a class at a time, in
    integers: sums have no order, and a lesson can be taken back exactly. Forgetting multiplies new
    evidence up instead of old evidence down (forward decay, Cormode et al. 2009). With
    ``length="none"``, ``priors=True`` and no forgetting it is River's ``MultinomialNB``, from the
    moment that both classes were taught.

    Args:
        bits: tokens are told apart by this many bits of their hash.
        alpha: smoothing, in lessons of full weight.
        half_life: ticks after which evidence counts half; 0 never forgets.
        length: what the log odds are divided by: the square root of the number of tokens, so that
            a long mail is not more certain than a short one, or nothing.
        priors: whether the classes' shares count. Votes come for one class far more than for the
            other, so by default they do not.
    """

    bits: int = 18
    alpha: float = 1.0
    half_life: float = 720.0
    length: Literal["sqrt", "none"] = "sqrt"
    priors: bool = False
    travels: ClassVar[bool] = True

    def begin(self) -> "NaiveBayesModel":
        """A model that has learned nothing."""
        return NaiveBayesModel(self)


class State(msgspec.Struct, forbid_unknown_fields=True):
    """The tokens that were ever taught, and their evidence; nothing of the others."""

    tokens: NDArray[np.int64]
    ham: NDArray[np.int64]
    spam: NDArray[np.int64]
    mails: tuple[int, int]
    epoch: int


class NaiveBayesModel:
    """Naive Bayes in training."""

    def __init__(self, settings: NaiveBayes) -> None:
        """Start from nothing."""
        self.settings = settings
        size = 1 << settings.bits
        self._evidence = np.zeros((2, size), np.int64)
        self._mails = [0, 0]
        self._epoch = 0
        self._odds_then = np.zeros(size)
        self._smooth_then = -1.0
        self._touched = np.zeros(size, np.bool_)

    def learn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Add n lessons' weights to the evidence for each of their tokens."""
        self._keep_small(tick)
        self._change(tokens, spam, self._scaled(tick, weight))

    def unlearn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Take back n lessons that were learned at this tick with these weights, to the last bit.

        Only a lesson of another epoch, twenty half-lives ago, may leave a trace: a millionth of it.
        """
        self._change(tokens, spam, -self._scaled(tick, weight))

    def _change(self, tokens: Ragged, spam: Bits, scaled: Ints) -> None:
        for label in (0, 1):
            of_class = spam == bool(label)
            self._mails[label] += int(scaled[of_class].sum())
            for amount in np.unique(scaled[of_class]).tolist():
                rows = np.flatnonzero(of_class & (scaled == amount))
                buckets = self._buckets(tokens if len(rows) == tokens.rows else tokens.take(rows))
                self._touched[buckets] = True
                self._add(self._evidence[label], buckets, amount)

    def learn_counts(
        self, tick: int, tokens: Ragged, counts: Floats, spam: Bits, weight: Ints
    ) -> None:
        """As `learn`, with a number beside each token: how often it stands in its mail."""
        self._keep_small(tick)
        scaled = self._scaled(tick, weight)
        amounts = np.rint(counts * np.repeat(scaled, tokens.lengths)).astype(np.int64)
        labels = np.repeat(spam, tokens.lengths)
        buckets = self._buckets(tokens)
        self._touched[buckets] = True
        for label in (0, 1):
            of_class = labels == bool(label)
            self._mails[label] += int(scaled[spam == bool(label)].sum())
            np.add.at(self._evidence[label], buckets[of_class], amounts[of_class])

    def _buckets(self, tokens: Ragged) -> Ints:
        mask = np.uint32(self._evidence.shape[1] - 1)
        return (tokens.values & mask).astype(np.int64)

    @staticmethod
    def _add(evidence: NDArray[np.int64], buckets: NDArray[np.int64], amount: int) -> None:
        if len(buckets) * 8 < len(evidence):
            np.add.at(evidence, buckets, amount)
        else:
            evidence += np.bincount(buckets, minlength=len(evidence)) * amount

    def _scaled(self, tick: int, weight: Ints) -> Ints:
        rate = self._rate(tick)
        return weight if rate == 1.0 else np.rint(weight * rate).astype(np.int64)

    def _rate(self, tick: int) -> float:
        """How much heavier than at the epoch's start evidence is now."""
        half_life = self.settings.half_life
        return growth(tick - self._epoch * EPOCH * half_life, half_life) if half_life else 1.0

    def _keep_small(self, tick: int) -> None:
        """Begin a new epoch when evidence has doubled twenty times: halve all of it as often."""
        while self.settings.half_life and self._rate(tick) >= 1 << EPOCH:
            self._evidence >>= EPOCH
            self._mails = [weight >> EPOCH for weight in self._mails]
            self._epoch += 1

    def release(self, tick: int) -> LogOdds:
        """The log odds of every token, as learned so far."""
        per_token, prior = self._same_for_all(tick)
        by_root = self.settings.length == "sqrt"
        return LogOdds(self._table(tick), per_token, prior, by_root)

    def _table(self, tick: int) -> Floats:
        """The log odds of every bucket: only those that were taught since the last time are new."""
        smooth = self._smooth(tick)
        if smooth != self._smooth_then:
            self._odds_then = self._odds(smooth, self._evidence)
        else:
            changed = np.flatnonzero(self._touched)
            self._odds_then = self._odds_then.copy()
            self._odds_then[changed] = self._odds(smooth, self._evidence[:, changed])
        self._smooth_then = smooth
        self._touched[:] = False
        return self._odds_then

    def log_odds(self, tick: int, tokens: Ragged, counts: Floats) -> Floats:
        """What a release of this tick would answer, without its table; for `learn_counts`."""
        per_token, prior = self._same_for_all(tick)
        evidence = self._evidence[:, self._buckets(tokens)]
        odds = sums(tokens, self._odds(self._smooth(tick), evidence) * counts)
        lengths = sums(tokens, counts)
        odds += per_token * lengths
        if self.settings.length == "sqrt":
            odds /= np.sqrt(np.maximum(lengths, 1.0))
        return odds + prior

    def _smooth(self, tick: int) -> float:
        """Smoothing, as heavy as evidence was at the day's start: so most of a table stays."""
        return self.settings.alpha * self._rate(tick - tick % DAY) * UNIT

    @staticmethod
    def _odds(smooth: float, evidence: NDArray[np.int64]) -> Floats:
        ham, spam = evidence
        return log((spam + smooth) / (ham + smooth))

    def _same_for_all(self, tick: int) -> tuple[float, float]:
        """What every token adds, and what every mail starts from."""
        ham, spam = self._evidence
        seen = max(int(np.count_nonzero(ham + spam)), 1)
        total = log(np.array([ham.sum(), spam.sum()]) + self._smooth(tick) * seen)
        prior = 0.0
        if self.settings.priors and all(self._mails):
            shares = log(np.array(self._mails, np.float64))
            prior = float(shares[1] - shares[0])
        return float(total[0] - total[1]), prior

    def snapshot(self) -> object:
        """The frozen state."""
        return self.freeze()

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot."""
        assert isinstance(snapshot, bytes)
        self.thaw(snapshot)

    def freeze(self) -> bytes:
        """The evidence as bytes."""
        ham, spam = self._evidence
        taught = np.flatnonzero(ham + spam)
        return codec.pack(
            State(taught, ham[taught], spam[taught], (self._mails[0], self._mails[1]), self._epoch)
        )

    def thaw(self, frozen: bytes) -> None:
        """Take up frozen evidence again."""
        state = codec.unpack(State, frozen)
        self._evidence[:] = 0
        self._evidence[0, state.tokens] = state.ham
        self._evidence[1, state.tokens] = state.spam
        self._mails = list(state.mails)
        self._epoch = state.epoch
        self._smooth_then = -1.0
