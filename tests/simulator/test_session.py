import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

import msgspec
import pytest

from simulator import Scenario, run, source
from simulator.arms import Arm
from simulator.checkpoint import Checkpoint
from simulator.folder import FolderError, RunFolder, runs
from simulator.frame import Frame
from simulator.journal import Journal
from simulator.loop import prepare
from simulator.scripting import Silent
from simulator.session import Pace, Progress, simulate
from simulator.summary import Summary
from tests.conftest import ROOT
from tests.simulator.small_run import DURATION, EVERY_TICK, NEVER, small

OWN_ATTACK = '''
from dataclasses import dataclass
from typing import ClassVar

from agents.actor import Draft


@dataclass(frozen=True)
class Mine:
    """Sends, and never votes."""

    atlas: ClassVar[tuple[str, ...]] = ()
    accounts: int = 5

    def campaign(self, hour, rng):
        return [Draft(0.1)] * 3

    def poison(self, view, rng):
        return FAILS or []
'''


class At(Silent):
    """Does something when a number of ticks is done."""

    def __init__(self, ticks: int, do: Callable[[], None]) -> None:
        self._ticks = ticks
        self._do = do
        self.seen: list[Progress] = []
        self.notes: tuple[str, ...] = ()

    def begin(self, lines: Sequence[str]) -> None:
        self.notes = tuple(line for line in lines if line.startswith("note: "))

    def tick(self, progress: Progress) -> None:
        self.seen.append(progress)
        if len(self.seen) == self._ticks:
            self._do()


def asking(ticks: int, sign: signal.Signals = signal.SIGINT) -> At:
    return At(ticks, lambda: signal.raise_signal(sign))


def failing() -> None:
    raise ZeroDivisionError


def watching() -> At:
    return At(-1, lambda: None)


def started(
    path: Path, display: Silent, scenario: Scenario | None = None, pace: Pace = EVERY_TICK
) -> Summary:
    chosen = scenario or small()
    return simulate(chosen, RunFolder.create(chosen, path), display, [], pace=pace)


def resumed(path: Path, display: Silent | None = None, pace: Pace = NEVER) -> Summary:
    folder = RunFolder.open(path)
    return simulate(folder.scenario(), folder, display or Silent(), [], resume=True, pace=pace)


