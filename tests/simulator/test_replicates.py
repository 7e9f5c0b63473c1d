"""Several seeds: each is a run of its own, whatever becomes of the others."""

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from simulator import replicates, run
from simulator.cli import main
from simulator.durable import FolderError
from simulator.folder import RunFolder, last_tick, locked
from simulator.manifest import DONE, INTERRUPTED
from simulator.replicates import PROGRAM, replicated
from simulator.running import Progress
from simulator.scenario import Scenario
from simulator.scripting import Silent
from simulator.thresholds import parse
from tests.simulator import small_run

SEEDS = (1, 2, 3)
ENOUGH = {"mails_per_hour": 60, "start_mails": 600, "start_ham": 200}
"""Mail from which a filter learns enough to catch a campaign in each of these seeds."""

RULE = parse("attack_success.max < 0.5", "thresholds[0]")


LONG = 120
"""Ticks of a run that somebody does something to."""


def small(**changes: Any) -> Scenario:
    return small_run.small(synthetic=ENOUGH, **changes)


class At(Silent):
    """Does something once, when so many seeds have ended and another one has done ten ticks."""

    def __init__(self, ended: int, do: Callable[[], None]) -> None:
        self._ended = ended
        self._do: Callable[[], None] | None = do

    def tick(self, progress: Progress) -> None:
        here = self._ended * LONG + 10
        if self._do and progress.phase.startswith(f"{self._ended} of") and progress.tick >= here:
            do, self._do = self._do, None
            do()


def started(path: Path, display: Silent, scenario: Scenario | None = None, jobs: int = 1) -> Any:
    chosen = scenario or small(duration=LONG)
    folder = RunFolder.create(chosen, path, command="hamstrung run x", replicates=len(SEEDS))
    return replicated(chosen, folder, jobs, display, [RULE])


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """The processes of the replicates, in their order."""
    found: list[subprocess.Popen[bytes]] = []
    start = replicates._started

    def noted(folder: RunFolder) -> Any:
        made = start(folder)
        found.append(made.process)
        return made

    monkeypatch.setattr(replicates, "_started", noted)
    return found


def test_each_seed_is_the_run_that_it_would_be_alone(tmp_path: Path) -> None:
    summary = started(tmp_path / "all", Silent(), small(), jobs=2)
    assert summary.status == DONE
    assert [one.seed for one in summary.replicates] == list(SEEDS)
    alone = [run(small(), seed=seed) for seed in SEEDS]
    assert [one.hashes["attacked"] for one in summary.replicates] == [one.hash for one in alone]
    for one, single in zip(summary.replicates, alone, strict=True):
        for name, metric in single.metrics.items():
            assert one.values["attacked"][name] == metric.mean
        assert RunFolder.open(one.folder).summary().hash == single.hash
    found = [one.metrics["ham_misclassified"].mean for one in alone]
    pooled = summary.metrics["ham_misclassified"]
    known = [value for value in found if value is not None]
    assert pooled.mean == pytest.approx(sum(known) / 3)
    assert (pooled.min, pooled.max, pooled.n) == (min(known), max(known), 3)
    assert pooled.ci_low is not None
    assert pooled.ci_high is not None
    assert min(known) <= pooled.ci_low <= pooled.mean <= pooled.ci_high <= max(known)
    (rule,) = summary.thresholds
    worst = max(one.values["attacked"]["attack_success"] or 0.0 for one in summary.replicates)
    assert (rule.actual, rule.held) == (worst, worst < 0.5)
    assert summary.mails == sum(one.mails for one in alone)


def test_one_that_is_killed_is_a_row_that_says_so_and_can_go_on(
    tmp_path: Path, processes: list["subprocess.Popen[bytes]"]
) -> None:
    summary = started(tmp_path / "run", At(1, lambda: processes[-1].kill()))
    assert [one.status for one in summary.replicates] == [DONE, replicates.FAILED, DONE]
    assert summary.status == "error"
    assert summary.replicates[1].why == "its process was ended by SIGKILL"
    assert "1 of 3 seeds failed (seed 2: its process was ended by SIGKILL)" in summary.verdict
    assert summary.metrics["ham_misclassified"].n == 2
    folder = RunFolder.open(tmp_path / "run")
    again = replicated(folder.scenario(), folder, 1, Silent(), [RULE])
    assert [one.status for one in again.replicates] == [DONE] * 3
    assert len(processes) == 4
    assert again.replicates[0] == summary.replicates[0]
    assert again.replicates[1].hashes["attacked"] == run(small(duration=LONG), seed=2).hash


