"""Templates: a first attack and a first check, which run as they are."""

import keyword
import re
from pathlib import Path

from filter.plugins import SettingsError, unknown

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

ATTACK = '''"""{title}: say in a sentence what the bots do, and to what end."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from numpy.random import Generator

from agents.actor import Draft, View
from filter.events import Vote


@dataclass(frozen=True)
class {name}:
    """Rescue the campaign from the bots' own spam folders. Name the paper it is after here.

    Cost: ``accounts`` accounts, ``votes_per_hour`` votes and as many mails to oneself an hour.

    Args:
        accounts: bots.
        mails_per_hour: campaign mails to people.
        votes_per_hour: copies to bots, to vote on.
        varies: share of the words that differ from mail to mail.
    """

    atlas: ClassVar[tuple[str, ...]] = ("AML.T0020",)

    accounts: int = 100
    mails_per_hour: int = 25
    votes_per_hour: int = 20
    varies: float = 0.3

    def campaign(self, hour: int, rng: Generator) -> Iterator[Draft]:
        """The mail that the attacker wants in people's inboxes, an hour's worth."""
        for _ in range(self.mails_per_hour):
            yield Draft(self.varies)

    def poison(self, view: View, rng: Generator) -> Iterator[Draft | Vote]:
        """What the bots do this hour: vote on what came to them, and order copies to vote on."""
        yield from view.rescues()
        copies = min(self.votes_per_hour, self.accounts)
        for bot in rng.choice(self.accounts, copies, replace=False).tolist():
            yield Draft(self.varies, to=bot)
'''

CHECK = '''"""{title}: say in a sentence which votes it distrusts, and why."""

from dataclasses import dataclass

from filter.checks import HOLD, NOTHING, History, Suspicion
from filter.events import Credit, Vote
from filter.stage import Provider


@dataclass(frozen=True)
class {name}:
    """Hold the votes of an account that votes again too soon. Say what it costs honest people.

    Args:
        pause: ticks that an account has to wait after a vote.
    """

    pause: int = 2

    def fresh(self, history: History) -> int:
        """What is remembered of an account before its first vote: the tick of its last one."""
        return -1

    def examine(
        self, tick: int, past: int, vote: Vote, provider: Provider
    ) -> tuple[Suspicion, int]:
        """Judge a vote, and give what to remember after it."""
        if past >= 0 and tick - past < self.pause:
            return Suspicion(HOLD, f"{{tick - past}} h after its last vote"), tick
        return NOTHING, tick

    def credited(self, tick: int, past: int, credit: Credit) -> int:
        """A judgement does not matter here."""
        return past

    def stale(self, tick: int, past: int, provider: Provider) -> bool:
        """Whether a fresh account would be judged alike, so that this one may be forgotten."""
        return past < 0 or tick - past >= self.pause
'''

KINDS = {"attack": ATTACK, "check": CHECK}
NEXT = {
    "attack": "hamstrung run quickstart --attack ./{file}",
    "check": "hamstrung run quickstart --guard near_duplicates,./{file}",
}


def make(kind: str, name: str, folder: Path) -> str:
    """Write a plug-in of one's own, and give the command that runs it.

    Args:
        kind: ``attack`` or ``check``.
        name: what it is to be called, with ``-`` or ``_``.
        folder: where its file goes.

    Raises:
        SettingsError: no such kind, a name that is no Python name, or a file that is there.
    """
    if kind not in KINDS:
        raise SettingsError(f"new: {unknown(kind, list(KINDS))}")
    stem = name.removesuffix(".py").replace("-", "_")
    if not NAME.fullmatch(stem) or keyword.iskeyword(stem) or len(stem) > 60:
        raise SettingsError(f"new: expected a name such as my_{kind}, got {name!r}")
    path = folder / f"{stem}.py"
    words = stem.split("_")
    text = KINDS[kind].format(
        title=" ".join(words).capitalize(), name="".join(word.capitalize() for word in words)
    )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise SettingsError(f"new: {path.name} is there already; choose another name") from None
    except OSError as error:
        raise SettingsError(f"new: {path.name}: cannot be written: {error.strerror}") from None
    return NEXT[kind].format(file=path.name)
