"""How far the results hang on what people are assumed to do: each habit halved and doubled.

    python -m benchmarks.habits [--seeds 4] [--jobs 2] > docs/habits.md

The flagship on synthetic mail; differences are paired by seed against the habits as they are.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from agents.people import SOURCES, Habits
from benchmarks.machine import machine
from simulator import intervals, run
from simulator.metrics import Metric
from simulator.ranges import RANGES
from simulator.summary import Summary

SHOWN = (
    ("unguarded", "attack_success"),
    ("attacked", "attack_success"),
    ("reference", "ham_misclassified"),
    ("reference", "spam_misclassified"),
    ("attacked", "honest_votes_lost"),
)
NOTABLE = 0.01
"""A difference, as a share, from which it is called one."""

Value = float | dict[str, float]


class Change(NamedTuple):
    """A habit that was changed, by what, and the runs with it."""

    habit: str
    factor: float
    value: Value
    summary: Summary


def changes() -> Iterator[tuple[str, float, Value]]:
    """Every habit that is a number, or numbers, halved and doubled as far as it can be."""
    usual = Habits()
    for one in fields(Habits):
        value: Any = getattr(usual, one.name)
        if isinstance(value, bool):
            continue
        for factor in (0.5, 2.0):
            if isinstance(value, dict):
                yield one.name, factor, {name: of * factor for name, of in value.items()}
            else:
                most = RANGES[f"people.{one.name}"].high
                changed = min(value * factor, most)
                if changed != value:
                    yield one.name, factor, type(value)(changed)


def difference(base: Summary, new: Summary, arm: str, metric: str) -> str:
    """The mean difference over seeds, in points, with its interval; bold if it is notable."""
    before, after = ({one.seed: one.values for one in of.replicates} for of in (base, new))
    pairs = [(before[seed][arm][metric], after[seed][arm][metric]) for seed in before]
    more = [b - a for a, b in pairs if a is not None and b is not None]
    found = intervals.of_mean(more)
    if found is None:
        return "no data"
    mean = sum(more) / len(more)
    text = f"{100 * mean:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    clear = found.low > 0 or found.high < 0
    return f"**{text}**" if clear and abs(mean) >= NOTABLE else text


def table(base: Summary, found: list[Change]) -> Iterator[str]:
    """A row a change."""
    names = [f"`{metric}`, {arm}" for arm, metric in SHOWN]
    yield "| habit | usual | changed to | " + " | ".join(names) + " |"
    yield "|" + "---|" * (len(SHOWN) + 3)
    usual = Habits()
    for one in found:
        cells = [difference(base, one.summary, arm, metric) for arm, metric in SHOWN]
        yield (
            f"| `{one.habit}` | {_shown(getattr(usual, one.habit))}"
            f" | {_shown(one.value)} | " + " | ".join(cells) + " |"
        )


def sources() -> Iterator[str]:
    """A row a habit: its number and where it comes from."""
    yield "| habit | number | source |"
    yield "|---|---|---|"
    usual = Habits()
    for one in fields(Habits):
        yield f"| `{one.name}` | {_shown(getattr(usual, one.name))} | {SOURCES[one.name]} |"


def _shown(value: Value) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {of:g}" for name, of in value.items())
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _cell(metric: Metric) -> str:
    if metric.mean is None:
        return "no data"
    return f"{100 * metric.mean:.2f} %"


def main() -> None:
    """Write the page to standard output."""
    options = argparse.ArgumentParser("python -m benchmarks.habits", description=__doc__)
    options.add_argument("--seeds", type=int, default=4)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--habit", action="append", help="this one alone; repeatable")
    given = options.parse_args()

    def replicated(**habits: Any) -> Summary:
        return run(
            "not-spam-campaign",
            replicates=given.seeds,
            jobs=given.jobs,
            arms=["attacked", "twin", "unguarded", "reference"],
            thresholds=[],
            duration=168,
            people=habits,
        )

    base = replicated()
    found = []
    for habit, factor, value in changes():
        if given.habit is None or habit in given.habit:
            found.append(Change(habit, factor, value, replicated(**{habit: value})))
            print(f"{habit} x {factor:g}: {found[-1].summary.verdict}", file=sys.stderr, flush=True)
    about = machine()
    as_is = "\n".join(
        f"* `{metric}`, {arm}: {_cell(base.arms[arm].metrics[metric])}" for arm, metric in SHOWN
    )
    print(
        PAGE.format(
            seeds=given.seeds,
            python=about["python"],
            processor=about["processor"],
            cores=about["cores"],
            sources="\n".join(sources()),
            table="\n".join(table(base, found)),
            base=as_is,
        ),
        end="",
    )


PAGE = """# What people are assumed to do, and what hangs on it

Little is published on how people report mail. Each habit is one number with its source, or
assumed; what the results would be with half and with twice of it is below. Written by

```console
python -m benchmarks.habits --seeds {seeds} > docs/habits.md
```

with Python {python} on {cores} cores of {processor}; the figures do not depend on the machine.

## The habits

`people.NAME` sets each of them (`--set people.report_spam=0.1`); the docstring of
`agents.people.Habits` says what they count.

{sources}

## Halved and doubled

The flagship's attack for 96 hours on synthetic mail, over {seeds} seeds. As it is:

{base}

In the table: how many points more, seed by seed, with the 95 % interval of the mean difference.
Bold: a point or more, and not zero.

{table}
"""


if __name__ == "__main__":
    main()
