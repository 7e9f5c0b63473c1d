"""Correction budget: honest corrections cannot outnumber the filter's errors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.columns import Judgements
from filter.events import INBOX, JUNK, QUARANTINED, UNIT

DAY = 24


class Budget(msgspec.Struct, forbid_unknown_fields=True):
    """What the budget remembers.

    ``rate`` is λ, the vetted accounts' claims in a thousand mails; ``cap`` what it may
    be at most; ``hourly`` the lessons that the last hour added, ``level`` those that are left;
    ``errors`` the golden errors of each day so far, newest last.
    """

    rate: float
    cap: float
    hourly: float = 0.0
    level: float = 0.0
    errors: list[int] = msgspec.field(default_factory=lambda: [0])
    domains: set[int] = set()


@dataclass(frozen=True)
class CorrectionBudget:
    """Bound the "not spam" lessons an hour by what can be honest (D27, this project's own).

    B = room * λ * (4 + x) / (4 + x̄) lessons in a thousand mails, with λ the rate of vetted
    accounts' corrections, x the golden errors (ham that judges, looking three times, found in
    spam) of the last day and x̄ their mean over thirty days, each sender's domain counted once. The
    best reputed claims go first, the others wait. It looks at no account's behaviour and at no
    text, so neither many accounts nor varied text get past it; its price is that honest rescues
    wait while a flood lasts, and whoever owns vetted accounts moves λ. Reckoning by mail lets one
    setting do for providers of any size: a lesson more costs an attacker hundreds of mails.

    Args:
        start: λ at the beginning, claims in a thousand mails; the budget hangs on it for days. In
            peace, synthetic mail has 0.8 to 1.5 and Enron 0.5 to 0.7.
        room: how far above the usual rate the budget lies.
        growth_per_day: how much λ may grow in a day, as a share of it.
        memory: thousands of mails over which λ is averaged.
        saved: ticks' worth of budget that can be saved up.
    """

    start: float = 1.0
    room: float = 3.0
    growth_per_day: float = 0.1
    memory: float = 168.0
    saved: int = 2
    spam: ClassVar[bool] = False
    """The label whose lessons are bounded."""

    def fresh(self) -> Budget:
        """The printed start, with a tick's budget in hand."""
        return Budget(self.start, self.start * (1 + self.growth_per_day), level=1.0)

    def examine(self, tick: int, past: Budget, cases: Sequence[Case]) -> list[Suspicion]:
        """Let "not spam" claims pass, in the order given, while there is budget."""
        left = past.level
        found = []
        for case in cases:
            if case.claim.spam != self.spam:
                found.append(NOTHING)
            elif left >= 1.0:
                left -= 1.0
                found.append(NOTHING)
            else:
                what = "report" if self.spam else "correction"
                reason = f"{left:.2f} of 1 lesson left: {what} budget of {past.hourly:.2f} an hour"
                found.append(Suspicion(QUARANTINED, reason))
        return found

    def learn(self, tick: int, past: Budget, heard: Heard) -> Budget:
        """Charge what was taught; follow λ and the golden errors; add an hour's budget."""
        ours = [case.claim for case in heard.claims if case.claim.spam == self.spam]
        corrections = sum(claim.vetted for claim in ours)
        thousands = heard.mails / 1000
        rate = past.rate
        if thousands:
            rate += (corrections / thousands - rate) * min(1.0, thousands / self.memory)
        taught = [case.claim for case in heard.taught if case.claim.spam == self.spam]
        spent = sum(claim.weight / UNIT for claim in taught)
        new_day = tick % DAY == 0
        errors = [*past.errors, 0][-30:] if new_day else list(past.errors)
        domains = set() if new_day else set(past.domains)
        for domain in _golden_errors(heard.judgements, self.spam) - domains:
            domains.add(domain)
            errors[-1] += 1
        cap = past.rate * (1 + self.growth_per_day) if new_day else past.cap
        hourly = self.room * min(rate, cap) * thousands * _unusual(errors)
        left, most = past.level - spent, max(1.0, self.saved * hourly)
        level = max(left, min(left + hourly, most))
        return Budget(min(rate, cap), cap, hourly, level, errors, domains)


def _unusual(errors: Sequence[int]) -> float:
    """How many more golden errors there are of late than usual, softened by four."""
    return (4 + max(errors[-2:])) / (4 + sum(errors) / len(errors))


def _golden_errors(judgements: Judgements, spam: bool) -> set[int]:
    """The sender domains of random judgements that found mail of this label where it is not to be.

    Ham in the spam folder, or spam in the inbox; looking again.
    """
    folder = INBOX if spam else JUNK
    wrong = (judgements.spam == spam) & (judgements.folder == folder)
    return set(judgements.domain[wrong & ~judgements.asked & (judgements.times > 1)].tolist())
