"""The filter over a month, the gate's power, and classifiers side by side.

    python -m benchmarks.filter [--seeds 5] [--gate-seeds 20] [--jobs 2] > docs/filter.md
    python -m benchmarks.filter --only month

Each part is printed as soon as it is there.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, Final, NamedTuple

from benchmarks.machine import machine
from filter.plugins import names
from filter.river_travel import TRAVELS
from simulator import intervals, loop, run
from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.metrics import error
from simulator.scenario import read, scenario
from simulator.scripting import changed
from simulator.summary import Summary

WEEK: Final = 168
DAYS: Final = 30
VOTES_A_MAIL: Final = 0.8
"""Of the bots, for each mail of the campaign: the flagship's ratio."""
OTHERS: Final = ("facto.FMClassifier", "naive_bayes.GaussianNB")
"""Classifiers of River's that cannot be saved, and run embedded all the same."""


# A month of peace


class Month(NamedTuple):
    """A seed's month: the error of each week, the limits of each day, and the gate's refusals."""

    seed: int
    errors: list[float]
    limits: list[tuple[float, float]]
    refused: int


def months(seeds: int, jobs: int) -> list[Month]:
    """Thirty days of peace with drift, for each seed."""
    with tempfile.TemporaryDirectory(prefix="hamstrung-month-") as spare:
        path = Path(spare) / "run"
        summary = run(
            "peace",
            folder=path,
            replicates=seeds,
            jobs=jobs,
            duration=24 * DAYS,
            arms=["default"],
            thresholds=[],
        )
        return [_month(one.seed, RunFolder.open(one.folder)) for one in summary.replicates]


def _month(seed: int, folder: RunFolder) -> Month:
    frames = [frame for _, frame in folder.frames()]
    weeks = [frames[start : start + WEEK] for start in range(0, len(frames) - WEEK + 1, WEEK)]
    weeks[-1] = frames[-WEEK:]
    limits = [
        (line["limits"][0], line["limits"][1])
        for line in folder.events()
        if line["type"] == "release" and line["limits"]
    ]
    refused = sum(frame.release in ("hold", "roll back") for frame in frames)
    return Month(seed, [_error(week) for week in weeks], limits, refused)


def _error(frames: Sequence[Frame]) -> float:
    found = error(frames)
    assert found is not None
    return found


