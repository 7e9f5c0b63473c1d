"""Data quality: votes that cannot be true."""

from dataclasses import dataclass

from filter.checks import NOTHING, History, Suspicion
from filter.events import LABELS, REJECTED, Credit, Vote
from filter.stage import Provider


@dataclass(frozen=True)
class DataQuality:
    """Refuse a vote of an unknown label, from the future, too late, or without a true delivery.

    The delivery token binds account, mail and tick of delivery, so that a vote on a mail that was
    never delivered to the account, or before its delivery, cannot carry one that fits. After the
    article's data-quality tests (defence D1); always on, also without a guard.
    """

    def fresh(self, history: History) -> None:
        """Nothing is remembered."""

    def examine(
        self, tick: int, past: None, vote: Vote, provider: Provider
    ) -> tuple[Suspicion, None]:
        """Judge the vote by itself."""
        return self._fault(tick, vote, provider), None

    def _fault(self, tick: int, vote: Vote, provider: Provider) -> Suspicion:
        if vote.label not in LABELS:
            return Suspicion(REJECTED, "unknown label")
        if vote.tick > tick:
            return Suspicion(REJECTED, f"from the future: tick {vote.tick} at tick {tick}")
        if vote.tick < vote.sent or vote.sent < 0:
            return Suspicion(REJECTED, "before its mail was delivered")
        if tick - vote.sent > provider.mail_window:
            return Suspicion(REJECTED, f"too late: after {tick - vote.sent} h")
        if not provider.signed(vote.account, vote.mail, vote.sent, vote.token):
            return Suspicion(REJECTED, "forged token: never delivered to this account")
        return NOTHING

    def credited(self, tick: int, past: None, credit: Credit) -> None:
        """Nothing is remembered."""

    def stale(self, tick: int, past: None, provider: Provider) -> bool:
        """Nothing is remembered."""
        return True
