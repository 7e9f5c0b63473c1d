"""The count of a run's events: what became of its votes, what was done, and to whom it was done.

A vote is remembered only while it may still be ruled on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from filter.events import (
    ACCOUNT,
    DUPLICATE,
    LIMITED,
    MERGED,
    QUARANTINED,
    REJECTED,
    SHADOWED,
    STOPS,
    SUBNET,
    TAUGHT,
)

SPARING = (MERGED, DUPLICATE)
"""Rulings on votes that had nothing to add: no accusation."""
WAITING = "waiting"
"""What is said of a vote without any ruling yet."""


class Ruled(NamedTuple):
    """Votes with one last ruling of one check, by who cast them.

    ``mistaken`` are those of people that were wrong by the answer key: honest mistakes.
    """

    bots: int = 0
    people: int = 0
    mistaken: int = 0


class Done(NamedTuple):
    """A response to sources of one kind: how often, and how many sources of whom.

    ``unknown`` are sources of which no vote ever came.
    """

    times: int = 0
    bots: int = 0
    people: int = 0
    unknown: int = 0


class Count(NamedTuple):
    """All that is counted.

    ``ruled`` is by check and last ruling; ``flow`` by tick, whether of a bot, and last ruling;
    ``done`` by action and scope. ``silenced`` are people's accounts with the right votes of each
    that were stopped, most first; ``mistaken`` the wrong votes of people, stopped or not.
    """

    bots: int
    people: int
    accounts: int
    addresses: int
    subnets: int
    ruled: Mapping[tuple[str, str], Ruled]
    flow: Mapping[tuple[int, bool, str], int]
    done: Mapping[tuple[str, str], Done]
    silenced: list[tuple[str, int]]
    voters: int
    """People's accounts that cast a vote."""
    mistaken: int = 0


@dataclass(slots=True)
class _Cast:
    """A vote and the last that became of it."""

    account: str
    bot: bool
    right: bool | None
    tick: int
    check: str = ""
    ruling: str = WAITING


class _Sources(NamedTuple):
    """Accounts, addresses and subnets that votes came from."""

    account: set[str]
    address: set[str]
    subnet: set[str]


class Counting:
    """Counts events of a run, one after the other, as they stand in its file.

    Args:
        judged: the arm whose events are counted.
    """

    def __init__(self, judged: str) -> None:
        """Nothing was counted yet."""
        self._judged = judged
        self._open: dict[str, _Cast] = {}
        self._ruled: Counter[tuple[str, str, bool]] = Counter()
        self._wrong: Counter[tuple[str, str]] = Counter()
        self._silenced: Counter[str] = Counter()
        self._flow: Counter[tuple[int, bool, str]] = Counter()
        self._votes = Counter[bool]()
        self._sources = {bot: _Sources(set(), set(), set()) for bot in (False, True)}
        self._done: Counter[tuple[str, str, str]] = Counter()

    def take(self, event: Mapping[str, Any]) -> None:
        """Count an event."""
        if event["arm"] != self._judged:
            return
        match event["type"]:
            case "vote":
                self._cast(event)
            case "ruling":
                self._rule(event["vote"], event["check"], event["ruling"])
            case "response":
                scope = ACCOUNT if ACCOUNT in event else SUBNET
                self._done[event["action"], scope, event[scope]] += 1

    def _cast(self, vote: Mapping[str, Any]) -> None:
        bot = vote["bot"]
        self._votes[bot] += 1
        self._open[vote["vote"]] = _Cast(vote["account"], bot, vote["right"], vote["tick"])
        sources = self._sources[bot]
        sources.account.add(vote["account"])
        sources.subnet.add(vote["subnet"])
        if bot:
            sources.address.add(vote["address"])

    def _rule(self, vote: str, check: str, ruling: str) -> None:
        cast = self._open.get(vote)
        if cast is None:
            return
        cast.check, cast.ruling = check, ruling
        if ruling != QUARANTINED:
            self._close(self._open.pop(vote))

    def _close(self, cast: _Cast) -> None:
        self._ruled[cast.check, cast.ruling, cast.bot] += 1
        self._flow[cast.tick, cast.bot, cast.ruling] += 1
        if not cast.bot:
            self._wrong[cast.check, cast.ruling] += cast.right is False
            if cast.right and cast.ruling in STOPS:
                self._silenced[cast.account] += 1

    def count(self) -> Count:
        """What was counted; no event may be taken after it."""
        while self._open:
            self._close(self._open.popitem()[1])
        bots, people = self._sources[True], self._sources[False]
        return Count(
            bots=self._votes[True],
            people=self._votes[False],
            accounts=len(bots.account),
            addresses=len(bots.address),
            subnets=len(bots.subnet),
            ruled=self._rulings(),
            flow=self._flow,
            done=self._responses(),
            silenced=sorted(self._silenced.items(), key=lambda one: (-one[1], one[0])),
            voters=len(people.account),
            mistaken=self._wrong.total(),
        )

    def _rulings(self) -> dict[tuple[str, str], Ruled]:
        kinds = sorted({(check, ruling) for check, ruling, _ in self._ruled})
        return {
            kind: Ruled(self._ruled[(*kind, True)], self._ruled[(*kind, False)], self._wrong[kind])
            for kind in kinds
        }

    def _responses(self) -> dict[tuple[str, str], Done]:
        found: dict[tuple[str, str], Done] = {}
        for (action, scope, source), times in sorted(self._done.items()):
            whose = [source in getattr(self._sources[bot], scope) for bot in (True, False)]
            before = found.get((action, scope), Done())
            found[action, scope] = Done(
                before.times + times,
                before.bots + whose[0],
                before.people + (whose == [False, True]),
                before.unknown + (not any(whose)),
            )
        return found


def counted(events: Iterable[Mapping[str, Any]], judged: str) -> Count:
    """Count all events of a run."""
    counting = Counting(judged)
    for event in events:
        counting.take(event)
    return counting.count()


def total(ruled: Mapping[tuple[str, str], Ruled], rulings: Iterable[str]) -> Ruled:
    """The votes with one of some rulings, whatever check ruled so."""
    wanted = frozenset(rulings)
    found = [of for (_, ruling), of in ruled.items() if ruling in wanted]
    return Ruled(*(sum(column) for column in zip(*found, strict=True))) if found else Ruled()


def precision(of: Ruled) -> float | None:
    """Of the votes that were stopped, the share that bots had cast."""
    return of.bots / (of.bots + of.people) if of.bots + of.people else None


def rightly(of: Ruled) -> float | None:
    """Of the votes that were stopped, the share that deserved it: bots', and people's mistakes."""
    return (of.bots + of.mistaken) / (of.bots + of.people) if of.bots + of.people else None


def recall(of: Ruled, bots: int) -> float | None:
    """Of all votes of bots, the share that was stopped."""
    return of.bots / bots if bots else None


def worst_tenth(counts: Iterable[int]) -> float | None:
    """The share of all that the tenth with the most has.

    >>> worst_tenth([9, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    0.5
    """
    sizes = sorted(counts, reverse=True)
    return sum(sizes[: -(-len(sizes) // 10)]) / sum(sizes) if sizes else None


STACK = (TAUGHT, *SPARING, WAITING, QUARANTINED, LIMITED, SHADOWED, REJECTED)
"""The order of rulings in a stack: from what taught to what was thrown away."""
