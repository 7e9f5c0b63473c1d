"""Every command of the README is run, on a small world."""

import gzip
import json
import os
import pty
import re
import select
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SMALL = """
duration = 40
[attack]
start = 10
duration = 20
[synthetic]
mails_per_hour = 60
start_mails = 900
start_ham = 300
foreign = 0.0
[world]
people = 300
[corpus]
mails_per_hour = 10
start_mails = 200
start_ham = 100
"""
ENDED, INTERRUPTED = (0, 99), 130
"""A threshold may break in a world as small as this one: the run has ended all the same."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def commands() -> list[str]:
    return [line for block in blocks("console") for line in block.splitlines() if line.strip()]


def corpus(path: Path) -> None:
    words = ["cheap pills online offer", "meeting agenda project review"]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number in range(4000):
            spam = number % 2 == 0
            text = f"{words[not spam]} {' '.join(f'w{number * k % 701}' for k in range(1, 70))}"
            label = "spam" if spam else "ham"
            line = {"id": str(number), "label": label, "date": None, "subject": "s", "text": text}
            file.write(json.dumps(line) + "\n")


def hamstrung(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / "hamstrung"
    words = [str(program), *shlex.split(command.removeprefix("./dev hamstrung"))]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hamstrung.toml").write_text(SMALL)
    corpus(tmp_path / "mail.jsonl.gz")
    (night_shift,) = [block for block in blocks("python") if "class NightShift" in block]
    (tmp_path / "night_shift.py").write_text(night_shift)
    return tmp_path


def on_kafka(command: str) -> bool:
    """Whether it belongs to the section that `tests/live/test_readme.py` runs."""
    return "stack" in command or "kafka" in command or " tail " in command


def on_screen(command: str) -> bool:
    """Whether it opens the console, which needs a terminal."""
    return " watch " in command or "--display full" in command


def looked_at(command: str, folder: Path) -> tuple[int, bytes]:
    """Run a command in a terminal, and leave its console once it has been drawn."""
    words = shlex.split(command.removeprefix("./dev hamstrung"))
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        program = str(Path(sys.executable).parent / "hamstrung")
        alone = {name: of for name, of in os.environ.items() if name not in ("CI", "NO_COLOR")}
        os.execve(program, [program, *words], alone | {"TERM": "xterm-256color"})
    drawn, left = b"", False
    while select.select([terminal], [], [], 60)[0]:
        try:
            drawn += os.read(terminal, 1 << 16)
        except OSError:
            break  # the terminal's other end is closed
        if not left and b"event log" in drawn:
            os.write(terminal, b"q")
            left = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), drawn


def test_every_command_that_opens_the_console_draws_it_and_can_be_left(folder: Path) -> None:
    assert hamstrung("./dev hamstrung run quickstart --display none", folder).returncode in ENDED
    ran = [one for one in commands() if on_screen(one)]
    assert len(ran) > 1
    for command in ran:
        code, drawn = looked_at(command, folder)
        assert code in (0, INTERRUPTED), f"{command}\n{drawn[-2000:]!r}"
        assert b"event log" in drawn


def test_every_command_runs(folder: Path) -> None:
    ran = [
        one
        for one in commands()
        if one.startswith("./dev hamstrung") and not on_kafka(one) and not on_screen(one)
    ]
    assert len(ran) > 10
    for command in ran:
        done = hamstrung(command, folder)
        assert done.returncode in ENDED, f"{command}\n{done.stderr}"
        assert done.stdout or done.stderr


def test_every_other_command_is_the_test_command_that_ci_runs() -> None:
    others = {
        line for line in commands() if not line.startswith("./dev hamstrung") and not on_kafka(line)
    }
    assert others == {"./dev pytest"}
    assert "./dev pytest" in (ROOT / ".ci" / "run").read_text()


def test_the_first_attack_of_ones_own_is_forty_lines_and_does_something(folder: Path) -> None:
    source = (folder / "night_shift.py").read_text()
    assert len(source.splitlines()) <= 40
    command = "./dev hamstrung run quickstart --attack ./night_shift.py --json --display none"
    last = json.loads(hamstrung(command, folder).stdout.splitlines()[-1])
    assert last["attacks"][0]["status"] == "ran"
    assert last["attacks"][0]["votes"] > 100


def test_the_python_example_prints_what_it_promises(tmp_path: Path) -> None:
    (example,) = [block for block in blocks("python") if "from simulator import run" in block]
    small = example.replace("seed=7", 'seed=7, duration=60, synthetic={"mails_per_hour": 100}')
    done = subprocess.run(
        [sys.executable, "-c", small], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"[0-9a-f]{32}$", done.stdout.strip())


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 5
    assert not [link for link in links if not (ROOT / link).exists()]
