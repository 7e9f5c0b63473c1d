"""Displays: what people see of a run while it goes, all on one stream, never on stdout."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TextIO

from filter.plugins import SettingsError, unknown
from simulator.paint import encodes, paint, terminal, width
from simulator.phases import LONGEST, NAMES
from simulator.safe import safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.live import Live

    from simulator.loop import Prepared
    from simulator.session import Progress
    from simulator.summary import Summary

FULL = "full"
KINDS = (FULL, "rich", "plain", "none")
PLAIN_SECONDS = 5.0
RICH_SECONDS = 0.1
SYMBOLS = {"✓": "+", "✗": "x", "…": "...", "━": "=", "─": "-"}


class Shown(Protocol):
    """A display that can be put away, whatever happened."""

    def begin(self, lines: "Sequence[str]") -> None:
        """Before the first tick."""
        ...

    def tick(self, progress: "Progress") -> None:
        """After every tick."""
        ...

    def end(self, summary: "Summary", folder: Path, command: str) -> None:
        """After the last tick."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def display(kind: str | None, stream: TextIO | None = None) -> Shown:
    """A display by its name; rich on a terminal and plain off one where there is none.

    Raises:
        SettingsError: there is no such display.
    """
    stream = stream or sys.stderr
    match kind or ("rich" if terminal(stream) else "plain"):
        case "rich":
            return Rich(stream)
        case "plain":
            return Plain(stream)
        case "none":
            return Nothing()
        case "full":
            if not terminal(sys.stdout):
                raise SettingsError("--display full: the console needs a terminal; try plain")
            return Full(stream)
        case other:
            raise SettingsError(f"--display: {unknown(other, list(KINDS))}")


class Nothing:
    """Shows nothing: exit code and files say it all."""

    def begin(self, lines: "Sequence[str]") -> None:
        """Show nothing."""

    def tick(self, progress: "Progress") -> None:
        """Show nothing."""

    def end(self, summary: "Summary", folder: Path, command: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Nothing was shown."""


class Plain:
    """A line every five seconds, and one whenever another phase begins: for logs and pipes.

    Args:
        stream: where to.
    """

    every = PLAIN_SECONDS

    def __init__(self, stream: TextIO) -> None:
        """Nothing was shown yet."""
        self._stream = stream
        self._phase = ""
        self._due = 0.0
        self._first: Progress | None = None

    def begin(self, lines: "Sequence[str]") -> None:
        """Say what is about to happen."""
        for line in lines:
            self.say(line)

    def tick(self, progress: "Progress") -> None:
        """Show progress, if it is time for it."""
        first = self._first = self._first or progress
        turned = progress.phase != self._phase
        if turned or progress.seconds >= self._due:
            self._due = progress.seconds + self.every
            self.show(progress, first, turned)
        self._phase = progress.phase

    def show(self, progress: "Progress", first: "Progress", turned: bool) -> None:
        """Write a line."""
        time = f"{hour(progress)} {done(progress):>3} %"
        self.say(f"{time}  {said(progress):<{LONGEST}}  {figures(progress, first)}")

    def end(self, summary: "Summary", folder: Path, command: str) -> None:
        """Print the summary."""
        from simulator.printed import report

        self.close()
        self.say("\n" + report(summary, folder, command, paint(self._stream), width()))

    def close(self) -> None:
        """A line is never left open."""

    def say(self, text: str) -> None:
        """Write a line, in characters that the stream has."""
        for symbol, plainer in SYMBOLS.items():
            if symbol in text and not encodes(self._stream, symbol):
                text = text.replace(symbol, plainer)
        self._stream.write(f"{text}\n")
        self._stream.flush()


class Full(Plain):
    """Nothing but the summary at the end: until then the console has the terminal."""

    def begin(self, lines: "Sequence[str]") -> None:
        """Show nothing."""

    def show(self, progress: "Progress", first: "Progress", turned: bool) -> None:
        """Show nothing."""


class Rich(Plain):
    """Two live lines on a terminal; turns of the story stay above them."""

    every = RICH_SECONDS

    def __init__(self, stream: TextIO) -> None:
        """Nothing was shown yet."""
        super().__init__(stream)
        self._live: Live | None = None

    def begin(self, lines: "Sequence[str]") -> None:
        """Say what is about to happen, and take the last lines of the terminal."""
        from rich.console import Console
        from rich.live import Live

        super().begin(lines)
        console = Console(file=self._stream, force_terminal=True, highlight=False, markup=False)
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()

    def show(self, progress: "Progress", first: "Progress", turned: bool) -> None:
        """Draw both lines anew."""
        from rich.text import Text

        if self._live is None:
            return
        if turned:
            self._live.console.print(f"{hour(progress)}  {said(progress)}")
        columns = min(self._live.console.width, width())
        drawn = f"{bar(progress, columns)}\n{hour(progress)}  {figures(progress, first)}"
        self._live.update(Text(drawn, no_wrap=True, overflow="ellipsis"), refresh=True)

    def close(self) -> None:
        """Give the last lines and the cursor back."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def beginning(prepared: "Prepared", folder: Path) -> list[str]:
    """What is about to happen, in a few lines."""
    scenario, strike = prepared.scenario, prepared.strike
    lines = [f"{safe(scenario.about, 300)}."] if scenario.about else []
    arms = ", ".join(prepared.arms)
    lines.append(f"{scenario.duration} h in {len(prepared.arms)} arms side by side: {arms}")
    if strike:
        lines.append(f"the attack {safe(strike.name, 60)}: from {strike.start} h to {strike.end} h")
    lines += [f"note: {safe(note, 500)}" for note in prepared.notes]
    return [*lines, f"saved in {safe(str(folder), 500)}"]


def figures(progress: "Progress", first: "Progress") -> str:
    """What is known so far, in some 70 characters."""
    known = progress.mails and progress.seconds > 0
    speed = f"{_thousands(progress.mails / progress.seconds)} mails/s  " if known else ""
    return (
        f"{speed}attack success {_percent(progress.attack_success)}"
        f"  ham misclassified {_percent(progress.ham_misclassified)}{left(progress, first)}"
    )


def left(progress: "Progress", first: "Progress") -> str:
    """The time to the end, if it goes on like since the session's first tick."""
    ticks, seconds = progress.tick - first.tick, progress.seconds - first.seconds
    if ticks <= 0:
        return ""
    rest = round((progress.duration - progress.tick) * seconds / ticks)
    return f"  {rest // 60}:{rest % 60:02d} left"


def hour(progress: "Progress") -> str:
    """The hour that was measured last, as the console and the summary count; of seeds, how many."""
    return f"{progress.tick if progress.hour < 0 else progress.hour:>4} h"


def said(progress: "Progress") -> str:
    """The phase in words; of several seeds, how many have ended."""
    return NAMES.get(progress.phase, progress.phase)


def bar(progress: "Progress", columns: int) -> str:
    """A line with the phase, how much is done, and a bar as wide as there is room."""
    room = max(columns - LONGEST - 10, 10)
    full = room * progress.tick // max(progress.duration, 1)
    bars = f"{'━' * full}{'─' * (room - full)}"
    return f"{said(progress):<{LONGEST}}  {bars} {done(progress):>3} %"


def done(progress: "Progress") -> int:
    """Per cent."""
    return 100 * progress.tick // max(progress.duration, 1)


def _percent(share: float | None) -> str:
    return "no data" if share is None else f"{100 * share:.1f} %"


def _thousands(speed: float) -> str:
    return f"{speed / 1000:.0f}k" if speed >= 10_000 else f"{speed:.0f}"
