"""What the filter learns from, and what an attack makes of that.

    python -m benchmarks.learning [--corpus PATH] [--seeds 3] [--jobs 2] > docs/learning.md
    python -m benchmarks.learning --only healing

Four tables, on synthetic mail and on a corpus, all without a guard: what is taught, whether a
filter that was taken over heals by itself, what the classes' shares do, and what forgetting does.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, Final, NamedTuple

from benchmarks.machine import machine
from simulator import run
from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.metrics import DAY, Metric, inbox_share, inside
from simulator.summary import Summary

SOURCES: Final = ("votes", "votes+kept", "votes+kept+judgements", "all")
VOTES: Final = (20, 80)
KEPT: Final = 0.1
BREAK_EVEN: Final = KEPT / (1 + KEPT)
"""Share of a campaign's readers who report it at which reports outweigh what is kept."""
REPORTED: Final = (0.03, 0.06, 0.09, 0.12, 0.2)
TAKEN: Final = 48
AFTER: Final = 300
RATE: Final = 45
"""Mails an hour of which Enron-Spam has enough for so long, none of them dealt twice."""
START: Final = 24
LIVES: Final = {34.0: "2 % an hour", 168.0: "a week", 720.0: "30 days", 0.0: "never forgets"}

Table = dict[str, Any]


class Mail(NamedTuple):
    """Where mail comes from, and the settings that deal it."""

    name: str
    settings: Table


class Scale(NamedTuple):
    """How much is run.

    Args:
        seeds: of each row.
        jobs: seeds at a time.
        settings: what makes the world smaller, if anything.
    """

    seeds: int
    jobs: int
    settings: Table


def flagship(mail: Mail, scale: Scale, **changes: Any) -> Summary:
    """The flagship's attack without a guard, and its twin, over seeds."""
    return run(
        "not-spam-campaign",
        replicates=scale.seeds,
        jobs=scale.jobs,
        arms=["unguarded", "reference"],
        thresholds=[],
        **_merged({"duration": 168}, mail.settings, scale.settings, changes),
    )


def _merged(*tables: Mapping[str, Any]) -> Table:
    """Tables laid over each other, the last on top."""
    made: Table = {}
    for table in tables:
        for name, value in table.items():
            below = made.get(name)
            made[name] = _merged(below, value) if isinstance(below, dict) else value
    return made


# What is taught


def taught(mail: Mail, scale: Scale) -> Iterator[str]:
    """A row for what the filter learns from."""
    yield (
        "| learns from | ham misclassified | spam misclassified"
        + "".join(f" | {votes} bot votes/h: attack success | taken over after" for votes in VOTES)
        + " |"
    )
    yield "|" + "---|" * (3 + 2 * len(VOTES))
    for source in SOURCES:
        found = [
            flagship(
                mail,
                scale,
                filter={"learner": {"learns_from": source}},
                attack={"settings": {"votes_per_hour": votes}},
            )
            for votes in VOTES
        ]
        peace = found[0].arms["reference"].metrics
        cells = [percent(peace["ham_misclassified"]), percent(peace["spam_misclassified"])]
        for one in found:
            hit = one.arms["unguarded"].metrics
            cells += [percent(hit["attack_success"]), _hours(hit["ticks_to_compromise"])]
        yield f"| `{source}` | " + " | ".join(cells) + " |"
        say(f"{mail.name}, {source}: {found[0].verdict}")


# Whether it heals


def courses(mail: Mail, scale: Scale, reported: float) -> list[tuple[float, ...]]:
    """Take the filter over with 80 bot votes an hour, stop, and let readers do what they do.

    Args:
        mail: its source.
        scale: how much is run.
        reported: share of the campaign's mails that are reported, of those that are looked at.

    Returns:
        For each seed the attack success of the day in which the bots stop, and of every hundredth
        hour after.
    """
    with tempfile.TemporaryDirectory(prefix="hamstrung-learning-") as spare:
        summary = flagship(
            mail,
            scale,
            folder=Path(spare) / "run",
            duration=START + TAKEN + AFTER,
            attack={"start": START, "duration": TAKEN, "settings": {"votes_per_hour": 80}},
            people={"report_spam": reported, "skilled": 0.0},
            filter={"learner": {"kept_weight": KEPT}},
        )
        return [_course(RunFolder.open(one.folder)) for one in summary.replicates]


def _course(folder: RunFolder) -> tuple[float, ...]:
    frames: dict[str, list[Frame]] = {"unguarded": [], "reference": []}
    for arm, frame in folder.frames():
        frames[arm].append(frame)
    ends = range(START + TAKEN, START + TAKEN + AFTER + 1, 100)
    return tuple(_day(frames["unguarded"], end) - _day(frames["reference"], end) for end in ends)


def _day(frames: Sequence[Frame], end: int) -> float:
    """The campaign's share of inbox in the day before a tick."""
    share = inbox_share(inside(frames, end - DAY, end))
    assert share is not None
    return share


def healing(mail: Mail, scale: Scale) -> Iterator[str]:
    """A row for what readers report of the campaign, on both sides of the break-even."""
    hours = range(0, AFTER + 1, 100)
    yield (
        "| reported, of those looked at | drift a mail, in votes"
        + "".join(f" | {f'{hour} h after' if hour else 'as the bots stop'}" for hour in hours)
        + " |"
    )
    yield "|" + "---|" * (2 + len(hours))
    for reported in REPORTED:
        found = courses(mail, scale, reported)
        drift = reported - KEPT * (1 - reported)
        cells = [over_seeds(shares) for shares in zip(*found, strict=True)]
        yield f"| {reported:.0%} | {drift:+.3f} | " + " | ".join(cells) + " |"
        say(f"{mail.name}, {reported:.0%} reported: {cells[0]}, then {cells[-1]}")


