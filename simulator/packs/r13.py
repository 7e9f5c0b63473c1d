"""TREC's full, delayed and partial feedback."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from simulator.packs import Finding, Runs, finding, values

MAILS = 75_419
LABELLED_FIRST = 10_000
LABELLED_OF_ONE = 30_388 / MAILS
AN_HOUR = 300


@dataclass(frozen=True)
class R13:
    """Full feedback is better than feedback that ends, or that covers some mail alone.

    The TREC 2007 spam track had 75,419 mails: with feedback for each; for the first 10,000; or for
    the 30,388 of one recipient. Here a stream of as many mails is labelled, by judges who do not
    err, for all; until 10,000 have come; or for as large a share of the recipients.

    Args:
        seeds: worlds.
    """

    paper: ClassVar[str] = "Cormack, TREC 2007 Spam Track Overview"

    seeds: int = 5

    def findings(self, runs: Runs) -> Iterator[Finding]:
        """Feed the same stream back in three ways."""
        full = self._one_minus_roca(runs, {})
        yield finding("1-ROCA with full feedback", full, "%")
        ways: dict[str, dict[str, Any]] = {
            "delayed": {"labelled_until": LABELLED_FIRST // AN_HOUR},
            "partial": {"labelled": LABELLED_OF_ONE},
        }
        for name, judges in ways.items():
            other = self._one_minus_roca(runs, judges)
            more = [b - a for a, b in zip(full, other, strict=True)]
            yield finding(f"1-ROCA with {name} feedback, less full", more, "points", low=0.0)

    def _one_minus_roca(self, runs: Runs, judges: dict[str, Any]) -> list[float]:
        seeds = runs(
            "peace",
            arms=["reference"],
            duration=MAILS // AN_HOUR,
            world={"people": 1000},
            synthetic={"mails_per_hour": AN_HOUR, "start_mails": 200, "start_ham": 200},
            filter={"learner": {"learns_from": "all"}},
            judges=judges,
        )
        return [100 * value for value in values(seeds, "reference", "one_minus_roca")]
