"""The Kafka benchmark still runs: small sizes, on servers that it starts and ends itself."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
MAILS = 1800


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Ham and spam of words of their own: enough to begin from and to deal some ticks of 60."""
    rng = np.random.default_rng(1)
    lines = []
    for number in range(MAILS):
        label = ("ham", "spam")[number % 2]
        words = [f"{label}{word}" for word in rng.integers(3000, size=70)]
        mail = {"id": str(number), "label": label, "date": None, "subject": " ".join(words[:5])}
        lines.append(json.dumps(mail | {"text": " ".join(words[5:])}))
    path = tmp_path / "words.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def alive(*marks: str) -> list[str]:
    """The processes whose command or folder has one of these in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_text().replace("\0", " ")
            said = f"{words} {(process / 'cwd').readlink()}"
        except OSError:
            continue  # it has ended meanwhile
        found += [said] if any(mark in said for mark in marks) else []
    return found


@pytest.mark.usefixtures("new_stack")  # which says why it cannot run here
def test_the_kafka_benchmark_ends_with_one_line_and_leaves_no_process(
    corpus: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    command = [sys.executable, "-m", "benchmarks.kafka", "--quick", "--corpus", str(corpus)]
    command += ["--only", "hop", "--only", "loop", "--only", "plumbing"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert {"loop_ratio", "loop_ratio_hashed", "plumbing_ratio", "hop_ms"} <= found.keys()
    assert all(found["ratios"][key]["min"] > 0 for key in ("loop_ratio", "plumbing_ratio"))
    (broker,) = re.findall(r"kafka: (127\.0\.0\.1:\d+)", done.stderr)
    assert alive(broker, str(folder)) == []
    assert list(folder.iterdir()) == []


def test_the_kafka_benchmark_refuses_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jsonl"
    command = [sys.executable, "-m", "benchmarks.kafka", "--corpus", str(missing)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"there is no file {missing}" in done.stderr
