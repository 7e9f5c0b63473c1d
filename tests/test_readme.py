"""Every command of the README is run, on a small world."""

import gzip
import json
import re
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
ENDED = (0, 99)
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


def test_every_command_runs(folder: Path) -> None:
    ran = [one for one in commands() if one.startswith("./dev hamstrung") and not on_kafka(one)]
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
