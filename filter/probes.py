"""Probes: near-duplicates that come to one recipient, as to somebody who tries the filter out."""

import msgspec
import numpy as np

from filter import codec
from filter.columns import Bits, Ids, Ints, Mails, find
from filter.events import ProbeCount
from filter.stories import Stories

DAY = 24


class Watched(msgspec.Struct, forbid_unknown_fields=True):
    """A recipient who is looked through: his mails' stories, and how many mails each has."""

    stories: bytes
    many: dict[int, int]


class Probes:
    """Counts the near-duplicates that each recipient gets in a day.

    Whoever wants to learn what a filter thinks of a mail sends it to himself, with changes, again
    and again (PRADA, Juuti et al. 2019, looks for the same in queries). Few people get so many
    mails a day as he does, so only who gets many is looked through: that keeps it cheap.

    Args:
        common: which buckets of the token hash are common words.
        alike: equal min-hashes of 8 from which mails are near-duplicates.
        watched_from: mails of a day from which a recipient is looked through.
        tried: near-duplicates of a day from which a mail is held to be one that is tried out.
    """

    def __init__(self, common: Bits, alike: int, watched_from: int, tried: int = 2) -> None:
        """Start with nobody watched."""
        self._common = common
        self._alike = alike
        self._watched_from = watched_from
        self._tried = tried
        self._recipient: Ids = np.empty(0, np.uint64)
        self._mails: Ints = np.empty(0, np.int64)
        self._stories: dict[int, Stories] = {}
        self._many: dict[int, dict[int, int]] = {}

    def look(self, tick: int, mails: Mails) -> tuple[tuple[ProbeCount, ...], Bits]:
        """Count a tick's mail.

        Returns:
            For each watched recipient who got a mail, his near-duplicates of the day; and which of
            the tick's mails (n bits) he has had so often by then that he tries them out.
        """
        if tick % DAY == 0:
            self._forget()
        again = np.zeros(len(mails.mail), np.bool_)
        rows = np.flatnonzero(self._add(mails.recipient) >= self._watched_from)
        recipients = mails.recipient[rows]
        counts = []
        for recipient in np.unique(recipients).tolist():
            own = rows[recipients == recipient]
            stories = self._of(recipient).assign(tick, mails.mail[own], mails.tokens.take(own))
            many = self._many[recipient]
            for row, story in zip(own.tolist(), stories, strict=True):
                many[story] = many.get(story, 0) + 1
                again[row] = many[story] >= self._tried
            counts.append(ProbeCount(recipient, max(many.values())))
        return tuple(counts), again

    def _add(self, recipients: Ids) -> Ints:
        """How many mails each mail's recipient has got by now, this tick's among them."""
        new, place, many = np.unique(recipients, return_inverse=True, return_counts=True)
        known = find(self._recipient, new)
        self._mails[known[known >= 0]] += many[known >= 0]
        if (known < 0).any():
            fresh = known < 0
            at = np.searchsorted(self._recipient, new[fresh])
            self._recipient = np.insert(self._recipient, at, new[fresh])
            self._mails = np.insert(self._mails, at, many[fresh])
            known = find(self._recipient, new)
        mails: Ints = self._mails[known][place]
        return mails

    def _of(self, recipient: int) -> Stories:
        if recipient not in self._stories:
            self._stories[recipient] = Stories(self._common, self._alike, 1)
            self._many[recipient] = {}
        return self._stories[recipient]

    def _forget(self) -> None:
        self._recipient, self._mails = self._recipient[:0], self._mails[:0]
        self._stories, self._many = {}, {}

    def freeze(self) -> bytes:
        """The day so far."""
        watched = {
            recipient: Watched(stories.freeze(), self._many[recipient])
            for recipient, stories in sorted(self._stories.items())
        }
        return codec.pack((self._recipient, self._mails, watched))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen day."""
        kind = tuple[Ids, Ints, dict[int, Watched]]
        self._recipient, mails, watched = codec.unpack(kind, frozen)
        self._mails = mails.copy()
        self._stories, self._many = {}, {}
        for recipient, one in watched.items():
            self._of(recipient).thaw(one.stories)
            self._many[recipient] = one.many
