"""Several seeds: what varies from world to world, and which was the worst."""

from collections.abc import Iterator, Sequence

from simulator.inks import inks
from simulator.metrics import Metric
from simulator.page.charts import Dots, dots
from simulator.page.part import Chart, Part, Table, percent
from simulator.page.votes import MOST
from simulator.pooled import worst
from simulator.printed import OF_JUDGED, OF_UNGUARDED, unit
from simulator.safe import safe
from simulator.summary import Replicate, Summary


def judged_by(summary: Summary) -> str:
    """The metric by which a seed is the worst."""
    return "attack_success" if summary.attacks else "ham_misclassified"


def worst_seed(summary: Summary) -> Replicate | None:
    """The seed that went worst."""
    judged = next(iter(summary.arms), "")
    return worst(judged_by(summary), [one for one in summary.replicates if one.values], judged)


def seeds(summary: Summary) -> Part | None:
    """The part of the seeds; nothing where there is one."""
    if not summary.replicates:
        return None
    tables = [table for table in (_intervals(summary), _rows(summary)) if table.rows]
    return Part("From seed to seed", [*_words(summary)], [*_chart(summary)], tables)


def _words(summary: Summary) -> Iterator[str]:
    many = len(summary.replicates)
    yield f"{many} seeds, each another world with other luck, with arms of its own."
    bad, name = worst_seed(summary), judged_by(summary)
    if bad is not None:
        judged = next(iter(summary.arms))
        figure = percent(bad.values[judged][name], 2)
        yield f"The worst is seed {bad.seed}: {name.replace('_', ' ')} {figure}."


def _chart(summary: Summary) -> Iterator[Chart]:
    name = judged_by(summary)
    arms = dict.fromkeys([next(iter(summary.arms), ""), "unguarded"])  # one, if that is judged
    ink = inks(next(iter(summary.arms), ""))
    rows = [_dots(summary, arm, name, ink[arm]) for arm in arms if arm in summary.arms]
    rows = [row for row in rows if row.seeds]
    if rows:
        title = name.replace("_", " ").capitalize()
        said = f"A ring for each seed; below them the mean and its 95 % interval. {_said(rows)}"
        label = "of the campaign in the inbox, more than in the twin"
        label = label if summary.attacks else "of ham in the spam folder"
        yield Chart(title, said, dots("seeds", f"{title}. {said}", label, rows))


def _dots(summary: Summary, arm: str, name: str, ink: str) -> Dots:
    values = [(one.seed, one.values.get(arm, {}).get(name)) for one in summary.replicates]
    known = [(seed, value) for seed, value in values if value is not None]
    of = summary.arms[arm].metrics.get(name, Metric(None))
    return Dots(arm, ink, known, of.mean, of.ci_low, of.ci_high)


def _said(rows: Sequence[Dots]) -> str:
    return " ".join(
        f"{safe(one.name, 24)}: mean {percent(one.mean, 2)}, interval {percent(one.low, 2)} to"
        f" {percent(one.high, 2)}, lowest {percent(min(v for _, v in one.seeds), 2)}, highest"
        f" {percent(max(v for _, v in one.seeds), 2)}."
        for one in rows
    )


def _intervals(summary: Summary) -> Table:
    judged = next(iter(summary.arms), "")
    wanted = [(judged, name) for name in OF_JUDGED]
    wanted += [("unguarded", name) for name in OF_UNGUARDED]
    rows = [_row(summary, arm, name, arm == judged) for arm, name in wanted if arm in summary.arms]
    heads = ("metric", "mean", "95 % interval", "worst", "its seed")
    note = (
        "Attack success is how much more of the campaign reached the inbox than in the twin, which"
        " nobody poisoned. Of times: the median. Every metric is explained in docs/metrics.md."
    )
    return Table("Means and intervals", heads, [row for row in rows if row], 1, note)


def _row(summary: Summary, arm: str, name: str, plain: bool) -> Sequence[str]:
    metric = summary.arms[arm].metrics.get(name, Metric(None, n=0))
    if not metric.n:
        return ()
    write = unit(name)
    between = f"{write(metric.ci_low)} to {write(metric.ci_high)}" if metric.n > 1 else "-"
    bad = worst(name, [one for one in summary.replicates if one.values], arm)
    last = (
        (write(bad.values[arm][name]), f"{bad.seed}")
        if bad and metric.min != metric.max
        else ("", "")
    )
    label = name.replace("_", " ") + ("" if plain else f", {safe(arm, 24)}")
    return (label, write(metric.mean), between, *last)


def _rows(summary: Summary) -> Table:
    judged, name = next(iter(summary.arms), ""), judged_by(summary)
    rows = [
        (
            f"{one.seed}",
            safe(one.status, 20) + (f": {safe(one.why, 200)}" if one.why else ""),
            percent(one.values.get(judged, {}).get(name), 2),
            safe(one.hashes.get(judged, "")[:12]) or "-",
        )
        for one in summary.replicates[: 10 * MOST]
    ]
    return Table("Each seed", ("seed", "status", name.replace("_", " "), "hash"), rows, 2)
