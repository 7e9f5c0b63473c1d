"""The head of a page: the figures that say in a glance whether the guard held and what it cost."""

from collections.abc import Iterator, Mapping, Sequence

from simulator.arms import TWINS
from simulator.damage import beside
from simulator.manifest import INTERRUPTED
from simulator.metrics import Metric
from simulator.page.part import Part, Table, Tile, percent
from simulator.page.votes import MOST
from simulator.safe import safe
from simulator.summary import Rule, Summary
from simulator.verdict import WHEN

BREACHED = 0.05
"""Attack success from which the verdict no longer says that the guard held."""
NONE: Mapping[str, Metric] = {}


def facts(summary: Summary) -> str:
    """Scenario, seeds and size in a line."""
    last = f" to {summary.replicates[-1].seed}" if summary.replicates else ""
    seeds = "seeds" if last else "seed"
    return (
        f"Scenario {safe(summary.scenario, 60)}, {seeds} {summary.seed}{last}:"
        f" {summary.ticks:,} simulated hours, {summary.mails:,} mails,"
        f" {len(summary.arms)} arms side by side"
    )


def tiles(summary: Summary) -> Iterator[Tile]:
    """The figures, those that are known."""
    if summary.thresholds:
        held = sum(rule.held for rule in summary.thresholds)
        said = "all held" if held == len(summary.thresholds) else "see below"
        figure = f"{held} of {len(summary.thresholds)}"
        yield Tile("thresholds held", figure, said, held < len(summary.thresholds))
    yield from _won(summary) if summary.attacks else _peace(summary)
    lost = _mean(summary.metrics, "honest_votes_lost")
    if lost is not None:
        yield Tile("of right honest votes lost", percent(lost), _labels(summary))


def _labels(summary: Summary) -> str:
    """Which votes the share of lost ones is of: a label with too few says nothing in it."""
    labels = {"spam": '"spam"', "not_spam": '"not spam"'}
    few = [
        said
        for name, said in labels.items()
        if _mean(summary.metrics, f"honest_votes_lost_{name}") is None
    ]
    if len(few) != 1:
        return "spam or not spam, the worse"
    (known,) = (said for said in labels.values() if said not in few)
    return f"of {known} votes alone: too few {few[0]} ones to say; see the genres below"


def _won(summary: Summary) -> Iterator[Tile]:
    success = _mean(summary.metrics, "attack_success")
    if success is not None:
        bare = _mean(_metrics(summary, "unguarded"), "attack_success")
        than = f"{percent(bare)} without a guard" if bare is not None else "more than in its twin"
        breached = success >= BREACHED
        yield Tile("of the campaign got in by the attack", percent(success), than, breached)
    twin = TWINS.get(next(iter(summary.arms), ""), "")
    for one in beside(summary.phases, twin, "reference") if twin != "reference" else ():
        if one.notable or one.label == "spam":
            more = [
                100 * (ours - theirs) for ours, theirs in zip(one.ours, one.theirs, strict=True)
            ]
            price = " and ".join(f"{points:+.1f}" for points in more)
            when = " and ".join(WHEN[phase] for phase in one.phases)
            wrong = "missed" if one.label == "spam" else "taken for spam"
            said = f"points of other {one.label} {wrong}, to no guard, {when}"
            yield Tile("the guard's own price", price, said)


def _peace(summary: Summary) -> Iterator[Tile]:
    for label, folder in (("ham", "the spam folder"), ("spam", "the inbox")):
        share = _mean(summary.metrics, f"{label}_misclassified")
        if share is not None:
            yield Tile(f"of {label} misclassified", percent(share), f"put into {folder}")
    worth = _mean(summary.metrics, "vote_value")
    if worth is not None:
        yield Tile("that votes are worth", f"{100 * worth:.1f} points", "more error without them")


def _metrics(summary: Summary, arm: str) -> Mapping[str, Metric]:
    found = summary.arms.get(arm)
    return found.metrics if found else NONE


def _mean(metrics: Mapping[str, Metric], name: str) -> float | None:
    metric = metrics.get(name)
    return metric.mean if metric else None


def thresholds(summary: Summary) -> Part | None:
    """The part of the thresholds; nothing where none was set."""
    if not summary.thresholds:
        return None
    yet = " yet" if summary.status == INTERRUPTED else ""
    rows = [_rule(rule, yet) for rule in summary.thresholds[:MOST]]
    return Part("Thresholds", tables=[Table("", ("", "what has to hold", "actual value"), rows, 2)])


def _rule(rule: Rule, yet: str) -> Sequence[str]:
    word = "✓ held" if rule.held else "✗ broken"
    nothing = f"never reached{yet}" if "ticks_to_" in rule.rule else f"no data{yet}"
    word = "… open" if yet and rule.actual is None and not rule.held else word
    return (word, safe(rule.rule, 200), nothing if rule.actual is None else f"{rule.actual:.4g}")
