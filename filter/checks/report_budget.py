"""Report budget: honest reports cannot outnumber the spam that the filter missed."""

from dataclasses import dataclass
from typing import ClassVar

from filter.checks.correction_budget import CorrectionBudget


@dataclass(frozen=True)
class ReportBudget(CorrectionBudget):
    """Bound the "spam" lessons an hour by what can be honest: the correction budget's mirror (D27).

    Against whoever votes a competitor's ham into the spam folder (A2). λ is the rate of vetted
    accounts' reports, the golden errors are spam that judges, looking three times, found in the
    inbox. Its price is that honest reports wait while a flood lasts, or where a large new campaign
    moves more people to report than `room` has foreseen.

    Args:
        start: λ at the beginning, claims in a thousand mails. In peace, synthetic mail has 2.4 to
            2.5 and Enron 0.8 to 1.3.
        room: how far above the usual rate the budget lies.
        growth_per_day: how much λ may grow in a day, as a share of it.
        memory: thousands of mails over which λ is averaged.
        saved: ticks' worth of budget that can be saved up.
    """

    start: float = 2.5
    spam: ClassVar[bool] = True
