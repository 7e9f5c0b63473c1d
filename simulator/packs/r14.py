"""Uniform against natural noise."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from agents.people import Habits
from simulator.packs import Finding, Runs, errors, finding

CHECKS = (
    "corroboration",
    "golden_neighbours",
    "near_duplicates",
    "correction_budget",
    "reputation",
)


@dataclass(frozen=True)
class R14:
    """What helps against uniform noise does not help against natural noise.

    Fixes for noisy feedback that work where every mail is as likely to be labelled wrongly do not
    work where people err as people do, on some genres more than on others. Here honest people err
    many times as often as usual, alike on all mail or by genre; the check that gains most under
    uniform noise is taken, and tried on other seeds under both.

    Args:
        seeds: worlds to try in; as many others are for choosing.
        noise: how many times as many mistakes people make as they usually do.
    """

    paper: ClassVar[str] = "Sculley and Cormack, Filtering Email Spam with Noise, CEAS 2008"

    seeds: int = 4
    noise: float = 15.0

    def findings(self, runs: Runs) -> Iterator[Finding]:
        """Choose a check under uniform noise, then try it under both."""
        tuned = {check: self._gains(runs, check, True, self.seeds + 1) for check in CHECKS}
        best = max(tuned, key=lambda check: sum(tuned[check]))
        uniform, natural = (self._gains(runs, best, flat, 1) for flat in (True, False))
        yield finding(f"gain of {best} under uniform noise", uniform, "points", low=0.0)
        lost = [a - b for a, b in zip(uniform, natural, strict=True)]
        yield finding("of which it loses under natural noise", lost, "points", low=0.0)

    def _gains(self, runs: Runs, check: str, uniform: bool, seed: int) -> list[float]:
        """Points of error that a check saves."""
        usual = Habits()
        people = {
            "uniform": uniform,
            "mistaken_spam": {name: self.noise * of for name, of in usual.mistaken_spam.items()},
            "mistaken_ham": {name: self.noise * of for name, of in usual.mistaken_ham.items()},
        }
        seeds = runs(
            "peace",
            seed=seed,
            arms=["default", "reference"],
            duration=168,
            world={"people": 4000},
            synthetic={"mails_per_hour": 1000},
            people=people,
            filter={"guard": check},
        )
        guarded, bare = errors(seeds, "default"), errors(seeds, "reference")
        return [100 * (without - having) for having, without in zip(guarded, bare, strict=True)]
