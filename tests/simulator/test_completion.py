"""What a shell is offered at a Tab: asked as shells ask, in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from filter.plugins import names
from filter.settings import guard_names
from simulator import completion
from simulator.catalogue import KINDS
from simulator.display import KINDS as DISPLAYS
from simulator.metric_names import NAMES
from simulator.scenario import scenario_names
from tests.conftest import ROOT

COMPLETE = "_HAMSTRUNG_COMPLETE"
NAMES_OF_SUCCESS = ["attack_success", "attack_success_end", "attack_success_ref"]
PROGRAM = "from simulator.cli import main; raise SystemExit(main())"


def asked(variables: dict[str, str], folder: Path = ROOT, program: str = PROGRAM) -> str:
    """What the program says to a shell that sets these variables."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | variables,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def bash(line: str, folder: Path = ROOT, program: str = PROGRAM) -> list[str]:
    words = {"COMP_WORDS": f"hamstrung {line}", "COMP_CWORD": str(1 + line.count(" "))}
    return asked(words | {COMPLETE: "complete_bash"}, folder, program).split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("com", ["compare"]),
        ("run ", scenario_names()),
        ("config qu", ["quickstart"]),
        ("run quickstart --att", ["--attack"]),
        ("run quickstart --junit", ["--junit"]),
        ("run quickstart --attack slo", ["slow-drip"]),
        ("run peace --attack no", ["none", "not-spam-campaign"]),
        ("run peace --model na", ["naive-bayes"]),
        ("run peace --guard re", ["reject-all", "report-budget", "reputation", "responder"]),
        ("run peace --guard rate_limit,near_", ["rate_limit,near_duplicates"]),
        ("run peace --guard rate_limit,rate", []),
        ("run peace --attack ./mine", []),
        ("run peace --engine k", ["kafka"]),
        ("run peace --display ", list(DISPLAYS)),
        ("run peace --speed ", ["max"]),
        ("run peace --fail-if attack_success", NAMES_OF_SUCCESS),
        (
            "run peace --fail-if attack_success.m",
            ["attack_success.mean", "attack_success.min", "attack_success.max"],
        ),
        ("run peace --fail-if nothing.m", []),
        ("worker ", ["all"]),
        ("list ch", ["checks"]),
        ("new a", ["attack"]),
        ("reproduce r1", ["r12", "r13", "r14"]),
    ],
)
def test_bash_is_offered_what_there_is(line: str, offered: list[str]) -> None:
    assert bash(line) == offered


def test_zsh_and_fish_are_offered_the_same() -> None:
    line = {"_TYPER_COMPLETE_ARGS": "hamstrung run qu"}
    zsh = asked(line | {COMPLETE: "complete_zsh"})
    assert zsh.strip() == """_arguments '*: :(("quickstart"))'"""
    fish = asked(line | {COMPLETE: "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args"})
    assert fish.split() == ["quickstart"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(shell: str) -> None:
    script = asked({COMPLETE: f"source_{shell}"})
    assert f"_HAMSTRUNG_COMPLETE=complete_{shell}" in script
    assert re.search(r"\bhamstrung\b", script)


def test_the_script_can_be_shown_and_installed_for_a_shell(tmp_path: Path) -> None:
    where = {"HOME": str(tmp_path), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    program = PROGRAM.replace("main())", "main(['--{}-completion', 'bash']))")
    assert "complete -o default" in asked(where, program=program.format("show"))
    assert "bash completion installed in" in asked(where, program=program.format("install"))
    assert "hamstrung.sh" in (tmp_path / ".bashrc").read_text()


def test_runs_of_the_folder_are_offered(tmp_path: Path) -> None:
    assert bash("report ", tmp_path) == ["latest"]
    for name in ("20260101-peace-1", "no-run"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "20260101-peace-1" / "manifest.json").touch()
    for command in ("report ", "explain ", "show ", "compare latest ", "run --resume "):
        assert bash(command, tmp_path) == ["latest", "20260101-peace-1"]
    assert bash("watch ", tmp_path) == ["latest", "20260101-peace-1", "kafka"]


def test_a_tab_imports_nothing_heavy() -> None:
    watch = (
        "import sys; from simulator.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*{'numpy', 'river', 'sklearn', 'rich', 'scipy', 'msgspec'} & set(sys.modules))"
    )
    assert bash("run peace --guard rate_limit,near", program=watch) == [
        "rate_limit,near-duplicates"
    ]


def test_what_is_offered_is_what_is_listed() -> None:
    assert completion.scenarios("") == scenario_names()
    assert completion.attacks("") == ["none", *names("agents.attacks")]
    assert completion.models("") == names("filter.model")
    assert completion.packs("") == names("simulator.packs")
    guards = [*guard_names(), *names("filter.checks"), "gate", "responder"]
    assert sorted(completion.guards("")) == sorted(set(guards))
    assert completion.rules("") == list(NAMES)
    assert bash("list ") == list(KINDS)
