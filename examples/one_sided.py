"""A check of one's own: who only ever says "not spam" is not believed.

    ./dev hamstrung run quickstart --guard ./examples/one_sided.py

It stops the attack of `quickstart`, whose bots do nothing but rescue: none of the campaign reaches
the inbox, and 70 % without a guard. Then see what a bot has to do to get past it: `alibi.py`.
"""

from dataclasses import dataclass

from filter.checks import NOTHING, History, Suspicion
from filter.events import REJECTED, SPAM, Credit, Vote
from filter.stage import Provider


@dataclass(frozen=True)
class OneSided:
    """An account may say "not spam" as often as it has reported spam in the run.

    Args:
        spare: votes "not spam" that need no report before them.
        memory: ticks of silence after which an account begins anew.
    """

    spare: int = 0
    memory: int = 720

    def fresh(self, history: History) -> tuple[int, int]:
        """How many more votes "not spam" than "spam" an account has cast, and when the last one."""
        return 0, 0

    def examine(
        self, tick: int, past: tuple[int, int], vote: Vote, provider: Provider
    ) -> tuple[Suspicion, tuple[int, int]]:
        """Stop a vote "not spam" that has nothing to set against it."""
        ahead, _ = past
        if vote.label == SPAM:
            return NOTHING, (ahead - 1, tick)
        if ahead >= self.spare:
            return Suspicion(REJECTED, "not as many reports of spam before it"), (ahead, tick)
        return NOTHING, (ahead + 1, tick)

    def credited(self, tick: int, past: tuple[int, int], credit: Credit) -> tuple[int, int]:
        """Whether a vote was right does not matter here."""
        return past

    def stale(self, tick: int, past: tuple[int, int], provider: Provider) -> bool:
        """Whether the account may be forgotten, and begin anew."""
        return past[0] == 0 or tick - past[1] > self.memory
