"""The lines around the panels: what is looked at above, what was said or what keys do below."""

from collections.abc import Callable

from rich.text import Text

from simulator.console.following import sound
from simulator.console.panels import BAD, DIM, PEOPLE, Look
from simulator.console.player import Player

PATIENCE = 8.0
"""Seconds for which something is said in the place of the keys."""
KEYS = "? keys  0-9 panels  p pause  [ ] speed  ←→ step  t turn  g truth  i span  q quit"


class Message:
    """Something that is said, for some seconds.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """Nothing was said yet."""
        self._clock = clock
        self._text, self._until = "", 0.0

    def say(self, text: str) -> None:
        """Say something; nothing is no message."""
        if text:
            self._text, self._until = text, self._clock() + PATIENCE

    @property
    def text(self) -> str:
        """What is said now."""
        return self._text if self._clock() <= self._until else ""


def status(player: Player) -> Text:
    """The status strip: of which run, and of which of its hours, the panels tell."""
    plan, tick = player.recording.plan, max(player.recording.seen.tick, 0)
    under = plan.attacked(tick)
    state, style = _state(player)
    pace = "max" if not player.pace else f"{player.pace:g} ticks/s"
    parts = [
        (f" {state} ", style),
        (f" {plan.name} ", "bold"),
        (f" {plan.phase(tick)}", BAD if under else PEOPLE),
        (f": {plan.attack}" if under else "", BAD),
        (f"  hour {tick} of {plan.duration - 1}  {pace}", ""),
        (f"  seed {plan.seed}  {plan.engine}  guard {plan.guard or 'none'}", DIM),
    ]
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _state(player: Player) -> tuple[str, str]:
    if player.failed:
        return "‼ ERROR", BAD
    if player.paused:
        return "‖ VIEW PAUSED", "reverse"
    if player.holds_the_run:
        return "‖ RUN PAUSED", "reverse"
    return ("▶ RUN" if player.live else "↻ REPLAY"), "reverse"


def keys(failed: str, said: str, look: Look) -> Text:
    """What went wrong or was said; else the filter, if there is one; else the keys."""
    text = sound(failed or said)
    if look.filter and not text:
        text = f'only with "{sound(look.filter)}" in them: f and an empty line show all'
    return Text(text or KEYS, BAD if failed else DIM, no_wrap=True, overflow="ellipsis")
