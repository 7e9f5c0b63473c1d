"""The drawing: all that stands on the screen, in the panels that are shown."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Input, Static

from simulator.console import panels, sources, strip
from simulator.console.chart import Damage
from simulator.console.layout import COMPACT, ROWS, TITLES, Layout
from simulator.console.panels import Look
from simulator.console.pipeline import pipeline
from simulator.console.player import Player

TEXTS: dict[int, panels.Panel] = {
    3: panels.flow,
    4: panels.guards,
    6: panels.responses,
    7: pipeline,
    8: panels.model,
    9: panels.log,
}


class Panel(Static):
    """A numbered panel of text."""

    def __init__(self, number: int) -> None:
        """Take the number's title."""
        super().__init__(id=f"panel-{number}", classes="panel", markup=False)
        self.border_title = Text(f"{number} {TITLES[number]}")


class Drawing(Vertical):
    """What the player looks at, in panels.

    Args:
        player: looks at a recording.
        message: what is said in the place of the keys.
    """

    def __init__(self, player: Player, message: strip.Message) -> None:
        """Look at it as is best at first."""
        super().__init__()
        recording = player.recording
        self.panels = Layout(recording.plan.engine == "kafka")
        self.look = Look(80, 24, truth=recording.path is not None)
        self.order = 0
        """By which column the sources are sorted."""
        self._player, self._message = player, message
        self._drawn: tuple[object, ...] = ()

    def compose(self) -> ComposeResult:
        """All panels; which ones are seen is a matter of room and keys."""
        yield Static(id="status", markup=False)
        yield Static(id="tiles", markup=False)
        for place, row in enumerate(ROWS):
            with Horizontal(classes=f"row row-{place}"):
                for number in row:
                    yield self._panel(number)
        yield Static(id="rules", markup=False)
        yield Static(id="keys", markup=False)
        yield Input(placeholder="only sources and events with …  (Enter)", id="filter")

    def _panel(self, number: int) -> Panel | Damage | DataTable[Text]:
        if number == 2:
            return Damage(id="panel-2", classes="panel")
        if number == 5:
            table: DataTable[Text] = DataTable(id="panel-5", classes="panel", cursor_type="row")
            table.border_title = Text("5 sources")
            return table
        return Panel(number)

    @property
    def lines(self) -> int:
        """Lines of the screen."""
        return self.app.size.height

    def table(self) -> "DataTable[Text]":
        """The panel of the sources."""
        table: DataTable[Text] = self.query_one("#panel-5", DataTable)
        return table

    def filter(self) -> Input:
        """Where somebody types what sources and events must have in them."""
        return self.query_one("#filter", Input)

    def shown(self) -> set[int]:
        """The panels that are visible."""
        return self.panels.shown(self.lines)

    def arrange_panels(self) -> None:
        """Show the panels that are to be shown, and draw when they have their room."""
        shown = self.shown()
        for number in TITLES:
            self.query_one(f"#panel-{number}").display = number in shown
        for row, numbers in zip(self.query(".row"), ROWS, strict=True):
            row.display = any(number in shown for number in numbers)
        self.query_one("#tiles").display = 1 in shown
        self.query_one("#status").display = self.panels.status_shown(self.lines)
        self.set_class(self.lines < COMPACT, "compact")
        self.call_after_refresh(self.draw)

    def draw_if_new(self) -> None:
        """Draw, unless everything is as it was drawn."""
        seen, player = self._player.recording.seen, self._player
        now = (
            *(seen.tick, seen.topics, seen.carried, player.status, player.asked, player.failed),
            self._message.text,
        )
        if now != self._drawn:
            self._drawn = now
            self.draw()

    def draw(self) -> None:
        """Draw what is visible; nothing of a console that is being taken down."""
        if not self.query("#keys"):
            return
        seen, shown, look = self._player.recording.seen, self.shown(), self.look
        self._text("#status", strip.status(self._player))
        self._text("#keys", strip.keys(self._player.failed, self._message.text, look))
        self._text("#rules", panels.rules(seen, self._room("#rules")))
        if 1 in shown:
            self._text("#tiles", panels.tiles(seen, self._room("#tiles")))
        only = f' (only "{look.filter}")' if look.filter else ""
        self.query_one("#panel-9").border_title = Text(f"9 {TITLES[9]}{only}")
        whose = ": █ people ▒ bots" if look.truth else ""
        self.query_one("#panel-3").border_title = Text(f"3 {TITLES[3]}{whose}")
        for number, text in TEXTS.items():
            if number in shown:
                self._text(f"#panel-{number}", text(seen, self._room(f"#panel-{number}")))
        if 2 in shown:
            self.query_one(Damage).show(seen)
        if 5 in shown:
            sources.fill(self.table(), seen, look, self.order)

    def _text(self, of: str, text: Text) -> None:
        self.query_one(of, Static).update(text)

    def _room(self, of: str) -> Look:
        size = self.query_one(of).content_size
        return self.look._replace(width=max(size.width, 20), height=max(size.height, 1))
