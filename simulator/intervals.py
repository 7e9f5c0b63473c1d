"""Intervals over replicates: 95 % bootstrap intervals of means, and of medians of times."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import NDArray

CONFIDENCE: Final = 0.95
RESAMPLES: Final = 9999
ALIKE: Final = 1e-12
"""Values that differ by less are one value."""


class Interval(NamedTuple):
    """Where a figure lies with a confidence of 95 %."""

    low: float
    high: float


def of_mean(values: Sequence[float]) -> Interval | None:
    """The interval of a mean, bias-corrected and accelerated; None for fewer than two values.

    Source: Efron, Better bootstrap confidence intervals, JASA 1987. Values that are all alike give
    an interval without length, which says nothing of other worlds: see `rule_of_three`.

    >>> of_mean([0.0, 0.0, 0.0])
    Interval(low=0.0, high=0.0)
    """
    from scipy.stats import bootstrap

    if len(values) < 2:
        return None
    if max(values) - min(values) < ALIKE:
        return Interval(min(values), max(values))
    found = bootstrap(
        (np.asarray(values),),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=_draws(),
    ).confidence_interval
    return Interval(max(float(found.low), min(values)), min(float(found.high), max(values)))


def median(times: Sequence[float]) -> float:
    """The median of times, of which those that were not reached are infinite.

    All are watched for as long, so this is Kaplan and Meier's estimate: the first time at which
    half of them, at most, are still to come.

    >>> median([5, math.inf, 7, 6]), median([5, math.inf, math.inf])
    (6.0, inf)
    """
    return float(np.sort(times)[(len(times) - 1) // 2])


def of_median(times: Sequence[float]) -> Interval | None:
    """The interval of such a median, by percentiles; None for fewer than two times."""
    if len(times) < 2:
        return None
    known = np.asarray(times, np.float64)
    drawn = known[_draws().integers(0, len(known), (RESAMPLES, len(known)))]
    drawn.sort(axis=1)
    medians: NDArray[np.float64] = np.sort(drawn[:, (len(known) - 1) // 2])
    tail = (1 - CONFIDENCE) / 2
    return Interval(
        float(medians[int(tail * RESAMPLES)]), float(medians[int((1 - tail) * RESAMPLES)])
    )


def rule_of_three(count: int) -> float:
    """What share of all worlds may be otherwise if none of so many was: 3/n at most.

    Source: Hanley and Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 1983.
    """
    return min(1.0, 3 / count) if count else math.nan


def _draws() -> Generator:
    """The same draws for all figures: a summary is the same whenever it is made."""
    return Generator(Philox(1983))
