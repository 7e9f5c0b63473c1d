"""The Kafka benchmark still runs: small sizes, on servers that it starts and ends itself."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.scale import messages

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


def measured(folder: Path, module: str, *options: str) -> dict[str, Any]:
    """What a benchmark's last line says, after which nothing of it is left."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", "--quick", *options],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (broker,) = re.findall(r"kafka: (127\.0\.0\.1:\d+)", done.stderr)
    assert alive(broker, str(folder)) == []
    assert list(folder.iterdir()) == []
    (line,) = done.stdout.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


@pytest.mark.usefixtures("new_stack")  # which says why it cannot run here
def test_the_kafka_benchmark_ends_with_one_line_and_leaves_no_process(
    corpus: Path, tmp_path: Path
) -> None:
    only = [word for name in ("hop", "loop", "plumbing") for word in ("--only", name)]
    found = measured(tmp_path / "temporary", "kafka", "--corpus", str(corpus), *only)
    assert {"loop_ratio", "loop_ratio_hashed", "plumbing_ratio", "hop_ms"} <= found.keys()
    assert all(found["ratios"][key]["min"] > 0 for key in ("loop_ratio", "plumbing_ratio"))


@pytest.mark.usefixtures("new_stack")
def test_the_scale_benchmark_holds_its_model_against_three_workers(
    corpus: Path, tmp_path: Path
) -> None:
    found = measured(tmp_path / "temporary", "scale", "--corpus", str(corpus))
    assert [row["workers"] for row in found["workers"]] == [1, 2, 3]
    assert all(row["busiest_ms"] > 0 and row["wall_ms"] > 0 for row in found["workers"])
    assert found["account_bytes"] > 100
    assert found["prices"]["claim"]["most"] > 100


def test_messages_are_counted_as_an_empty_tick_sends_and_takes_them() -> None:
    assert [sum(messages(parts)) for parts in (1, 2)] == [33, 54]


def test_the_kafka_benchmark_refuses_a_corpus_that_is_not_there(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jsonl"
    command = [sys.executable, "-m", "benchmarks.kafka", "--corpus", str(missing)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"there is no file {missing}" in done.stderr
