"""Inks: blue is the arm that is judged, orange the one without a guard, grey are their twins.

Console and report ask here which ink a curve has, so that a colour means the same in both. Dashes
and marks tell the arms apart too: nobody has to see the colours.
"""

from typing import Final

from simulator.arms import TWINS

OURS: Final = "ours"
BARE: Final = "bare"
TWIN: Final = "twin"
REFERENCE: Final = "reference"


def inks(judged: str) -> dict[str, str]:
    """The ink of each arm that is drawn, the most important first.

    >>> inks("attacked")
    {'attacked': 'ours', 'unguarded': 'bare', 'twin': 'twin', 'reference': 'reference'}
    >>> inks("unguarded")
    {'unguarded': 'bare', 'reference': 'twin'}
    """
    twin = TWINS.get(judged, "")
    found = {judged: OURS, "unguarded": BARE, twin: TWIN}
    found.setdefault("reference", REFERENCE)
    found.pop("", None)
    return found
