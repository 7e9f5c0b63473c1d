"""Runs of the past: listed, reported and explained again from their folders."""

import sys

from simulator import stdout
from simulator.explain import explain
from simulator.folder import Record, RunFolder, runs
from simulator.paint import encodes, paint, width
from simulator.printed import report
from simulator.safe import safe

NONE = "no runs in ./runs yet; make one with: hamstrung run quickstart"


def list_runs(json: bool) -> None:
    """Print the runs there are."""
    records = runs()
    if json:
        for one in records:
            stdout.record("run", one._asdict() | {"path": str(one.path)})
        return
    if not records:
        sys.stderr.write(f"{NONE}\n")
    column = max((len(safe(one.name, 70)) for one in records), default=0)
    for one in records:
        stdout.write(_line(one, column))


def _line(one: Record, column: int) -> str:
    shown = f"{safe(one.name, 70):<{column}}  {one.status:<11}  {safe(one.verdict, 300)}".rstrip()
    return shown if len(shown) <= (most := max(width(), column + 20)) else shown[: most - 1] + "…"


def print_report(which: str) -> None:
    """Print a run's summary, as it was printed at its end."""
    folder = RunFolder.open(which)
    text = report(
        folder.summary(), folder.path, folder.manifest.command, paint(sys.stdout), width()
    )
    if not encodes(sys.stdout, text):
        text = text.encode("ascii", "replace").decode()
    stdout.write(text)


def print_explanation(which: str, vote: str) -> None:
    """Print the path of one vote."""
    for line in explain(RunFolder.open(which), vote).splitlines():
        stdout.write(safe(line, 500))
