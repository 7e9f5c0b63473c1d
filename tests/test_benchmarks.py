import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parent.parent
MAILS = 1800
KEYS = {"river_ratio", "vw_ratio", "exponent", "replicates_ratio"}


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Ham and spam of words of their own: enough to begin from and to deal a tick of 500."""
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


def benchmark(*options: str) -> tuple[dict[str, object], str]:
    sizes = ("--quick", "--mails-per-tick", "60", "--rounds", "2", "--largest", "2000")
    command = [sys.executable, "-m", "benchmarks", *sizes, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found: dict[str, object] = json.loads(line)
    return found, done.stderr


def test_the_benchmark_ends_with_one_line_that_has_every_number(corpus: Path) -> None:
    found, said = benchmark("--corpus", str(corpus), "--start-mails", "300")
    assert list(found)[:4] == ["river_ratio", "vw_ratio", "exponent", "replicates_ratio"]
    assert {
        "ratios",
        "mails_per_second",
        "hashed_rate",
        "small_tick_rates",
        "twin_cost",
        "growth",
        "memory_ratio",
        "microseconds_a_mail",
        "reading",
        "machine",
    } <= found.keys()
    assert all(isinstance(found[key], float) for key in KEYS)
    assert "where the time of a mail goes" in said


def test_without_a_corpus_the_benchmark_says_so_and_measures_synthetic_mail(tmp_path: Path) -> None:
    missing = tmp_path / "missing.jsonl"
    found, said = benchmark("--corpus", str(missing))
    assert found["river_ratio"] is None
    assert found["vw_ratio"] is None
    assert isinstance(found["exponent"], float)
    assert f"There is no corpus at {missing}" in said
