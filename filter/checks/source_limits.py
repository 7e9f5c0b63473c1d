"""Source limits: votes a day from one address, and from one subnet."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.events import LIMITED, Claim
from filter.gcra import Gcra


class Due(msgspec.Struct, forbid_unknown_fields=True):
    """The theoretical arrival times of the next votes, by address and by subnet."""

    addresses: dict[int, float] = {}
    subnets: dict[int, float] = {}


@dataclass(frozen=True)
class SourceLimits:
    """No address and no subnet teaches more than many people together do (D3), by GCRA.

    Accounts are cheap, addresses less so. Mozilla's add-on site allows 20 abuse reports a day from
    an address; a subnet, behind which an office or a carrier may be, has twice as many. Who farms
    his accounts behind few addresses is stopped, who rents an address for each is not.

    Args:
        address_per_day: votes a day from one address.
        subnet_per_day: votes a day from one subnet.
        burst: days' worth that may come at once after a rest.
    """

    address_per_day: float = 20.0
    subnet_per_day: float = 40.0
    burst: float = 1.0

    def fresh(self) -> Due:
        """Nobody has voted."""
        return Due()

    def examine(self, tick: int, past: Due, cases: Sequence[Case]) -> list[Suspicion]:
        """Let what is new spend; what was held before has spent when it came."""
        due = Due(dict(past.addresses), dict(past.subnets))
        return [
            self._spend(tick, due, case.claim) if case.arrived == tick else NOTHING
            for case in cases
        ]

    def _spend(self, tick: int, due: Due, claim: Claim) -> Suspicion:
        for name, per_day, known, source in (
            ("address", self.address_per_day, due.addresses, claim.address),
            ("subnet", self.subnet_per_day, due.subnets, claim.subnet),
        ):
            limit = Gcra(24 / per_day, max(1.0, self.burst * per_day))
            passes, known[source] = limit.spend(tick, known.get(source, 0.0))
            if not passes:
                ahead = f"{limit.ahead(tick, known[source]):.1f} votes ahead of {per_day:g} a day"
                return Suspicion(LIMITED, f"its {name} is {ahead}, above {limit.burst - 1:g}")
        return NOTHING

    def learn(self, tick: int, past: Due, heard: Heard) -> Due:
        """Charge every new claim, whatever became of it; forget whose bucket is full again."""
        due = Due(
            {source: then for source, then in past.addresses.items() if then > tick},
            {source: then for source, then in past.subnets.items() if then > tick},
        )
        for case in heard.claims:
            self._spend(tick, due, case.claim)
        return due
