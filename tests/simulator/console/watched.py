"""A small run in a folder, and a console on it without a terminal."""

from pathlib import Path

from simulator.console.app import Console
from simulator.folder import RunFolder
from simulator.scripting import Silent
from simulator.session import simulate
from tests.simulator.small_run import small


def ran(path: Path, **changes: object) -> RunFolder:
    """A small run that has ended."""
    chosen = small(**changes)
    folder = RunFolder.create(chosen, path)
    simulate(chosen, folder, Silent(), [])
    return RunFolder.open(path)


def screen(app: Console) -> str:
    """What stands on the screen, without colours."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines)


class Clock:
    """A clock that stands still unless it is told to go on."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
