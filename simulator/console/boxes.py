"""The boxes that the console opens over its panels: help, evidence, and what was learned."""

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static
from textual.worker import get_current_worker

from simulator.console.following import sound
from simulator.console.keys import ENDS, HELP, LEAVES
from simulator.folder import RunFolder

CLOSES = "↑ ↓ scroll, Esc closes"
"""On the edge of a box, where it is seen however long the text is."""


class Help(ModalScreen[None]):
    """What each key does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss", "close")]

    def __init__(self, behind: bool) -> None:
        """Say what leaving does."""
        super().__init__()
        self._leave = ENDS if behind else LEAVES

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static(HELP.format(leave=self._leave), id="help", markup=False)


class Evidence(ModalScreen[None]):
    """All that is known of a source."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q", "dismiss", "close")]

    def __init__(self, text: Text) -> None:
        """Show a text."""
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """One text."""
        yield _box("evidence", Static(self._text, markup=False))

    def on_mount(self) -> None:
        """Show the end, which is the newest."""
        self.query_one(VerticalScroll).scroll_end(animate=False)


class Lessons(ModalScreen[None]):
    """What the filter learned in the last day, and who taught it: simulated again to find out."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,l,q", "dismiss", "close")]

    def __init__(self, folder: Path, since: int, until: int, truth: bool) -> None:
        """Tell what was learned between two ticks."""
        super().__init__()
        self._folder, self._since, self._until = folder, since, until
        self._truth = truth

    def compose(self) -> ComposeResult:
        """One text."""
        yield _box("lessons", Static("simulating the judged arm again …", markup=False))

    def on_mount(self) -> None:
        """Find out, beside the screen."""
        self.run_worker(self._find_out, thread=True, exclusive=True)

    def _find_out(self) -> None:
        from simulator.learned import Stopped, learned, told

        worker = get_current_worker()
        try:
            folder = RunFolder.open(self._folder)
            found = learned(folder, self._since, self._until, lambda: worker.is_cancelled)
            lines = told(found, self._truth)
        except Stopped:
            return
        except ValueError as error:
            lines = [f"it cannot be found out: {error}"]
        text = "\n".join(sound(line) for line in lines)
        self.app.call_from_thread(self._show, text)

    def _show(self, text: str) -> None:
        for static in self.query("#lessons Static").results(Static):
            static.update(Text(text))


def _box(name: str, text: Static) -> VerticalScroll:
    """A text that may be longer than the screen."""
    box = VerticalScroll(text, id=name)
    box.border_subtitle = CLOSES
    return box
