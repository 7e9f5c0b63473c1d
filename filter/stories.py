"""Stories: near-duplicate mails, found by their min-hashes."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from filter import codec
from filter.columns import Bits, Ids
from filter.features import sketch
from filter.ragged import Ragged

FEW = 4


class Leader(NamedTuple):
    """The first mail of a story: when the story was last met, and the mail's min-hashes."""

    tick: int
    hashes: tuple[int, ...]


class Stories:
    """Tells which mails are near-duplicates of one another.

    A mail joins the story of the leader with which it shares most of 8 min-hashes, at least
    ``alike`` of them, else it leads a story of its own (leader clustering). Only rare tokens
    count: those that few mails of the start set hold. A mail with fewer than four of them is its
    own story. The id of a story is that of its first mail.

    Args:
        common: which buckets of the token hash are common words; its length is a power of two.
        alike: equal min-hashes from which two mails are near-duplicates.
        most: stories remembered at most; the ones met longest ago are forgotten and counted.
    """

    def __init__(self, common: Bits, alike: int, most: int) -> None:
        """Start without any story."""
        self._common = common
        self._alike = alike
        self._most = most
        self._leaders: dict[int, Leader] = {}
        self._index: dict[int, list[int]] = {}
        self.forgotten = 0

    def assign(self, tick: int, mails: Ids, tokens: Ragged) -> list[int]:
        """The story of each mail, in the order given."""
        rare = self._rare(tokens)
        hashes = sketch(rare).tolist()
        few = (rare.lengths < FEW).tolist()
        return [
            mail if alone else self._story(tick, mail, tuple(row))
            for mail, alone, row in zip(mails.tolist(), few, hashes, strict=True)
        ]

    def _rare(self, tokens: Ragged) -> Ragged:
        mask = np.uint32(len(self._common) - 1)
        rare = ~self._common[tokens.values & mask]
        ends = np.concatenate(([0], np.cumsum(rare)))
        return Ragged(tokens.values[rare], ends[tokens.starts])

    def _story(self, tick: int, mail: int, hashes: tuple[int, ...]) -> int:
        met = Counter(story for value in hashes for story in self._index.get(value, ()))
        story, shared = min(met.items(), key=lambda one: (-one[1], one[0]), default=(mail, 0))
        if shared < self._alike:
            story = mail
            for value in hashes:
                self._index.setdefault(value, []).append(mail)
        hashes = self._leaders[story].hashes if shared >= self._alike else hashes
        self._leaders[story] = Leader(tick, hashes)
        return story

    def forget(self, before: int) -> None:
        """Forget the stories last met before a tick, and those beyond the cap."""
        by_age = sorted(self._leaders.items(), key=lambda one: (-one[1].tick, one[0]))
        self.forgotten += max(len(by_age) - self._most, 0)
        self._lead(
            (story, leader) for story, leader in by_age[: self._most] if leader.tick >= before
        )

    def _lead(self, leaders: Iterable[tuple[int, Leader]]) -> None:
        self._leaders = dict(sorted(leaders))
        self._index = {}
        for story, leader in self._leaders.items():
            for value in leader.hashes:
                self._index.setdefault(value, []).append(story)

    def __contains__(self, story: int) -> bool:
        """Whether a story is remembered."""
        return story in self._leaders

    def freeze(self) -> bytes:
        """All leaders."""
        return codec.pack((dict(sorted(self._leaders.items())), self.forgotten))

    def thaw(self, frozen: bytes) -> None:
        """Take up frozen leaders."""
        leaders, self.forgotten = codec.unpack(tuple[dict[int, Leader], int], frozen)
        self._lead(leaders.items())
