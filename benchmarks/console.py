"""What the console costs the run that it watches, and how soon it is there.

    python -m benchmarks.console [--rounds 5]
    python -m benchmarks.console --soak 3600

Runs of the flagship at full speed, by turns with nobody watching and with a console attached in a
terminal of 120 by 40; the median of the ratios, and of the seconds from the command to the first
picture. Or one run at two ticks a second, watched for as many seconds: the console's memory, once a
minute. stdout has one line of JSON.
"""

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.machine import machine
from benchmarks.report import say
from simulator.folder import FRAMES

PROGRAM: Final = (
    sys.executable,
    "-c",
    "from simulator.cli import main; raise SystemExit(main())",
)
RUN: Final = ("run", "not-spam-campaign", "--display", "none", "--no-twin")
MINUTE: Final = 60
PICTURE: Final = b"event log"
"""What is drawn last."""


class Watcher(NamedTuple):
    """A console in a terminal."""

    process: int
    terminal: int
    began: float


def watcher(run: Path) -> Watcher:
    """Attach a console to a run."""
    began = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        alone = {name: of for name, of in os.environ.items() if name not in ("CI", "NO_COLOR")}
        os.execve(PROGRAM[0], [*PROGRAM, "watch", str(run)], alone | {"TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    return Watcher(process, terminal, began)


def first_picture(one: Watcher) -> float:
    """Seconds from the command to the first whole picture."""
    drawn = b""
    while PICTURE not in drawn:
        drawn += os.read(one.terminal, 1 << 16)
    return time.perf_counter() - one.began


def leave(one: Watcher) -> None:
    """End a console."""
    os.kill(one.process, signal.SIGKILL)
    os.waitpid(one.process, 0)
    os.close(one.terminal)


class Took(NamedTuple):
    """What a run took, in seconds: by the clock, of its processor; until a picture was there."""

    wall: float
    processor: float
    picture: float


def took(folder: Path, watched: bool) -> Took:
    """Time a run, with a console on it or without."""
    began = time.perf_counter()
    process = subprocess.Popen([*PROGRAM, *RUN, "-o", str(folder)])
    picture = 0.0
    if watched:
        while not (folder / FRAMES).exists():
            time.sleep(0.01)
        one = watcher(folder)
        picture = first_picture(one)
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if watched and select.select([one.terminal], [], [], 0.01)[0]:
            os.read(one.terminal, 1 << 16)
        elif not watched:
            time.sleep(0.01)
    wall = time.perf_counter() - began
    if watched:
        leave(one)
    if os.waitstatus_to_exitcode(status) not in (0, 99):
        sys.exit("the run failed")
    return Took(wall, used.ru_utime + used.ru_stime, picture)


def resident(process: int) -> float:
    """Megabytes of memory that a process has in use."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def soak(folder: Path, seconds: int) -> dict[str, float]:
    """Watch a run for long: what the console's memory is after a tenth of it, and at most after."""
    pace = ("--speed", "2", "--duration", str(2 * seconds + 600))
    run = subprocess.Popen([*PROGRAM, *RUN, *pace, "-o", str(folder)])
    while not (folder / FRAMES).exists():
        time.sleep(0.01)
    one = watcher(folder)
    sizes: list[float] = []
    began, drawn = time.monotonic(), 0
    while (since := time.monotonic() - began) < seconds:
        if select.select([one.terminal], [], [], 1.0)[0]:
            drawn += len(os.read(one.terminal, 1 << 16))
        if since >= MINUTE * (len(sizes) + 1):
            sizes.append(resident(one.process))
            say(f"{since / MINUTE:.0f} min: {sizes[-1]:.1f} MB, {drawn / 1e6:.1f} MB drawn")
    leave(one)
    run.send_signal(signal.SIGINT)
    run.wait()
    early, late = sizes[: max(len(sizes) // 10, 1)], sizes[max(len(sizes) // 10, 1) :]
    return {"seconds": seconds, "early_mb": max(early), "late_mb": max(late, default=max(early))}


def main() -> None:
    """Run by turns, and print the medians; or watch one run for long."""
    options = argparse.ArgumentParser("python -m benchmarks.console", description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--soak", type=int, default=0, metavar="SECONDS")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="hamstrung-soak-") as folder:
        if chosen.soak:
            print(json.dumps(soak(Path(folder) / "run", chosen.soak) | machine()))
            return
    rounds = chosen.rounds
    pairs = []
    with tempfile.TemporaryDirectory(prefix="hamstrung-console-") as folder:
        for number in range(rounds):
            alone = took(Path(folder) / f"alone-{number}", False)
            seen = took(Path(folder) / f"seen-{number}", True)
            pairs.append((alone, seen))
            say(f"alone {alone.wall:.2f} s, watched {seen.wall:.2f} s; {seen.picture:.2f} s to see")
    line = {
        "slowed_wall": statistics.median(b.wall / a.wall for a, b in pairs),
        "slowed_processor": statistics.median(b.processor / a.processor for a, b in pairs),
        "first_picture_seconds": statistics.median(seen.picture for _, seen in pairs),
        "rounds": rounds,
    }
    print(json.dumps({name: round(value, 3) for name, value in line.items()} | machine()))


if __name__ == "__main__":
    main()
