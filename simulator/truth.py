"""The answer key: what a mail truly is, and who is a bot.

Only the world, the judges and the metrics import this. Nothing that a stage reads is made from it.
"""

from collections.abc import Set
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filter.columns import Bits, Folders, Ids, Ticks, find, rows, stacked
from filter.events import ACCOUNT, SUBNET
from simulator.mail import Post


class Known(NamedTuple):
    """What is true of a tick's mail; in order of the mail's id.

    ``folder`` is where the filter put it, ``shown`` where its recipient sees it.
    """

    mail: Ids
    domain: Ids
    recipient: Ids
    genre: NDArray[np.int8]
    spam: Bits
    story: Ids
    kind: NDArray[np.int8]
    folder: Folders
    shown: Folders


class Truth:
    """The answer key of the last ticks.

    Args:
        window: ticks that a mail is remembered.
        bots: the ids of the attacker's accounts; more may come.
        subnets: those that they are in, some of them beside people; more may come.
    """

    def __init__(self, window: int, bots: Set[int], subnets: Set[int]) -> None:
        """Know nothing of any mail yet."""
        self._window = window
        self._by_tick: dict[int, Known] = {}
        self.bots = bots
        self.sources = {ACCOUNT: bots, SUBNET: subnets}

    def deliver(self, tick: int, post: Post, folder: Folders, shown: Folders) -> Known:
        """Remember a tick's mail and where it was put."""
        known = Known(
            post.mail,
            post.domain,
            post.recipient,
            post.genre,
            post.spam,
            post.story,
            post.kind,
            folder,
            shown,
        )
        self._by_tick[tick] = known
        self._by_tick.pop(tick - self._window - 1, None)
        return known

    def look(self, mails: Ids, sent: Ticks) -> Known:
        """What is true of mails of the window, in the order given.

        Raises:
            KeyError: a mail that was never sent, or one that is too old.
        """
        order: list[NDArray[np.int64]] = []
        found: list[Known] = []
        for tick in np.unique(sent).tolist():
            here = np.flatnonzero(sent == tick)
            known = self._by_tick[tick]
            place = find(known.mail, mails[here])
            if (place < 0).any():
                raise KeyError(f"no mail {mails[here][place < 0][0]} at tick {tick}")
            order.append(here)
            found.append(rows(known, place))
        if not found:
            return _NOTHING
        return rows(stacked(found), np.argsort(np.concatenate(order), kind="stable"))

    def was_sent(self, mail: int, sent: int) -> bool:
        """Whether there is such a mail in the window: a vote may name any."""
        known = self._by_tick.get(sent)
        return known is not None and bool(find(known.mail, np.array([mail], np.uint64))[0] >= 0)

    def state(self) -> dict[int, Known]:
        """What is remembered, to be frozen."""
        return self._by_tick

    def restore(self, state: dict[int, Known]) -> None:
        """Remember what was frozen."""
        self._by_tick = dict(state)


_NOTHING = Known(
    np.empty(0, np.uint64),
    np.empty(0, np.uint64),
    np.empty(0, np.uint64),
    np.empty(0, np.int8),
    np.empty(0, np.bool_),
    np.empty(0, np.uint64),
    np.empty(0, np.int8),
    np.empty(0, np.int8),
    np.empty(0, np.int8),
)