# Priors and forgetting


def remembered(mail: Mail, scale: Scale, settings: Mapping[str, Table]) -> Iterator[str]:
    """A row for each setting of naive Bayes."""
    yield "| naive Bayes | ham misclassified | spam misclassified | attack success |"
    yield "|---|---|---|---|"
    for name, changed in settings.items():
        summary = flagship(mail, scale, filter={"models": {"naive_bayes": changed}})
        peace = summary.arms["reference"].metrics
        cells = [percent(peace["ham_misclassified"]), percent(peace["spam_misclassified"])]
        cells.append(percent(summary.arms["unguarded"].metrics["attack_success"]))
        yield f"| {name} | " + " | ".join(cells) + " |"
        say(f"{mail.name}, {name}: {summary.verdict}")


def priors(mail: Mail, scale: Scale) -> Iterator[str]:
    """With the shares of the classes, and without."""
    return remembered(
        mail,
        scale,
        {"words alone (default)": {"priors": False}, "and class priors": {"priors": True}},
    )


def fading(mail: Mail, scale: Scale) -> Iterator[str]:
    """A row for each half-life."""
    lives = {
        f"half-life {life:g} h ({said})" if life else said: {"half_life": life}
        for life, said in LIVES.items()
    }
    return remembered(mail, scale, lives)


# The page


def percent(metric: Metric) -> str:
    """A share as a percentage with its interval over seeds."""
    if metric.mean is None:
        return "no data"
    shown = f"{100 * metric.mean:.2f} %"
    if metric.ci_low is None or metric.ci_high is None:
        return shown
    return f"{shown} [{100 * metric.ci_low:.2f}, {100 * metric.ci_high:.2f}]"


def over_seeds(shares: Sequence[float]) -> str:
    """The mean of some seeds' shares, with the least and the greatest."""
    return f"{100 * mean(shares):.0f} % ({100 * min(shares):.0f} to {100 * max(shares):.0f})"


def _hours(metric: Metric) -> str:
    """The median over seeds."""
    return "not in 96 h" if metric.mean is None else f"{metric.mean:.0f} h"


def say(line: str) -> None:
    """Tell who waits."""
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Write the page to standard output."""
    options = argparse.ArgumentParser("python -m benchmarks.learning", description=__doc__)
    options.add_argument("--corpus", type=Path, action="append", default=[], help="real mail")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--only", choices=PARTS, action="append", help="a part; repeatable")
    given = options.parse_args()
    about = machine()
    mails = [Mail("Synthetic", {})]
    for path in given.corpus:
        dealt = {"path": str(path), "mails_per_hour": RATE}
        mails.append(Mail(path.name.split(".")[0], {"corpus": dealt}))
    scale = Scale(given.seeds, given.jobs, {})
    said = {"seeds": given.seeds, "break_even": BREAK_EVEN, "kept": KEPT, "rate": RATE}
    said |= {name: about[name] for name in ("python", "processor", "cores")}
    said |= {"corpora": "".join(f" --corpus {path.name}" for path in given.corpus)}
    print(HEAD.format(**said), flush=True)
    for name in given.only or PARTS:
        print(PARTS[name].text.format(**said), flush=True)
        for mail in mails:
            print(f"{mail.name}:\n", flush=True)
            print("\n".join(PARTS[name].table(mail, scale)) + "\n", flush=True)


class Part(NamedTuple):
    """A part of the page: what it says first, and its table."""

    text: str
    table: Callable[[Mail, Scale], Iterator[str]]


HEAD = """# What the filter learns from

Written by

```console
python -m benchmarks.learning{corpora} --seeds {seeds} > docs/learning.md
```

with Python {python} on {cores} cores of {processor}; the figures do not depend on the machine. All
of it is without a guard, over {seeds} seeds, on synthetic mail (2,000 mails an hour) and on real
mail ({rate} an hour, none of them dealt twice). In brackets: 95 % bootstrap intervals over seeds.
"""

PARTS = {
    "taught": Part(
        """## Votes, and what else there is

The flagship's attack for 96 hours: a campaign of 25 mails an hour. The filter learns from votes
alone; from votes and, at a tenth of their weight, from what readers kept; from the judges' golden
mails too; or from the label of every mail. What it errs is from the arm without an attack.
""",
        taught,
    ),
    "healing": Part(
        """## A filter that was taken over confirms itself, or heals

Bots take the filter over with 80 votes an hour for 48 hours, then stop; the campaign goes on. Of
its mails that readers look at, a share r is reported as spam and teaches with weight 1; what is
not is kept, and teaches that it is ham with weight w = {kept}. So a mail moves the filter by
r - w (1 - r) votes: the campaign's own mail heals it above r = {break_even:.3f}, and makes it worse
below. What readers report of other spam that uses the same words heals it too, and what it
forgets. Attack success in the day before; in parentheses the least and greatest seed.
""",
        healing,
    ),
    "priors": Part(
        """## Class priors

Votes come for one class far more than for the other. Naive Bayes that counts how many of each it
was taught takes that for how much spam there is.
""",
        priors,
    ),
    "fading": Part(
        """## Forgetting

The half-life of what was taught.
""",
        fading,
    ),
}


if __name__ == "__main__":
    main()
