"""Share cap: nobody teaches more than a share of what is taught."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import QUARANTINED

KINDS = ("account", "address", "subnet", "story")
Past = list[tuple[int, bool, int, int, int, int]]
"""What was taught: tick, label, account, address, subnet and story of each."""


@dataclass(frozen=True)
class ShareCap:
    """No account, address, subnet or story is more than a share of a day's lessons (D4).

    Sensible sampling: whatever they say, few sources must not be a large part of what a model is
    trained on. What is above its share waits, and is heard when others have said as much.

    Args:
        account: share of a label's lessons that are one account's, at most.
        address: the same for an address.
        subnet: the same for a subnet.
        story: the same for a story, unless judges said the same of it.
        least: lessons that are always allowed.
        window: ticks over which shares are reckoned.
    """

    account: float = 0.05
    address: float = 0.05
    subnet: float = 0.1
    story: float = 0.1
    least: int = 3
    window: int = 24

    def fresh(self) -> Past:
        """Nothing was taught."""
        return []

    def examine(self, tick: int, past: Past, cases: Sequence[Case]) -> list[Suspicion]:
        """Let claims pass, in the order given, while none of their sources is above its share."""
        total, taught = Counter[bool](), Counter[tuple[bool, str, int]]()
        for _, spam, *sources in past:
            total[spam] += 1
            taught.update((spam, kind, one) for kind, one in zip(KINDS, sources, strict=True))
        found = []
        for case in cases:
            spam = case.claim.spam
            over = next(self._over(case, taught, total[spam]), None)
            found.append(over or NOTHING)
            if over is None:
                total[spam] += 1
                taught.update((spam, kind, one) for kind, one in zip(KINDS, _of(case), strict=True))
        return found

    def _over(
        self, case: Case, taught: Counter[tuple[bool, str, int]], total: int
    ) -> Iterator[Suspicion]:
        shares = (self.account, self.address, self.subnet, self.story)
        for kind, share, source in zip(KINDS, shares, _of(case), strict=True):
            many = taught[case.claim.spam, kind, source]
            confirmed = kind == "story" and case.judged == case.claim.spam
            if not confirmed and many + 1 > max(self.least, share * (total + 1)):
                said = f"its {kind} taught {many} of {total} in {self.window} h"
                yield Suspicion(QUARANTINED, f"{said}: more than {share:.0%}")

    def learn(self, tick: int, past: Past, heard: Heard) -> Past:
        """Remember a day's lessons and whose they were."""
        new = [(tick, case.claim.spam, *_of(case)) for case in heard.taught]
        return [one for one in past if tick - one[0] < self.window] + new


def _of(case: Case) -> tuple[int, int, int, int]:
    claim = case.claim
    return claim.account, claim.address, claim.subnet, case.story