def assert_the_same(path: Path, whole: Path) -> None:
    """Hashes, summary, and every byte of both journals."""
    ours, theirs = RunFolder.open(path), RunFolder.open(whole)
    assert ours.manifest.hashes == theirs.manifest.hashes
    assert ours.manifest.status == "done"
    assert msgspec.json.encode(ours.summary()) == msgspec.json.encode(theirs.summary())
    for name in ("frames.jsonl", "events.jsonl"):
        assert (path / name).read_bytes() == (whole / name).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody interrupted."""
    path = tmp_path_factory.mktemp("whole") / "run"
    started(path, Silent(), pace=NEVER)
    return path


def test_a_run_has_one_frame_for_each_arm_and_tick(whole: Path) -> None:
    there = [(arm, frame.tick) for arm, frame in RunFolder.open(whole).frames()]
    assert sorted(there) == [(a, t) for a in ("attacked", "twin") for t in range(DURATION)]


def test_a_run_that_is_written_has_the_hash_of_one_that_is_not(whole: Path) -> None:
    assert run(small()).hash == RunFolder.open(whole).summary().hash


def test_writing_does_not_depend_on_when_checkpoints_are_made(whole: Path, tmp_path: Path) -> None:
    started(tmp_path / "run", Silent(), pace=EVERY_TICK)
    assert_the_same(tmp_path / "run", whole)
    assert not (tmp_path / "run" / "checkpoint").exists()


@pytest.mark.parametrize(
    ("ticks", "sign"),
    [
        (1, signal.SIGINT),
        (8, signal.SIGINT),
        (9, signal.SIGTERM),
        (10, signal.SIGINT),
        (20, signal.SIGTERM),
        (DURATION, signal.SIGINT),
    ],
)
def test_an_interrupted_run_goes_on_to_the_same_hash(
    ticks: int, sign: signal.Signals, whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    summary = started(path, asking(ticks, sign), pace=NEVER)
    assert summary.status == RunFolder.open(path).manifest.status == "interrupted"
    resumed(path)
    assert_the_same(path, whole)


def test_a_signal_after_the_last_tick_changes_nothing(whole: Path, tmp_path: Path) -> None:
    assert started(tmp_path / "run", asking(DURATION + 1)).status == "done"
    assert_the_same(tmp_path / "run", whole)


def test_a_run_can_be_interrupted_again_and_again(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    started(path, asking(3), pace=NEVER)
    for _ in range(3):
        assert resumed(path, asking(6)).status == "interrupted"
    resumed(path)
    assert_the_same(path, whole)


def test_a_second_signal_ends_at_once_and_the_last_checkpoint_stays_valid(
    whole: Path, tmp_path: Path
) -> None:
    def twice() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        started(tmp_path / "run", At(12, twice))
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    again = watching()
    resumed(tmp_path / "run", again)
    assert again.seen[0].tick == 12
    assert_the_same(tmp_path / "run", whole)


def test_a_run_that_cannot_be_saved_can_begin_from_its_folder_but_not_go_on(tmp_path: Path) -> None:
    """The seeds of ``--replicates`` begin so, whatever classifier they have."""
    tiny = {"mails_per_hour": 5, "start_mails": 20, "start_ham": 20, "foreign": 0.0}
    peace = small(
        duration=6,
        arms=["reference"],
        attack={"name": ""},
        world={"people": 50},
        synthetic=tiny,
        filter={"model": "facto.FMClassifier"},
    )
    RunFolder.create(peace, tmp_path / "run")
    assert resumed(tmp_path / "run").status == "done"
    started(tmp_path / "cut", asking(3), peace)
    with pytest.raises(FolderError, match=r"facto\.FMClassifier cannot be saved safely"):
        resumed(tmp_path / "cut")


def test_handlers_are_restored_after_a_run(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    started(tmp_path / "run", asking(2), pace=NEVER)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.parametrize("moment", range(5))
def test_a_killed_run_goes_on_to_the_same_hash(moment: int, whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    tick = Random(moment).randrange(1, DURATION)
    command = [sys.executable, "-m", "tests.simulator.small_run", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == tick:
                process.kill()
                break
        process.wait()
    assert process.returncode == -signal.SIGKILL
    assert runs(tmp_path)[0].status == "interrupted"
    again = watching()
    resumed(path, again)
    assert tick <= again.seen[0].tick <= tick + 2
    assert_the_same(path, whole)


def test_a_run_that_was_killed_before_its_first_tick_starts_again(
    whole: Path, tmp_path: Path
) -> None:
    RunFolder.create(small(), tmp_path / "run")
    again = watching()
    resumed(tmp_path / "run", again)
    assert "from its first tick" in again.notes[-1]
    assert_the_same(tmp_path / "run", whole)


def test_a_damaged_checkpoint_is_said_and_the_one_before_is_used(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    with pytest.raises(ZeroDivisionError):
        started(path, At(15, failing))
    files = sorted((path / "checkpoint").iterdir(), key=lambda file: int(file.stem))
    assert [file.stem for file in files] == ["12", "13"]
    data = bytearray(files[-1].read_bytes())
    data[len(data) // 2] ^= 1
    files[-1].write_bytes(data)
    again = watching()
    resumed(path, again)
    assert "13.ckpt: refused: damaged" in again.notes[0]
    assert again.seen[0].tick == 14
    assert_the_same(path, whole)


def test_without_any_valid_checkpoint_the_run_starts_again(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "run"
    started(path, asking(9))
    for file in (path / "checkpoint").iterdir():
        file.write_bytes(file.read_bytes()[:-1])
    again = watching()
    resumed(path, again)
    assert again.seen[0].tick == 1
    assert_the_same(path, whole)


def test_resuming_a_finished_run_gives_its_summary_without_simulating(whole: Path) -> None:
    display = watching()
    before = (whole / "manifest.json").stat().st_mtime_ns
    assert resumed(whole, display) == RunFolder.open(whole).summary()
    assert not display.seen
    assert (whole / "manifest.json").stat().st_mtime_ns == before


def test_another_setting_is_refused_to_a_run_that_goes_on(whole: Path, tmp_path: Path) -> None:
    started(tmp_path / "run", asking(9), pace=NEVER)
    for path in (whole, tmp_path / "run"):
        with pytest.raises(FolderError, match=r"seed \(1, now 2\) differs"):
            simulate(small(seed=2), RunFolder.open(path), Silent(), [], resume=True)


def test_a_folder_that_holds_a_run_is_not_written_again(whole: Path) -> None:
    with pytest.raises(FolderError, match="already holds a run"):
        simulate(small(), RunFolder.open(whole), Silent(), [])


def own_attack(tmp_path: Path, fails: str = "0") -> Scenario:
    file = tmp_path / "mine.py"
    file.write_text(OWN_ATTACK.replace("FAILS", fails))
    return small(attack={"name": str(file), "start": 4, "duration": 10})


def test_a_plug_in_that_has_changed_is_refused(tmp_path: Path) -> None:
    started(tmp_path / "run", asking(9), own_attack(tmp_path), NEVER)
    with (tmp_path / "mine.py").open("a") as file:
        file.write("# changed\n")
    with pytest.raises(FolderError, match=r"plug-in 'mine' \(.*mine.py\) has changed"):
        resumed(tmp_path / "run")
    own_attack(tmp_path)
    assert resumed(tmp_path / "run").status == "done"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"source": "0"}, "the program's own files have changed"),
        ({"versions": {"numpy": "1.0", "hamstrung": "0.1.0"}}, "began with numpy 1.0"),
        ({"corpus": "0"}, "the corpus file has changed"),
        ({"schema_version": 99}, "of version 99"),
    ],
)
def test_a_run_of_another_program_is_refused(
    changed: dict[str, object], said: str, tmp_path: Path
) -> None:
    started(tmp_path / "run", asking(2), pace=NEVER)
    path = tmp_path / "run" / "manifest.json"
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes()) | changed))
    with pytest.raises(FolderError, match=said):
        resumed(tmp_path / "run")


def test_an_attack_that_raises_is_saved_with_an_error(tmp_path: Path) -> None:
    path = tmp_path / "run"
    summary = started(path, Silent(), own_attack(tmp_path, "1 // 0"))
    assert summary.status == summary.attacks[0].status == "error"
    assert "ZeroDivisionError" in summary.attacks[0].why
    folder = RunFolder.open(path)
    assert folder.manifest.status == "error"
    assert [event for event in folder.events() if event["type"] == "alert"]
    frames = [frame.tick for arm, frame in folder.frames() if arm == "attacked"]
    assert frames == list(range(summary.ticks))
    assert resumed(path) == summary


def test_a_river_model_that_does_not_travel_is_not_resumed_and_it_is_said(tmp_path: Path) -> None:
    chosen = small(duration=4, filter={"model": "dummy.NoChangeClassifier"})
    path = tmp_path / "run"
    assert started(path, asking(2), chosen).status == "interrupted"
    assert not (path / "checkpoint").exists()
    with pytest.raises(FolderError, match=r"dummy.NoChangeClassifier cannot be saved"):
        resumed(path)


def full_disk(path: Path, limit: int, at: int) -> str:
    """What a process says that can write no file beyond a size from a tick on."""
    command = [sys.executable, "-m", "tests.simulator.small_run", str(path), str(limit), str(at)]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def test_a_checkpoint_for_which_there_is_no_room_leaves_the_one_before(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    assert "11.ckpt: cannot be written: file too large" in full_disk(path, 100_000, 12)
    assert sorted(file.name for file in (path / "checkpoint").iterdir()) == ["10.ckpt", "9.ckpt"]
    again = watching()
    resumed(path, again)
    assert again.seen[0].tick == 12
    assert_the_same(path, whole)


def test_frames_for_which_there_is_no_room_leave_the_checkpoint(
    whole: Path, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    started(path, asking(9), pace=NEVER)
    room = (path / "frames.jsonl").stat().st_size + 2000
    assert "the run cannot be written: file too large" in full_disk(path, room, 10)
    resumed(path)
    assert_the_same(path, whole)


def test_two_processes_cannot_simulate_one_run(tmp_path: Path) -> None:
    path = tmp_path / "run"
    started(path, asking(2), pace=NEVER)
    with Journal(path, prepare(small())):
        assert runs(tmp_path)[0].status == "interrupted"
        with pytest.raises(FolderError, match="another process"):
            resumed(path)


def test_progress_ends_with_what_the_summary_says(tmp_path: Path) -> None:
    display = watching()
    summary = started(tmp_path / "run", display)
    last = display.seen[-1]
    assert [progress.tick for progress in display.seen[:DURATION]] == list(range(1, DURATION + 1))
    assert last.attack_success == pytest.approx(summary.metrics["attack_success"].mean)
    assert last.ham_misclassified == pytest.approx(summary.metrics["ham_misclassified"].mean)
    assert last.mails == summary.mails
    assert [p.phase for p in display.seen[1:]] == ["before"] * 8 + ["under"] * 12 + ["after"] * 10


def test_progress_of_a_resumed_run_is_that_of_the_whole(tmp_path: Path) -> None:
    display = watching()
    started(tmp_path / "whole", display)
    started(tmp_path / "run", asking(14), pace=NEVER)
    again = watching()
    resumed(tmp_path / "run", again)
    assert [p.attack_success for p in again.seen] == [p.attack_success for p in display.seen[14:]]


def test_whoever_asks_is_given_each_frame_as_it_is_written(tmp_path: Path) -> None:
    chosen = small()
    given: list[tuple[str, Frame]] = []
    folder = RunFolder.create(chosen, tmp_path / "run")
    simulate(chosen, folder, Silent(), [], lambda arm, frame: given.append((arm, frame)))
    assert given == list(folder.frames())


def test_checkpoints_take_no_more_than_their_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that moves with the ticks and with what is frozen, more at each tick."""
    now, spent = [0.0], [0.0]

    def freeze(arm: Arm) -> bytes:
        cost = 0.01 * (1 + len(arm.frames) / 50)
        now[0] += cost
        spent[0] += cost
        return b"frozen"

    def written(_: Path, one: Checkpoint) -> None:
        now[0] += 0.05
        spent[0] += 0.05
        made.append(one.tick)

    class Ticking(Silent):
        def tick(self, progress: Progress) -> None:
            now[0] += 0.1

    made: list[int] = []
    monkeypatch.setattr("simulator.saver.time.perf_counter", lambda: now[0])
    monkeypatch.setattr("simulator.checkpoint.write", written)
    monkeypatch.setattr(Arm, "freeze", freeze)
    peace = small(duration=300, arms=["default"], attack={"name": ""}, world={"people": 50})
    started(tmp_path / "run", Ticking(), peace, Pace())
    assert 0.02 * now[0] <= spent[0] <= 0.05 * now[0]
    assert len(made) > 5
    assert len([tick for tick in made if tick > 200]) >= 2


