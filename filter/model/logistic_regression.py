"""Logistic regression over hashed tokens, learned by mini-batches in whole arrays."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter import codec
from filter.columns import Bits, Floats, Ints
from filter.decay import halving
from filter.events import UNIT
from filter.hashing import combine, key
from filter.model import LogOdds
from filter.portable import sigmoid
from filter.ragged import Ragged, concatenate, sums

DAY = 24
LESSON = key("lesson")
LEAST = 1e-6
"""Of what a step is divided by, where nothing was learned yet."""


@dataclass(frozen=True)
class LogisticRegression:
    """Which weights of the words would have told these mails apart?

    Stochastic gradient descent on the logistic loss with a step of its own for each token, that
    shrinks as the token is learned (AdaGrad: Duchi, Hazan and Singer, JMLR 2011). A mail's tokens
    count by the root of its length, so that a long mail is not more certain than a short one.

    Lessons of a tick have no order: they wait until it is over, and are learned in the order of
    what they say. Once a day what was learned fades.

    Args:
        bits: tokens are told apart by this many bits of their hash.
        rate: how far a token's first step goes, in log odds.
        batch: lessons that make a step together.
        half_life: ticks after which what was learned counts half; 0 never forgets.
        priors: whether there is an intercept. Votes come for one class far more than for the
            other, so by default there is none.
    """

    bits: int = 18
    rate: float = 0.5
    batch: int = 16
    half_life: float = 720.0
    priors: bool = False
    travels: ClassVar[bool] = True

    def begin(self) -> "LogisticRegressionModel":
        """A model that has learned nothing."""
        return LogisticRegressionModel(self)


class Learned(NamedTuple):
    """Weights, and the sums of their squared gradients; the intercept's stand at the end."""

    weights: Floats
    squares: Floats


class Lessons(msgspec.Struct, forbid_unknown_fields=True):
    """Lessons of a tick that is not over."""

    tokens: Ragged
    spam: NDArray[np.bool_]
    weight: NDArray[np.int64]


class State(msgspec.Struct, forbid_unknown_fields=True):
    """What was learned of the tokens that were ever taught, and the lessons that wait."""

    tokens: NDArray[np.int64]
    weights: NDArray[np.float64]
    squares: NDArray[np.float64]
    tick: int
    waiting: list[Lessons]


class LogisticRegressionModel:
    """Logistic regression in training."""

    def __init__(self, settings: LogisticRegression) -> None:
        """Start from nothing."""
        self.settings = settings
        size = (1 << settings.bits) + 1
        self._learned = Learned(np.zeros(size), np.zeros(size))
        self._tick = 0
        self._waiting: list[Lessons] = []
        self._ahead: Learned | None = None

    def learn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Note n lessons; they are learned when the tick is over, or somebody asks."""
        if tick != self._tick:
            self._learned = self._faded(self._so_far(), tick)
            self._waiting, self._ahead, self._tick = [], None, tick
        if tokens.rows:
            self._waiting.append(Lessons(tokens, spam, weight))
            self._ahead = None

    def _so_far(self) -> Learned:
        """What is learned with the lessons that wait."""
        if not self._waiting:
            return self._learned
        if self._ahead is None:
            self._ahead = self._after(self._learned, self._waiting)
        return self._ahead

    def _after(self, learned: Learned, waiting: list[Lessons]) -> Learned:
        """What is learned after some lessons, whatever their order."""
        made = Learned(learned.weights.copy(), learned.squares.copy())
        tokens, spam, weight = _in_order(waiting)
        for first in range(0, len(spam), self.settings.batch):
            stop = first + self.settings.batch
            part = tokens.part(first, min(stop, len(spam)))
            self._step(made, part, spam[first:stop], weight[first:stop])
        return made

    def _step(self, made: Learned, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """A step down the gradient of a batch's loss, in place."""
        by_root = 1.0 / np.sqrt(np.maximum(tokens.lengths, 1))
        buckets = self._buckets(tokens)
        odds = sums(tokens, made.weights[buckets]) * by_root + made.weights[-1]
        wrong = (sigmoid(odds) - spam) * (weight / UNIT)
        touched, place = np.unique(buckets, return_inverse=True)
        per_token = np.repeat(wrong * by_root, tokens.lengths)
        gradient = np.bincount(place, per_token, minlength=len(touched)).astype(np.float64)
        self._move(made, touched, gradient)
        if self.settings.priors:
            self._move(made, np.array([len(made.weights) - 1]), wrong.cumsum()[-1:])

    def _move(self, made: Learned, touched: Ints, gradient: Floats) -> None:
        squares = made.squares[touched] + gradient * gradient
        made.squares[touched] = squares
        made.weights[touched] -= self.settings.rate * gradient / (np.sqrt(squares) + LEAST)

    def _buckets(self, tokens: Ragged) -> Ints:
        mask = np.uint32((1 << self.settings.bits) - 1)
        return (tokens.values & mask).astype(np.int64)

    def _faded(self, learned: Learned, tick: int) -> Learned:
        """What is left of it at a tick: it fades at the beginning of each day."""
        days = tick // DAY - self._tick // DAY
        if not days or not self.settings.half_life:
            return learned
        left = halving(days * DAY, self.settings.half_life)
        return Learned(learned.weights * left, learned.squares * left)

    def release(self, tick: int) -> LogOdds:
        """The weight of every token, as learned so far."""
        weights = self._faded(self._so_far(), tick).weights
        return LogOdds(weights[:-1].copy(), 0.0, float(weights[-1]), True)

    def snapshot(self) -> object:
        """The frozen state."""
        return self.freeze()

    def restore(self, snapshot: object) -> None:
        """Go back to a snapshot."""
        assert isinstance(snapshot, bytes)
        self.thaw(snapshot)

    def freeze(self) -> bytes:
        """What is learned, and what waits, as bytes; lessons in no order but their own."""
        weights, squares = self._learned
        taught = np.flatnonzero(squares)
        waiting = [Lessons(*_in_order(self._waiting))] if self._waiting else []
        return codec.pack(State(taught, weights[taught], squares[taught], self._tick, waiting))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen state again."""
        state = codec.unpack(State, frozen)
        for column, kept in zip(self._learned, (state.weights, state.squares), strict=True):
            column[:] = 0.0
            column[state.tokens] = kept
        self._tick, self._waiting, self._ahead = state.tick, state.waiting, None


def _in_order(waiting: list[Lessons]) -> tuple[Ragged, Bits, Ints]:
    """Lessons as columns, in the order of what they say."""
    tokens = concatenate([one.tokens for one in waiting])
    spam = np.concatenate([one.spam for one in waiting])
    weight = np.concatenate([one.weight for one in waiting])
    order = np.lexsort((weight, spam, _said(tokens)))
    return tokens.take(order), spam[order], weight[order]


def _said(tokens: Ragged) -> NDArray[np.uint64]:
    """A hash of what each mail says."""
    found = np.zeros(tokens.rows, np.uint64)
    filled = np.flatnonzero(tokens.lengths)
    if len(filled):
        each = combine(LESSON, tokens.values.astype(np.uint64))
        found[filled] = np.add.reduceat(each, tokens.starts[filled])
    return found
