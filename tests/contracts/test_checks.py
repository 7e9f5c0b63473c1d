from pathlib import Path

import pytest

from filter.plugins import load, names
from filter.settings import ALWAYS, guard, guard_names
from simulator import loop
from tests.contracts import checks
from tests.contracts.small import finish, small

CHECKS = names("filter.checks")

OWN = '''"""Night: nobody votes at night."""

from dataclasses import dataclass

from filter.checks import NOTHING, History, Suspicion
from filter.events import Credit, Vote
from filter.stage import Provider


@dataclass(frozen=True)
class MyNight:
    """Hold what is cast at night, a check of one's own.

    Args:
        until: hour of the day at which people get up.
    """

    until: int = 6

    def fresh(self, history: History) -> tuple[int, int]:
        """Votes by day and by night."""
        return (0, 0)

    def examine(
        self, tick: int, past: tuple[int, int], vote: Vote, provider: Provider
    ) -> tuple[Suspicion, tuple[int, int]]:
        """Look at the clock of the simulation."""
        if tick % 24 < self.until:
            return Suspicion("hold", "cast at night"), (past[0], past[1] + 1)
        return NOTHING, (past[0] + 1, past[1])

    def credited(self, tick: int, past: tuple[int, int], credit: Credit) -> tuple[int, int]:
        """A judgement does not matter here."""
        return past

    def stale(self, tick: int, past: tuple[int, int], provider: Provider) -> bool:
        """Always."""
        return True
'''


def test_there_are_checks() -> None:
    assert len(CHECKS) >= 7


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_keeps_the_contract(name: str) -> None:
    checks.hold_contract(load("filter.checks", name, "check"))


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_of_ours_names_the_defence_it_is(name: str) -> None:
    assert checks.names_its_source(load("filter.checks", name, "check"))


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_alone_guards_a_small_run(name: str) -> None:
    prepared = loop.prepare(
        small({"arms": ["attacked"], "duration": 14, "filter": {"guard": name}})
    )
    finish(prepared)
    assert len(prepared.arms["attacked"].frames) == 14


def test_a_check_of_one_s_own_keeps_the_same_contract_and_guards(tmp_path: Path) -> None:
    path = tmp_path / "my_night.py"
    path.write_text(OWN)
    checks.hold_contract(load("filter.checks", str(path), "check"))
    prepared = loop.prepare(
        small({"arms": ["attacked"], "duration": 28, "filter": {"guard": str(path)}})
    )
    finish(prepared)
    frames = prepared.arms["attacked"].frames
    held = [f.rulings_people.get("quarantined", 0) for f in frames]
    assert sum(held[:6]) + sum(held[24:]) > 0
    assert sum(held[6:24]) == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"hold", "cast', '"forgiven", "cast', "there is no ruling 'forgiven'"),
        ('"cast at night"', '""', "a ruling has a reason"),
        ("until: hour", "hour", "the setting until is not explained"),
        ("    until: int = 6", "    until: int = 6\n    seen = [0]", "same suspicion"),
        ("        return True", "        return False", "forgotten some day"),
    ],
)
def test_the_contract_refuses_a_check_that_breaks_it(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "my_night.py"
    assert old in OWN
    counting = 'f"cast at night {self.seen.append(0) or len(self.seen)}"'
    broken = OWN.replace(old, new)
    path.write_text(broken.replace('"cast at night"', counting) if "seen" in new else broken)
    plugin = load("filter.checks", str(path), "check")
    with pytest.raises(AssertionError, match=told):
        checks.hold_contract(plugin)


@pytest.mark.parametrize("name", guard_names())
def test_a_guard_s_file_names_checks_that_exist_and_the_ones_that_are_always_on(name: str) -> None:
    chosen = guard(name)
    assert chosen.about
    assert isinstance(chosen.gate, bool)
    assert isinstance(chosen.responder, bool)
    assert chosen.checks[: len(ALWAYS)] == ALWAYS
    assert len(set(chosen.checks)) == len(chosen.checks)
    assert {check.replace("_", "-") for check in chosen.checks} <= set(CHECKS)


@pytest.mark.parametrize("name", guard_names())
def test_a_guard_stands_in_a_small_run(name: str) -> None:
    prepared = loop.prepare(
        small({"arms": ["attacked"], "duration": 14, "filter": {"guard": name}})
    )
    finish(prepared)
    assert len(prepared.arms["attacked"].frames) == 14
