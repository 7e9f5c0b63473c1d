"""Every example does what it says, in small."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from filter.plugins import load
from simulator import run
from simulator.summary import Summary
from tests.conftest import ROOT
from tests.contracts import attacks, checks, models

EXAMPLES = ROOT / "examples"
FILES = sorted(EXAMPLES.glob("*.py"))
CHECK, ATTACK, MODEL = (str(EXAMPLES / f"{name}.py") for name in ("one_sided", "alibi", "graham"))


def small(guard: str = "default", attack: str = "not-spam-campaign", **settings: str) -> Summary:
    """A world just large enough for an attack to matter in it."""
    return run(
        "quickstart",
        duration=56,
        arms=["attacked", "twin"],
        world={"people": 800},
        synthetic={"mails_per_hour": 200, "start_mails": 1500, "start_ham": 800},
        filter={"guard": guard, **settings},
        attack={"name": attack, "start": 20, "duration": 36},
    )


def success(summary: Summary) -> float:
    mean = summary.metrics["attack_success"].mean
    assert mean is not None
    return mean


@pytest.fixture(scope="module")
def bare() -> float:
    """What the attack of the quickstart comes to without a guard."""
    return success(small("none"))


def test_the_check_stops_bots_that_do_nothing_but_rescue(bare: float) -> None:
    assert bare > 0.4
    assert success(small(CHECK)) < 0.02


def test_the_attack_walks_past_that_check_and_not_past_the_default_guard() -> None:
    free = success(small("none", ATTACK))
    assert free > 0.3
    assert success(small(CHECK, ATTACK)) == pytest.approx(free, abs=0.05)
    assert success(small("default", ATTACK)) < 0.05


def test_the_model_catches_spam_and_is_poisoned_like_others() -> None:
    summary = small("none", model=MODEL)
    for metric, most in (("ham_misclassified", 0.02), ("spam_misclassified", 0.15)):
        mean = summary.metrics[metric].mean
        assert mean is not None
        assert mean < most
    assert success(summary) > 0.2
    assert success(small(model=MODEL)) < 0.05


def test_the_plug_ins_keep_the_contracts() -> None:
    checks.hold_contract(load("filter.checks", CHECK, "check"))
    models.hold_contract(load("filter.model", MODEL, "model"))
    plugin = load("agents.attacks", ATTACK, "attack")
    attacks.hold_contract(plugin, ATTACK)
    assert attacks.fits_on_a_page(plugin)


def test_the_curve_is_drawn_and_rises_with_the_dose(tmp_path: Path) -> None:
    words = ["--guards", "none", "--doses", "1", "32", "--output", "curve.svg"]
    done = subprocess.run(
        [sys.executable, EXAMPLES / "dose_response.py", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shares = [float(one) for one in re.findall(r"([\d.]+) % of the campaign", done.stdout)]
    low, high = shares
    assert low < 10 < 80 < high
    assert "<svg" in (tmp_path / "curve.svg").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_says_how_it_is_run_and_the_path_of_an_hour_leads_to_it(path: Path) -> None:
    said = path.read_text().split('"""')[1]
    assert f"examples/{path.name}" in said
    assert f"]({path.name})" in (EXAMPLES / "README.md").read_text()


def test_the_path_of_an_hour_fits_on_a_screen_and_its_links_lead_somewhere() -> None:
    text = (EXAMPLES / "README.md").read_text()
    assert len(text.splitlines()) <= 40
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert not [link for link in links if not (EXAMPLES / link).exists()]
