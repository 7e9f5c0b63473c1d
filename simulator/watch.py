"""What ``hamstrung watch`` does: find a run, and show it in the console."""

import sys

from simulator.folder import RunFolder
from simulator.paint import terminal

NO_TERMINAL = (
    "the console needs a terminal; off one, see the run's progress with --display plain, or what it"
    " came to with: hamstrung report latest"
)


def watch(run: str) -> int:
    """Show a run until somebody leaves; gives the exit code.

    Args:
        run: its folder, its name, or ``latest``.

    Raises:
        FolderError: there is no such run, or no terminal to show it in.
    """
    from simulator.durable import FolderError

    folder = RunFolder.open(run)
    folder.must_be_one()
    if not (terminal(sys.stdout) and sys.stdin.isatty()):
        raise FolderError(NO_TERMINAL)
    return show(folder)


def show(folder: RunFolder, behind: bool = False) -> int:
    """Open the console on a run; gives the exit code.

    Args:
        folder: the run's.
        behind: whether the run ends when the console is left.
    """
    from simulator.console.app import Console
    from simulator.console.recording import Recording

    console = Console(Recording(folder), behind)
    console.run()
    return console.return_code or 0
