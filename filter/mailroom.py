"""The mailroom: the features of the last ticks' mail, for feedback that comes later."""

import numpy as np

from filter import codec
from filter.columns import Features, Ids, Ticks, find
from filter.ragged import Ragged, concatenate


class Mailroom:
    """Keeps features as long as their mail can be voted on.

    Args:
        window: ticks that features are kept.
    """

    def __init__(self, window: int) -> None:
        """Start empty."""
        self._window = window
        self._by_tick: dict[int, Features] = {}

    def take(self, tick: int, features: Features) -> None:
        """Keep a tick's features; let go of those that are too old."""
        self._by_tick[tick] = features
        self._by_tick.pop(tick - self._window - 1, None)

    def tokens(self, mails: Ids, sent: Ticks) -> Ragged:
        """The tokens of mails, in the order given; no tokens for a mail that is not here."""
        return concatenate_in_order(
            [self._of_tick(int(tick), mails[sent == tick]) for tick in np.unique(sent)], sent
        )

    def _of_tick(self, tick: int, mails: Ids) -> Ragged:
        features = self._by_tick.get(tick)
        if features is None or not len(features.mail):
            return Ragged(np.empty(0, np.uint32), np.zeros(len(mails) + 1, np.int64))
        place = find(features.mail, mails)
        if (place >= 0).all():
            return features.tokens.take(place)
        taken = features.tokens.take(np.maximum(place, 0))
        known = np.repeat(place >= 0, taken.lengths)
        ends = np.concatenate(([0], np.cumsum(np.where(place >= 0, taken.lengths, 0))))
        return Ragged(taken.values[known], ends)

    def freeze(self) -> bytes:
        """All features kept."""
        return codec.pack(self._by_tick)

    def thaw(self, frozen: bytes) -> None:
        """Take up frozen features."""
        self._by_tick = codec.unpack(dict[int, Features], frozen)


def concatenate_in_order(parts: list[Ragged], sent: Ticks) -> Ragged:
    """Rows that were taken tick by tick, back in the order of the ticks given."""
    if not parts:
        return Ragged(np.empty(0, np.uint32), np.zeros(1, np.int64))
    if len(parts) == 1:
        return parts[0]
    order = np.argsort(sent, kind="stable")
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return concatenate(parts).take(back)
