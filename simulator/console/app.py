"""The console: panels over a run, live or again; it reads, and steers only if asked to."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import ClassVar

from msgspec import structs
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Static

from simulator.console import panels, sources
from simulator.console.boxes import Evidence, Help, Lessons
from simulator.console.chart import Damage, legend
from simulator.console.export import export
from simulator.console.figures import DAY
from simulator.console.following import sound
from simulator.console.panels import BAD, DIM, PEOPLE, Look
from simulator.console.recording import Watched
from simulator.durable import FolderError
from simulator.manifest import ENDED, INTERRUPTED, RUNNING
from simulator.steering import Asked, ask, read

ROWS = ((2, 3), (4, 5), (6, 8), (9, 7))
"""Panels side by side, by number; a row of which all are hidden takes no room."""
TITLES = {
    2: "damage",
    3: "feedback flow",
    4: "guards",
    5: "sources",
    6: "responses",
    7: "pipeline",
    8: "model",
    9: "event log",
}
TEXTS: dict[int, panels.Panel] = {
    3: panels.flow,
    4: panels.guards,
    6: panels.responses,
    7: panels.pipeline,
    8: panels.model,
    9: panels.log,
}
COMPACT = 36
"""Lines of a terminal below which only some panels are shown at first."""
AT_FIRST = {True: {0, 1, 2, 3, 4, 9}, False: {0, 1, 2, 3, 4, 5, 6, 8, 9}}
SPEEDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 0.0)
"""Ticks a second; the last one is as many as can be."""
REPLAY = 8.0
PATIENCE = 8.0
"""Seconds for which something is said in the place of the keys."""
NO_FOLDER = "topics can only be watched: for this, watch the folder of the run"
RATES = (2.0, 4.0, 10.0, 1.0)
"""Times a second that the screen is drawn, the first one at first."""


class Panel(Static):
    """A numbered panel of text."""

    def __init__(self, number: int) -> None:
        """Take the number's title."""
        super().__init__(id=f"panel-{number}", classes="panel", markup=False)
        self.border_title = Text(f"{number} {TITLES[number]}")


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
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"panel({n})", show=False, priority=True) for n in range(10)),
        Binding("M", "maximise", show=False),
        Binding("p", "pause_view", show=False),
        Binding("P", "pause_run", show=False),
        Binding("left_square_bracket", "speed(-1)", show=False),
        Binding("right_square_bracket", "speed(1)", show=False),
        Binding("r", "rate", show=False),
        Binding("left", "step(-1)", show=False, priority=True),
        Binding("right", "step(1)", show=False, priority=True),
        Binding("shift+left", "step(-24)", show=False, priority=True),
        Binding("shift+right", "step(24)", show=False, priority=True),
        Binding("home", "first", show=False, priority=True),
        Binding("end", "last", show=False, priority=True),
        Binding("t", "turn", show=False),
        Binding("f", "filter", show=False),
        Binding("c", "clear", show=False),
        Binding("s", "sort", show=False),
        Binding("g", "truth", show=False),
        Binding("i", "interval", show=False),
        Binding("e", "export", show=False),
        Binding("l", "lessons", show=False),
        Binding("w", "bots(1)", show=False),
        Binding("W", "bots(10)", show=False),
        Binding("question_mark", "help", show=False),
        Binding("q", "quit", show=False),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("escape", "unfocus", show=False),
    ]

    def __init__(
        self,
        recording: Watched,
        behind: Callable[[], bool] | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """Look at the end of a run that goes on, else at the beginning."""
        super().__init__()
        self.recording = recording
        self._clock = clock
        self._behind = behind
        self._status = self._now()
        self.live = self._status == RUNNING
        self.paused = False
        self._asked = Asked()
        self._speed = 0.0 if self.live else REPLAY
        self._position = 0.0
        self._then = clock()
        self._look = Look(80, 24, truth=recording.path is not None)
        self._order = 0
        self._chosen: set[int] | None = None
        self._maximised = 0
        self._said = self._told_last = ""
        self._until = 0.0
        self._rate = 0
        self._failed = ""
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """All panels; which ones are seen is a matter of room and keys."""
        yield Static(id="status", markup=False)
        yield Static(id="tiles", markup=False)
        for place, row in enumerate(ROWS):
            with Horizontal(classes="row" if place else "row first"):
                for number in row:
                    yield self._panel(number)
        yield Static(id="rules", markup=False)
        yield Static(id="keys", markup=False)
        yield Input(placeholder="only sources and events with …  (Enter)", id="filter")

    def _panel(self, number: int) -> Panel | Damage | DataTable[Text]:
        if number == 2:
            chart = Damage(id="panel-2", classes="panel")
            chart.border_title = Text("2 damage")
            return chart
        if number == 5:
            table: DataTable[Text] = DataTable(id="panel-5", classes="panel", cursor_type="row")
            table.border_title = Text("5 sources")
            return table
        return Panel(number)

    def on_mount(self) -> None:
        """Begin to watch; who asks the process to end gets the terminal back as it was."""
        for number in (signal.SIGTERM, signal.SIGHUP):
            with suppress(ValueError, NotImplementedError, RuntimeError):
                asyncio.get_running_loop().add_signal_handler(number, self.exit)
        self.query_one("#filter").display = False
        self._timer = self.set_interval(1 / RATES[0], self.refresh_view)
        self._arrange()
        self.refresh_view()
        self.set_focus(None)

    def on_resize(self, event: Resize) -> None:
        """Show as much as there is room for, until somebody chose otherwise."""
        del event
        self._arrange()
        self.call_after_refresh(self.draw)

    # What is shown

    def shown(self) -> set[int]:
        """The panels that are visible."""
        if self._maximised:
            return {0, self._maximised}
        if self._chosen is not None:
            return self._chosen
        first = set(AT_FIRST[self.size.height < COMPACT])
        return first | {7} if self.recording.plan.engine == "kafka" else first

    def _arrange(self) -> None:
        shown = self.shown()
        for number in TITLES:
            self.query_one(f"#panel-{number}").display = number in shown
        for row, numbers in zip(self.query(".row"), ROWS, strict=True):
            row.display = any(number in shown for number in numbers)
        self.query_one("#tiles").display = 1 in shown
        self.query_one("#status").display = 0 in shown or not self._chosen
        self.set_class(self.size.height < COMPACT, "compact")

    def refresh_view(self) -> None:
        """Read what is new, go to where the view is, and draw."""
        now = self._clock()
        if self._said != self._told_last:
            self._told_last, self._until = self._said, now + PATIENCE
        elif now > self._until:
            self._said = self._told_last = ""
        passed, self._then = now - self._then, now
        try:
            self._read()
            self._go(passed)
            self._failed = ""
        except FolderError as error:
            self._failed = self._told(error)
        self.draw_if_new()

    def draw_if_new(self) -> None:
        """Draw, unless everything is as it was drawn."""
        now = (
            self.recording.seen.tick,
            self._status,
            self._asked,
            self._said,
            self._failed,
            self.recording.seen.topics,
        )
        if now != self._drawn:
            self._drawn = now
            self.draw()

    def _told(self, error: FolderError) -> str:
        """What went wrong, without the folder that everybody knows, which would fill the line."""
        folder = f"{self.recording.path}/" if self.recording.path else ""
        return str(error).replace(folder, "") if folder else str(error)

    def _read(self) -> None:
        if self._status not in ENDED:
            before, self._status = self._status, self._now()
            if self._status == RUNNING:
                self._asked = read(self.recording.path) if self.recording.path else Asked()
                if before != RUNNING:
                    self.live, self._said = True, "the run goes on"
            elif before == RUNNING:
                leave = "q shows what it came to" if self._behind else "q leaves"
                self._said = f"the run has ended ({self._status}); ← → Home look back, {leave}"
        self.recording.read()

    def _now(self) -> str:
        """The run's status; one behind the console may not have begun to write yet."""
        status = self.recording.status()
        preparing = status == INTERRUPTED and self._behind is not None and self._behind()
        return RUNNING if preparing else status

    def _go(self, passed: float) -> None:
        if self.paused:
            return
        last = self.recording.last
        if self.live:
            self._position = last
        else:
            self._position = min(self._position + passed * (self._speed or 1e9), max(last, 0))
        self.recording.go(int(self._position))
        self.live = self.live and self._status == RUNNING

    def draw(self) -> None:
        """Draw what is visible; nothing of a console that is being taken down."""
        if not self.query("#keys"):
            return
        seen, shown = self.recording.seen, self.shown()
        self.query_one("#status", Static).update(self._strip())
        self.query_one("#keys", Static).update(self._keys())
        self.query_one("#rules", Static).update(panels.rules(seen, self._look))
        if 1 in shown:
            self.query_one("#tiles", Static).update(panels.tiles(seen, self._room("#tiles")))
        for number, text in TEXTS.items():
            if number in shown:
                panel = self.query_one(f"#panel-{number}", Static)
                panel.update(text(seen, self._room(f"#panel-{number}")))
        if 2 in shown:
            chart = self.query_one(Damage)
            chart.border_subtitle = Text(legend(seen))
            chart.show(seen)
        if 5 in shown:
            sources.fill(self._table(), seen, self._look, self._order)

    def _table(self) -> "DataTable[Text]":
        table: DataTable[Text] = self.query_one("#panel-5", DataTable)
        return table

    def _room(self, of: str) -> Look:
        size = self.query_one(of).content_size
        return self._look._replace(width=max(size.width, 20), height=max(size.height, 1))

    def _strip(self) -> Text:
        """The status strip."""
        plan, seen = self.recording.plan, self.recording.seen
        state, style = self._state()
        pace = "max" if not self._pace() else f"{self._pace():g} ticks/s"
        parts = [
            (f" {state} ", style),
            (f" {plan.name} ", "bold"),
            (f" {plan.phase(max(seen.tick, 0))}", BAD if self._under() else PEOPLE),
            (f": {plan.attack}" if self._under() else "", BAD),
            (f"  {seen.tick + 1} of {plan.duration} h  {pace}", ""),
            (f"  seed {plan.seed}  {plan.engine}  guard {plan.guard or 'none'}", DIM),
        ]
        return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")

    def _under(self) -> bool:
        plan = self.recording.plan
        return plan.phase(max(self.recording.seen.tick, 0)) == "under attack"

    def _state(self) -> tuple[str, str]:
        if self._failed:
            return "‼ ERROR", BAD
        if self.paused:
            return "‖ VIEW PAUSED", "reverse"
        if self._status == RUNNING and self._asked.paused:
            return "‖ RUN PAUSED", "reverse"
        return ("▶ RUN", "reverse") if self.live else ("↻ REPLAY", "reverse")

    def _pace(self) -> float:
        return self._asked.speed if self.live else self._speed

    def _keys(self) -> Text:
        said = sound(self._failed or self._said)
        if self._look.filter and not said:
            said = f'only with "{sound(self._look.filter)}" in them: f and an empty line show all'
        keys = "? keys  0-9 panels  p pause  [ ] speed  ←→ step  t turn  g truth  i span  q quit"
        return Text(said or keys, BAD if self._failed else DIM, no_wrap=True, overflow="ellipsis")

    # What keys do

    def action_panel(self, number: int) -> None:
        """Show or hide a panel."""
        if isinstance(self.screen, ModalScreen):
            return
        if isinstance(self.focused, Input):
            self.focused.insert_text_at_cursor(str(number))
            return
        if self._maximised and number in TITLES:
            self._maximised = number
            self._arrange()
            self.call_after_refresh(self.draw)
            return
        self._maximised = 0
        shown = set(self.shown())
        self._chosen = shown ^ {number}
        self._arrange()
        self.call_after_refresh(self.draw)

    def action_maximise(self) -> None:
        """Give the whole screen to a panel, by digit then to another one; or give it back."""
        focused = self.focused.id if self.focused else None
        first = min(self.shown() - {0, 1}, default=2)
        number = int(focused[-1]) if focused and focused.startswith("panel-") else first
        self._maximised = 0 if self._maximised else number
        self._arrange()
        self.call_after_refresh(self.draw)

    def action_pause_view(self) -> None:
        """Hold the picture; the run goes on."""
        self.paused = not self.paused
        self.draw()

    def action_pause_run(self) -> None:
        """Let the run wait, or go on; in a replay, the replay."""
        if self._status == RUNNING:
            self._ask(structs.replace(self._asked, paused=not self._asked.paused))
        else:
            self.action_pause_view()

    def action_speed(self, step: int) -> None:
        """Faster or slower: the run, if it goes on, else the replay."""
        place = SPEEDS.index(self._pace()) if self._pace() in SPEEDS else 2
        speed = SPEEDS[min(max(place + step, 0), len(SPEEDS) - 1)]
        if self._status == RUNNING and self.live:
            self._ask(structs.replace(self._asked, speed=speed))
        else:
            self._speed = speed
        self.draw()

    def _ask(self, asked: Asked) -> None:
        if self.recording.path is None:
            self._said = NO_FOLDER
            return
        try:
            ask(self.recording.path, asked)
            self._asked = asked
        except FolderError as error:
            self._said = self._told(error)
        self.draw()

    def action_rate(self) -> None:
        """Draw more or less often."""
        self._rate = (self._rate + 1) % len(RATES)
        self._timer.stop()
        self._timer = self.set_interval(1 / RATES[self._rate], self.refresh_view)
        self._said = f"drawn {RATES[self._rate]:g} times a second"

    def action_step(self, ticks: int) -> None:
        """Back or forth, by hand: the view leaves the end of a run that goes on."""
        self._show(self.recording.seen.tick + ticks)

    def action_first(self) -> None:
        """To the first tick."""
        self._show(0)

    def action_last(self) -> None:
        """To the last one, and stay there while the run goes on."""
        self._show(self.recording.last)
        self.live = self._status == RUNNING
        self.paused = False

    def action_turn(self) -> None:
        """To the next turn of the story: where the attack begins or ends, or the gate acted."""
        plan, tick = self.recording.plan, self.recording.seen.tick
        turns = [plan.start, plan.end, self.recording.last]
        self._show(next((one for one in turns if one > tick), 0))

    def _show(self, tick: int) -> None:
        typing = isinstance(self.focused, Input)
        if isinstance(self.screen, ModalScreen) or self.recording.path is None or typing:
            return
        self.live, self.paused = False, True
        self._position = float(min(max(tick, 0), max(self.recording.last, 0)))
        try:
            self.recording.go(int(self._position))
        except FolderError as error:
            self._failed = self._told(error)
        self.draw()

    def action_filter(self) -> None:
        """Ask for a text that sources and events must have in them."""
        asked = self.query_one("#filter", Input)
        asked.display = True
        asked.value = self._look.filter
        asked.focus()

    def action_unfocus(self) -> None:
        """Leave the filter as it is, and whatever has the focus."""
        self.query_one("#filter").display = False
        self.set_focus(None)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the filter."""
        self._look = self._look._replace(filter=event.value.strip())
        event.input.display = False
        self.set_focus(None)
        self.draw()

    def action_clear(self) -> None:
        """Empty the log; what comes from now on is shown."""
        self._look = self._look._replace(cleared=self.recording.seen.tick + 1)
        self.draw()

    def action_sort(self) -> None:
        """Sort sources by the next column."""
        self._order = (self._order + 1) % len(sources.ORDERS)
        self.draw()

    def action_truth(self) -> None:
        """Tell bots and people apart, or not: as the guard has to."""
        if self.recording.path is None:
            self._said = "the topics do not tell who is a bot"
            self.draw()
            return
        self._look = self._look._replace(truth=not self._look.truth)
        self.draw()

    def action_interval(self) -> None:
        """The last day, or everything so far."""
        self._look = self._look._replace(cumulative=not self._look.cumulative)
        self.draw()

    def action_lessons(self) -> None:
        """What the filter learned in the last day, and who taught it."""
        until = self.recording.seen.tick
        if self.recording.path is None or until < 1:
            self._said = NO_FOLDER if self.recording.path is None else "nothing was learned yet"
            self.draw()
            return
        since = max(until - DAY, 0)
        self.push_screen(Lessons(self.recording.path, since, until, self._look.truth))

    def action_bots(self, count: int) -> None:
        """Let more bots join the attack, from the next tick on."""
        if self._status != RUNNING or not self.recording.plan.attack:
            self._said = "bots join a run with an attack while it goes on: this one does not"
            self.draw()
            return
        self._ask(structs.replace(self._asked, bots=self._asked.bots + count))
        self._said = (
            f"{self._asked.bots} more bots asked for; the run's manifest says when they join"
        )
        self.draw()

    def action_export(self) -> None:
        """Save the picture and the figures in the run's folder."""
        if self.recording.path is None:
            self._said = NO_FOLDER
            self.draw()
            return
        try:
            picture = self.export_screenshot()
            self._said = f"saved {export(self.recording.seen, self.recording.path, picture)}"
        except OSError as error:
            self._said = f"cannot be saved: {error}"
        self.draw()

    def action_help(self) -> None:
        """What each key does."""
        self.push_screen(Help(self._behind is not None))

    def on_data_table_row_selected(self, event: "DataTable.RowSelected") -> None:
        """Show what is known of a source."""
        one = self.recording.seen.sources.get(str(event.row_key.value))
        if one:
            self.push_screen(Evidence(sources.evidence(one, self.recording.seen, self._look)))
