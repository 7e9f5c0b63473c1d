"""Steering: how fast a run goes, and whether it pauses, as somebody who watches it asks.

What is asked lies in the run's folder, in `steer.json`, so that whoever may write there can steer,
and the run needs no port. Pause and pace change when ticks are simulated, never what is in them;
bots that are asked for join at the next tick, and the run's manifest says so (`simulator.session`).
"""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from simulator.durable import write_whole
from simulator.scenario import CREW

STEER = "steer.json"
SLICE = 0.05
"""Seconds between two looks at what is asked, while the run waits."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a run.

    Args:
        paused: whether it waits.
        speed: ticks a second at most; 0 for as many as can be.
        bots: how many more are to join, all that were asked for in this session together.
    """

    paused: bool = False
    speed: float = 0.0
    bots: int = 0


def ask(folder: Path, asked: Asked) -> None:
    """Ask a run for something.

    Raises:
        OSError: its folder cannot be written.
    """
    write_whole(folder / STEER, msgspec.json.encode(asked))


def read(folder: Path) -> Asked:
    """What is asked of a run; whatever cannot be read asks for nothing."""
    try:
        return msgspec.json.decode((folder / STEER).read_bytes(), type=Asked)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Asked()


class Steering:
    """Keeps a run at the pace that is asked for.

    Args:
        folder: the run's.
        speed: ticks a second at the beginning; 0 for as many as can be.
    """

    def __init__(self, folder: Path, speed: float = 0.0) -> None:
        """Hear what was asked already, for this session: `forget` is told where it begins."""
        self._folder = folder
        self._path = folder / STEER
        self._stamp: tuple[int, int] | None = None
        self._asked = read(folder)
        if speed and not self._asked.speed:
            self._asked = msgspec.structs.replace(self._asked, speed=speed)
        self._due = 0.0
        self._joined = 0
        if speed:
            ask(folder, self._asked)

    @staticmethod
    def forget(folder: Path) -> None:
        """Forget what was asked of an earlier session, before anybody asks for something new."""
        (folder / STEER).unlink(missing_ok=True)

    def joining(self) -> int:
        """How many bots were asked for since the last time."""
        self._look()
        new = min(max(self._asked.bots - self._joined, 0), CREW)
        self._joined += new
        return new

    def wait(self, ended: Callable[[], bool]) -> None:
        """Wait after a tick, as long as is asked; ``ended`` says that nobody waits any more."""
        while not ended():
            self._look()
            left = self._due - time.monotonic() if self._asked.speed else 0.0
            if not self._asked.paused and left <= 0:
                break
            time.sleep(min(left, SLICE) if not self._asked.paused else SLICE)
        if self._asked.speed:
            self._due = max(self._due, time.monotonic() - 1) + 1 / self._asked.speed

    def _look(self) -> None:
        """Read what is asked, if it was asked since the last look."""
        try:
            found = self._path.stat()
        except OSError:
            return
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._stamp = stamp
            self._asked = read(self._folder)
            self._due = time.monotonic()
