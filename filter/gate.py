"""The gate: is the candidate worse than what we trusted a week ago?

A differential test (defence D10) of the candidate against the anchor, a frozen release, on mails
that judges have seen: never on what was taught, which flatters, and never against yesterday, which
misses the boiling frog. A filter that follows its mail is better than a release of a week ago on
hundreds of mails an hour. So that these do not hide what it gets wrong, what it let in is weighed
against what it caught and against what it rescued, each alone, over the last hours and over days;
and what it brings out of spam now against what it brought out before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import NamedTuple

import numpy as np

from filter.columns import Bits, Folders, Ids, Ints
from filter.events import HOLD, INBOX, JUNK, PROMOTE, ROLL_BACK


@dataclass(frozen=True)
class GateSettings:
    """How the gate tests.

    Args:
        significance: the level of all sign tests of a candidate together.
        asked_per_hour: judgements the gate may ask for, of mails that candidate and anchor file
            differently: in turn of what came out of spam and of what went into it.
        anchor_age: ticks; the anchor is the youngest daily release that is at least this old.
        patience: ticks a candidate is held before training is rolled back.
        looked_at: mails an hour on which candidate and anchor are compared, at least; it is a
            quarter of all where that is more.
        most: judged mails that the test is made on, at most; the newest.
    """

    significance: float = 0.001
    asked_per_hour: int = 5
    anchor_age: int = 168
    patience: int = 24
    looked_at: int = 500
    most: int = 4000


NEWEST = 16
"""Mails of the shortest comparison; the others are each twice as long as the one before."""


class Comparison(NamedTuple):
    """Judged mails that one release files right and the other wrong, the newest or all of them.

    ``what`` says which mails are worse and which are better.
    """

    what: str
    worse: int
    better: int

    def p(self) -> float:
        """The sign test: how likely so many got worse if candidate and anchor were alike.

        >>> Comparison("ham lost, ham rescued", worse=10, better=0).p()
        0.0009765625
        >>> Comparison("ham lost, ham rescued", worse=4, better=6).p()
        0.828125
        """
        n = self.worse + self.better
        return float(sum(comb(n, k) for k in range(self.worse, n + 1)) / 2**n)

    def __str__(self) -> str:
        """In words."""
        return (
            f"of the newest judged mails, {self.what}: {self.worse} worse than the anchor,"
            f" {self.better} better (sign test p = {self.p():.1e})"
        )


class Shift(NamedTuple):
    """Mails that a candidate moved one way: of the newest, and of those before, how many rightly.

    A filter that lets in as much spam as it rescues ham is not worse than one that does neither;
    but if all that it brought out of spam used to be ham, something has happened to it.
    """

    what: str
    worse: int
    better: int
    worse_before: int
    better_before: int

    def p(self) -> float:
        """Fisher's exact test: how likely so many of the newest are wrong if nothing has changed.

        >>> Shift("spam let in, ham rescued", 8, 8, 1, 99).p() < 1e-6
        True
        >>> Shift("spam let in, ham rescued", 8, 8, 50, 50).p() > 0.5
        True
        """
        newest = self.worse + self.better
        wrong, right = self.worse + self.worse_before, self.better + self.better_before
        most = min(newest, wrong)
        ways = sum(comb(wrong, k) * comb(right, newest - k) for k in range(self.worse, most + 1))
        return ways / comb(wrong + right, newest)

    def __str__(self) -> str:
        """In words."""
        before = self.worse_before + self.better_before
        return (
            f"{self.what}: {self.worse} of the newest {self.worse + self.better} wrong,"
            f" {self.worse_before} of {before} before (Fisher's test p = {self.p():.1e})"
        )


class Decision(NamedTuple):
    """What the gate says of a candidate, and why."""

    action: str
    reason: str


def compare(candidate: Folders, anchor: Folders, spam: Bits) -> list[Comparison | Shift]:
    """Compare two releases on judged mails, the newest of them last.

    What is worse is spam that the candidate lets in and ham that it loses; what is better is ham
    that it rescues and spam that it catches. Each of the worse is held against each of the better
    alone, on the newest 16 that are either, the newest 32 and so on, and on all.
    """
    now, then = candidate, anchor
    let_in = spam & (now == INBOX) & (then != INBOX)
    caught = spam & (now != INBOX) & (then == INBOX)
    lost = ~spam & (now == JUNK) & (then != JUNK)
    rescued = ~spam & (now != JUNK) & (then == JUNK)
    out = _newest("spam let in, ham rescued", let_in, rescued)
    into = _newest("ham lost, spam caught", lost, caught)
    return [
        *out,
        *into,
        *_newest("spam let in, spam caught", let_in, caught),
        *_newest("ham lost, ham rescued", lost, rescued),
        *_shifts(out),
        *_shifts(into),
    ]


def _newest(what: str, worse: Bits, better: Bits) -> list[Comparison]:
    """On the newest mails, the shortest comparison first; all of them last."""
    is_worse = worse[worse | better][::-1]
    many = len(is_worse)
    sizes = [*(NEWEST << k for k in range(many.bit_length()) if NEWEST << k < many), many]
    bad = np.concatenate(([0], np.cumsum(is_worse)))[sizes].tolist()
    return [Comparison(what, of, size - of) for size, of in zip(sizes, bad, strict=True)]


def _shifts(compared: Sequence[Comparison]) -> list[Shift]:
    """The newest mails of each comparison against those before them, if these are as many."""
    whole = compared[-1]
    return [
        Shift(
            part.what,
            part.worse,
            part.better,
            whole.worse - part.worse,
            whole.better - part.better,
        )
        for part in compared[:-1]
        if 2 * (part.worse + part.better) <= whole.worse + whole.better
    ]


def decide(settings: GateSettings, compared: Sequence[Comparison | Shift], held: int) -> Decision:
    """Promote, hold or roll back.

    Args:
        settings: level and patience.
        compared: on judged mails; they share the level.
        held: ticks for which the candidate has been held by now.
    """
    level = settings.significance / max(len(compared), 1)
    for one in compared:
        if one.worse > (one.better if isinstance(one, Comparison) else 0) and one.p() < level:
            return Decision(ROLL_BACK if held >= settings.patience else HOLD, str(one))
    return Decision(PROMOTE, "not worse than the anchor")


def questions(candidate: Folders, anchor: Folders, lots: Ids, most: int) -> Ints:
    """Which mails to ask about: rows on which the two disagree outright, inbox here, spam there.

    In turn one that came out of spam and one that went into it, for there may be far more of one
    kind; each kind in the order of ``lots``.
    """
    out = (candidate == INBOX) & (anchor == JUNK)
    into = (candidate == JUNK) & (anchor == INBOX)
    kinds = [rows[np.argsort(lots[rows])] for rows in map(np.flatnonzero, (out, into))]
    turns = [2 * np.arange(len(rows)) + place for place, rows in enumerate(kinds)]
    order: Ints = np.concatenate(kinds)[np.argsort(np.concatenate(turns))]
    return order[:most]
