"""What the attack did, over time: the campaign in the inbox, and the other mail's errors."""

from collections.abc import Iterator

from filter.events import HOLD, PROMOTE, ROLL_BACK
from simulator.inks import inks
from simulator.joins import Joins
from simulator.metrics import Metric
from simulator.page.charts import Attack, Line, lines
from simulator.page.course import HOURS, Span, curve, gate
from simulator.page.part import Chart, Part, percent
from simulator.page.run import Run
from simulator.phases import ALL, BEFORE, UNDER
from simulator.printed import ARMS
from simulator.summary import Summary

MEASURES = {"ham": "ham_misclassified", "spam": "spam_misclassified"}
SOME = 8
"""Joins of bots that are told one by one."""
FOLDERS = {"ham": "the spam folder", "spam": "the inbox"}


def attack(summary: Summary) -> Attack:
    """The ticks of the attack, as far as the run got to it."""
    began = [one for one in summary.attacks if one.start < summary.ticks]
    return (began[0].start, min(began[0].end, summary.ticks)) if began else None


def damage(run: Run) -> Part | None:
    """The part with these charts; nothing of a run without a tick."""
    charts = [*_campaign(run), *_errors(run)]
    terms = [(one.name, ARMS[one.name]) for one in _lines(run, "ham_misclassified")]
    return Part("Over time", (_how(run),), charts, terms=terms) if charts else None


def _how(run: Run) -> str:
    said = (
        "The same world side by side in arms, with one thing different in each. Each point is the"
        f" share over the {HOURS} hours before it."
    )
    if attack(run.summary):
        said += " The shaded hours are the attack's; the campaign itself goes on after it."
    return said


def _lines(run: Run, rate: str) -> list[Line]:
    return [
        Line(arm, ink, curve(run.frames[arm], rate))
        for arm, ink in inks(run.judged).items()
        if arm in run.frames and arm in ARMS
    ]


def _campaign(run: Run) -> Iterator[Chart]:
    hours, rate = attack(run.summary), "campaign_in_inbox"
    of = [one for one in _lines(run, rate) if one.curve.highest() and one.name != "reference"]
    if hours is None or not of:
        return
    spans = gate(run.of_judged())
    title = "The campaign in the inbox"
    said = (
        f"Under attack, from {hours[0]} h to {hours[1]} h, the share of the campaign's mail to"
        f" people that reached the inbox was {_means(run, of, rate)}.{_done(run)} {_peaks(of)}"
        f" {_gate(run, spans)}{_joined(run)}"
    )
    drawing = lines("campaign", f"{title}. {said}", of, hours, True, spans, _joins(run))
    yield Chart(title, said, drawing, True)


def _joins(run: Run) -> Joins:
    """The bots that joined before the run ended."""
    return tuple(one for one in run.joins if one[0] < run.summary.ticks)


def _joined(run: Run) -> str:
    """The triangles in words."""
    many = [f"{count:,} at {tick} h" for tick, count in _joins(run)]
    if not many:
        return ""
    more = f", and {len(many) - SOME} times more" if len(many) > SOME else ""
    return f" Bots that joined the attack, as triangles: {', '.join(many[:SOME])}{more}."


def _done(run: Run) -> str:
    success = run.summary.metrics.get("attack_success", Metric(None)).mean
    if success is None:
        return ""
    return f" What the attack did is the difference to its twin: {percent(success)}."


def _errors(run: Run) -> Iterator[Chart]:
    for label, rate in MEASURES.items():
        of = [one for one in _lines(run, rate) if one.curve.highest()]
        if not of:
            continue
        title = f"{label.capitalize()} misclassified"
        other = ", without the campaign," if label == "spam" and run.summary.attacks else ""
        during = "Under attack" if attack(run.summary) else "Over the run"
        said = (
            f"{during} the share of {label}{other} that was put into {FOLDERS[label]} was"
            f" {_means(run, of, rate)}. {_peaks(of)}"
        )
        drawing = lines(label, f"{title}. {said}", of, attack(run.summary), False, ())
        yield Chart(title, said, drawing)


def _means(run: Run, of: list[Line], rate: str) -> str:
    """The share of each line: of the hours under attack, or of all before it."""
    phases = (UNDER,) if attack(run.summary) else (BEFORE, ALL)
    there = {one.arm: getattr(one, rate) for one in run.summary.phases if one.phase in phases}
    known = [one.name for one in of if there.get(one.name) is not None]
    return ", ".join(f"{percent(there[name])} ({name})" for name in known) or "not measured"


def _peaks(of: list[Line]) -> str:
    """The highest points of the first two lines."""
    tops = [(one.name, top) for one in of[:2] if (top := one.curve.highest())]
    said = ", ".join(f"{percent(share)} at {tick} h ({name})" for name, (share, tick) in tops)
    return f"The highest points: {said}."


def _gate(run: Run, spans: list[Span]) -> str:
    """The gate's strip in words."""
    if not spans:
        return ""
    found = [frame.release for frame in run.of_judged()]
    return (
        "The strip below is the gate, which decides every hour whether what was learnt is put to"
        f" work: released {found.count(PROMOTE):,} times (plain), held back"
        f" {found.count(HOLD):,} times (hatched), rolled back {found.count(ROLL_BACK):,} times"
        " (a cross)."
    )