def test_ctrl_c_is_passed_on_and_what_was_interrupted_goes_on_later(tmp_path: Path) -> None:
    asks = At(1, lambda: signal.raise_signal(signal.SIGINT))
    summary = started(tmp_path / "run", asks)
    assert [one.status for one in summary.replicates] == [DONE, INTERRUPTED, INTERRUPTED]
    assert summary.status == INTERRUPTED
    assert summary.verdict.startswith("Interrupted; so far: Of seed 1,")
    assert RunFolder.open(tmp_path / "run" / "seed-2").manifest.status == INTERRUPTED
    folder = RunFolder.open(tmp_path / "run")
    again = replicated(folder.scenario(), folder, 2, Silent(), [RULE])
    alone = [run(small(duration=LONG), seed=seed).hash for seed in SEEDS]
    assert [one.hashes["attacked"] for one in again.replicates] == alone


def test_a_seed_that_cannot_run_says_why(tmp_path: Path) -> None:
    path = tmp_path / "run"
    folder = RunFolder.create(small(), path, replicates=2)
    own = RunFolder.create(small(seed=2), path / "seed-2")
    own.save(msgspec.structs.replace(own.manifest, source="another"))
    (path / "seed-2" / "checkpoint").write_text("in the way")
    summary = replicated(small(), folder, 1, Silent(), [])
    first, second = summary.replicates
    assert (first.status, second.status) == (DONE, replicates.FAILED)
    assert second.why
    assert "Traceback" not in second.why
    assert summary.verdict.startswith("1 of 2 seeds failed (seed 2: ")


def test_a_replicate_ends_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "run"
    RunFolder.create(small(duration=3000), path)
    words = [*PROGRAM, "run", "--resume", str(path), "--display", "none", "--while-stdin"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE)
    assert process.stdin is not None
    while last_tick(path / "frames.jsonl") < 5:
        assert process.poll() is None
    process.stdin.close()
    assert process.wait(30) == 130
    assert RunFolder.open(path).manifest.status == INTERRUPTED


def test_two_cannot_write_one_folder(tmp_path: Path) -> None:
    folder = RunFolder.create(small(), tmp_path / "run", replicates=2)
    with locked(folder.path), pytest.raises(FolderError, match="another process"):
        replicated(small(), folder, 1, Silent(), [])


SCENARIO = """
duration = 30
arms = ["attacked", "twin"]
world = { people = 300 }
synthetic = { mails_per_hour = 60, start_mails = 600, start_ham = 200 }
attack = { name = "not-spam-campaign", start = 8, duration = 12 }
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine.toml").write_text(SCENARIO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_the_command_line_shows_intervals_and_the_worst_seed(
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = ["run", "mine.toml", "--replicates", "2", "-j", "2", "-o", "both", "--json"]
    assert main([*words, "--fail-if", "spam_misclassified.ci_high > 0.000001"]) == 99
    out, err = capfd.readouterr()
    lines = [json.loads(line) for line in out.splitlines()]
    assert [one["type"] for one in lines] == ["replicate", "replicate", "summary"]
    assert sorted(one["seed"] for one in lines[:2]) == [1, 2]
    assert [one["seed"] for one in lines[2]["replicates"]] == [1, 2]
    assert "2 seeds, 1 to 2, 2 at a time" in err
    assert "2 of 2 seeds" in err
    assert "INTERVALS" in err
    assert "hamstrung run mine.toml --replicates 2" in err
    assert max(map(len, err.splitlines())) < 120
    assert main(["report", "both"]) == 0
    assert capfd.readouterr().out.strip() in err
    assert main(["report", "both/seed-2"]) == 0
    assert main(["run", "--resume", "both", "--display", "none"]) == 99


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--replicates", "0"], "--replicates: expected a number from 1 to 10000, got 0"),
        (["--replicates", "two"], "--replicates: expected a whole number, got 'two'"),
        (["--replicates", "2", "-j", "-1"], "--jobs: expected a number from 1 to 10000, got -1"),
    ],
)
def test_a_number_that_cannot_be_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["run", "mine.toml", *words]) == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["mine.toml"]
