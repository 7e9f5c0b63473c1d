"""The console without a terminal: what stands on its screen, and what its keys do."""

import fcntl
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from simulator.console.app import Console
from simulator.console.boxes import Evidence, Help
from simulator.console.carried import Answer, Carried
from simulator.console.following import LONG
from simulator.console.layout import AT_FIRST
from simulator.console.recording import Recording
from simulator.console.sources import MOST
from simulator.folder import RunFolder
from simulator.manifest import RUNNING
from simulator.steering import Asked, ask, read
from tests.simulator.console.watched import Clock, ran, screen

WIDE, COMPACT = (120, 40), (80, 24)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return ran(tmp_path_factory.mktemp("runs") / "small", arms=["attacked", "twin", "unguarded"])


@asynccontextmanager
async def opened(
    folder: RunFolder, size: tuple[int, int] = WIDE, behind: Callable[[], bool] | None = None
) -> AsyncIterator[tuple[Console, Pilot[int], Clock]]:
    clock = Clock()
    app = Console(Recording(folder), behind, clock)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield app, pilot, clock


@pytest.mark.parametrize("size", [WIDE, COMPACT])
async def test_the_screen_in_the_middle_of_an_attack(
    folder: RunFolder, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    async with opened(folder, size) as (app, pilot, _):
        app.show(15)
        await pilot.pause()
        assert screen(app) == snapshot


@pytest.mark.parametrize("key", ["question_mark", "g", "i", "M", "7", "s", "enter"])
async def test_the_screen_after_a_key(
    folder: RunFolder, key: str, snapshot: SnapshotAssertion
) -> None:
    async with opened(folder) as (app, pilot, _):
        app.show(15)
        if key in ("s", "enter", "M"):
            app.drawing.table().focus()
        await pilot.press(key)
        await pilot.pause()
        assert screen(app) == snapshot


async def test_a_replay_goes_on_with_the_clock_and_stops_at_the_end(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, clock):
        assert "REPLAY" in screen(app)
        clock.now += 1.0
        app.refresh_view()
        assert app.recording.seen.tick == 8
        await pilot.press("right_square_bracket")
        clock.now += 1.0
        app.refresh_view()
        assert app.recording.seen.tick == 24
        clock.now += 99.0
        app.refresh_view()
        assert app.recording.seen.tick == app.recording.last == 29


async def test_arrows_and_turns_move_the_view_and_end_lets_it_go_on(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):

        async def after(key: str) -> int:
            await pilot.press(key)
            return app.recording.seen.tick

        assert isinstance(app.recording, Recording)
        turns = [turn.tick for turn in app.recording.turns()]
        assert turns[0] == 0
        assert {8, 20, 29} <= set(turns)
        assert [await after("t") for _ in turns] == [*turns[1:], 0]
        assert [await after(key) for key in ("right", "right", "left")] == [1, 2, 1]
        assert [await after(key) for key in ("shift+right", "shift+left", "end", "home")] == [
            25,
            1,
            29,
            0,
        ]
        assert app.player.paused


async def test_a_turn_is_told_and_not_while_a_box_is_open(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        while app.recording.seen.tick < 8:
            await pilot.press("t")
        assert "8 h: the attack begins" in screen(app)
        await pilot.press("question_mark", "t")
        assert app.recording.seen.tick == 8


async def test_the_log_is_cleared_and_shown_again(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        app.show(15)
        await pilot.press("c")
        await pilot.pause()
        assert "nothing since it was cleared: c shows it all" in screen(app)
        assert "15 h !" not in screen(app)
        await pilot.press("c")
        await pilot.pause()
        assert "15 h !" in screen(app)


async def test_digits_show_and_hide_panels_and_a_small_screen_begins_with_few(
    folder: RunFolder,
) -> None:
    async with opened(folder, COMPACT) as (app, pilot, _):
        assert app.drawing.shown() == AT_FIRST[True]
        assert not app.query_one("#panel-5").display
        await pilot.press("5", "9")
        assert app.query_one("#panel-5").display
        assert not app.query_one("#panel-9").display
        await pilot.press("1")
        assert not app.query_one("#tiles").display


async def test_a_paused_view_stays_where_it_is(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, clock):
        await pilot.press("p")
        clock.now += 5.0
        app.refresh_view()
        assert app.recording.seen.tick == 0
        assert "VIEW PAUSED" in screen(app)


async def test_the_filter_keeps_what_has_it(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        app.show(25)
        before = app.drawing.table().row_count
        await pilot.press("f", *"bot", "enter")
        await pilot.pause()
        known = [one for one in app.recording.seen.sources.values() if one.bot]
        assert 0 < len(known) < len(app.recording.seen.sources)
        assert app.drawing.table().row_count == min(len(known), MOST)
        await pilot.press("f", *"ot a soul", "enter")
        await pilot.pause()
        assert app.drawing.table().row_count == 0 < before


async def test_enter_on_a_source_shows_its_evidence(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        app.show(25)
        await pilot.press("tab", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Evidence)
        assert "votes:" in screen(app)
        await pilot.press("escape")
        assert not isinstance(app.screen, Evidence)


@pytest.mark.parametrize("size", [WIDE, COMPACT])
async def test_help_fits_the_screen(folder: RunFolder, size: tuple[int, int]) -> None:
    async with opened(folder, size) as (app, pilot, _):
        await pilot.press("question_mark")
        await pilot.pause()
        drawn = screen(app)
        assert "show or hide a panel" in drawn
        assert "Esc closes" in drawn
        assert "leave; the run goes on" in drawn


async def test_what_is_said_gives_way_to_the_keys_and_a_filter_is_told(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, clock):
        await pilot.press("p", "r")
        app.refresh_view()
        assert "times a second" in screen(app)
        clock.now += 20.0
        app.refresh_view()
        await pilot.pause()
        assert "? keys" in screen(app)
        await pilot.press("f", *"abc", "enter")
        await pilot.pause()
        assert 'only with "abc" in them' in screen(app)


async def test_any_panel_can_be_maximised(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        await pilot.press("M")
        assert app.drawing.shown() == {0, 2}
        await pilot.press("4")
        assert app.drawing.shown() == {0, 4}
        await pilot.press("M")
        assert app.drawing.shown() == AT_FIRST[False]


async def test_ctrl_c_leaves(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app._exit


async def test_help_says_what_leaving_does(folder: RunFolder) -> None:
    for behind, said in ((None, "leave; the run goes on"), (bool, "end the run, saved")):
        async with opened(folder, behind=behind) as (app, pilot, _):
            await pilot.press("question_mark")
            await pilot.pause()
            assert isinstance(app.screen, Help)
            assert said in screen(app)


async def test_export_saves_picture_and_figures(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        app.show(12)
        await pilot.press("e")
        rows = (folder.path / "console-12.csv").read_text().splitlines()
        assert len(rows) == 1 + 3 * 13
        assert rows[0].startswith("arm,tick,mails")
        assert (folder.path / "console-12.svg").read_text().startswith("<svg")
        assert "saved" in screen(app)


# Live


@pytest.fixture
def going_on(
    folder: RunFolder, tmp_path: Path
) -> Iterator[tuple[RunFolder, Callable[[int], None]]]:
    """A run that is still going on, and what writes it up to a tick."""
    path = tmp_path / "live"
    path.mkdir()
    manifest = json.loads((folder.path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {"status": RUNNING}))

    def write(tick: int) -> None:
        for name in ("frames.jsonl", "events.jsonl"):
            lines = (folder.path / name).read_text().splitlines()
            kept = [line for line in lines if json.loads(line)["tick"] <= tick]
            (path / name).write_text("".join(f"{line}\n" for line in kept))

    write(3)
    with (path / "frames.jsonl").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # as who simulates it does
        yield RunFolder.open(path), write


async def test_a_run_that_goes_on_is_followed_to_its_last_tick(
    going_on: tuple[RunFolder, Callable[[int], None]],
) -> None:
    live, write = going_on
    async with opened(live) as (app, pilot, _):
        assert app.recording.seen.tick == 3
        assert "▶ RUN" in screen(app)
        write(17)
        app.refresh_view()
        assert app.recording.seen.tick == 17
        await pilot.press("left")
        write(20)
        app.refresh_view()
        assert app.recording.seen.tick == 16, "who looks back is left where he is"
        await pilot.press("end")
        assert app.recording.seen.tick == 20
        assert app.player.live


async def test_pause_and_speed_are_asked_of_the_run_in_its_folder(
    going_on: tuple[RunFolder, Callable[[int], None]],
) -> None:
    live, _ = going_on
    async with opened(live) as (app, pilot, _):
        await pilot.press("P")
        assert read(live.path) == Asked(paused=True)
        assert "RUN PAUSED" in screen(app)
        await pilot.press("P", "left_square_bracket")
        assert read(live.path) == Asked(speed=64.0)
        await pilot.press("left_square_bracket", "right_square_bracket", "right_square_bracket")
        assert read(live.path) == Asked(speed=0.0)
        ask(live.path, Asked(speed=3.0))
        app.refresh_view()
        assert "3 ticks/s" in screen(app)


async def test_the_end_of_a_run_is_told_and_then_it_can_be_seen_again(
    going_on: tuple[RunFolder, Callable[[int], None]], folder: RunFolder
) -> None:
    live, write = going_on
    async with opened(live) as (app, _, _):
        write(29)
        (live.path / "manifest.json").write_bytes((folder.path / "manifest.json").read_bytes())
        app.refresh_view()
        assert "the run has ended (done)" in screen(app)
        assert not app.player.live


async def test_a_run_taken_up_from_a_checkpoint_is_read_anew(
    going_on: tuple[RunFolder, Callable[[int], None]],
) -> None:
    live, write = going_on
    async with opened(live) as (app, _, _):
        write(20)
        app.refresh_view()
        write(9)
        app.refresh_view()
        assert app.recording.seen.tick == 9
        assert len(app.recording.seen.frames["attacked"]) == 10


async def test_a_damaged_file_is_told_and_does_not_end_the_console(
    going_on: tuple[RunFolder, Callable[[int], None]],
) -> None:
    live, _ = going_on
    async with opened(live, COMPACT) as (app, _, _):
        with (live.path / "events.jsonl").open("a") as file:
            file.write("nonsense\n")
        with (live.path / "frames.jsonl").open("a") as file:
            file.write("nonsense\n")
        app.refresh_view()
        assert "ERROR" in screen(app)
        assert "cannot be read" in screen(app)


async def test_a_run_that_nobody_simulates_any_more_is_told(
    folder: RunFolder, tmp_path: Path
) -> None:
    path = tmp_path / "killed"
    path.mkdir()
    manifest = json.loads((folder.path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps(manifest | {"status": RUNNING}))
    (path / "frames.jsonl").write_bytes((folder.path / "frames.jsonl").read_bytes())
    killed = RunFolder.open(path)
    async with opened(killed) as (app, pilot, _):
        assert "REPLAY" in screen(app)
        await pilot.press("w")
        assert read(path) == Asked()
        with (path / "frames.jsonl").open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # somebody resumes it
            app.refresh_view()
            assert app.player.live
            assert "▶ RUN" in screen(app)


async def test_a_run_on_kafka_is_asked_about_while_it_goes_on(
    going_on: tuple[RunFolder, Callable[[int], None]],
) -> None:
    live, _ = going_on
    ages = iter(range(99))

    def now() -> Carried:
        silent = Answer("Redis", None)
        return Carried(5, (), (), Answer("Kafka", 0.002, next(ages)), silent)

    app = Console(Recording(live, now))
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("7")
        await pilot.pause()
        app.refresh_view()
        await pilot.pause()
        before = screen(app)
        assert "now: hour 5; Redis silent, Kafka 2.0 ms" in before
        app.refresh_view()
        await pilot.pause()
        assert screen(app) != before, "it is drawn anew without a new tick"
        await pilot.press("home")
        assert "now: hour 5" in screen(app), "it is of now, wherever the view is"
    over = Recording(live, now)
    over.read()
    assert over.seen.carried is None, "nobody is asked about a run before it is known to go on"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("events.jsonl", {"type": "vote", "arm": "attacked", "tick": 29}),
        ("events.jsonl", {"type": "release", "arm": "attacked", "tick": 29}),
        ("frames.jsonl", {"type": "frame", "arm": "attacked", "tick": 30}),
    ],
)
async def test_a_line_that_lacks_something_is_told(
    folder: RunFolder, tmp_path: Path, name: str, line: dict[str, Any]
) -> None:
    path = tmp_path / "other"
    shutil.copytree(folder.path, path)
    with (path / name).open("a") as file:
        file.write(json.dumps(line) + "\n")
    async with opened(RunFolder.open(path), COMPACT) as (app, _, clock):
        clock.now += 99.0
        app.refresh_view()
        assert "ERROR" in screen(app)
        assert "a line without" in screen(app)


# Hostile mail


EVIL = "[bold red]x[/] \x1b]52;c;aGk=\x07\u202egnp.exe\r\n" + "A" * 10_000


def evil(value: Any) -> Any:
    """The same with every text that is not an id or a kind replaced."""
    kept = ("type", "arm", "ruling", "action", "release", "vote", "mail", "label")
    if isinstance(value, dict):
        return {k: one if k in kept else evil(one) for k, one in value.items()}
    return EVIL if isinstance(value, str) else value


@pytest.mark.parametrize("size", [WIDE, COMPACT])
async def test_a_hostile_text_in_every_field_has_no_effect(
    folder: RunFolder, tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "evil"
    path.mkdir()
    manifest = json.loads((folder.path / "manifest.json").read_text())
    manifest["scenario"] |= {"name": EVIL, "about": EVIL}
    (path / "manifest.json").write_text(json.dumps(manifest))
    (path / "frames.jsonl").write_bytes((folder.path / "frames.jsonl").read_bytes())
    with (path / "events.jsonl").open("w") as file:
        for line in (folder.path / "events.jsonl").read_text().splitlines():
            file.write(json.dumps(evil(json.loads(line))) + "\n")
    async with opened(RunFolder.open(path), size) as (app, pilot, _):
        app.show(25)
        await pilot.press("5", "tab", "enter")
        await pilot.pause()
        for _ in range(2):
            drawn = screen(app)
            assert "[bold red]" in drawn, "markup is text"
            assert all(len(line) <= size[0] for line in drawn.splitlines())
            assert not set(drawn) & set("\x1b\x07\r\u202e")
            await pilot.press("escape")
        sources = app.recording.seen.sources.values()
        assert max(len(said) for one in sources for _, said in one.evidence) < 3 * LONG


# A soak


async def test_an_hour_of_frames_leaves_memory_flat(tmp_path: Path, folder: RunFolder) -> None:
    """7,200 drawings are two an hour; what is kept of 3,000 further ticks is frames alone."""
    lines = [json.loads(line) for line in (folder.path / "frames.jsonl").read_text().splitlines()]
    events = [json.loads(line) for line in (folder.path / "events.jsonl").read_text().splitlines()]
    found = Recording(folder)
    frames = [line for line in lines if line["tick"] == 15]
    of_tick = [line for line in events if line["tick"] == 15]
    path = tmp_path / "long"
    path.mkdir()
    (path / "manifest.json").write_bytes((folder.path / "manifest.json").read_bytes())
    with (path / "frames.jsonl").open("w") as file, (path / "events.jsonl").open("w") as other:
        for tick in range(3000):
            file.writelines(json.dumps(one | {"tick": tick}) + "\n" for one in frames)
            other.writelines(json.dumps(one | {"tick": tick}) + "\n" for one in of_tick)
    found = Recording(RunFolder.open(path))
    found.read()
    sizes = []
    for tick in (1000, 2000, 2999):
        found.go(tick)
        seen = found.seen
        kept = sum(len(one.evidence) for one in seen.sources.values())
        sizes.append((len(seen.sources), len(seen._cast), kept, len(seen.log), len(seen.measures)))
    assert len(set(sizes)) == 1, sizes
    assert sizes[0][3] == 500


async def test_bots_are_asked_for_by_the_one_and_by_tens(
    going_on: tuple[RunFolder, Callable[[int], None]], folder: RunFolder
) -> None:
    live, _ = going_on
    async with opened(live) as (app, pilot, _):
        await pilot.press("w", "W", "W")
        assert read(live.path) == Asked(bots=21)
        await pilot.press("P", "left_square_bracket")
        assert read(live.path) == Asked(paused=True, speed=64.0, bots=21)
        assert "10 bots asked for, 21 in all" in screen(app)
    async with opened(folder) as (app, pilot, _):
        await pilot.press("w")
        assert "this one does not" in screen(app)
        assert read(folder.path) == Asked()


async def test_what_was_learned_is_found_out_beside_the_screen(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        await pilot.press("l")
        assert "nothing was learned yet" in screen(app)
        app.show(20)
        await pilot.press("l")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "mails of the campaign" in screen(app)
        assert "taught by" in screen(app)
        assert " bots; most by " in screen(app)
        await pilot.press("escape")
        assert "mails of the campaign" not in screen(app)
        await pilot.press("g", "l")
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "taught by" in screen(app)
        assert "bots; most" not in screen(app)
        assert "mails of the campaign" not in screen(app), "whose mail it is, is the truth too"


async def test_typing_into_the_filter_moves_nothing(folder: RunFolder) -> None:
    async with opened(folder) as (app, pilot, _):
        app.show(20)
        await pilot.press("f", "7", "left", "home", "5", "escape")
        assert app.recording.seen.tick == 20
        assert app.drawing.shown() == AT_FIRST[False]
        assert app.focused is None
