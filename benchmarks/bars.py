"""What the default guard holds: the flagship over seeds, on synthetic mail and on a corpus.

    python -m benchmarks.bars [--corpus PATH] [--seeds 5] > docs/results.md

Each column is one run of `not-spam-campaign`, whose arms show the same attack without a guard, with
the default one, and with every vote refused.
"""

import argparse
import platform
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulator import run

SHOWN = (
    ("unguarded", "attack_success"),
    ("unguarded", "ticks_to_compromise"),
    ("attacked", "attack_success"),
    ("attacked", "attack_success_end"),
    ("attacked", "honest_votes_lost_spam"),
    ("attacked", "honest_votes_lost_not_spam"),
    ("attacked", "ham_misclassified"),
    ("attacked", "spam_misclassified"),
    ("reference", "ham_misclassified"),
    ("reference", "spam_misclassified"),
    ("reject_all", "campaign_in_inbox"),
    ("reject_all", "ham_misclassified"),
    ("reject_all", "spam_misclassified"),
)
GUARDED = ("attacked", "attack_success")
TIMES = ("ticks_to_compromise",)


class Row(NamedTuple):
    """A run's seed and the values of `SHOWN`, None where there was no data."""

    seed: int
    values: tuple[float | None, ...]


def rows(corpus: str, seeds: int, varies: float = 0.3) -> list[Row]:
    """Run the flagship once for each seed, two at a time."""
    changes: dict[str, Any] = {"attack": {"settings": {"varies": varies}}}
    if corpus:
        changes["corpus"] = {"path": corpus}
    summary = run("not-spam-campaign", replicates=seeds, jobs=2, **changes)
    print(f"{corpus or 'synthetic'}: {varies:.0%}: {summary.verdict}", file=sys.stderr)
    return [
        Row(one.seed, tuple(one.values[arm][metric] for arm, metric in SHOWN))
        for one in summary.replicates
    ]


def corner(corpus: str, seeds: int) -> Iterator[str]:
    """How the default guard fares as more of the text varies: a line a share, worst seed last."""
    yield "| words varied | without a guard | default guard: each seed | mean | worst |"
    yield "|---|---|---|---|---|"
    bare, held = SHOWN.index(("unguarded", "attack_success")), SHOWN.index(GUARDED)
    for varies in (0.3, 0.6, 0.8):
        found = rows(corpus, seeds, varies)
        free = [row.values[bare] or 0.0 for row in found]
        ours = [row.values[held] or 0.0 for row in found]
        each = ", ".join(f"{100 * value:.2f} %" for value in ours)
        yield (
            f"| {varies:.0%} | {100 * sum(free) / len(free):.1f} % | {each}"
            f" | {100 * sum(ours) / len(ours):.2f} % | {100 * max(ours):.2f} % |"
        )


def table(found: Sequence[Row]) -> str:
    """A Markdown table: a row a metric, a column a seed, and the mean and the worst."""
    head = (
        "| arm | metric | " + " | ".join(f"seed {row.seed}" for row in found) + " | mean | worst |"
    )
    lines = [head, "|" + "---|" * (len(found) + 4)]
    for place, (arm, metric) in enumerate(SHOWN):
        values = [row.values[place] for row in found]
        known = [value for value in values if value is not None]
        worst_is_low = arm == "unguarded" and metric == "attack_success"
        worst = (min if worst_is_low else max)(known, default=None)
        mean = sum(known) / len(known) if known else None
        shown = [_shown(metric, value) for value in (*values, mean, worst)]
        lines.append(f"| `{arm}` | `{metric}` | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _shown(metric: str, value: float | None) -> str:
    if value is None:
        return "not enough votes" if metric.startswith("honest_votes_lost") else "none"
    return f"{value:.1f} h" if metric in TIMES else f"{100 * value:.2f} %"


def main() -> None:
    """Write the page to standard output."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--corpus", default="")
    options.add_argument("--seeds", type=int, default=5, help="2 or more")
    given = options.parse_args()
    print(HEAD.format(seeds=given.seeds, python=platform.python_version()))
    print(f"## Synthetic mail\n\n{table(rows('', given.seeds))}\n")
    if given.corpus:
        name = Path(given.corpus).name.split(".")[0]
        print(f"## {name}\n\n{table(rows(given.corpus, given.seeds))}\n")
    print(CORNER)
    few = min(given.seeds, 3)
    for name, path in (("Synthetic mail", ""), ("The corpus", given.corpus)):
        if path or not name.startswith("The"):
            print(f"{name}:\n\n" + "\n".join(corner(path, few)) + "\n")
    print(TAIL, end="")


HEAD = """# What the default guard holds

The flagship, `not-spam-campaign`, over {seeds} seeds: 25 campaign mails and 20 bot votes an hour,
30 % of the words varied, for 96 hours. Written by

```console
python -m benchmarks.bars --corpus PATH --seeds {seeds} > docs/results.md
```

on Python {python}. Each seed is another world; the figures do not depend on the machine. The bars:
without a guard `attack_success` at least 30 %, with the default guard below 5 %, and
`honest_votes_lost` below 1 %. "Worst" is the seed that is worst for the bar.
"""

CORNER = """## The hard corner

The more of the text varies, the less the checks that look for near-duplicates see: rate limit,
reputation, second opinion, correction budget and gate have to hold alone. `attack_success` of
the flagship:
"""

TAIL = """## How to read it

* A zero is a zero in these seeds and no more: none in n runs bounds the rate near 3/n.
* `not enough votes`: fewer than 300 right honest votes of either label in the window. A corpus that
  is dealt at 75 mails an hour brings a few votes a day, so there is no figure for it.
* `reject_all` stops the bots too; what it costs is in its last two rows. On synthetic mail the
  filter lives on votes, because campaigns change every three days: without them it drifts so far
  that the campaign may reach the inbox with no bot's help. A corpus that is dealt at random has no
  drift, so there refusing all votes costs next to nothing: it shows what a guard stops, not what
  votes are worth.
"""


if __name__ == "__main__":
    main()
