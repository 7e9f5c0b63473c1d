"""The summary as people read it: verdict, thresholds, damage, attacks, and how to repeat it."""

import shlex
import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from simulator.arms import PLANS, TWINS
from simulator.manifest import INTERRUPTED
from simulator.metrics import Metric
from simulator.paint import Paint, plain
from simulator.phases import AFTER, BEFORE, NAMES, UNDER
from simulator.pooled import OF_TIMES, worst
from simulator.safe import safe
from simulator.summary import RAN, OfGenre, Planned, Replicate, Rule, Summary

ARMS = {
    "default": "the guard that is judged, and nobody attacks",
    "attacked": "the attack against the guard that is judged",
    "twin": "the same guard and the same mail, but never poisoned",
    "unguarded": "the same attack without a guard: whoever votes, teaches",
    "reference": "no guard and never poisoned",
    "reject_all": "a filter that learns from no vote, to compare with",
    "perfect": "a guard that knows who is a bot, to compare with",
    "random": "as many votes stopped as by the guard that is judged, but by lot",
}
PHASES = (BEFORE, UNDER, AFTER)
"""Heads of columns; in full they are `simulator.phases.NAMES`."""
LONG = 2000
ENOUGH = 5
"""Seeds from which an interval is more than the range of what was seen."""
OF_GENRES = "the judged arm; % in the wrong folder, % unsure; right votes lost"
MANY = 100
"""Votes from which a share of them is told in percent, not as a fraction."""
GLUE = "\u00a0"
"""A space at which no line is broken."""


