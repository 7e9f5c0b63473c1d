"""What an attack can do: ask before it sends, or have honest people answer."""

from pathlib import Path
from typing import Any

import numpy as np

from agents.actor import Draft
from agents.people import BotSettings, Habits, accounts, bots
from filter.plugins import load
from simulator import loop
from simulator.mail import COPY
from tests.contracts import attacks
from tests.contracts.small import run, small

QUERY = '''"""Ask where variants land, then send people those that came through (A18)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import HAM, Vote


class Known(msgspec.Struct):
    """How far each variant came: 0 the inbox, 2 spam."""

    folders: dict[int, str] = {}
    asked: int = 0


@dataclass(frozen=True)
class Query:
    """Probe with copies to oneself; vote only on the variants that came nearest to the inbox.

    Cost: ``accounts`` accounts and ``questions`` mails to oneself an hour.

    Args:
        accounts: bots.
        questions: variants tried in an hour.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0005.001",)

    accounts: int = 30
    questions: int = 6

    def fresh(self) -> Known:
        """Nothing is known."""
        return Known()

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """Ten mails an hour."""
        yield from [Draft(0.5)] * 10

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Note the answers, rescue the promising ones, ask again."""
        known = view.memory
        for delivery in view.inbox:
            known.folders[delivery.variant] = delivery.folder
            if delivery.folder == "unsure":
                yield delivery.vote(view.tick, HAM)
        for number in range(self.questions):
            known.asked += 1
            bot = int(rng.integers(self.accounts))
            yield Draft(0.5, to=bot, variant=known.asked, ham=number / 10)
'''

DICTIONARY = '''"""Spam in the words of ham, for honest people to report (A4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import Vote


@dataclass(frozen=True)
class Dictionary:
    """Have the filter learn ham's words as spam: nobody votes but those who are right.

    Cost: ``mails_per_hour`` mails, and the ``accounts`` that nobody uses.

    Args:
        accounts: none is needed.
        mails_per_hour: to people.
        ham: share of ham's words.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020",)

    accounts: int = 1
    mails_per_hour: int = 40
    ham: float = 0.9

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """Mail that looks like ham and is none."""
        yield from [Draft(1.0, ham=self.ham)] * self.mails_per_hour

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """Nothing: the poison is in the mail."""
        yield from ()
'''


def written(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.py"
    path.write_text(text)
    return str(path)


def test_an_attack_that_asks_keeps_the_contract_and_learns_from_the_answers(
    tmp_path: Path,
) -> None:
    name = written(tmp_path, "query", QUERY)
    attacks.hold_contract(load("agents.attacks", name, "attack"), name)
    prepared = loop.prepare(small({"attack": {"name": name, "settings": {}}}))
    for _ in loop.ticks(prepared):
        pass
    memory: Any = prepared.arms["attacked"]._crews[0].memory
    assert memory.asked == 14 * 6
    assert set(memory.folders) == set(range(1, 13 * 6 + 1))
    assert len(set(memory.folders.values())) > 1
    assert prepared.arms["twin"]._crews[0].memory.asked == 0


def test_an_attack_goes_on_from_what_it_remembered(tmp_path: Path) -> None:
    scenario = small({"attack": {"name": written(tmp_path, "query", QUERY), "settings": {}}})
    whole = run(scenario).arms["attacked"].hash
    half, rest = loop.prepare(scenario), loop.prepare(scenario)
    stop = 15
    for tick in loop.ticks(half):
        if tick == stop:
            break
    loop.thaw(rest, loop.freeze(half))
    for _ in loop.ticks(rest, stop + 1):
        pass
    assert rest.arms["attacked"].hash == whole


def test_equal_variants_are_equal_mails_and_come_back_by_their_number(tmp_path: Path) -> None:
    name = written(tmp_path, "query", QUERY)
    world = loop.prepare(small({"attack": {"name": name, "settings": {}}})).world
    drafts = [Draft(0.5, 0, 3), Draft(0.5, 1, 3), Draft(0.5, 2, 4), Draft(0.5, 3), Draft(0.5, 4)]
    post = world.drafted(9, drafts, "copies")
    assert post is not None
    texts: dict[int, set[bytes]] = {}
    for row, variant in enumerate(post.variant.tolist()):
        texts.setdefault(variant, set()).add(post.tokens.row(row).tobytes())
    assert {variant: len(said) for variant, said in texts.items()} == {3: 1, 4: 1, 0: 2}
    assert len(set.union(*texts.values())) == 4
    assert set(post.kind.tolist()) == {COPY}


def test_mail_in_ham_s_words_that_people_report_costs_ham(tmp_path: Path) -> None:
    name = written(tmp_path, "dictionary", DICTIONARY)
    attacks.hold_contract(load("agents.attacks", name, "attack"), name)
    changes = {
        "duration": 60,
        "arms": ["unguarded"],
        "people": {"report_spam": 0.9, "zeal_spread": 0.0},
        "filter": {"learner": {"learns_from": "votes"}},
        "synthetic": {"mails_per_hour": 80},
    }
    lost = []
    for ham in (0.0, 0.9):
        done = run(
            small(
                changes,
                {
                    "attack": {
                        "name": name,
                        "start": 2,
                        "duration": 58,
                        "settings": {"ham": ham, "mails_per_hour": 60},
                    }
                },
            )
        )
        frames = done.arms["unguarded"].frames[30:]
        lost.append(sum(f.ham_in_spam + f.ham_unsure for f in frames) / sum(f.ham for f in frames))
    assert lost[1] > lost[0] + 0.05


def test_bots_are_like_people_but_for_what_the_settings_say() -> None:
    usual = accounts(3, "bot", 90, Habits())
    for one, other in zip(bots(3, 90, Habits(), BotSettings()), usual, strict=True):
        assert one.tolist() == other.tolist()
    farm = bots(3, 90, Habits(), BotSettings(age=240, addresses=10, subnets=2, right=5, wrong=0))
    assert set(farm.opened.tolist()) == {-240}
    assert len(np.unique(farm.address)) == 10
    assert len(np.unique(farm.subnet)) == 2
    assert all(
        len(np.unique(farm.subnet[farm.address == address])) == 1
        for address in np.unique(farm.address)
    )
    assert (set(farm.confirmed.tolist()), set(farm.refuted.tolist())) == ({5}, {0})
    assert farm.id.tolist() == usual.id.tolist()
    assert len(np.unique(bots(3, 90, Habits(), BotSettings(subnets=7)).subnet)) == 7
