"""Outlying sources: accounts whose voting is unlike everybody's, by two detectors of anomalies."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
import numpy as np

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import QUARANTINED, Claim

DAY, WEEK = 24, 168
Vector = tuple[float, float, float, float, float, float]
"""What is told of a source, each in [0, 1]."""


class Past(msgspec.Struct, weakref=True, eq=False, forbid_unknown_fields=True):
    """A week of claims, and what the detectors were shown.

    ``claims`` has tick, label and story of each account's; ``subnets`` the ticks of each subnet's.
    ``shown`` is what the half-space trees learned since the beginning of the last full window, of
    ``learned`` in all; ``sample`` what the isolation forest was fitted to; ``scores`` what the last
    claims scored with each.
    """

    claims: dict[int, list[tuple[int, bool, int]]] = {}
    subnets: dict[int, list[int]] = {}
    shown: list[Vector] = []
    learned: int = 0
    sample: list[Vector] = []
    scores: list[tuple[float, float]] = []


@dataclass(frozen=True)
class OutlyingSources:
    """Hold the claims of sources that are outliers among all that vote (D7).

    Of each source: its votes of a day, how many of them say "not spam", on how many stories, its
    subnet's votes, its standing, and how long ago it voted. Half-space trees (Tan, Ting and Liu,
    IJCAI 2011; River's) learn these tick by tick, an isolation forest (Liu, Ting and Zhou, ICDM
    2008; scikit-learn's) is fitted to the last of them every day. Who is further out than nearly
    all claims of late, by either, waits until judges have looked at his story. Whatever else it
    does, it holds a share of honest claims: what is rare is not always wrong.

    Args:
        share: of the claims, those that are furthest out by each detector.
        window: claims from which each detector learns what is usual.
        trees: of each.
        seed: of the trees' shapes.
    """

    share: float = 0.005
    window: int = 500
    trees: int = 25
    seed: int = 1

    def fresh(self) -> Past:
        """Nothing is usual yet."""
        return Past()

    def examine(self, tick: int, past: Past, cases: Sequence[Case]) -> list[Suspicion]:
        """Hold those that are further out than nearly all of the last claims."""
        if len(past.scores) < self.window or not cases:
            return [NOTHING] * len(cases)
        limits = np.quantile(np.array(past.scores), 1 - self.share, axis=0)
        vectors = [self._vector(tick, past, case.claim) for case in cases]
        found = []
        for case, scores in zip(cases, self._scores(past, vectors), strict=True):
            far = [
                f"{name} {score:.2f} above {limit:.2f}"
                for name, score, limit in zip(NAMES, scores, limits.tolist(), strict=True)
                if score > limit
            ]
            if far and case.judged != case.claim.spam:
                found.append(Suspicion(QUARANTINED, f"an outlier: {', '.join(far)}"))
            else:
                found.append(NOTHING)
        return found

    def learn(self, tick: int, past: Past, heard: Heard) -> Past:
        """Show the detectors the new claims; every day, fit the forest anew and forget."""
        now = _forgotten(tick, past) if tick % DAY == 0 else past
        vectors = [self._vector(tick, now, case.claim) for case in heard.claims]
        scores = self._scores(now, vectors) if now.learned >= self.window else []
        shown, learned = [*now.shown, *vectors], now.learned + len(vectors)
        full = learned // self.window - now.learned // self.window
        if full:
            left = learned % self.window + self.window
            shown = shown[-left:]
        fit = tick % DAY == 0 and learned >= self.window
        claims, subnets = dict(now.claims), dict(now.subnets)
        for case in heard.claims:
            claim = case.claim
            said = (tick, claim.spam, case.story)
            claims[claim.account] = [*claims.get(claim.account, []), said]
            subnets[claim.subnet] = [*subnets.get(claim.subnet, []), tick]
        new = Past(
            claims,
            subnets,
            shown,
            learned,
            shown[-self.window :] if fit else now.sample,
            [*now.scores, *scores][-4 * self.window :],
        )
        _hand_on(now, new, vectors, fit)
        return new

    def _vector(self, tick: int, past: Past, claim: Claim) -> Vector:
        of_account = past.claims.get(claim.account, [])
        today = sum(tick - then < DAY for then, _, _ in of_account)
        near = sum(tick - then < DAY for then in past.subnets.get(claim.subnet, []))
        many = len(of_account) + 1
        ham = sum(not spam for _, spam, _ in of_account) + (not claim.spam)
        stories = len({story for _, _, story in of_account}) + 1
        quiet = tick - of_account[-1][0] if of_account else WEEK
        return (
            today / (today + 3),
            ham / many,
            min(1.0, stories / many),
            near / (near + 10),
            claim.reputation,
            quiet / (quiet + DAY),
        )

    def _scores(self, past: Past, vectors: Sequence[Vector]) -> list[tuple[float, float]]:
        """How far out each is, by the trees and by the forest; in six decimals, on any machine."""
        if not vectors:
            return []
        detectors = self._detectors(past)
        by_trees = [detectors.trees.score_one(_named(vector)) for vector in vectors]
        by_forest = [0.0] * len(vectors)
        if detectors.forest is not None:
            by_forest = (-detectors.forest.score_samples(np.array(vectors))).tolist()
        pairs = zip(by_trees, by_forest, strict=True)
        return [(round(one, 6), round(other, 6)) for one, other in pairs]

    def _detectors(self, past: Past) -> "_Detectors":
        """The detectors that learned this past: at hand, or made again from what it remembers."""
        if past not in _MADE:
            _MADE[past] = _Detectors(self._trees(), None)
            for vector in past.shown:
                _MADE[past].trees.learn_one(_named(vector))
        if _MADE[past].forest is None and past.sample:
            _MADE[past] = _Detectors(_MADE[past].trees, self._forest(past.sample))
        return _MADE[past]

    def _trees(self) -> Any:
        from river.anomaly import HalfSpaceTrees

        limits: Any = dict.fromkeys(range(6), (0.0, 1.0))
        return HalfSpaceTrees(self.trees, 6, self.window, limits, self.seed)

    def _forest(self, sample: Sequence[Vector]) -> Any:
        from sklearn.ensemble import IsolationForest

        return IsolationForest(n_estimators=self.trees, random_state=self.seed).fit(sample)


class _Detectors(msgspec.Struct):
    trees: Any
    forest: Any


NAMES = ("half-space trees", "isolation forest")
_MADE: WeakKeyDictionary[Past, _Detectors] = WeakKeyDictionary()
"""Detectors as they are after a past; none is part of what is saved."""


def _hand_on(past: Past, new: Past, vectors: Sequence[Vector], fit: bool) -> None:
    """Let the detectors of a past learn on, for the one that follows."""
    made = _MADE.pop(past, None)
    if made is not None:
        for vector in vectors:
            made.trees.learn_one(_named(vector))
        _MADE[new] = _Detectors(made.trees, None if fit else made.forest)


def _named(vector: Vector) -> dict[int, float]:
    return dict(enumerate(vector))


def _forgotten(tick: int, past: Past) -> Past:
    """Without the claims of more than a week ago; if all are, what was usual is so no longer."""
    claims = {
        account: [one for one in of if tick - one[0] < WEEK] for account, of in past.claims.items()
    }
    if not any(claims.values()):
        return Past()
    subnets = {net: [then for then in of if tick - then < DAY] for net, of in past.subnets.items()}
    kept = Past(
        {account: of for account, of in claims.items() if of},
        {net: of for net, of in subnets.items() if of},
        past.shown,
        past.learned,
        past.sample,
        past.scores,
    )
    made = _MADE.get(past)
    if made is not None:
        _MADE[kept] = made
    return kept
