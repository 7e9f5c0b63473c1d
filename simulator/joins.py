"""Bots that joined an attack while it went on, as a run's manifest tells it."""

from collections import Counter
from typing import Any

from simulator.durable import FolderError

Joins = tuple[tuple[int, int], ...]
"""At which tick how many joined, ``(tick, how many)``; the first ones first."""


def joins(scenario: dict[str, Any]) -> Joins:
    """The bots that joined, of a manifest's scenario; those of one tick together.

    Raises:
        FolderError: it says something else there.

    >>> joins({"attack": {"more": [[60, 10], [52, 1], [60, 1]]}})
    ((52, 1), (60, 11))
    """
    many: Counter[int] = Counter()
    more = scenario.get("attack", {}).get("more", ())
    try:
        for tick, count in more:
            many[int(tick)] += int(count)
    except (TypeError, ValueError) as error:
        raise FolderError(
            f"the manifest's attack.more: expected [tick, bots], got {more!r}"
        ) from error
    return tuple(sorted(many.items()))


def joined(count: int) -> str:
    """That bots join, in words.

    >>> joined(10), joined(1)
    ('10 bots join the attack', 'a bot joins the attack')
    """
    return f"{count} bots join the attack" if count > 1 else "a bot joins the attack"
