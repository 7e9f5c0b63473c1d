"""What ``hamstrung new`` writes keeps the contracts, as it is."""

from pathlib import Path

import pytest

from filter.plugins import load
from simulator.templates import make
from tests.contracts import attacks, checks


def test_a_new_attack_keeps_the_contract_of_attacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make("attack", "fresh-attack", Path())
    plugin = load("agents.attacks", "./fresh_attack.py", "attack")
    attacks.hold_contract(plugin, "./fresh_attack.py")


def test_a_new_check_keeps_the_contract_of_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make("check", "fresh-check", Path())
    checks.hold_contract(load("filter.checks", "./fresh_check.py", "check"))
