"""The phases of a run: one name for each, wherever they are told.

Columns are headed ``before``, ``under`` and ``after``, as the summary has them.
"""

from typing import Final

BEFORE, UNDER, AFTER, ALL = "before", "under", "after", "all"
"""As `simulator.damage.Phase` has them; ``all`` is a run without an attack."""
PEACE: Final = "peace"
NAMES: Final = {
    BEFORE: "before the attack",
    UNDER: "under attack",
    AFTER: "after the attack",
    ALL: PEACE,
}
LONGEST: Final = max(map(len, NAMES.values()))
"""Characters."""


def phase(tick: int, start: int, end: int) -> str:
    """The phase of a tick in a run with an attack from ``start`` to before ``end``.

    >>> [phase(tick, 8, 20) for tick in (7, 8, 19, 20)]
    ['before', 'under', 'under', 'after']
    """
    return BEFORE if tick < start else UNDER if tick < end else AFTER
