"""Bots that join while a run goes on: recorded, so that the run can be had again."""

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from numpy.random import Generator

from agents.actor import Attack, Draft, View
from agents.attacks.not_spam_campaign import NotSpamCampaign
from agents.attacks.sybil_farm import SybilFarm
from filter.plugins import SettingsError, names
from simulator import loop, manifest
from simulator.arms import Crew
from simulator.explain import explain
from simulator.folder import FolderError, RunFolder
from simulator.frame import Frame
from simulator.joins import joins
from simulator.loop import attack_plugin
from simulator.scripting import Silent
from simulator.seeds import Draws
from simulator.session import Progress, simulate
from simulator.steering import Asked, ask
from simulator.summary import Summary
from tests.simulator.small_run import EVERY_TICK, small

ARMS = ["attacked", "twin", "unguarded", "perfect"]
ASKED, COUNT = 11, 7
ATTACK = {"name": "not-spam-campaign", "start": 8, "duration": 12}


def steered(path: Path, name: str = "not-spam-campaign") -> Summary:
    """A small run in which bots were asked for after a tick."""
    chosen = small(arms=ARMS, attack={**ATTACK, "name": name})
    folder = RunFolder.create(chosen, path, command="hamstrung run small")

    def more(arm: str, frame: Frame) -> None:
        if frame.tick == ASKED and arm == ARMS[-1]:
            ask(folder.path, Asked(bots=COUNT))

    return simulate(chosen, folder, Silent(), [], more)


def test_a_run_that_bots_joined_keeps_its_topics(tmp_path: Path) -> None:
    folder = RunFolder.create(small(arms=ARMS), tmp_path / "a")
    before = folder.run_id()
    folder.save(manifest.with_bots(folder.manifest, 5, COUNT))
    assert RunFolder.open(folder.path).run_id() == before


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
        more = [a.copies - b.copies for a, b in zip(after, before, strict=True)]
        assert more[13] == more[20] == 0, "before they joined, and after the attack"
        assert 4 <= sum(more) <= 16, "ten or so: seventeen of whom a tenth is drawn each hour"
    pairs = zip(joined.arms["attacked"].frames, plain.arms["attacked"].frames, strict=True)
    assert sum(one.votes_bots - other.votes_bots for one, other in pairs) > 0
    votes = joined.arms["perfect"].frames
    assert sum(frame.lessons_bots for frame in votes) == 0, "the answer key knows them too"


@pytest.mark.parametrize(
    ("name", "stop"),
    [*(("not-spam-campaign", stop) for stop in (9, 13, 15, 21)), ("lurkers", 15)],
)
def test_a_run_that_was_interrupted_goes_on_with_them(tmp_path: Path, name: str, stop: int) -> None:
    whole = steered(tmp_path / "whole", name)
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


HOURS = 200


def ordered(attack: Attack, bots: int, hours: int = HOURS, joined: int = 0) -> Counter[int]:
    """Mails that each bot of a second crew is sent in some hours, when there are so many of it."""
    draws, sent = Draws(1), Counter[int]()
    crew = Crew.later(1, attack, draws.generator("places", 1))
    for hour in range(joined, joined + hours):
        view = View(hour, hour, (), crew.memory)
        orders = attack.poison(view, draws.generator("poison", hour, *crew.name))
        drafts = [one for one in orders if isinstance(one, Draft)]
        luck = draws.generator("crew", hour, *crew.name)
        done = crew.carried_out(drafts, attack.accounts + bots, luck)
        sent.update(-1 if one.to is None else one.to for one in done)
    return sent


@pytest.mark.parametrize(("bots", "hours"), [(1, 5000), (10, HOURS), (100, HOURS), (200, HOURS)])
def test_bots_that_join_cast_their_share_of_votes(bots: int, hours: int) -> None:
    sent = ordered(NotSpamCampaign(accounts=200, votes_per_hour=20), bots, hours)
    assert sent.total() == pytest.approx(hours * bots / 10, rel=0.1)
    assert set(sent) == set(range(200, 200 + bots)), "each of them, and nobody else"


def test_one_bot_alone_is_as_busy_as_each_of_two_hundred() -> None:
    """Twenty mails in two hundred hours; by how many more or fewer is the attack's own luck."""
    attack = NotSpamCampaign(accounts=200, votes_per_hour=20)
    each = ordered(attack, 200)
    assert ordered(attack, 1).total() == each[200] == pytest.approx(20, abs=8)


