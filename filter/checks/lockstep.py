"""Lockstep: accounts that vote on the same stories in the same hours, again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import QUARANTINED

Event = tuple[int, bool, int]
"""A story, a label, and the stretch of time in which the story was given it."""


class Seen(msgspec.Struct, forbid_unknown_fields=True):
    """Who claimed what of late: by event the accounts, by account the events."""

    accounts: dict[Event, list[int]] = {}
    events: dict[int, list[Event]] = {}


@dataclass(frozen=True)
class Lockstep:
    """Hold the claims of accounts that keep voting together (D8).

    Beutel et al., "CopyCatch", WWW 2013: honest people meet on a story now and then, but the same
    ones do not meet again and again. An account is in lockstep if enough others share with it
    several events, a story and a label in the same hours. Bots whose mails differ so much that no
    two are one story share nothing, and go unseen.

    Args:
        hours: length of an event.
        meetings: events that two accounts have to share.
        others: accounts with which one has to share so many.
        memory: ticks that an event is remembered.
    """

    hours: int = 6
    meetings: int = 3
    others: int = 3
    memory: int = 168

    def fresh(self) -> Seen:
        """Nobody has met."""
        return Seen()

    def examine(self, tick: int, past: Seen, cases: Sequence[Case]) -> list[Suspicion]:
        """Count with whom each claim's account has met, and how often."""
        found = []
        for case in cases:
            many = 0 if case.judged == case.claim.spam else self._met(past, case.claim.account)
            if many < self.others:
                found.append(NOTHING)
            else:
                said = f"met {many} accounts {self.meetings} times or more in {self.memory} h"
                found.append(Suspicion(QUARANTINED, said))
        return found

    def _met(self, past: Seen, account: int) -> int:
        """Accounts that share enough events with this one."""
        shared: dict[int, int] = {}
        for event in past.events.get(account, ()):
            for other in past.accounts[event]:
                shared[other] = shared.get(other, 0) + 1
        shared.pop(account, None)
        return sum(count >= self.meetings for count in shared.values())

    def learn(self, tick: int, past: Seen, heard: Heard) -> Seen:
        """Add the new claims to their events; when one ends, forget the old ones."""
        seen = self._kept(tick, past) if tick % self.hours == 0 else past
        accounts, events = dict(seen.accounts), dict(seen.events)
        for case in heard.claims:
            event, account = (case.story, case.claim.spam, tick // self.hours), case.claim.account
            known = accounts.get(event, [])
            if account not in known:
                accounts[event] = [*known, account]
                events[account] = [*events.get(account, []), event]
        return Seen(accounts, events)

    def _kept(self, tick: int, past: Seen) -> Seen:
        """What is young enough."""
        oldest = (tick - self.memory) // self.hours
        accounts = {event: who for event, who in past.accounts.items() if event[2] > oldest}
        kept = {who: [e for e in events if e[2] > oldest] for who, events in past.events.items()}
        return Seen(accounts, {who: events for who, events in kept.items() if events})
