"""A run behind the console: in a process of its own, which the console steers and outlives."""

import signal
import subprocess
import sys
from pathlib import Path

from simulator.durable import FolderError
from simulator.exits import INTERRUPTED, UNREACHED
from simulator.flags import Flags
from simulator.folder import RunFolder
from simulator.manifest import RUNNING
from simulator.replicates import LOG, begun
from simulator.servers import Unreached
from simulator.steering import Steering
from simulator.summary import Summary

PATIENCE = 60.0
"""Seconds that a run has to save itself when its console is left."""


def simulated(folder: RunFolder, flags: Flags) -> Summary:
    """Simulate the run of a folder while the console shows it; leaving the console ends the run.

    Args:
        folder: the run's, new or to be resumed.
        flags: how it is to be run.

    Raises:
        FolderError: the run ended without a summary; with the last line of its log.
        Unreached: it needs a server that does not answer.
        KeyboardInterrupt: it was left before it began.
    """
    from simulator.watch import show

    Steering.forget(folder.path)
    more = ["--speed", flags.speed] if flags.speed else []
    more += ["--prometheus-port", flags.prometheus_port] if flags.prometheus_port else []
    process = begun(folder, *more)
    try:
        show(folder, lambda: process.poll() is None)
    finally:
        _end(process)
    after = RunFolder.open(folder.path)
    if after.manifest.status == RUNNING:
        said = _last_line(folder.path / LOG)
        if process.returncode == UNREACHED:
            raise Unreached(said)
        if process.returncode in (INTERRUPTED, -signal.SIGINT):
            raise KeyboardInterrupt  # it was left before its first tick
        raise FolderError(f"the run ended early: {said}")
    return after.summary()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the run to save itself and end, and wait for it."""
    if process.poll() is None:
        sys.stderr.write("hamstrung: saving the run …\n")
        process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    said = lines[-1] if lines else f"nothing is said of it in {log}"
    return said.removeprefix("hamstrung: ")
