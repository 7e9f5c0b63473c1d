"""The tally: every vote in exactly one bucket, by its latest ruling."""

import msgspec

from filter.events import QUARANTINED, RULINGS, Ruling, Vote


class AccountingError(RuntimeError):
    """A vote was lost, ruled on twice, or ruled on without having been cast."""


class Tally(msgspec.Struct, forbid_unknown_fields=True):
    """Votes cast and what became of them (promise: votes cast = the sum of the buckets).

    ``open`` are the votes that are held: only they may be ruled on again.
    """

    cast: int = 0
    buckets: dict[str, int] = {}
    open: set[int] = set()

    def count(self, votes: tuple[Vote, ...], rulings: list[Ruling]) -> None:
        """Count a tick.

        Raises:
            AccountingError: the buckets do not add up to the votes cast.
        """
        self.cast += len(votes)
        fresh = {vote.id for vote in votes}
        if len(fresh) < len(votes):
            raise AccountingError("two votes have the same id")
        for ruling in rulings:
            if ruling.vote in self.open:
                self.open.remove(ruling.vote)
                self.buckets[QUARANTINED] -= 1
            elif ruling.vote in fresh:
                fresh.remove(ruling.vote)
            else:
                raise AccountingError(f"vote {ruling.vote} was ruled on twice, or never cast")
            if ruling.ruling not in RULINGS:
                raise AccountingError(f"there is no ruling {ruling.ruling!r}")
            self.buckets[ruling.ruling] = self.buckets.get(ruling.ruling, 0) + 1
            if ruling.ruling == QUARANTINED:
                self.open.add(ruling.vote)
        if sum(self.buckets.values()) != self.cast:
            raise AccountingError(
                f"{self.cast} votes were cast, {sum(self.buckets.values())} are accounted for"
            )
