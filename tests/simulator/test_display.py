from io import StringIO
from pathlib import Path

import pytest

from filter.plugins import SettingsError
from simulator import paint
from simulator.display import Nothing, Plain, Rich, beginning, display
from simulator.loop import Prepared, prepare
from simulator.running import Progress
from tests.contracts.small import small

HERE = Path("runs/here")


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    made = prepare(small())
    return made._replace(notes=("a \x1b[31mnote",))


def a_progress(tick: int, seconds: float, phase: str = "before") -> Progress:
    return Progress(tick, 100, 5000 * tick, seconds, 0.25, None, phase, hour=tick - 1)


def lines(stream: StringIO) -> list[str]:
    return stream.getvalue().splitlines()


def test_a_plain_display_writes_every_five_seconds_and_at_each_turn() -> None:
    stream = StringIO()
    shown = Plain(stream)
    for tick in range(1, 21):
        phase = "before" if tick < 8 else "under"
        shown.tick(a_progress(tick, float(tick), phase))
    ticks = [int(line.split()[0]) for line in lines(stream)]
    assert ticks == [0, 5, 7, 12, 17]
    assert "under attack" in lines(stream)[2]


def test_a_line_says_all_that_is_asked_for() -> None:
    stream = StringIO()
    shown = Plain(stream)
    shown.tick(a_progress(1, 1.0))
    shown.tick(a_progress(11, 6.0))
    assert lines(stream)[1] == (
        "  10 h  11 %  before the attack  9167 mails/s  attack success 25.0 %"
        "  ham misclassified no data  0:44 left"
    )


def test_the_time_left_is_that_of_this_session() -> None:
    stream = StringIO()
    shown = Plain(stream)
    shown.tick(a_progress(60, 0.5))
    shown.tick(a_progress(80, 10.5, "under"))
    assert "0:10 left" in lines(stream)[1]


def test_what_is_shown_at_the_beginning_is_safe(prepared: Prepared) -> None:
    stream = StringIO()
    Plain(stream).begin(beginning(prepared, Path("runs/\x1b[2J")))
    assert "\x1b" not in stream.getvalue()
    assert "note: a ␛[31mnote" in stream.getvalue()
    assert "from 8 h to 22 h" in stream.getvalue()


def test_a_rich_display_gives_the_cursor_back(prepared: Prepared) -> None:
    stream = StringIO()
    shown = Rich(stream)
    shown.begin(beginning(prepared, HERE))
    shown.tick(a_progress(5, 0.1))
    shown.tick(a_progress(9, 0.3, "under"))
    assert "\x1b[?25l" in stream.getvalue()
    assert "under attack" in stream.getvalue()
    assert "ham misclassified no data" in stream.getvalue()
    shown.close()
    shown.close()
    assert stream.getvalue().count("\x1b[?25h") == 1


def test_a_display_that_shows_nothing_shows_nothing(
    prepared: Prepared, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = Nothing()
    shown.begin(beginning(prepared, HERE))
    shown.tick(a_progress(1, 1.0))
    shown.close()
    assert capfd.readouterr() == ("", "")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "TERM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_the_display_is_rich_on_a_terminal_and_plain_off_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert type(display(None, Terminal())) is Rich
    assert type(display(None, StringIO())) is Plain
    monkeypatch.setenv("TERM", "dumb")
    assert type(display(None, Terminal())) is Plain
    monkeypatch.delenv("TERM")
    monkeypatch.setenv("CI", "true")
    assert type(display(None, Terminal())) is Plain
    assert type(display("rich", StringIO())) is Rich


def test_an_unknown_display_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(SettingsError, match=r"--display: unknown 'plane'; did you mean 'plain'"):
        display("plane", StringIO())


@pytest.mark.parametrize(
    ("environment", "terminal", "coloured"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"CI": "1"}, True, False),
        ({"CI": "false"}, True, True),
    ],
)
def test_colour_is_for_those_who_want_it(
    environment: dict[str, str], terminal: bool, coloured: bool
) -> None:
    stream = Terminal() if terminal else StringIO()
    chosen = paint.paint(stream, environment)
    assert (chosen("x", "good") != "x") is coloured


def test_columns_say_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for columns, width in (("20", 60), ("90", 90), ("400", 100)):
        monkeypatch.setenv("COLUMNS", columns)
        assert paint.width() == width


def test_a_stream_without_our_symbols_gets_plainer_ones() -> None:
    stream = StringIO()
    Plain(stream).say("✓ ok ━━ …")
    assert stream.getvalue() == "+ ok == ...\n"
