"""The console: a run in panels, live or again; it reads, and steers only if asked to.

Here is what its keys do; what is seen is drawn by `drawing.py`, of the hour that `player.py` is at.
"""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input

from simulator.console import keys, sources
from simulator.console.boxes import Evidence, Help, Lessons
from simulator.console.drawing import Drawing
from simulator.console.export import export
from simulator.console.figures import DAY
from simulator.console.panels import Look
from simulator.console.player import NO_FOLDER, Player
from simulator.console.recording import Watched
from simulator.console.strip import Message

RATES = (2.0, 4.0, 10.0, 1.0)
"""Times a second that the screen is drawn, the first one at first."""


class Console(App[int]):
    """The console on a recording.

    Args:
        recording: what to watch.
        behind: of a run that ends when the console is left (`--display full`), whether it lives.
        clock: seconds, for the pace of a replay.
    """

    CSS_PATH = Path(__file__).with_name("console.tcss")
    ENABLE_COMMAND_PALETTE = False
    TITLE = "Hamstrung"
    AUTO_FOCUS = None
    BINDINGS: ClassVar[list[BindingType]] = [*keys.BINDINGS]

    def __init__(
        self,
        recording: Watched,
        behind: Callable[[], bool] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Look at the end of a run that goes on, else at the beginning."""
        super().__init__()
        self.recording = recording
        self.player = Player(recording, behind, clock)
        self._message = Message(clock)
        self.drawing = Drawing(self.player, self._message)
        self._rate = 0

    def compose(self) -> ComposeResult:
        """The drawing is all there is."""
        yield self.drawing

    def on_mount(self) -> None:
        """Begin to watch; who asks the process to end gets the terminal back as it was."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError, NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self.drawing.filter().display = False
        self._timer = self.set_interval(1 / RATES[0], self.refresh_view)
        self.drawing.arrange_panels()
        self.refresh_view()
        self.set_focus(None)

    def on_resize(self, event: Resize) -> None:
        """Show as much as there is room for, until somebody chose otherwise."""
        del event
        self.drawing.arrange_panels()

    def refresh_view(self) -> None:
        """Read what is new, go to where the view is, and draw what has changed."""
        self._message.say(self.player.advance())
        self.drawing.draw_if_new()

    def say(self, text: str) -> None:
        """Say something in the place of the keys, and draw."""
        self._message.say(text)
        self.drawing.draw()

    def see(self, look: Look) -> None:
        """Look at the run in another way."""
        self.drawing.look = look
        self.drawing.draw()

    # Panels

    def action_panel(self, number: int) -> None:
        """Show or hide a panel; a digit that is typed is a digit."""
        if isinstance(self.screen, ModalScreen):
            return
        if isinstance(self.focused, Input):
            self.focused.insert_text_at_cursor(str(number))
            return
        self.drawing.panels.press(number, self.drawing.lines)
        self.drawing.arrange_panels()

    def action_sources(self) -> None:
        """Go to the sources, of which Enter then shows the evidence; say where they are."""
        if isinstance(self.screen, ModalScreen) or isinstance(self.focused, Input):
            return
        if 5 in self.drawing.shown():
            self.set_focus(self.drawing.table())
        else:
            self.say("5 shows the sources; Enter goes to them, and again shows the evidence")

    def action_maximise(self) -> None:
        """Give the whole screen to a panel, by digit then to another one; or give it back."""
        name = self.focused.id or "" if self.focused else ""
        focused = int(name[-1]) if name.startswith("panel-") else None
        self.drawing.panels.maximise(focused, self.drawing.lines)
        self.drawing.arrange_panels()

    def action_rate(self) -> None:
        """Draw more or less often."""
        self._rate = (self._rate + 1) % len(RATES)
        self._timer.stop()
        self._timer = self.set_interval(1 / RATES[self._rate], self.refresh_view)
        self.say(f"drawn {RATES[self._rate]:g} times a second")

    # The hour that is looked at, and the run

    def action_pause_view(self) -> None:
        """Hold the picture; the run goes on."""
        self.player.hold()
        self.drawing.draw()

    def action_pause_run(self) -> None:
        """Let the run wait, or go on; in a replay, the replay."""
        self.say(self.player.hold_run())

    def action_speed(self, step: int) -> None:
        """Faster or slower: the run, if it goes on, else the replay."""
        self.say(self.player.faster(step))

    def action_bots(self, count: int) -> None:
        """Let more bots join the attack, from the next tick on."""
        self.say(self.player.join(count))

    def action_step(self, ticks: int) -> None:
        """Back or forth, by hand: the view leaves the end of a run that goes on."""
        self.show(self.recording.seen.tick + ticks)

    def action_first(self) -> None:
        """To the first tick."""
        self.show(0)

    def action_last(self) -> None:
        """To the last one, and stay there while the run goes on."""
        if self._moves():
            self.player.follow()
            self.drawing.draw()

    def action_turn(self) -> None:
        """To the next turn of the story, and say what it is; after the last one, to the start."""
        if not self._moves():
            return
        turn = self.player.turn()
        if turn is None:
            self.say(NO_FOLDER)
        else:
            self.show(turn.tick)
            self.say(f"{turn.tick} h: {turn.text}")

    def show(self, tick: int) -> None:
        """Look at a tick."""
        if self._moves():
            self.player.show(tick)
            self.drawing.draw()

    def _moves(self) -> bool:
        """Whether keys move the view: not while somebody types or a box is open."""
        return not isinstance(self.screen, ModalScreen) and not isinstance(self.focused, Input)

    # How it is looked at

    def action_filter(self) -> None:
        """Ask for a text that sources and events must have in them."""
        asked = self.drawing.filter()
        asked.display = True
        asked.value = self.drawing.look.filter
        asked.focus()

    def action_unfocus(self) -> None:
        """Leave the filter as it is, and whatever has the focus."""
        self.drawing.filter().display = False
        self.set_focus(None)
        self.drawing.arrange_panels()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the filter."""
        event.input.display = False
        self.set_focus(None)
        self.drawing.look = self.drawing.look._replace(filter=event.value.strip())
        self.drawing.arrange_panels()

    def action_clear(self) -> None:
        """Empty the log, so that only what comes from now on is shown; or show it all again."""
        cleared = self.drawing.look.cleared < 0
        since = self.recording.seen.tick + 1 if cleared else -1
        self.see(self.drawing.look._replace(cleared=since))
        self.say("the log is cleared: c shows it all again" if cleared else "the whole log")

    def action_sort(self) -> None:
        """Sort sources by the next column."""
        self.drawing.order = (self.drawing.order + 1) % len(sources.ORDERS)
        self.drawing.draw()

    def action_truth(self) -> None:
        """Tell bots and people apart, or not: as the guard has to."""
        if self.recording.path is None:
            self.say("the topics do not tell who is a bot")
            return
        self.see(self.drawing.look._replace(truth=not self.drawing.look.truth))

    def action_interval(self) -> None:
        """The last day, or everything so far."""
        self.see(self.drawing.look._replace(cumulative=not self.drawing.look.cumulative))

    # Boxes, and files

    def action_help(self) -> None:
        """What each key does."""
        self.push_screen(Help(self.player.ends_the_run))

    def action_lessons(self) -> None:
        """What the filter learned in the last day, and who taught it."""
        until = self.recording.seen.tick
        if self.recording.path is None or until < 1:
            self.say(NO_FOLDER if self.recording.path is None else "nothing was learned yet")
            return
        since = max(until - DAY, 0)
        self.push_screen(Lessons(self.recording.path, since, until, self.drawing.look.truth))

    def on_data_table_row_selected(self, event: "DataTable.RowSelected") -> None:
        """Show what is known of a source."""
        seen = self.recording.seen
        one = seen.sources.get(str(event.row_key.value))
        if one:
            self.push_screen(Evidence(sources.evidence(one, seen, self.drawing.look)))

    def action_export(self) -> None:
        """Save the picture and the figures in the run's folder."""
        if self.recording.path is None:
            self.say(NO_FOLDER)
            return
        try:
            picture = self.export_screenshot()
            path = export(self.recording.seen, self.recording.path, picture)
            self.say(f"saved {path.name} and {path.stem}.csv in the run's folder")
        except OSError as error:
            self.say(f"cannot be saved: {error}")
