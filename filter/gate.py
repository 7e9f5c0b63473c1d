"""The gate: is the candidate worse than what we trusted a week ago?

A differential test (defence D10) of the candidate against the anchor, a frozen release, on mails
that judges have seen: never on what was taught, which flatters, and never against yesterday, which
misses the boiling frog.
"""

from dataclasses import dataclass
from math import comb
from typing import NamedTuple

import numpy as np

from filter.columns import Bits, Folders
from filter.events import HOLD, INBOX, JUNK, PROMOTE, ROLL_BACK


@dataclass(frozen=True)
class GateSettings:
    """How the gate tests.

    Args:
        significance: the sign test's level.
        asked_per_hour: judgements the gate may ask for, of mails that candidate and anchor file
            differently.
        anchor_age: ticks; the anchor is the youngest daily release that is at least this old.
        patience: ticks a candidate is held before training is rolled back.
        looked_at: mails an hour on which candidate and anchor are compared, at least; it is a
            quarter of all where that is more.
        most: judged mails that the test is made on, at most; the newest.
    """

    significance: float = 0.001
    asked_per_hour: int = 5
    anchor_age: int = 168
    patience: int = 6
    looked_at: int = 500
    most: int = 4000


class Comparison(NamedTuple):
    """Judged mails of one label that one release files right and the other wrong."""

    worse: int
    better: int

    def p(self) -> float:
        """The sign test: how likely so many got worse if candidate and anchor were alike.

        >>> Comparison(worse=10, better=0).p()
        0.0009765625
        >>> Comparison(worse=4, better=6).p()
        0.828125
        """
        n = self.worse + self.better
        return float(sum(comb(n, k) for k in range(self.worse, n + 1)) / 2**n)


class Decision(NamedTuple):
    """What the gate says of a candidate, and why."""

    action: str
    reason: str


def compare(candidate: Folders, anchor: Folders, spam: Bits) -> tuple[Comparison, Comparison]:
    """Compare two releases on judged mails: ham wrongly in spam, and spam wrongly in the inbox."""
    bad_now = np.where(spam, candidate == INBOX, candidate == JUNK)
    bad_then = np.where(spam, anchor == INBOX, anchor == JUNK)
    worse, better = bad_now & ~bad_then, bad_then & ~bad_now
    return (
        Comparison(int((worse & ~spam).sum()), int((better & ~spam).sum())),
        Comparison(int((worse & spam).sum()), int((better & spam).sum())),
    )


def decide(settings: GateSettings, compared: tuple[Comparison, Comparison], held: int) -> Decision:
    """Promote, hold or roll back.

    Args:
        settings: level and patience.
        compared: on judged ham and on judged spam.
        held: ticks for which the candidate has been held by now.
    """
    for label, one in zip(("ham", "spam"), compared, strict=True):
        if one.worse > one.better and one.p() < settings.significance:
            reason = (
                f"judged {label}: worse than the anchor on {one.worse}, better on {one.better}"
                f" (sign test p = {one.p():.1e})"
            )
            return Decision(ROLL_BACK if held >= settings.patience else HOLD, reason)
    return Decision(PROMOTE, "not worse than the anchor")


def differ(candidate: Folders, anchor: Folders) -> Bits:
    """The mails on which the two releases disagree outright: inbox here and spam there."""
    opposite: Bits = np.abs(candidate - anchor) == JUNK - INBOX
    return opposite