def of_months(found: Sequence[Month]) -> Iterator[str]:
    """A row a seed; then what the last week's error is to the second's."""
    yield (
        "| seed | error, week 1 | week 2 | week 3 | last 7 days | last / second"
        " | limit of spam, log odds: lowest, highest | refused by the gate |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    ratios = []
    for one in found:
        ratios.append(one.errors[-1] / one.errors[1])
        spam = [limit for _, limit in one.limits]
        cells = [f"{100 * week:.2f} %" for week in one.errors]
        yield (
            f"| {one.seed} | {' | '.join(cells)} | {ratios[-1]:.2f}"
            f" | {min(spam):.2f}, {max(spam):.2f} | {one.refused} of {24 * DAYS} h |"
        )
    interval = intervals.of_mean(ratios)
    assert interval is not None
    yield ""
    yield (
        f"The last week's error is {mean(ratios):.2f} times that of the second"
        f" [{interval.low:.2f}, {interval.high:.2f}], at worst {max(ratios):.2f} (the bar is 1.5)."
    )


# The gate


def gate(seeds: int, jobs: int) -> Iterator[str]:
    """How soon the gate alone sees a campaign, by its share of all spam."""
    yield (
        "| campaign, mails an hour | share of spam | bot votes an hour | seen by the gate"
        " | after, median | worst | refusals a day in the twin |"
    )
    yield "|---|---|---|---|---|---|---|"
    for mails in (25, 50, 100):
        votes = round(VOTES_A_MAIL * mails)
        summary = run(
            "not-spam-campaign",
            replicates=seeds,
            jobs=jobs,
            arms=["attacked", "twin"],
            thresholds=[],
            duration=168,
            filter={"guard": "gate"},
            attack={"settings": {"mails_per_hour": mails, "votes_per_hour": votes}},
        )
        found = [one.values["attacked"]["ticks_to_detect"] for one in summary.replicates]
        seen = sorted(value for value in found if value is not None)
        median = summary.metrics["ticks_to_detect"].mean
        yield (
            f"| {mails} | {mails / (1000 + mails):.1%} | {votes}"
            f" | in {len(seen)} of {len(found)} seeds"
            f" | {_hours(median)} | {_hours(seen[-1] if len(seen) == len(found) else None)}"
            f" | {summary.metrics['twin_alarms_a_day'].mean:.2f} |"
        )
        _say(f"gate, {mails} an hour: seen in {len(seen)} of {len(found)}")


def _hours(value: float | None) -> str:
    return "not in 96 h" if value is None else f"{value:.0f} h"


# Classifiers


def classifiers(seeds: int, jobs: int) -> Iterator[str]:
    """A row a classifier: what it errs in the loop, and how fast the loop is with it."""
    yield "| classifier | saved and resumed | ham misclassified | spam misclassified | mails/s |"
    yield "|---|---|---|---|---|"
    small: dict[str, Any] = {
        "duration": 48,
        "arms": ["reference"],
        "thresholds": [],
        "world": {"people": 1000},
        "synthetic": {"mails_per_hour": 60},
    }
    for name in (*names("filter.model"), *sorted(TRAVELS), *OTHERS):
        saved = "." not in name or name in TRAVELS
        summary = run("peace", replicates=seeds, jobs=jobs, filter={"model": name}, **small)
        speed = _speed(name, small)
        yield (
            f"| `{name}` | {'yes' if saved else 'no'} | {_cell(summary, 'ham_misclassified')}"
            f" | {_cell(summary, 'spam_misclassified')} | {speed:,.0f} |"
        )
        _say(f"{name}: {speed:,.0f} mails/s")


def _speed(name: str, small: dict[str, Any]) -> float:
    """Mails a second of the whole loop, for ten seconds or to its end; not of what comes before."""
    prepared = loop.prepare(scenario(changed(read("peace"), small | {"filter": {"model": name}})))
    (arm,) = prepared.arms.values()
    began = time.perf_counter()
    for _ in loop.ticks(prepared):
        seconds = time.perf_counter() - began
        if seconds > 10:
            break
    return sum(frame.mails for frame in arm.frames) / seconds


def _cell(summary: Summary, name: str) -> str:
    metric = summary.metrics[name]
    if metric.mean is None or metric.ci_low is None or metric.ci_high is None:
        return "no data"
    return f"{100 * metric.mean:.1f} % [{100 * metric.ci_low:.1f}, {100 * metric.ci_high:.1f}]"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Write the page to standard output."""
    options = argparse.ArgumentParser("python -m benchmarks.filter", description=__doc__)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--gate-seeds", type=int, default=20)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--only", choices=PARTS, action="append", help="a part; repeatable")
    given = options.parse_args()
    about = machine()
    only = "".join(f" --only {part}" for part in given.only or ())
    said = {"seeds": given.seeds, "gate_seeds": given.gate_seeds, "only": only}
    said |= {name: about[name] for name in ("python", "processor", "cores")}
    print(HEAD.format(**said), flush=True)
    tables: dict[str, Callable[[], Iterator[str]]] = {
        "month": lambda: of_months(months(given.seeds, given.jobs)),
        "gate": lambda: gate(given.gate_seeds, given.jobs),
        "classifiers": lambda: classifiers(given.seeds, given.jobs),
    }
    for name in given.only or PARTS:
        table = "\n".join(tables[name]())
        print(PARTS[name].format(table=table, **said), flush=True)


HEAD = """# The filter: a month, the gate, other classifiers

Written by

```console
python -m benchmarks.filter --seeds {seeds} --gate-seeds {gate_seeds}{only} > docs/filter.md
```

with Python {python} on {cores} cores of {processor}. But for mails/s the figures do not depend on
the machine. In brackets: 95 % bootstrap intervals over seeds.
"""

PARTS = {
    "month": """## A month of peace

The scenario `peace` for 30 days, with the default guard, on synthetic mail that drifts. Error is
ham misclassified plus spam misclassified. The limit is that of the spam folder, once a day.

{table}
""",
    "gate": """## The gate's power

The flagship's attack, with 0.8 bot votes for each mail of the campaign, against the gate and
nothing else (`--guard gate`), over {gate_seeds} seeds: hours from the attack's start to the gate's
first refusal. Refusals in the twin, where the same campaign has no bots, are false alarms; so are
those of the last column above. That the gate sees an attack does not mean that it stops it: it
holds what it does not like, in the end it goes back to a release of days before, and bots go on.

{table}
""",
    "classifiers": """## Classifiers

`peace` in a small world (1,000 people, 60 mails an hour, 48 h), without a guard, {seeds} seeds:
the arm `reference`. Speed is that of the whole loop, in one process.

{table}
""",
}


if __name__ == "__main__":
    main()
