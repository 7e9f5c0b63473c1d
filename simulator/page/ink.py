"""Ink: figures of matplotlib as SVG inside a page, whose colours and fonts are the page's own.

A figure is drawn in colours that nobody uses, which become variables of the page's style: one
drawing for light, dark and paper. What is not needed inside HTML is left out, and no date, no name
of a file and no random id is left in: equal figures are equal bytes.
"""

import html
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from simulator.safe import safe

INKS = {
    "ink": "#0a0b01",
    "dim": "#0a0b02",
    "line": "#0a0b03",
    "paper": "#0a0b04",
    "ours": "#0a0b05",
    "bare": "#0a0b06",
    "twin": "#0a0b07",
    "reference": "#0a0b08",
    "attack": "#0a0b09",
    "taught": "#0a0b0a",
    "merged": "#0a0b0b",
    "duplicate": "#0a0b0c",
    "waiting": "#0a0b0d",
    "quarantined": "#0a0b0e",
    "limited": "#0a0b0f",
    "shadowed": "#0a0b10",
    "rejected": "#0a0b11",
}
"""Colours by their names in the page's style."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hamstrung",
    "text.parse_math": False,
    "font.size": 9.0,
    "text.color": INKS["ink"],
    "axes.labelcolor": INKS["dim"],
    "axes.edgecolor": INKS["line"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": INKS["line"],
    "grid.linewidth": 0.6,
    "xtick.color": INKS["line"],
    "ytick.color": INKS["line"],
    "xtick.labelcolor": INKS["dim"],
    "ytick.labelcolor": INKS["dim"],
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "legend.columnspacing": 1.2,
    "hatch.linewidth": 0.7,
    "lines.linewidth": 1.6,
    "path.simplify": True,
}

HEAD = re.compile(r"^.*?<svg\b[^>]*?viewBox=\"([^\"]+)\"[^>]*>", re.DOTALL)
UNUSED = re.compile(
    r"<metadata>.*?</metadata>|<style type=\"text/css\">[^<]*</style>|<!--.*?-->", re.DOTALL
)
GROUP_IDS = re.compile(r"<g id=\"[^\"]*\"")
REFERENCES = re.compile(r"(\bid=\"|url\(#|href=\"#)")
FONTS = re.compile(r"(font: [^\"';]*?)px [^\";]*|font-family: [^\";]*;? ?")
SPACES = re.compile(r">\s+<")

Draw = Callable[[Figure], None]


def drawn(name: str, said: str, size: tuple[float, float], draw: Draw) -> str:
    """A figure as an ``svg`` element.

    Args:
        name: what no other one of the page is called: its ids begin with it.
        said: what it shows, for those who do not see it.
        size: width and height in inches, of 72 units of the drawing each.
        draw: draws it.
    """
    with _style():
        figure = Figure(figsize=size, layout="constrained", facecolor="none")
        draw(figure)
        file = io.StringIO()
        canvas: Any = FigureCanvasSVG(figure)  # matplotlib leaves `print_svg` without types
        canvas.print_svg(file, metadata={"Date": None})
    return _inline(file.getvalue(), name, said)


@contextmanager
def _style() -> Iterator[None]:
    """Our style alone, whatever the user's own is for matplotlib."""
    with mpl.style.context(["default", STYLE]):
        yield


def _inline(svg: str, name: str, said: str) -> str:
    found = HEAD.match(svg)
    assert found is not None, "matplotlib gives every figure a viewBox"
    body = UNUSED.sub("", svg[found.end() :].strip()).replace("xlink:href", "href")
    body = REFERENCES.sub(rf"\g<1>{name}-", GROUP_IDS.sub("<g", body))
    body = SPACES.sub("><", FONTS.sub(_font, body))
    for ink, colour in INKS.items():
        body = body.replace(colour, f"var(--{ink})")
    label = html.escape(safe(said, 2000))
    return f'<svg viewBox="{found[1]}" role="img" aria-label="{label}">{body}'


def _font(found: re.Match[str]) -> str:
    """The size alone: which font it is, the page says."""
    size = found[1]
    return f"font-size: {size.rpartition(' ')[2]}px" if size else ""
