from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from filter.plugins import SettingsError
from simulator.cli import main
from simulator.compare import BETTER_NOW, OTHER, UNCHANGED, WORSE, Change, compare
from simulator.folder import RunFolder
from simulator.manifest import DONE
from simulator.metric_names import NAMES
from simulator.pooled import pooled
from simulator.summary import Replicate
from tests.simulator.small_run import small

Figures = Mapping[str, Sequence[float | None]]


def made(path: Path, figures: Figures, first: int = 1, **changes: Any) -> RunFolder:
    """A run of some seeds that have these figures, and none else."""
    count = len(next(iter(figures.values())))
    scenario = small(seed=first, **changes)
    folder = RunFolder.create(scenario, path, replicates=count)
    rows = [
        Replicate(
            first + place,
            DONE,
            "",
            "",
            {"attacked": "0"},
            {"attacked": dict.fromkeys(NAMES) | {name: of[place] for name, of in figures.items()}},
        )
        for place in range(count)
    ]
    summary = pooled(scenario, rows, [], [])
    folder.save_summary(msgspec.structs.replace(summary, status=DONE))
    return folder


def changes(tmp_path: Path, base: Figures, new: Figures) -> dict[str, Change]:
    found = compare(made(tmp_path / "base", base), made(tmp_path / "new", new))
    return {one.metric: one for one in found.changes}


LOW = [0.010, 0.012, 0.011, 0.013, 0.010, 0.012]
HIGH = [0.020, 0.021, 0.022, 0.024, 0.019, 0.023]


@pytest.mark.parametrize(
    ("name", "base", "new", "said"),
    [
        ("ham_misclassified", LOW, HIGH, WORSE),
        ("ham_misclassified", HIGH, LOW, BETTER_NOW),
        ("ham_misclassified", LOW, LOW, UNCHANGED),
        ("ham_misclassified", LOW, [*LOW[3:], *LOW[:3]], UNCHANGED),
        ("vote_value", LOW, HIGH, OTHER),
        ("ticks_to_compromise", [5.0] * 6, [None] * 6, BETTER_NOW),
        ("ticks_to_compromise", [None] * 6, [9.0] * 5 + [None], WORSE),
        ("ticks_to_detect", [3.0] * 6, [None] * 6, WORSE),
        ("ticks_to_detect", [3.0] * 6, [3.0] * 5 + [None], UNCHANGED),
    ],
)
def test_what_changed_is_told_by_paired_intervals(
    tmp_path: Path,
    name: str,
    base: Sequence[float | None],
    new: Sequence[float | None],
    said: str,
) -> None:
    found = changes(tmp_path, {name: base}, {name: new})[name]
    assert found.said == said
    assert found.seeds == 6


def test_a_difference_that_all_seeds_share_is_seen_however_unlike_they_are(tmp_path: Path) -> None:
    base = [0.1, 0.9, 0.3, 0.7, 0.2, 0.5]
    new = [one + 0.01 + place / 1000 for place, one in enumerate(base)]
    found = changes(tmp_path, {"poison_share": base}, {"poison_share": new})["poison_share"]
    assert found.said == WORSE
    assert found.difference == pytest.approx(0.0125)


def test_only_seeds_that_both_have_are_compared(tmp_path: Path) -> None:
    base = made(tmp_path / "base", {"ham_misclassified": LOW}, first=1)
    new = made(tmp_path / "new", {"ham_misclassified": HIGH}, first=2)
    assert compare(base, new).seeds == [2, 3, 4, 5, 6]


def test_settings_that_differ_are_named(tmp_path: Path) -> None:
    base = made(tmp_path / "base", {"ham_misclassified": LOW})
    new = made(tmp_path / "new", {"ham_misclassified": LOW}, filter={"guard": "none"})
    assert compare(base, new).differs == ["filter.guard: 'default' -> 'none'"]


def test_two_scenarios_are_not_compared(tmp_path: Path) -> None:
    base = made(tmp_path / "base", {"ham_misclassified": LOW})
    new = made(tmp_path / "new", {"ham_misclassified": LOW}, name="other")
    with pytest.raises(SettingsError, match="two different scenarios"):
        compare(base, new)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, figures in {"low": LOW, "high": HIGH, "few": LOW[:3]}.items():
        made(tmp_path / name, {"ham_misclassified": figures})
    return tmp_path


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["low", "high"], 0, "x worse     ham_misclassified"),
        (["low", "high", "--fail-on-regression"], 99, "1 worse, 0 different, 0 no significant"),
        (["high", "low", "--fail-on-regression"], 0, "+ better    ham_misclassified"),
        (["low", "low", "--fail-on-regression"], 0, "both have the same settings"),
        (["low", "few", "--fail-on-regression"], 99, "nothing was compared: seeds in common: 3"),
        (["low", "few"], 0, "run both with --replicates 10"),
    ],
)
def test_the_exit_code_says_whether_something_got_worse(
    words: list[str], code: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *words]) == code
    assert said in capfd.readouterr().out


@pytest.mark.usefixtures("here")
def test_as_json_it_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "low", "high", "--json"]) == 0
    (line,) = capfd.readouterr().out.splitlines()
    found = msgspec.json.decode(line)
    assert (found["type"], found["seeds"]) == ("comparison", [1, 2, 3, 4, 5, 6])
    (change,) = found["changes"]
    assert (change["metric"], change["said"]) == ("ham_misclassified", WORSE)


@pytest.mark.usefixtures("here")
def test_a_run_that_is_not_there_is_a_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "low", "nowhere"]) == 2
    assert "there is no run 'nowhere'" in capfd.readouterr().err
