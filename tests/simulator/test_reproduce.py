import json
from pathlib import Path

import pytest

from simulator import exits, reproduce
from simulator.cli import main
from simulator.exits import BROKEN, DONE, INTERNAL, USAGE
from simulator.packs import finding, values
from simulator.summary import Replicate
from tests.contracts.small import SMALL

PACK = f'''"""More mail lies wrong without any start set to speak of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from simulator.packs import Finding, Runs, errors, finding

SMALL = {{**{SMALL!r}, "arms": ["reference"], "attack": {{"name": "", "settings": {{}}}}}}


@dataclass(frozen=True)
class Small:
    """A start set helps.

    Args:
        seeds: worlds.
        low: of the band.
    """

    paper: ClassVar[str] = "Nobody, Nowhere, 2026"

    seeds: int = 2
    low: float = LOW

    def findings(self, runs: Runs) -> Iterator[Finding]:
        """Start small, and as usual."""
        few = SMALL | {{"synthetic": SMALL["synthetic"] | {{"start_mails": 20, "start_ham": 20}}}}
        small, usual = (errors(runs("peace", **one), "reference") for one in (few, SMALL))
        more = [100 * (a - b) for a, b in zip(small, usual, strict=True)]
        yield finding("more error with 20 mails", more, "points", low=self.low)
'''


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path.cwd()))
    monkeypatch.chdir(tmp_path)


def own(tmp_path: Path, low: float) -> str:
    path = tmp_path / "small.py"
    path.write_text(PACK.replace("LOW", str(low)))
    return str(path)


def test_a_pack_of_one_s_own_agrees_or_does_not_by_its_band(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", own(tmp_path, 0.0), "--json"]) == DONE
    (line,) = (json.loads(text) for text in capfd.readouterr().out.splitlines())
    assert (line["type"], line["pack"], line["agrees"]) == ("pack", "SMALL", True)
    (found,) = line["findings"]
    assert found["n"] == 2
    assert 0 < found["ci_low"] <= found["mean"] <= found["ci_high"] < 200

    assert main(["reproduce", own(tmp_path, 200.0), "--seeds", "3", "-j", "2"]) == BROKEN
    told = capfd.readouterr()
    assert "SMALL  Nobody, Nowhere, 2026: x does not agree" in told.out
    assert "A start set helps." in told.out
    assert "over 3 seeds; band: above 200" in told.out
    assert "SMALL: run 2, peace, 3 seeds ..." in told.err


def test_a_seed_that_died_is_said_and_no_figure_is_made_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Died:
        replicates = (Replicate(2, "failed", "its process was killed by signal 9", "", {}, {}),)

    monkeypatch.setattr(reproduce, "run", lambda *_, **__: Died)
    assert main(["reproduce", own(tmp_path, 0.0)]) == INTERNAL
    told = capfd.readouterr()
    assert "seed 2 did not end (failed): its process was killed by signal 9" in told.err
    assert told.out == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["R21"], "pack: unknown 'r21'; did you mean 'r14'? There are: r12, r13, r14"),
        (["nowhere.py"], "nowhere.py"),
        (["R12", "--seeds", "1"], "--seeds"),
    ],
)
def test_a_wrong_pack_is_a_usage_error(
    args: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", *args]) == USAGE
    assert said in capfd.readouterr().err


def test_a_band_has_to_hold_the_whole_interval() -> None:
    spread = [1.0, 2.0, 3.0, 2.0]
    assert finding("", spread, "", low=0.9, high=3.1).agrees
    assert not finding("", spread, "", low=1.9).agrees
    assert not finding("", spread, "", high=2.1).agrees
    assert not finding("", [0.0, 0.0], "", low=0.0).agrees
    assert finding("", [0.0, 0.0], "", high=0.0).agrees


def test_a_metric_without_data_is_said() -> None:
    with pytest.raises(ValueError, match=r"twin\.one_minus_roca has no data"):
        values([{"twin": {"one_minus_roca": None}}], "twin", "one_minus_roca")


def test_list_names_the_packs(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "packs"]) == exits.DONE
    told = capfd.readouterr().out
    assert all(name in told for name in ("r12", "r13", "r14"))
