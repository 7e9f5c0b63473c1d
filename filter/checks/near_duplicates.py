"""Near-duplicates teach once: a crowd of votes on one story is one lesson."""

from collections.abc import Sequence
from dataclasses import dataclass

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import MERGED, QUARANTINED

Past = dict[int, tuple[int, int]]
"""Story -> the ticks at which it last taught ham and spam, -1 for never."""


@dataclass(frozen=True)
class NearDuplicates:
    """Claims of one label on one story teach once in a while, however many there are (defence D2).

    Honest people need few votes to report a campaign; only an attacker gains by hundreds of them.
    A story of which the judges said the same may teach as often as it is claimed.

    Args:
        once_per: ticks from a lesson on a story to the next one with the same label.
    """

    once_per: int = 12

    def fresh(self) -> Past:
        """No story has taught yet."""
        return {}

    def examine(self, tick: int, past: Past, cases: Sequence[Case]) -> list[Suspicion]:
        """Let the first claim of a story pass; the others wait for its lesson or merge with it."""
        found = []
        first: set[tuple[int, bool]] = set()
        for case in cases:
            spam = case.claim.spam
            if case.judged == spam:
                found.append(NOTHING)
                continue
            taught = past.get(case.story, (-1, -1))[spam]
            if taught >= 0 and tick - taught < self.once_per:
                found.append(Suspicion(MERGED, f"its story taught this at {taught} h"))
            elif (case.story, spam) in first:
                found.append(Suspicion(QUARANTINED, "waits for the lesson of its story"))
            else:
                first.add((case.story, spam))
                found.append(NOTHING)
        return found

    def learn(self, tick: int, past: Past, heard: Heard) -> Past:
        """Remember which stories taught, as long as that holds others back."""
        now = {s: t for s, t in past.items() if tick - max(t) < self.once_per}
        for case in heard.taught:
            ham, spam = now.get(case.story, (-1, -1))
            now[case.story] = (ham, tick) if case.claim.spam else (tick, spam)
        return now
