import re
from pathlib import Path

import pytest

from filter.plugins import load, names
from simulator.arms import AttackError
from tests.contracts import attacks
from tests.contracts.small import STUBBORN, run, small

ATTACKS = names("agents.attacks")
OWN = STUBBORN.replace(
    '"""Every copy gets three votes at once, of both labels."""',
    '"""Every copy gets three votes at once.\n\n    Cost: ``accounts`` and ``copies``.\n    """',
)


def test_there_is_an_attack() -> None:
    assert ATTACKS


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_keeps_the_contract(name: str) -> None:
    attacks.hold_contract(load("agents.attacks", name, "attack"), name)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_of_ours_fits_on_a_page(name: str) -> None:
    assert attacks.fits_on_a_page(load("agents.attacks", name, "attack"))


def test_an_attack_of_one_s_own_keeps_the_same_contract(tmp_path: Path) -> None:
    path = tmp_path / "stubborn.py"
    path.write_text(OWN)
    attacks.hold_contract(load("agents.attacks", str(path), "attack"), str(path))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"AML.T0020"', '"T0020"', "look like AML"),
        (
            "for _ in range(10):",
            "SEEN.append(1)\n        for _ in range(len(SEEN)):",
            "does not repeat itself",
        ),
        ("to=bot)", "to=bot + 20)", "not his own"),
        ("Draft(0.3)", "Draft(1.3)", "varies by 0 to 1"),
        ("yield Draft(0.3)", "yield hour", "made of drafts"),
        (
            "delivery.vote(view.tick, label)",
            "delivery._replace(account=5).vote(view.tick, label)",
            "own",
        ),
    ],
)
def test_the_contract_refuses_an_attack_that_breaks_it(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "stubborn.py"
    assert old in OWN
    state = "from typing import ClassVar\n\nSEEN: list[int] = []"
    path.write_text(OWN.replace(old, new).replace("from typing import ClassVar", state))
    plugin = load("agents.attacks", str(path), "attack")
    with pytest.raises(AssertionError, match=told):
        attacks.hold_contract(plugin, str(path))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("to=bot)", "to=bot + 20)", "stubborn: poison at tick 8: a draft to account"),
        ("yield Draft(0.3)\n", "yield hour\n", "stubborn: campaign at tick 8: it gave a int"),
        ("Draft(0.3)", "Draft(1.3)", "stubborn: campaign at tick 8: a draft that varies by 1.3"),
        ("Draft(0.3)", "Draft(1 / 0)", "stubborn: campaign at tick 8: ZeroDivisionError"),
        (
            "delivery.vote(view.tick, label)",
            "delivery._replace(mail=-1).vote(view.tick, label)",
            "stubborn: poison at tick 9: a vote with an id that is no whole number",
        ),
    ],
)
def test_a_run_ends_with_the_place_of_what_an_attack_did_wrong(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "stubborn.py"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(AttackError) as error:
        run(small({"duration": 12, "attack": {"name": str(path), "settings": {}}}))
    line = re.sub(rf"{re.escape(str(path))}:\d+: ", "", str(error.value))
    assert line.startswith(told)
