"""The damage chart: where the campaign went, in each arm, beside what the gate did."""

from typing import TYPE_CHECKING, Any

from textual_plotext import PlotextPlot

from simulator.console.figures import HOURS, curve
from simulator.console.seen import Seen
from simulator.metrics import RATES

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES: "dict[str, tuple[tuple[int, int, int], str]]" = {
    "attacked": ((224, 138, 46), "braille"),
    "twin": ((91, 155, 213), "braille"),
    "unguarded": ((230, 190, 90), "dot"),
}
MOST = 400
"""Points of a curve at most: a screen has no more columns than that."""


class Damage(PlotextPlot):
    """Share of the campaign, or of ham, in the wrong folder, over the run.

    It is the one widget that knows of Plotext.
    """

    def show(self, seen: Seen) -> None:
        """Draw what was seen."""
        self.plt.clear_figure()
        self.plt.theme("textual-design-dark")
        self.plt.xlim(0, max(seen.plan.duration, 1))
        self.plt.ylim(0, 100)
        self.plt.frame(False)
        self.plt.yticks([0, 50, 100])
        step = 24 if seen.plan.duration <= 240 else 24 * (seen.plan.duration // 200)
        self.plt.xticks(list(range(0, seen.plan.duration + 1, step)))
        for name in ("unguarded", "twin", "attacked"):
            self._curve(seen, name)
        if not seen.plan.attack:
            self._rate(seen, "ham_misclassified", (91, 155, 213))
            self._rate(seen, "spam_misclassified", (224, 138, 46))
        for edge in {seen.plan.start, seen.plan.end} if seen.plan.attack else ():
            self.plt.vline(edge, (150, 150, 150))
        ticks = [tick for tick, _ in seen.marks][-MOST:]
        if ticks:
            self.plt.scatter(ticks, [97.0] * len(ticks), marker="x", color=(230, 190, 90))
        self.refresh()

    def _curve(self, seen: Seen, name: str) -> None:
        arm = seen.plan.judged if name == "attacked" else name
        frames = [f for f in seen.frames.get(arm, []) if f.campaign]
        part, whole = RATES["campaign_in_inbox"]
        values = curve(frames, part, whole, HOURS)
        color, marker = LINES[name]
        self._line([f.tick for f in frames], values, color, marker)

    def _rate(self, seen: Seen, name: str, color: "tuple[int, int, int]") -> None:
        frames = seen.frames.get(seen.plan.judged, [])
        values = curve(frames, *RATES[name], hours=24)
        self._line([f.tick for f in frames], values, color, "braille")

    def _line(
        self, ticks: "Sequence[int]", values: "Sequence[float | None]", color: Any, marker: str
    ) -> None:
        known = [(t, 100 * v) for t, v in zip(ticks, values, strict=True) if v is not None]
        step = max(len(known) // MOST, 1)
        if known:
            self.plt.plot(*zip(*known[::step], strict=True), color=color, marker=marker)


def legend(seen: Seen) -> str:
    """What the curves are."""
    if seen.topics:
        return "topics do not tell what mail truly is: see the run's folder"
    if not seen.plan.attack:
        return "% misclassified, last 24 h: ham (blue), spam (orange)"
    bare = ", without (dots)" if "unguarded" in seen.frames else ""
    return f"% in inbox: guarded (orange){bare}"
