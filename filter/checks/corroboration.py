"""Corroboration: a claim waits until somebody else says the same."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import QUARANTINED


class Witnesses(msgspec.Struct, forbid_unknown_fields=True):
    """From which addresses a story was claimed to be ham, and spam: no more than are needed."""

    tick: int
    ham: set[int] = set()
    spam: set[int] = set()

    def of(self, spam: bool) -> set[int]:
        """Who claimed this label."""
        return self.spam if spam else self.ham


@dataclass(frozen=True)
class Corroboration:
    """Quarantine a claim until its story was claimed from enough addresses (defence D6).

    Mistakes that fall on all mail alike are hardly ever made twice on one story. Those that people
    truly make fall on the same stories again and again, and bots corroborate each other: against
    these it costs an attacker a few addresses. What only one reader gets is never corroborated, so
    nobody can rescue personal mail. A story of which the judges said the same needs no witness.

    Args:
        addresses: from which a label is to be claimed, the claim's own among them.
        memory: ticks that a story's witnesses are remembered.
    """

    addresses: int = 2
    memory: int = 96

    def fresh(self) -> dict[int, Witnesses]:
        """No story was claimed yet."""
        return {}

    def examine(
        self, tick: int, past: dict[int, Witnesses], cases: Sequence[Case]
    ) -> list[Suspicion]:
        """Count the addresses, of earlier claims and of these."""
        now: dict[tuple[int, bool], set[int]] = {}
        for case in cases:
            now.setdefault((case.story, case.claim.spam), set()).add(case.claim.address)
        found = []
        for case in cases:
            spam = case.claim.spam
            before = past[case.story].of(spam) if case.story in past else set()
            many = len(before | now[case.story, spam])
            if many >= self.addresses or case.judged == spam:
                found.append(NOTHING)
            else:
                reason = f"claimed from {many} of {self.addresses} addresses"
                found.append(Suspicion(QUARANTINED, reason))
        return found

    def learn(self, tick: int, past: dict[int, Witnesses], heard: Heard) -> dict[int, Witnesses]:
        """Remember who claimed what, as long as it matters."""
        now = {story: seen for story, seen in past.items() if tick - seen.tick < self.memory}
        for case in heard.claims:
            seen = now.get(case.story, Witnesses(tick))
            kept = Witnesses(tick, set(seen.ham), set(seen.spam))
            if len(kept.of(case.claim.spam)) < self.addresses:
                kept.of(case.claim.spam).add(case.claim.address)
            now[case.story] = kept
        return now
