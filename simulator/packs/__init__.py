"""Paper packs: a finding of the field, run again here, with a band that it has to lie in.

A pack is a file in this folder: a frozen dataclass of the file's name, whose fields are its
settings and whose docstring says what the paper found.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Protocol

import msgspec

from filter.plugins import SettingsError
from simulator import intervals

Values = Mapping[str, Mapping[str, float | None]]
"""A seed's metrics, by arm and name."""


class Runs(Protocol):
    """Runs a scenario with several seeds."""

    def __call__(self, scenario: str, **changes: Any) -> Sequence[Values]:
        """Each seed's metrics.

        Args:
            scenario: its name.
            changes: other values of settings, tables as dicts.
        """
        ...


class Finding(msgspec.Struct, frozen=True):
    """What came out, and the band that the paper's finding asks for.

    ``mean`` is over seeds, ``ci_low`` to ``ci_high`` its 95 % bootstrap interval; ``low`` to
    ``high`` the band, None where it is open. All are in ``unit``.
    """

    what: str
    mean: float
    ci_low: float
    ci_high: float
    low: float | None
    high: float | None
    unit: str
    n: int
    agrees: bool


class Pack(Protocol):
    """A paper's finding, and how to look for it."""

    paper: ClassVar[str]
    seeds: int

    def findings(self, runs: Runs) -> Iterator[Finding]:
        """What came out; nothing is given that was not simulated."""
        ...


def finding(
    what: str,
    values: Sequence[float],
    unit: str,
    low: float | None = None,
    high: float | None = None,
) -> Finding:
    """A figure over seeds; it agrees if its whole interval lies in the band.

    >>> finding("difference", [0.2, 0.4, 0.3], "points", low=0).agrees
    True
    >>> finding("difference", [-0.2, 0.4, 0.3], "points", low=0).agrees
    False
    """
    mean = sum(values) / len(values)
    interval = intervals.of_mean(values) or intervals.Interval(mean, mean)
    above = low is None or interval.low > low
    below = high is None or interval.high <= high
    return Finding(
        what, mean, interval.low, interval.high, low, high, unit, len(values), above and below
    )


def values(seeds: Sequence[Values], arm: str, metric: str) -> list[float]:
    """A metric of each seed's.

    Raises:
        SettingsError: a seed has no value: its run was too short for it.
    """
    found = [one[arm][metric] for one in seeds]
    if None in found:
        raise SettingsError(f"{arm}.{metric} has no data: the runs are too short for it")
    return [value for value in found if value is not None]


def errors(seeds: Sequence[Values], arm: str) -> list[float]:
    """Each seed's ham misclassified plus spam misclassified."""
    labels = [values(seeds, arm, f"{label}_misclassified") for label in ("ham", "spam")]
    return [ham + spam for ham, spam in zip(*labels, strict=True)]
