"""Bots that join while a run goes on: recorded, so that the run can be had again."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.attacks.lurkers import Lurkers
from agents.attacks.not_spam_campaign import NotSpamCampaign
from filter.plugins import SettingsError
from simulator import loop, manifest
from simulator.arms import joining
from simulator.folder import RunFolder
from simulator.frame import Frame
from simulator.scripting import Silent
from simulator.session import Progress, simulate
from simulator.steering import Asked, ask
from simulator.summary import Summary
from tests.simulator.small_run import EVERY_TICK, small

ARMS = ["attacked", "twin", "unguarded", "perfect"]
ASKED, COUNT = 11, 7


def steered(path: Path, at: int = ASKED) -> Summary:
    """A small run in which bots were asked for after a tick."""
    folder = RunFolder.create(small(arms=ARMS), path, command="hamstrung run small")

    def more(arm: str, frame: Frame) -> None:
        if frame.tick == at and arm == ARMS[-1]:
            ask(folder.path, Asked(bots=COUNT))

    return simulate(small(arms=ARMS), folder, Silent(), [], more)


def test_a_run_that_bots_joined_is_told_by_its_manifest_and_had_again(tmp_path: Path) -> None:
    summary = steered(tmp_path / "a")
    made = RunFolder.open(tmp_path / "a").manifest
    ((tick, count),) = made.scenario["attack"]["more"]
    assert (tick, count) == (ASKED + 2, COUNT)
    assert shlex.split(made.command)[-2:] == ["--set", f"attack.more=[[{tick}, {COUNT}]]"]
    again = RunFolder.create(made.settings(), tmp_path / "b")
    repeated = simulate(made.settings(), again, Silent(), [])
    assert {name: arm.hash for name, arm in repeated.arms.items()} == {
        name: arm.hash for name, arm in summary.arms.items()
    }
    assert summary.attacks[0].accounts == small().attack.settings.get("accounts", 200) + COUNT


def test_they_change_the_arms_that_are_poisoned_and_no_tick_before() -> None:
    plain = loop.prepare(small(arms=ARMS))
    joined = loop.prepare(small(arms=ARMS, attack={**ATTACK, "more": [[14, 10], [16, 5], [14, 2]]}))
    for prepared in (plain, joined):
        for _ in loop.ticks(prepared):
            pass
    assert joined.more == {14: 12, 16: 5}
    assert joined.arms["twin"].hash == plain.arms["twin"].hash
    for name in ("attacked", "unguarded"):
        before, after = plain.arms[name].frames, joined.arms[name].frames
        assert after[:14] == before[:14]
        assert [a.copies - b.copies for a, b in zip(after, before, strict=True)][13:21] == [
            *(0, 1, 1, 2, 2, 2, 2, 0)
        ]
    pairs = zip(joined.arms["attacked"].frames, plain.arms["attacked"].frames, strict=True)
    assert sum(one.votes_bots - other.votes_bots for one, other in pairs) > 0
    votes = joined.arms["perfect"].frames
    assert sum(frame.lessons_bots for frame in votes) == 0, "the answer key knows them too"


ATTACK = {"name": "not-spam-campaign", "start": 8, "duration": 12}


@pytest.mark.parametrize("stop", [9, 13, 15, 21])
def test_a_run_that_was_interrupted_goes_on_with_them(tmp_path: Path, stop: int) -> None:
    whole = steered(tmp_path / "whole")
    chosen = RunFolder.open(tmp_path / "whole").manifest.settings()
    folder = RunFolder.create(chosen, tmp_path / "parts")
    with pytest.raises(KeyboardInterrupt):
        simulate(chosen, folder, Stopping(stop), [], pace=EVERY_TICK)
    resumed = simulate(chosen, RunFolder.open(folder.path), Silent(), [], resume=True)
    assert resumed.hash == whole.hash


class Stopping(Silent):
    """Stops a run at a tick, as a kill does."""

    def __init__(self, tick: int) -> None:
        self._tick = tick

    def tick(self, progress: Progress) -> None:
        if progress.tick == self._tick:
            raise KeyboardInterrupt


def test_bots_asked_for_twice_are_told_in_one_command() -> None:
    made = manifest.begun(small(), "", "hamstrung run small --seed 3")
    both = manifest.with_bots(manifest.with_bots(made, 9, 1), 12, 10)
    words = shlex.split(both.command)
    assert words[:5] == ["hamstrung", "run", "small", "--seed", "3"]
    assert words[5:] == ["--set", "attack.more=[[9, 1], [12, 10]]"]
    assert both.settings().attack.more == ((9, 1), (12, 10))


def test_more_bots_cast_as_many_votes_each_as_the_first_ones() -> None:
    attack = NotSpamCampaign(accounts=200, votes_per_hour=20)
    assert joining(attack, 100) == NotSpamCampaign(accounts=100, votes_per_hour=10)
    assert joining(attack, 1) == NotSpamCampaign(accounts=1, votes_per_hour=1)
    lurkers = joining(Lurkers(accounts=400, copies_per_hour=400), 10)
    assert lurkers == Lurkers(accounts=10, copies_per_hour=10)

    @dataclass(frozen=True)
    class Other:
        accounts: int = 10
        votes: int = 5

    made: object = joining(Other(), 20)  # type: ignore[arg-type]  # half an attack
    assert made == Other(accounts=20)


@pytest.mark.parametrize("more", [[[-1, 5]], [[5, 0]], [[5, 10_001]]])
def test_bots_that_cannot_join_are_refused(more: list[list[int]]) -> None:
    with pytest.raises(SettingsError, match=r"attack\.more: expected \[tick, 1 to 10,000 bots\]"):
        small(attack={**ATTACK, "more": more})


PICKY = '''"""An attack that cannot be made for few accounts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View


@dataclass(frozen=True)
class Picky:
    """Needs a crowd."""

    atlas: ClassVar[tuple[str, ...]] = ()
    accounts: int = 50

    def __post_init__(self) -> None:
        if self.accounts < 20:
            raise ValueError("too few")

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        yield Draft(0.3)

    def poison(self, view: View, rng: Generator) -> Iterator[Draft]:
        yield Draft(0.3, to=3)
'''


def test_bots_that_an_attack_cannot_take_are_refused_and_the_run_goes_on(tmp_path: Path) -> None:
    (tmp_path / "picky.py").write_text(PICKY)
    attack = {**ATTACK, "name": str(tmp_path / "picky.py")}
    with pytest.raises(SettingsError, match=r"attack\.more: 5 more bots: .*too few"):
        loop.prepare(small(attack={**attack, "more": [[9, 5]]}))
    chosen = small(attack=attack)
    folder = RunFolder.create(chosen, tmp_path / "run")

    def more(arm: str, frame: Frame) -> None:
        if frame.tick == ASKED and arm == "twin":
            ask(folder.path, Asked(bots=5))

    summary = simulate(chosen, folder, Silent(), [], more)
    assert summary.status == "done"
    assert RunFolder.open(folder.path).manifest.scenario["attack"]["more"] == []
    alerts = [line["text"] for line in folder.events() if line["type"] == "alert"]
    assert len(alerts) == 1
    assert "too few" in alerts[0]