def report(
    summary: Summary, folder: Path, command: str, paint: Paint = plain, width: int = 80
) -> str:
    """The whole summary.

    Args:
        summary: of a run, finished or not.
        folder: where the run is saved.
        command: what makes it again.
        paint: how to colour.
        width: columns; tables need 78.
    """
    parts = [
        [paint(line, "title") for line in _wrapped(summary.verdict, width)],
        _section("THRESHOLDS", _thresholds(summary, paint), paint),
        _section(f"ARMS  {_of_arms(summary)}", _legend(summary), paint),
        _section(f"DAMAGE  in % of that mail{_in_full(summary)}", _damage(summary), paint),
        _section(f"GENRES  {OF_GENRES}", _genres(summary), paint) if _measured(summary) else [],
        *_of_time(summary, paint),
        *_of_seeds(summary, paint),
        _section("ATTACKS", _attacks(summary, width), paint) if summary.attacks else [],
        _section("THIS RUN", _where(summary, folder, command), paint),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _measured(summary: Summary) -> bool:
    """Whether the run got to the hours that are measured."""
    return any(
        one.inbox + one.unsure + one.spam for arm in summary.arms.values() for one in arm.genres
    )


def _of_time(summary: Summary, paint: Paint) -> list[list[str]]:
    """When it happened, in a run with an attack that began; of votes alone, in peace."""
    if not summary.attacks:
        return [_section("VOTES", _votes(summary), paint)]
    if all(one.start >= summary.ticks for one in summary.attacks):
        return []
    return [
        _section("COURSE  hours after the attack began, or ended; votes", _course(summary), paint)
    ]


def _of_seeds(summary: Summary, paint: Paint) -> list[list[str]]:
    """What only a run of several seeds has."""
    if not summary.replicates:
        return []
    rows = summary.replicates
    return [
        _section(
            f"INTERVALS  {_of_intervals(len(rows))}, worst seed",
            _intervals(summary),
            paint,
        ),
        _section(f"SEEDS  {len(rows)}, each another world with other luck", _seeds(rows), paint),
    ]


def _of_intervals(seeds: int) -> str:
    """What they are, with a warning where they are over a handful of seeds."""
    few = f"mean, 95 % interval ({seeds} seeds: little more than the range)"
    return "mean over seeds, 95 % interval" if seeds >= ENOUGH else few


def _section(title: str, lines: Iterator[str], paint: Paint) -> list[str]:
    name, *rest = title.split("  ", 1)
    return [paint(name, "title") + "".join(f"  {paint(r, 'dim')}" for r in rest), *lines]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    shown = safe(text, LONG).replace(" %", f"{GLUE}%")
    lines = textwrap.wrap(shown, width, subsequent_indent=indent, initial_indent=indent)
    return [line.replace(GLUE, " ") for line in lines] or [""]


def _thresholds(summary: Summary, paint: Paint) -> Iterator[str]:
    if not summary.thresholds:
        yield "  none were set; add some with --fail-if 'attack_success.mean > 0.05'"
    longest = min(max((len(rule.rule) for rule in summary.thresholds), default=0), 50)
    for rule in summary.thresholds:
        word = paint("✓ ok    ", "good") if rule.held else paint("✗ BROKEN", "bad")
        if rule.actual is None and not rule.held and summary.status == INTERRUPTED:
            word = "… open  "
        yield f"  {word}  {safe(rule.rule, 120):<{longest}}  {_actual(rule)}"


def _actual(rule: Rule) -> str:
    if rule.actual is not None:
        return f"is {rule.actual:.4g}"
    return "is never reached" if "ticks_to_" in rule.rule else "has no data"


def _of_arms(summary: Summary) -> str:
    """How arms stand to each other: most share their past, until the attack begins."""
    past = {
        (one.ham_misclassified, one.spam_misclassified)
        for one in summary.phases
        if one.phase == BEFORE
    }
    parted = len(past) == 1 and len(summary.arms) > 1
    return "one world; the same until the attack begins" if parted else "one world, side by side"


def _legend(summary: Summary) -> Iterator[str]:
    first = next(iter(summary.arms), "")
    for name in summary.arms:
        judged = "  (judged)" if name == first else ""
        yield f"  {name:<12}{ARMS.get(name, '')}{judged}"


def _phases(summary: Summary) -> list[str]:
    known = {one.phase for one in summary.phases}
    return [name for name in PHASES if name in known]


def _in_full(summary: Summary) -> str:
    """What the columns' heads stand for."""
    names = [NAMES[phase] for phase in _phases(summary)]
    return f": {', '.join(names)}" if names else ""


def _damage(summary: Summary) -> Iterator[str]:
    rows = {(one.arm, one.phase): one for one in summary.phases}
    phases = _phases(summary) or ["all"]
    of_campaign = [phase for phase in phases if phase != BEFORE] if summary.attacks else []
    groups = [("ham misclassified", phases), ("spam misclassified", phases)]
    groups += [("campaign in inbox", of_campaign)] if of_campaign else []
    heads = [f"{title:^{max(7 * len(of), len(title) + 1)}}" for title, of in groups]
    yield f"  {'':<12}" + "  ".join(heads).rstrip()
    if phases != ["all"]:
        yield f"  {'':<12}" + _row([[*of] for _, of in groups], heads)
    for arm in summary.arms:
        here = [rows[arm, phase] for phase in phases if (arm, phase) in rows]
        there = [one for one in here if one.phase in of_campaign]
        cells = [[_percent(one.ham_misclassified) for one in here]]
        cells += [[_percent(one.spam_misclassified) for one in here]]
        cells += [[_percent(one.campaign_in_inbox) for one in there]] if of_campaign else []
        yield f"  {arm:<12}" + _row(cells, heads)


def _genres(summary: Summary) -> Iterator[str]:
    """Ham to the left, spam to the right: what of it was wrong and unsure, what votes were lost."""
    judged = next(iter(summary.arms.values()), None)
    found = judged.genres if judged else []
    sides = [[_genre(one) for one in found if one.is_spam == label] for label in (False, True)]
    head = f"{'':<17}{'wrong':>6}{'unsure':>7}{'lost':>7}"
    yield f"  {head}  {head}".rstrip()
    for left, right in zip_longest(*sides, fillvalue=""):
        yield f"  {left:<{len(head)}}  {right}".rstrip()


def _genre(one: OfGenre) -> str:
    total = one.inbox + one.unsure + one.spam
    wrong = one.inbox if one.is_spam else one.spam
    shares = [_percent(part / total if total else None) for part in (wrong, one.unsure)]
    lost = f"{one.lost_votes:.0f}/{one.right_votes}" if one.right_votes else "-"
    if one.right_votes >= MANY:
        lost = _percent(one.lost_votes / one.right_votes)
    return f"{safe(one.genre, 16):<17}{shares[0]:>6}{shares[1]:>7}{lost:>7}"


def _row(cells: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    groups = ["".join(f"{cell:>7}" for cell in group) for group in cells]
    return "  ".join(
        f"{group:^{len(head)}}" for group, head in zip(groups, heads, strict=True)
    ).rstrip()


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


COURSE = ("compromised", "detected", "recovered", "lost: spam", "not spam", "poison")
FEW = "few"
"""What is said of a share of too few votes."""


def _course(summary: Summary) -> Iterator[str]:
    yield f"  {'':<10}" + "".join(f"{head:>{_size(head)}}" for head in COURSE)
    ran = all(attack.status == RAN for attack in summary.attacks)
    for name, arm in summary.arms.items():
        poisoned = ran and name in PLANS and PLANS[name].poisoned
        twin = TWINS.get(name) in summary.arms
        cells = [*_times(arm.metrics, poisoned, twin), *_lost(arm.metrics)]
        cells += [_share(arm.metrics, "poison_share") if poisoned else "-"]
        sized = zip(COURSE, cells, strict=True)
        yield f"  {name:<10}" + "".join(f"{cell:>{_size(head)}}" for head, cell in sized)
    yield "  lost: honest right votes of that label that taught nothing within a day;"
    yield "  few: under 300, too few to say.  poison: bots' part in what votes taught"


def _size(head: str) -> int:
    return len(head) + 2


def _times(metrics: dict[str, Metric], poisoned: bool, twin: bool) -> list[str]:
    """When the filter was compromised, found it out, and recovered."""
    if not poisoned:
        return ["-"] * 3
    compromise, detect, recover = (
        _value(metrics, f"ticks_to_{what}") for what in ("compromise", "detect", "recover")
    )
    healed = "-" if compromise is None or not twin else _hours(recover, "not yet")
    return [_hours(compromise, "never" if twin else "-"), _hours(detect, "never"), healed]


def _hours(ticks: float | None, otherwise: str) -> str:
    return otherwise if ticks is None else f"{ticks:.0f} h"


def _value(metrics: dict[str, Metric], name: str) -> float | None:
    metric = metrics.get(name)
    return metric.mean if metric else None


def _lost(metrics: dict[str, Metric]) -> list[str]:
    """The share of honest votes lost, of each label."""
    return [_share(metrics, f"honest_votes_lost_{label}", FEW) for label in ("spam", "not_spam")]


def _share(metrics: dict[str, Metric], name: str, nothing: str = "-") -> str:
    share = _value(metrics, name)
    return nothing if share is None else f"{100 * share:.1f} %"


def _votes(summary: Summary) -> Iterator[str]:
    """What is said of votes where nobody attacks."""
    for name, arm in summary.arms.items():
        spam, ham = _lost(arm.metrics)
        yield f'  {name:<12}honest votes lost: "spam" {spam}, "not spam" {ham}'
    value = _value(summary.metrics, "vote_value")
    if value is not None:
        yield f"  votes are worth {100 * value:.1f} points of error (vote_value)"


def _attacks(summary: Summary, width: int) -> Iterator[str]:
    for attack in summary.attacks:
        yield f"  {safe(attack.attack, 40)}  {attack.status}, {attack.start} h to {attack.end} h"
        if attack.why:
            yield from _wrapped(f"why: {attack.why}", width, "    ")
        if attack.about:
            yield from _wrapped(attack.about, width, "    ")
        yield f"    cost: {_cost(attack)}"
        yield from _wrapped(_stopped(attack), width, "    ") if attack.votes else ()


def _stopped(attack: Planned) -> str:
    """What stopped its votes, in the judged arm."""
    by = ", ".join(f"{safe(check, 40)} {many:,}" for check, many in attack.stopped.items() if many)
    many = sum(attack.stopped.values())
    return f"stopped: {many:,} of its votes" + (f", by {by}" if by else "")


def _cost(attack: Planned) -> str:
    return (
        f"{attack.accounts:,} accounts, {attack.mails:,} campaign mails, {attack.copies:,} copies"
        f" to bots, {attack.votes:,} votes"
    )


def _intervals(summary: Summary) -> Iterator[str]:
    """A line for each metric that has a value, of the judged arm and of the one without a guard."""
    judged = next(iter(summary.arms), "")
    done = sum(bool(one.values) for one in summary.replicates)
    shown = [(judged, name) for name in OF_JUDGED]
    shown += [("unguarded", name) for name in OF_UNGUARDED if "unguarded" in summary.arms]
    yield f"  {'':<31}{'mean':>8}{'95 % interval':>21}{'worst':>10}  seed"
    for arm, name in shown:
        metric = summary.arms[arm].metrics[name] if arm else Metric(None, n=0)
        if not metric.n:
            continue
        figure = unit(name)
        label = name if arm == judged else f"{name}, {arm}"
        line = f"  {label:<31}{figure(metric.mean):>8}{_between(metric, figure):>21}"
        bad = worst(name, summary.replicates, arm)
        if bad and metric.min != metric.max:
            line += f"{figure(bad.values[arm][name]):>10}  {bad.seed}"
        yield line + (f"  ({metric.n} seeds have it)" if metric.n < done else "")


OF_JUDGED = (
    "attack_success",
    "attack_success_end",
    "ham_misclassified",
    "spam_misclassified",
    "honest_votes_lost",
    "correction_delay",
    "correction_delay_p95",
    "poison_share",
    "vote_value",
    "twin_alarms_a_day",
    "ticks_to_compromise",
    "ticks_to_detect",
)
OF_UNGUARDED = ("attack_success", "ticks_to_compromise")


def _between(metric: Metric, figure: Callable[[float | None], str]) -> str:
    return f"{figure(metric.ci_low)} to {figure(metric.ci_high)}" if metric.n > 1 else "-"


def unit(name: str) -> Callable[[float | None], str]:
    """How a figure of a metric is written."""
    if name.startswith(OF_TIMES):
        return lambda ticks: _hours(ticks, "never")
    if name == "twin_alarms_a_day":
        return lambda count: "-" if count is None else f"{count:.2f}"
    return lambda share: "-" if share is None else f"{100 * share:.2f} %"


def _seeds(rows: Sequence[Replicate]) -> Iterator[str]:
    for one in rows:
        success = next(iter(one.values.values()), {}).get("attack_success")
        said = f"attack success {100 * success:.1f} %" if success is not None else ""
        judged = next(iter(one.hashes.values()), "")
        what = f"hash {judged[:12]}  {said}" if judged else safe(one.why, 200)
        yield f"  {one.seed:>6}  {one.status:<12}{what}".rstrip()


def _where(summary: Summary, folder: Path, command: str) -> Iterator[str]:
    """Where the run is saved; commands stay on one line each, to be copied."""
    last = f" to {summary.replicates[-1].seed}" if summary.replicates else ""
    yield (
        f"  {safe(summary.scenario, 40)}, seed {summary.seed}{last}: {summary.ticks} h,"
        f" {summary.mails:,} mails, hash {summary.hash[:12]}"
    )
    yield f"  saved in   {safe(str(folder), LONG)}"
    if summary.status == "interrupted":
        resume = shlex.join(["hamstrung", "run", "--resume", str(folder)])
        yield f"  go on      {safe(resume, LONG)}"
    page = shlex.join(["hamstrung", "report", str(folder)])
    yield f"  report     {safe(page, LONG)}"
    yield f"  again      {safe(command, LONG) or 'unknown: it was not run from the command line'}"
