"""Charts: what is drawn of a run. Dashes and hatches tell apart what colours do, also in grey."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from filter.events import HOLD, PROMOTE, ROLL_BACK
from simulator.joins import Joins
from simulator.page.count import STACK
from simulator.page.course import Bins, Curve, Span
from simulator.page.ink import INKS, drawn
from simulator.safe import safe

Attack = tuple[int, int] | None
"""From which tick to before which one there is an attack."""

WIDE, SMALL, LOW = (5.0, 2.8), (4.4, 2.4), 0.55
"""Sizes in inches: of the first chart, of others, and of each row in a chart of dots."""
DASHES: Mapping[str, Any] = {
    "ours": "-",
    "bare": (0, (5, 1.6)),
    "twin": (0, (1, 1.2)),
    "reference": (0, (6, 1.6, 1, 1.6)),
}
WIDTHS = {"ours": 2.2}
HATCHES = {"rejected": "////", "shadowed": "xxxx", "limited": "....", "waiting": "----"}
GATE = {PROMOTE: ("merged", ""), HOLD: ("rejected", "////")}
LEGEND: Mapping[str, Any] = {"loc": "outside upper left", "ncols": 4, "fontsize": 8.5}


class Line(NamedTuple):
    """A curve with its name and its ink, which is one of `DASHES`."""

    name: str
    ink: str
    curve: Curve


class Dots(NamedTuple):
    """A row of a chart of dots: a figure of each seed, their mean and its interval."""

    name: str
    ink: str
    seeds: Sequence[tuple[int, float]]
    mean: float | None
    low: float | None
    high: float | None


def lines(
    name: str,
    said: str,
    of: Sequence[Line],
    attack: Attack,
    whole: bool,
    spans: Sequence[Span],
    joins: Joins = (),
) -> str:
    """Shares over simulated time.

    Args:
        name: of the drawing.
        said: what it shows.
        of: the lines, the most important first.
        attack: is shaded.
        whole: whether the axis goes to 100 %.
        spans: what the gate did, in a strip below; nothing for none.
        joins: the bots that joined later, as triangles above.
    """

    def draw(figure: Figure) -> None:
        heights = [8, 1] if spans else [1]
        axes, *strip = figure.subplots(
            len(heights), 1, sharex=True, squeeze=False, height_ratios=heights
        )[:, 0]
        _shade(axes, attack, "attack")
        _joined(axes, joins)
        for place, one in enumerate(of):
            axes.plot(
                *one.curve,
                color=INKS[one.ink],
                linestyle=DASHES[one.ink],
                linewidth=WIDTHS.get(one.ink, 1.5),
                label=safe(one.name, 24),
                zorder=9 - place,
                clip_on=False,
            )
        axes.set_ylim(0, 1 if whole else None)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        figure.legend(**LEGEND)
        for below in strip:
            _gate(below, spans, attack)
        _hours([axes, *strip][-1], max((one.curve.ticks[-1] for one in of), default=0) + 1)

    return drawn(name, said, WIDE if spans else SMALL, draw)


def _shade(axes: Axes, attack: Attack, text: str) -> None:
    if attack is None:
        return
    axes.axvspan(*attack, color=INKS["attack"], linewidth=0, zorder=0)
    if text:
        axes.annotate(
            text,
            (attack[0], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            va="bottom",
            color=INKS["dim"],
            fontsize=8.5,
        )


def _joined(axes: Axes, joins: Joins) -> None:
    if not joins:
        return
    ticks = [tick for tick, _ in joins]
    axes.vlines(
        ticks, 0, 1, color=INKS["bare"], linewidth=0.8, transform=axes.get_xaxis_transform()
    )
    axes.plot(
        ticks,
        [1] * len(ticks),
        "^",
        color=INKS["bare"],
        markersize=6,
        clip_on=False,
        transform=axes.get_xaxis_transform(),
    )


def _gate(axes: Axes, spans: Sequence[Span], attack: Attack) -> None:
    """The strip: released and held as bars, a roll-back as a mark."""
    _shade(axes, attack, "")
    for state, (ink, hatch) in GATE.items():
        bars = [(span.start, span.end - span.start) for span in spans if span.state == state]
        if bars:
            edge = INKS["paper"]
            axes.broken_barh(
                bars, (0, 1), facecolor=INKS[ink], edgecolor=edge, linewidth=0, hatch=hatch
            )
    back = [span.start + 0.5 for span in spans if span.state == ROLL_BACK]
    axes.plot(back, [0.5] * len(back), "X", color=INKS["ink"], markersize=7, clip_on=False)
    axes.set_ylim(0, 1)
    axes.set_yticks([0.5], ["gate"])
    axes.grid(visible=False)


def _hours(axes: Axes, hours: int) -> None:
    axes.set_xlim(0, max(hours, 1))
    day = next((day for day in (6, 12, 24, 48, 168, 336) if hours / day <= 9), None)
    axes.xaxis.set_major_locator(MultipleLocator(day) if day else MaxNLocator(8))
    axes.set_xlabel("simulated hours")


def stacked(name: str, said: str, of: Bins, attack: Attack) -> str:
    """Votes an hour over simulated time, by what became of them."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        _shade(axes, attack, "attack")
        below = [0.0] * (len(of.edges) - 1)
        for ruling in (one for one in STACK if one in of.rates):
            above = [low + more for low, more in zip(below, of.rates[ruling], strict=True)]
            axes.stairs(
                above,
                of.edges,
                baseline=below,
                fill=True,
                facecolor=INKS[ruling],
                edgecolor=INKS["paper"],
                linewidth=0,
                hatch=HATCHES.get(ruling, ""),
                label=ruling,
            )
            below = above
        axes.set_ylim(0, None)
        axes.set_ylabel("votes an hour")
        figure.legend(**LEGEND)
        _hours(axes, of.edges[-1])

    return drawn(name, said, SMALL, draw)


def dots(name: str, said: str, label: str, of: Sequence[Dots]) -> str:
    """A row for each arm: a dot for each seed, the mean and its 95 % interval."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row, one in enumerate(of):
            _interval(axes, row + 0.22, one)
            values = [value for _, value in one.seeds]
            axes.plot(
                values,
                [row - 0.1] * len(values),
                "o",
                color=INKS[one.ink],
                markerfacecolor="none",
                markersize=6,
                clip_on=False,
            )
        axes.set_yticks(range(len(of)), [safe(one.name, 24) for one in of])
        axes.set_ylim(len(of) - 0.5, -0.5)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        axes.xaxis.set_major_locator(MaxNLocator(6))
        values = [value for one in of for _, value in one.seeds]
        axes.set_xlim(min([0.0, *values]), max([*values, 0.0]) * 1.03 or 0.01)
        axes.set_xlabel(label)
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")

    return drawn(name, said, (SMALL[0], 0.7 + LOW * len(of)), draw)


def _interval(axes: Axes, row: float, one: Dots) -> None:
    colour = INKS[one.ink]
    if one.low is not None and one.high is not None:
        axes.plot([one.low, one.high], [row, row], "-", color=colour, linewidth=3, clip_on=False)
    if one.mean is not None:
        axes.plot([one.mean], [row], "D", color=colour, markersize=6, clip_on=False)
