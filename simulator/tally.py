"""The tally: every vote in exactly one bucket, by its latest ruling."""

from collections.abc import Set

import msgspec

from filter.events import QUARANTINED, RULINGS, STOPS, Ruling, Vote


class AccountingError(RuntimeError):
    """A vote was lost, ruled on twice, or ruled on without having been cast."""


class Tally(msgspec.Struct, forbid_unknown_fields=True):
    """Votes cast and what became of them (promise: votes cast = the sum of the buckets).

    ``open`` are the votes that are held, and by which check: only they may be ruled on again.
    ``bots`` are the votes of bots that each check has stopped, by the last ruling on each.
    """

    cast: int = 0
    buckets: dict[str, int] = {}
    open: dict[int, str] = {}
    bots: dict[str, int] = {}

    def count(
        self, votes: tuple[Vote, ...], rulings: list[Ruling], bots: Set[int] = frozenset()
    ) -> None:
        """Count a tick.

        Args:
            votes: cast at it.
            rulings: given at it.
            bots: the attacker's accounts.

        Raises:
            AccountingError: the buckets do not add up to the votes cast.
        """
        self.cast += len(votes)
        fresh = {vote.id for vote in votes}
        if len(fresh) < len(votes):
            raise AccountingError("two votes have the same id")
        for ruling in rulings:
            by_bot = ruling.account in bots
            if ruling.vote in self.open:
                self.buckets[QUARANTINED] -= 1
                self._stop(self.open.pop(ruling.vote), -by_bot)
            elif ruling.vote in fresh:
                fresh.remove(ruling.vote)
            else:
                raise AccountingError(f"vote {ruling.vote} was ruled on twice, or never cast")
            if ruling.ruling not in RULINGS:
                raise AccountingError(f"there is no ruling {ruling.ruling!r}")
            self.buckets[ruling.ruling] = self.buckets.get(ruling.ruling, 0) + 1
            if ruling.ruling == QUARANTINED:
                self.open[ruling.vote] = ruling.check
            if ruling.ruling in STOPS:
                self._stop(ruling.check, by_bot)
        if sum(self.buckets.values()) != self.cast:
            raise AccountingError(
                f"{self.cast} votes were cast, {sum(self.buckets.values())} are accounted for"
            )

    def _stop(self, check: str, many: int) -> None:
        """Count votes of bots that a check has stopped; or has not after all (-1)."""
        if many:
            self.bots[check] = self.bots.get(check, 0) + many
