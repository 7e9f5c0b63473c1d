"""Unlearning: what votes taught of late, whose it was, and how to take it back."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import msgspec
import numpy as np

from filter import codec
from filter.columns import Bits, Ints
from filter.events import Lesson
from filter.ragged import Ragged

HERE = -1


@runtime_checkable
class Unlearner(Protocol):
    """A classifier that can take a lesson back, so that nothing of it is left."""

    def learn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Learn n mails."""
        ...

    def unlearn(self, tick: int, tokens: Ragged, spam: Bits, weight: Ints) -> None:
        """Take n lessons back that were learned at this tick with these weights."""
        ...


class Share(NamedTuple):
    """An account's part of a lesson's weight, and the tick at which it was taken back."""

    account: int
    part: int
    gone: int = HERE


class Page(msgspec.Struct, forbid_unknown_fields=True):
    """The lessons of a tick, with the shares of each."""

    tick: int
    tokens: Ragged
    spam: Bits
    shares: list[tuple[Share, ...]]


class Unlearning:
    """The lessons of the last ticks, to be taken back by account.

    Args:
        window: ticks for which a lesson can be taken back.
    """

    def __init__(self, window: int) -> None:
        """Start with an empty record."""
        self._window = window
        self._pages: list[Page] = []

    def note(self, tick: int, lessons: Sequence[Lesson], tokens: Ragged) -> None:
        """Write down what was taught at a tick; forget what is too old."""
        self._pages = [page for page in self._pages if page.tick > tick - self._window]
        if lessons:
            spam = np.array([lesson.spam for lesson in lessons], np.bool_)
            shares = [tuple(Share(*share) for share in lesson.shares) for lesson in lessons]
            self._pages.append(Page(tick, tokens, spam, shares))

    def take_back(self, tick: int, accounts: Collection[int], model: Unlearner) -> int:
        """Have a model unlearn what these accounts taught; how many lessons it changed.

        Each lesson is unlearned whole and learned anew with the others' shares: the model is as if
        the lesson had been so from the beginning.
        """

        def without(share: Share) -> Share:
            ours = share.gone == HERE and share.account in accounts
            return share._replace(gone=tick) if ours else share

        changed = 0
        for page in self._pages:
            new = [tuple(map(without, shares)) for shares in page.shares]
            changed += _relearn(page, page.shares, new, model)
            page.shares = new
        return changed

    def back(self, tick: int, model: Unlearner) -> int:
        """After training went back to the end of a tick: take back again what was since then.

        Gives how many lessons it changed.
        """
        self._pages = [page for page in self._pages if page.tick <= tick]
        changed = 0
        for page in self._pages:
            then = [tuple(_at(shares, tick)) for shares in page.shares]
            changed += _relearn(page, then, page.shares, model)
        return changed

    def freeze(self) -> bytes:
        """The record."""
        return codec.pack(self._pages)

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen record."""
        self._pages = codec.unpack(list[Page], frozen)


def _at(shares: Sequence[Share], tick: int) -> Iterator[Share]:
    """Shares as they were at the end of a tick."""
    return (share._replace(gone=HERE) if share.gone > tick else share for share in shares)


def _relearn(
    page: Page, old: list[tuple[Share, ...]], new: list[tuple[Share, ...]], model: Unlearner
) -> int:
    was, now = _weights(old), _weights(new)
    rows = np.flatnonzero(was != now)
    if len(rows):
        tokens, spam = page.tokens.take(rows), page.spam[rows]
        model.unlearn(page.tick, tokens, spam, was[rows])
        model.learn(page.tick, tokens, spam, now[rows])
    return len(rows)


def _weights(shares: list[tuple[Share, ...]]) -> Ints:
    return np.array([sum(s.part for s in of if s.gone == HERE) for of in shares], np.int64)
