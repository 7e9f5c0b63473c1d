"""Colour and width of what is printed for people: what the terminal, and its user, ask for."""

import os
import shutil
from collections.abc import Callable, Mapping
from typing import TextIO

Paint = Callable[[str, str], str]
"""A text and a style of `STYLES`; gives the text in it."""

STYLES = {"title": "1", "good": "34", "bad": "1;33", "dim": "2"}
"""Blue and orange, for eyes that see no red and green; a word stands beside each colour."""
NARROW, WIDE = 60, 100


def plain(text: str, style: str) -> str:  # noqa: ARG001  as `Paint` has it
    """The text as it is."""
    return text


def ansi(text: str, style: str) -> str:
    """The text in colour."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def paint(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Paint:
    """How to colour what goes to a stream: ``NO_COLOR`` wins, then ``FORCE_COLOR``."""
    if environment.get("NO_COLOR"):
        return plain
    if environment.get("FORCE_COLOR", "0") != "0":
        return ansi
    return ansi if terminal(stream, environment) else plain


def terminal(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal that can move its cursor, with somebody before it."""
    if environment.get("TERM") == "dumb" or environment.get("CI", "").lower() not in NOT_CI:
        return False
    return stream.isatty()


NOT_CI = ("", "0", "false")


def width() -> int:
    """Columns to print in; ``COLUMNS`` counts more than the terminal."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, NARROW), WIDE)


def encodes(stream: TextIO, text: str) -> bool:
    """Whether a stream can show these characters."""
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
