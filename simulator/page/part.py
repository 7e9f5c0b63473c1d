"""What a page is made of: parts with words, charts and tables, and figures at its head.

A part without anything in it is not made at all, so that no page has an empty section.
"""

from collections.abc import Sequence
from typing import NamedTuple

from simulator.printed import GLUE


class Tile(NamedTuple):
    """A figure at the head of the page: what it is, how much, and what to hold it against."""

    name: str
    figure: str
    beside: str
    bad: bool = False


class Chart(NamedTuple):
    """A drawing, and what it shows in words with figures."""

    title: str
    says: str
    svg: str
    wide: bool = False


class Table(NamedTuple):
    """Rows under heads; the first ``words`` columns are text, the others numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1
    note: str = ""


class Part(NamedTuple):
    """A section of the page; ``terms`` are words of it with their meaning."""

    title: str
    words: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    commands: Sequence[str] = ()
    terms: Sequence[tuple[str, str]] = ()


def percent(share: float | None, digits: int = 1) -> str:
    """A share as it is written, on one line; a dash where nothing was measured.

    >>> print(percent(0.684).replace(GLUE, " "), percent(None))
    68.4 % -
    """
    return "-" if share is None else f"{100 * share:.{digits}f}{GLUE}%"


def ratio(part: float, whole: float) -> str:
    """A part of a whole in per cent.

    >>> print(ratio(1, 4).replace(GLUE, " "), ratio(0, 0))
    25.0 % -
    """
    return percent(part / whole if whole else None)
