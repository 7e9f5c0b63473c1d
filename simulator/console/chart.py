"""The damage chart: where the campaign went, in each arm, under what the gate and the bots did."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from rich.text import Text
from textual_plotext import PlotextPlot

from filter.events import HOLD, ROLL_BACK
from simulator.console.figures import DAY, HOURS, curve, scale
from simulator.console.panels import BOTS, DIM, PEOPLE
from simulator.console.seen import Seen
from simulator.inks import BARE, OURS, TWIN, inks
from simulator.metrics import RATES


class Line(NamedTuple):
    """How a curve looks: its colour, what it is drawn with, and what stands for it in a legend."""

    colour: str
    marker: str
    symbol: str


GREY, GROUND = "#a0a0a0", "#1e1e1e"
LINES = {
    OURS: Line(PEOPLE, "braille", "⠒"),
    BARE: Line(BOTS, "•", "•"),
    TWIN: Line(GREY, "braille", "⠂"),
}
"""By their inks, which are those of the report; the twin is dotted, so that both are seen."""
PEACE = {"spam_misclassified": BARE, "ham_misclassified": OURS}
"""What is drawn of a run without an attack, and whose marker it has."""
GATE = {HOLD: ("‖", "held"), ROLL_BACK: ("×", "rolled back")}
ATTACK, JOINS = "attack", "▲"
MOST = 400
"""Points of a curve at most: a screen has no more columns than that."""
APART = 3
"""Columns between two dots of a dotted curve."""
EDGES = 4
"""Columns of a panel that its title leaves free, at least."""


class Damage(PlotextPlot):
    """Share of the campaign, or of ham and spam, in the wrong folder, over the run.

    The line above the highest figure is for marks: the attack, what the gate refused, bots that
    joined. It is the one widget that knows of Plotext.
    """

    def show(self, seen: Seen) -> None:
        """Draw what was seen, and say in the border what it is."""
        self.border_title = title(seen, self.size.width)
        self.border_subtitle = legend(seen)
        plt, duration = self.plt, max(seen.plan.duration, 1)
        plt.clear_figure()
        plt.theme("textual-design-dark")
        rows = max(self.size.height - 1, 3)
        top = 100.0 if seen.plan.attack else 100 * self._top(seen)
        marks = top * rows / (rows - 1)
        plt.xlim(0, duration)
        plt.ylim(0, marks)
        plt.frame(False)
        plt.yticks([0, top / 2, top], ["0", f"{top / 2:.0f}", f"{top:.0f}"])
        step = DAY if duration <= 10 * DAY else DAY * (duration // 200)
        plt.xticks(list(range(0, duration + 1, step)))
        if seen.plan.attack:
            self._attack(seen, marks)
        else:
            for name, ink in PEACE.items():
                line = Line(PEOPLE, LINES[ink].marker, "")
                self._points(self._rate(seen, name), line, plt.plot)
        self._gate(seen, marks)
        self.refresh()

    def _top(self, seen: Seen) -> float:
        """What the full height is in peace, as for sparklines."""
        values = [value for name in PEACE for _, value in self._rate(seen, name)]
        return scale(values, len(values))

    def _attack(self, seen: Seen, height: float) -> None:
        plan = seen.plan
        for edge in (plan.start, plan.end):
            self.plt.vline(edge, _rgb(GREY))
        marks = [tick for tick, _ in (*plan.joins, *seen.marks) if plan.start <= tick <= seen.tick]
        if not marks or min(marks) > plan.start + (len(ATTACK) + 1) * self._column(seen):
            self._say(ATTACK, plan.start + self._column(seen), height, GREY)
        arms = {ink: arm for arm, ink in inks(plan.judged).items() if ink in LINES}
        for ink in (BARE, OURS, TWIN):
            self._campaign(seen, arms.get(ink, ""), LINES[ink], ink == TWIN)
        self._joins(seen, height)

    def _say(
        self,
        text: str,
        tick: float,
        height: float,
        colour: str,
        side: Literal["left", "right"] = "left",
    ) -> None:
        self.plt.text(text, tick, height, _rgb(colour), _rgb(GROUND), alignment=side)

    def _column(self, seen: Seen) -> float:
        """Ticks that share a column of the screen."""
        return seen.plan.duration / max(self.size.width - 4, 1)

    def _campaign(self, seen: Seen, arm: str, line: Line, dotted: bool) -> None:
        frames = [frame for frame in seen.frames.get(arm, []) if frame.campaign]
        values = curve(frames, *RATES["campaign_in_inbox"], HOURS)
        ticks = [frame.tick for frame in frames]
        if dotted:
            step = max(round(APART * self._column(seen)), 1)
            known = [(t, v) for t, v in zip(ticks, values, strict=True) if t % step == 0]
            self._points(known, line, self.plt.scatter)
        else:
            self._points(list(zip(ticks, values, strict=True)), line, self.plt.plot)

    def _rate(self, seen: Seen, name: str) -> list[tuple[int, float | None]]:
        frames = seen.frames.get(seen.plan.judged, [])
        values = curve(frames, *RATES[name], hours=DAY)
        return [(frame.tick, value) for frame, value in zip(frames, values, strict=True)]

    def _points(self, of: "Sequence[tuple[int, float | None]]", line: Line, draw: Any) -> None:
        known = [(tick, 100 * value) for tick, value in of if value is not None]
        shown = known[:: max(len(known) // MOST, 1)]
        if shown:
            draw(*zip(*shown, strict=True), color=_rgb(line.colour), marker=line.marker)

    def _gate(self, seen: Seen, height: float) -> None:
        for action, (symbol, _) in GATE.items():
            ticks = [tick for tick, done in seen.marks if done == action][-MOST:]
            if ticks:
                heights = [height] * len(ticks)
                self.plt.scatter(ticks, heights, marker=symbol, color=_rgb(GREY))

    def _joins(self, seen: Seen, height: float) -> None:
        """A mark where bots joined; beside it how many, if no other such mark is near."""
        joins = [one for one in seen.plan.joins if one[0] <= seen.tick]
        edges = [0, *(tick for tick, _ in joins), seen.plan.duration]
        for place, (tick, count) in enumerate(joins):
            many = f"+{count} bots" if count > 1 else "+1 bot"
            room = (len(many) + 3) * self._column(seen)
            if edges[place + 2] - tick > room:
                self._say(f"{JOINS} {many}", tick, height, BOTS)
            elif tick - edges[place] > 2 * room:
                self._say(f"{many} {JOINS}", tick, height, BOTS, "right")
            else:
                self._say(JOINS, tick, height, BOTS)


def _rgb(colour: str) -> "tuple[int, int, int]":
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def title(seen: Seen, width: int) -> Text:
    """What the figures are, and the marks that there are, as far as there is room."""
    done = {action for _, action in seen.marks}
    marks = [f"  {symbol} {said}" for action, (symbol, said) in GATE.items() if action in done]
    if not seen.plan.attack:
        return Text("2 damage: % misclassified (24 h)")
    whole = Text("2 damage: % of campaign in inbox")
    short = Text("2 damage: % in inbox")
    text = whole if len(whole) + len("".join(marks)) <= width - EDGES else short
    for mark in marks:
        if len(text) + len(mark) <= width - EDGES:
            text.append(mark, DIM)
    return text


def legend(seen: Seen) -> Text:
    """What the curves are: arms by their names, as everywhere else."""
    if seen.topics:
        return Text("topics do not tell what mail truly is: see the run's folder")
    if not seen.plan.attack:
        signs = [(LINES[OURS].symbol, "ham", PEOPLE), (LINES[BARE].symbol, "spam", PEOPLE)]
    else:
        arms = {arm: LINES[ink] for arm, ink in inks(seen.plan.judged).items() if ink in LINES}
        signs = [(of.symbol, arm, of.colour) for arm, of in arms.items() if arm in seen.frames]
    return Text("  ").join(
        Text.assemble((f"{sign} ", colour), name) for sign, name, colour in signs
    )