def test_only_what_a_result_depends_on_is_in_the_digest_of_the_source() -> None:
    files = {path.relative_to(source.ROOT).as_posix() for path in source._of_packages()}
    files |= {path.relative_to(source.ROOT).as_posix() for path in source._imported("loop")}
    needed = {"filter/learner.py", "filter/guards/default.toml", "agents/people.py"}
    needed |= {f"simulator/{name}.py" for name in ("loop", "arms", "world", "digest", "seeds")}
    assert needed <= files
    other = {"simulator/session.py", "simulator/explain.py", "simulator/journal.py"}
    assert not files & (other | {"agents/attacks/not_spam_campaign.py"})


def test_the_functions_of_the_package_come_when_they_are_asked_for() -> None:
    code = (
        "import sys, simulator; assert 'numpy' not in sys.modules;"
        "import simulator.loop, simulator.session; from simulator import run, Scenario;"
        "assert callable(run) and run.__module__ == 'simulator.scripting'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_a_scenario_runs_by_name_with_changes(tmp_path: Path) -> None:
    summary = run(
        "peace",
        folder=tmp_path / "run",
        seed=3,
        duration=3,
        world={"people": 200},
        synthetic={"mails_per_hour": 40, "start_mails": 200, "start_ham": 100},
    )
    assert (summary.seed, summary.ticks) == (3, 3)
    assert RunFolder.open(tmp_path / "run").summary() == summary
