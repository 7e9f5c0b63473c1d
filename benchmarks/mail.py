"""Synthetic mail beside real mail: what it is like, what the filter makes of it, what attacks do.

    python -m benchmarks.mail [--corpus PATH]... [--seeds 5] [--jobs 2] > docs/mail.md

A corpus that is too small for a run without dealing a mail twice is dealt again, and said to be.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.machine import machine
from filter.columns import Bits
from filter.ragged import Ragged, concatenate
from simulator import run
from simulator.corpus import read_corpus
from simulator.loop import source
from simulator.mail import Letters, Source
from simulator.metrics import Metric
from simulator.scenario import read, scenario
from simulator.summary import Summary

ENOUGH = 20_000
"""Mails of a corpus from which none has to be dealt twice."""

GUARDS = (
    "none",
    "rate_limit",
    "reputation",
    "near_duplicates",
    "golden_neighbours",
    "correction_budget",
    "default",
)
VARIED = (0.3, 0.6, 0.8)
APART = 0.05
"""Attack success by which two guards differ if their order is to count."""

Table = dict[str, Any]


class Kind(NamedTuple):
    """Where mail comes from, and the settings that deal it."""

    name: str
    settings: Table


def kinds(paths: Sequence[Path]) -> list[Kind]:
    """Synthetic mail, and each corpus."""
    found = [Kind("synthetic", {})]
    for path in paths:
        corpus = read_corpus(path)
        few = len(corpus.ids) < ENOUGH
        dealt: Table = {"path": str(path)}
        if few:
            dealt |= {"reuse": True, "start_mails": 1000, "start_ham": 1000}
        name = path.name.split(".")[0] + " (dealt again)" * few
        found.append(Kind(name, {"corpus": dealt}))
    return found


# What it is like


def described(kinds: Sequence[Kind]) -> Iterator[str]:
    """How long mails are, and how much of them the filter has never seen."""
    yield "| mail | label | tokens, median | tokens, mean | new to the filter, first day | day 8 |"
    yield "|---|---|---|---|---|---|"
    for kind in kinds:
        made = source(scenario(read("peace") | kind.settings))
        start = made.start()
        known = np.unique(np.concatenate([start.tokens.values, start.ham.values]))
        days = [_day(made, day) for day in (0, 7)]
        for label in (False, True):
            lengths = _of(days[0], made.genres.spam, label).lengths
            new = [_new(_of(day, made.genres.spam, label), known) for day in days]
            yield (
                f"| {kind.name} | {'spam' if label else 'ham'} | {np.median(lengths):.0f}"
                f" | {lengths.mean():.0f} | {new[0]:.1%} | {new[1]:.1%} |"
            )


def _day(made: Source, day: int) -> list[Letters]:
    return [made.letters(24 * day + tick) for tick in range(0, 24, 3)]


def _of(day: Sequence[Letters], spam: Bits, label: bool) -> Ragged:
    """The tokens of a day's mails of a label."""
    return concatenate([one.tokens.take(np.flatnonzero(spam[one.genre] == label)) for one in day])


def _new(tokens: Ragged, known: Any) -> float:
    return float(1 - np.isin(tokens.values, known).mean())


# What the filter makes of it


ERRORS = (
    ("default", "ham_misclassified"),
    ("default", "spam_misclassified"),
    ("default", "ham_unsure"),
    ("default", "spam_unsure"),
    ("default", "one_minus_roca"),
    ("reject_all", "ham_misclassified"),
    ("reject_all", "spam_misclassified"),
    ("default", "vote_value"),
)


def errors(peace: Mapping[str, Summary]) -> Iterator[str]:
    """A row a metric, a column a source."""
    yield "| arm | metric | " + " | ".join(peace) + " |"
    yield "|" + "---|" * (len(peace) + 2)
    for arm, metric in ERRORS:
        cells = [_cell(one.arms[arm].metrics[metric]) for one in peace.values()]
        yield f"| `{arm}` | `{metric}` | " + " | ".join(cells) + " |"


def _cell(metric: Metric) -> str:
    if metric.mean is None:
        return "no data"
    if metric.ci_low is None or metric.ci_high is None:
        return f"{100 * metric.mean:.2f} %"
    return f"{100 * metric.mean:.2f} % [{100 * metric.ci_low:.2f}, {100 * metric.ci_high:.2f}]"


def genres(peace: Mapping[str, Summary]) -> Iterator[str]:
    """Each genre's share that was misclassified, or marked unsure."""
    yield "| mail | genre | label | share of mail | misclassified | unsure |"
    yield "|---|---|---|---|---|---|"
    for name, summary in peace.items():
        found = summary.arms["default"].genres
        every = sum(one.inbox + one.unsure + one.spam for one in found)
        for one in found:
            total = one.inbox + one.unsure + one.spam
            wrong = one.inbox if one.is_spam else one.spam
            label = "spam" if one.is_spam else "ham"
            yield (
                f"| {name} | {one.genre} | {label} | {total / every:.1%}"
                f" | {wrong / total:.2%} | {one.unsure / total:.2%} |"
            )


