"""Runs of the past: listed, reported and explained again from their folders."""

import shlex
import sys
import textwrap
from collections import Counter
from pathlib import Path

import msgspec

from filter.plugins import SettingsError
from simulator import stdout
from simulator.compare import (
    BETTER_NOW,
    OTHER,
    UNCHANGED,
    WORSE,
    Change,
    Comparison,
    compare,
)
from simulator.durable import FolderError, write_whole
from simulator.exits import say
from simulator.explain import explain
from simulator.folder import Record, RunFolder, runs
from simulator.paint import Paint, encodes, paint, width
from simulator.printed import report, unit
from simulator.safe import safe
from simulator.show import show

PAGE = "report.html"
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


def print_report(which: str, out: str | None = None) -> None:
    """Print a run's summary, as it was printed at its end; then write it as a page, and say where.

    Args:
        which: the run.
        out: the page's file; None: ``report.html`` in the run's folder.

    Raises:
        FolderError: there is no such run, or it has not ended; or the page cannot be written, after
            the summary was printed.
        SettingsError: ``out`` is no file's name.
    """
    folder = RunFolder.open(which)
    path = folder.path / PAGE if out is None else _place(folder, out)
    text = report(
        folder.summary(), folder.path, folder.manifest.command, paint(sys.stdout), width()
    )
    if not encodes(sys.stdout, text):
        text = text.encode("ascii", "replace").decode()
    stdout.write(text)
    _write(folder, path, which)
    say(f"as a page: {path}")


def _place(folder: RunFolder, out: str) -> Path:
    """Where somebody wants the page: neither a device nor a file that the run is made of."""
    path = Path(out)
    if not path.name or (path.exists() and not path.is_file()):
        raise SettingsError(f"--out: expected a file such as {PAGE}, got {out!r}")
    if path.resolve().parent == folder.path.resolve() and path.suffix != ".html":
        raise SettingsError(f"--out: {out!r} is in the run's folder: expected {PAGE} there")
    return path.resolve() if path.is_symlink() else path


def _write(folder: RunFolder, path: Path, which: str) -> None:
    from simulator.page.whole import page

    whole = page(folder).encode("utf-8", "replace")
    try:
        write_whole(path, whole)
    except FolderError as error:
        elsewhere = f"hamstrung report {shlex.quote(which)} -o FILE.html"
        raise FolderError(f"{error}; put the page elsewhere: {elsewhere}") from error.__cause__


def print_comparison(base: str, new: str, json: bool) -> Comparison:
    """Print what became of each metric from one run to the other."""
    found = compare(RunFolder.open(base), RunFolder.open(new))
    if json:
        stdout.record("comparison", msgspec.to_builtins(found))
    else:
        stdout.write("\n".join(_compared(found, paint(sys.stdout))))
    return found


def _compared(found: Comparison, paint: Paint) -> list[str]:
    """The comparison as people read it: what changed, then the names of what did not."""
    lines = [
        paint(f"{found.scenario}: {_counted(found)}", "title"),
        f"  base  {safe(found.base, 300)}",
        f"  new   {safe(found.new, 300)}",
        *(f"  set   {safe(line, 300)}" for line in found.differs),
    ]
    if not found.differs:
        lines.append("  both have the same settings")
    if found.too_few:
        return [*lines, "", f"  nothing was compared: {found.too_few}"]
    for arm in dict.fromkeys(one.arm for one in found.changes):
        of_arm = [one for one in found.changes if one.arm == arm]
        head = f"{'base':>9}{'new':>9}{'change':>10}  95 % interval"
        lines += ["", f"{paint(f'{arm:<41}', 'title')}{head}"]
        lines += [_changed(one, paint) for one in of_arm if one.said != UNCHANGED]
        same = [one.metric for one in of_arm if one.said == UNCHANGED]
        if same:
            text = f"no significant change: {', '.join(same)}"
            lines += textwrap.wrap(text, 76, initial_indent="  ", subsequent_indent="    ")
    return lines


def _counted(found: Comparison) -> str:
    words = Counter(one.said for one in found.changes)
    said = [f"{words[word]} {word}" for word in (BETTER_NOW, WORSE, OTHER, UNCHANGED)]
    return f"{', '.join(said)}, over {len(found.seeds)} seeds" if found.changes else "not compared"


def _changed(one: Change, paint: Paint) -> str:
    figure = unit(one.metric)
    signs = {BETTER_NOW: ("+", "good"), WORSE: ("x", "bad"), OTHER: ("~", "dim")}
    sign, colour = signs[one.said]
    between = f"[{figure(one.low)}, {figure(one.high)}]"
    word = paint(f"{sign} {one.said:<10}", colour)
    return (
        f"  {word}{one.metric:<27}{figure(one.base):>9}{figure(one.new):>9}"
        f"{figure(one.difference):>10}  {between}"
    )


def print_mail(which: str, mail: str) -> None:
    """Print a mail of a run with its story."""
    for line in show(RunFolder.open(which), mail, say):
        stdout.write(line)


def print_explanation(which: str, vote: str) -> None:
    """Print the path of one vote."""
    for line in explain(RunFolder.open(which), vote).splitlines():
        stdout.write(safe(line, 500))
