"""Duplicates: one account has one say on a mail."""

from dataclasses import dataclass

from filter.checks import NOTHING, History, Suspicion
from filter.events import DUPLICATE, Credit, Vote
from filter.stage import Provider

Past = dict[int, int]


@dataclass(frozen=True)
class Duplicates:
    """The second vote of an account on a mail changes nothing, whatever it says (defence D2).

    Mails are forgotten when they are too old to be voted on. Always on, also without a guard.
    """

    def fresh(self, history: History) -> Past:
        """No mail was voted on yet: mail -> the tick it was sent."""
        return {}

    def examine(
        self, tick: int, past: Past, vote: Vote, provider: Provider
    ) -> tuple[Suspicion, Past]:
        """Has this account voted on this mail before?"""
        if vote.mail in past:
            return Suspicion(DUPLICATE, "voted on this mail before"), past
        oldest = tick - provider.mail_window
        kept = {mail: sent for mail, sent in past.items() if sent >= oldest}
        return NOTHING, kept | {vote.mail: vote.sent}

    def credited(self, tick: int, past: Past, credit: Credit) -> Past:
        """A judgement does not matter here."""
        return past

    def stale(self, tick: int, past: Past, provider: Provider) -> bool:
        """All its mails are too old to be voted on."""
        return all(sent < tick - provider.mail_window for sent in past.values())