# What attacks do


Success = dict[tuple[str, float], Metric]


def attacked(kind: Kind, replicated: Callable[[str, Table], Summary]) -> Success:
    """Attack success of the flagship, by guard and share of words that vary."""
    found: Success = {}
    for varies in VARIED:
        for guard in GUARDS:
            settings = kind.settings | {
                "arms": ["attacked", "twin"],
                "thresholds": [],
                "filter": {"guard": guard},
                "attack": {"settings": {"varies": varies}},
            }
            found[guard, varies] = replicated("not-spam-campaign", settings).metrics[
                "attack_success"
            ]
            _say(f"{kind.name}: {guard}, {varies:.0%} varied: {_cell(found[guard, varies])}")
    return found


def fares(found: Mapping[str, Success]) -> Iterator[str]:
    """A row a guard and share, a column a source."""
    yield "| words varied | guard | " + " | ".join(found) + " |"
    yield "|" + "---|" * (len(found) + 2)
    for varies in VARIED:
        for guard in GUARDS:
            cells = [_cell(of[guard, varies]) for of in found.values()]
            yield f"| {varies:.0%} | `{guard}` | " + " | ".join(cells) + " |"


def orders(found: Mapping[str, Success]) -> Iterator[str]:
    """The pairs of guards that two sources order otherwise, and how many they order alike."""
    for one, other in combinations(found, 2):
        pairs = [(varies, *guards) for varies in VARIED for guards in combinations(GUARDS, 2)]
        counted = [pair for pair in pairs if all(_sign(found[of], pair) for of in (one, other))]
        unlike = [pair for pair in counted if _sign(found[one], pair) != _sign(found[other], pair)]
        yield (
            f"* {one} and {other}: {len(counted) - len(unlike)} of {len(counted)} pairs of guards"
            f" that differ by {100 * APART:.0f} points or more on both are in the same order"
            + "".join(
                f"; at {varies:.0%} `{first}` against `{second}` is not"
                for varies, first, second in unlike
            )
            + "."
        )


def _sign(found: Success, pair: tuple[float, str, str]) -> int:
    """Which of two guards lets more through: 0 if neither does by much."""
    varies, first, second = pair
    values = [found[guard, varies].mean or 0.0 for guard in (first, second)]
    difference = values[0] - values[1]
    return 0 if abs(difference) < APART else 1 if difference > 0 else -1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Write the page to standard output."""
    options = argparse.ArgumentParser("python -m benchmarks.mail", description=__doc__)
    options.add_argument("--corpus", type=Path, action="append", default=[])
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--jobs", type=int, default=2)
    given = options.parse_args()

    def replicated(name: str, settings: Table) -> Summary:
        return run(name, replicates=given.seeds, jobs=given.jobs, **settings)

    every = kinds(given.corpus)
    peace: dict[str, Summary] = {}
    for kind in every:
        peace[kind.name] = replicated("peace", kind.settings)
        _say(f"{kind.name}: {peace[kind.name].verdict}")
    found = {kind.name: attacked(kind, replicated) for kind in every}
    about = machine()
    page = PAGE.format(
        seeds=given.seeds,
        python=about["python"],
        processor=about["processor"],
        cores=about["cores"],
        corpora="".join(" --corpus PATH" for _ in given.corpus),
        described="\n".join(described(every)),
        errors="\n".join(errors(peace)),
        genres="\n".join(genres(peace)),
        fares="\n".join(fares(found)),
        orders="\n".join(orders(found)),
        apart=round(100 * APART),
    )
    print(page, end="")


PAGE = """# Synthetic mail beside real mail

A guard is only as believable as the mail that it is tried on. Written by

```console
python -m benchmarks.mail{corpora} --seeds {seeds} > docs/mail.md
```

over {seeds} seeds each, with Python {python} on {cores} cores of {processor}. The figures do not
depend on the machine. In brackets: 95 % bootstrap intervals over seeds.

## What it is like

Tokens are what the filter sees. "New to the filter" is the share of tokens that are in none of the
mails that it starts from. Synthetic mail drifts: campaigns, newsletters and what everybody speaks
of come and go, so a week later more is new. A corpus is dealt in the order of the seed, because the
dates of some give the label away: it does not drift, and day 8 is like the first.

{described}

## What the filter errs in peace

The scenario `peace`: nobody attacks. `vote_value` is how much more the filter errs when every vote
is refused.

{errors}

## By genre

Of the arm `default`, all seeds together.

{genres}

## How the same campaign fares

`attack_success` of the flagship, by how much of the campaign's text varies and by guard: one check
at a time (without gate and responder), and all of them with both.

{fares}

Do attack and guards come in the same order? Pairs that differ by less than {apart} points on one
kind of mail are left out.

{orders}
"""


if __name__ == "__main__":
    main()
