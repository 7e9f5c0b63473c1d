"""Thresholds: what has to hold, and what a run must not do."""

import math
import operator
import re
from collections.abc import Mapping
from typing import NamedTuple

from filter.plugins import SettingsError, unknown
from simulator.metric_names import NAMES, STATISTICS
from simulator.metrics import Metric

OPERATORS = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
RULE = re.compile(
    r"\s*(?:(?P<arm>\w+)\.)??(?P<metric>\w+)\.(?P<statistic>\w+)\s*(?P<sign><=|>=|==|!=|<|>)"
    r"\s*(?P<value>[-+.\w]+)\s*(?P<empty>or no data)?\s*"
)


class Threshold(NamedTuple):
    """A rule over a metric.

    Args:
        text: as it was written.
        arm: whose metric; nothing for the arm that is judged.
        metric: one of `simulator.metric_names.NAMES`.
        statistic: one of `simulator.metric_names.STATISTICS`.
        sign: one of `OPERATORS`.
        value: what it is compared with.
        breaks: whether the rule says what must not be (``--fail-if``), not what has to hold.
        empty: whether it holds when there is no data.
    """

    text: str
    arm: str
    metric: str
    statistic: str
    sign: str
    value: float
    breaks: bool
    empty: bool


class Held(NamedTuple):
    """A threshold and what became of it; ``actual`` is None where there was no data."""

    threshold: Threshold
    actual: float | None
    held: bool


def parse(text: str, place: str, breaks: bool = False) -> Threshold:
    """A rule such as ``attack_success.mean < 0.05``, or ``... or no data``.

    Raises:
        SettingsError: no such metric or statistic (the nearest is named), or no rule at all.

    >>> parse("attack_success.mean < 0.05", "thresholds").value
    0.05
    """
    match = RULE.fullmatch(text)
    if match is None:
        raise SettingsError(f"{place}: {text!r} is no rule such as 'attack_success.max > 0.05'")
    metric, statistic = match["metric"], match["statistic"]
    if metric not in NAMES:
        raise SettingsError(f"{place}: metric {unknown(metric, list(NAMES))}")
    if statistic not in STATISTICS:
        raise SettingsError(f"{place}: statistic {unknown(statistic, list(STATISTICS))}")
    try:
        value = float(match["value"])
    except ValueError:
        raise SettingsError(f"{place}: {match['value']!r} is no number") from None
    if math.isnan(value):
        raise SettingsError(f"{place}: nothing can be compared with nan")
    empty = match["empty"] is not None
    return Threshold(
        text.strip(), match["arm"] or "", metric, statistic, match["sign"], value, breaks, empty
    )


def check(threshold: Threshold, metrics: Mapping[str, Mapping[str, Metric]], judged: str) -> Held:
    """Hold a threshold against the arms' metrics.

    No data breaks it, but a time that was never reached counts as infinite.
    """
    metric = metrics.get(threshold.arm or judged, {}).get(threshold.metric)
    actual: float | None = getattr(metric, threshold.statistic) if metric else None
    if actual is None and not threshold.metric.startswith("ticks_to_"):
        return Held(threshold, None, threshold.empty)
    true = OPERATORS[threshold.sign](math.inf if actual is None else actual, threshold.value)
    return Held(threshold, actual, bool(true) != threshold.breaks)