@pytest.mark.parametrize("joined", [0, 40, 82])
def test_bots_that_join_late_do_their_share_where_accounts_take_turns(joined: int) -> None:
    """Of 4,000 that send one mail each, forty an hour, 400 do a tenth of it, whenever they come."""
    sent = ordered(SybilFarm(), 400, 14, joined)
    assert SybilFarm().accounts == 4000
    assert sent.total() == pytest.approx(14 * 40 / 10, rel=0.3)


@pytest.mark.parametrize("name", names("agents.attacks"))
def test_a_bot_of_a_crew_that_is_not_full_does_what_it_would_do_in_a_full_one(name: str) -> None:
    attack = attack_plugin(name).settings()
    full, few = ordered(attack, attack.accounts), ordered(attack, 7)
    assert few == Counter({bot: full[bot] for bot in few})
    assert set(few) == {bot for bot in full if bot < attack.accounts + 7}


def test_mail_to_people_is_sent_in_the_share_of_those_who_are_there() -> None:
    @dataclass(frozen=True)
    class Other:
        atlas: ClassVar[tuple[str, ...]] = ()
        accounts: int = 50

        def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
            yield Draft(0.3)

        def poison(self, view: View, rng: Generator) -> Iterator[Draft]:
            yield from [Draft(0.3)] * 10

    assert ordered(Other(), 5)[-1] == pytest.approx(HOURS * 10 / 10, rel=0.1)
    assert ordered(Other(), 50)[-1] == HOURS * 10


def test_bots_that_join_fill_up_one_crew_before_the_next_whenever_they_come() -> None:
    more = [[9, 1], [11, 1], [12, 199], [15, 250]]
    done = loop.prepare(small(attack={**ATTACK, "more": more}))
    for _ in loop.ticks(done):
        pass
    frames = done.arms["attacked"].frames
    copies = [frame.copies for frame in frames]
    assert all(20 <= many <= 22 for many in copies[8:12])
    assert copies[12:15] == [40, 40, 40], "the second crew is full"
    assert all(60 <= many <= 72 for many in copies[15:20]), "the third one too, and fifty more"
    assert len(done.world.bots.id) == 200 + 451


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
        yield from (Draft(0.3, to=bot) for bot in (0, 3, 49))
'''


def test_a_few_bots_can_join_an_attack_that_needs_many(tmp_path: Path) -> None:
    (tmp_path / "picky.py").write_text(PICKY)
    attack = {**ATTACK, "name": str(tmp_path / "picky.py"), "more": [[9, 1], [11, 49]]}
    done = loop.prepare(small(attack=attack))
    for _ in loop.ticks(done):
        pass
    copies = [frame.copies for frame in done.arms["attacked"].frames]
    assert copies[8] == 3
    assert copies[11:13] == [6, 6]


@pytest.mark.parametrize("more", [None, [[1]], "x", {"a": 1}])
def test_joins_that_cannot_be_read_are_told(more: object) -> None:
    with pytest.raises(FolderError, match=r"attack\.more: expected \[tick, bots\]"):
        joins({"attack": {"more": more}})


GHOSTS = '''"""Votes on mail that was never sent, from accounts that are not its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import HAM, Vote


@dataclass(frozen=True)
class Ghosts:
    """Makes everything up."""

    atlas: ClassVar[tuple[str, ...]] = ()
    accounts: int = 5

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        yield Draft(0.3)

    def poison(self, view: View, rng: Generator) -> Iterator[Vote]:
        yield Vote(0, 77, 88, view.tick - 1, HAM, view.tick, 1, 2, -100, 9)
'''


def test_a_vote_on_a_mail_that_was_never_sent_is_refused_and_no_error(tmp_path: Path) -> None:
    (tmp_path / "ghosts.py").write_text(GHOSTS)
    chosen = small(attack={**ATTACK, "name": str(tmp_path / "ghosts.py")})
    folder = RunFolder.create(chosen, tmp_path / "run")
    assert simulate(chosen, folder, Silent(), []).status == "done"
    votes = {line["vote"]: line for line in folder.events() if line["type"] == "vote"}
    made_up = [vote for vote, line in votes.items() if line["account"] == f"{77:016x}"]
    assert len(made_up) == ATTACK["duration"]
    assert {votes[vote]["right"] for vote in made_up} == {None}
    assert "a person's account, but no such mail was sent" in explain(folder, made_up[0])
    rulings = [line for line in folder.events() if line["type"] == "ruling"]
    assert {line["ruling"] for line in rulings if line["vote"] in made_up} == {"rejected"}
