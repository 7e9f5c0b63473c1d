"""The ceiling of skilled reporters."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.people import Habits, accounts
from simulator.packs import Finding, Runs, errors, finding

PEOPLE = 8000
NOBODY = {
    "skilled": 0.0,
    "report_spam": 0.0,
    "rescue_ham": 0.0,
    "lazy": 0.0,
    "careless": 0.0,
    "slips": 0.0,
    "mistaken_spam": dict.fromkeys(Habits().mistaken_spam, 0.0),
    "mistaken_ham": dict.fromkeys(Habits().mistaken_ham, 0.0),
}
"""A world in which nobody votes."""
ONLY_SKILLED = NOBODY | {"skilled": 0.024}
"""One in which nobody but the skilled votes, as if a guard knew them all by name."""


@dataclass(frozen=True)
class R12:
    """Reporters with a skill that can be measured are too few to matter.

    At most 2.4 % of a network's reporters show a skill that is measurable and lasts, and a set of
    trusted ones is too small to matter. Here a skill is measurable if so many votes before the run
    were right, and none wrong, that somebody of the usual rate of right votes would have had as
    many by luck in one case of twenty. A guard that lets only such accounts teach should gain next
    to nothing over a world without votes; and so should one that knows the skilled by name.

    Args:
        seeds: worlds.
        gain: share of what votes are worth that such a guard may keep, to be called too little.
    """

    paper: ClassVar[str] = "Freeman, Can You Spot the Fakes?, WWW 2017"

    seeds: int = 5
    gain: float = 0.1

    def findings(self, runs: Runs) -> Iterator[Finding]:
        """Count the reporters, then let only them teach, then those who are truly skilled."""
        habits = Habits()
        right = int(np.ceil(np.log(0.05) / np.log(habits.earlier_right)))
        yield finding(
            f"reporters with a measurable skill ({right} votes right, none wrong)",
            [100 * _skilled(seed, right) for seed in range(1, self.seeds + 1)],
            "% of reporters",
            high=2.4,
        )
        proven = {"vetted_from": 0.97, "vetted_outcomes": right, "half_life": 1e6}
        guarded = {"guard": "reputation,vetted_only", "checks": {"reputation": proven}}
        peace = runs("peace", arms=["default", "reference"], filter=guarded)
        few, everybody = (errors(peace, arm) for arm in ("default", "reference"))
        nobody, known = (
            errors(runs("peace", arms=["reference"], people=people), "reference")
            for people in (NOBODY, ONLY_SKILLED)
        )
        for what, having in (
            ("gain of letting only these teach", few),
            ("gain of knowing the 2.4 % who are skilled, and letting only them teach", known),
        ):
            shares = [
                100 * (without - one) / (without - with_all)
                for one, with_all, without in zip(having, everybody, nobody, strict=True)
            ]
            yield finding(f"{what}, of what all votes are worth", shares, "%", high=100 * self.gain)


def _skilled(seed: int, right: int) -> float:
    """Share of those who ever voted before the run."""
    people = accounts(seed, "person", PEOPLE, Habits())
    votes = people.confirmed + people.refuted
    skilled = (people.confirmed >= right) & (people.refuted == 0)
    return float(skilled.sum() / (votes > 0).sum())
