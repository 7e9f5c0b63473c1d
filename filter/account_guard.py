"""The account guard: may this vote go on, from what is known of this one account?"""

from collections.abc import Sequence
from types import GenericAlias
from typing import Any, NamedTuple

import numpy as np

from filter import codec
from filter.checks import HOLD, AccountCheck, History, Suspicion, remembered
from filter.columns import Kept, find, rows
from filter.events import QUARANTINE, SPAM, UNIT, Claim, Credit, Response, Ruling, Vote
from filter.stage import Histories, Provider

DAY = 24


class AccountGuardIn(NamedTuple):
    """A tick's votes and looks; credits and responses that take effect."""

    votes: tuple[Vote, ...]
    kept: Kept
    credits: tuple[Credit, ...]
    responses: tuple[Response, ...]


class AccountGuardOut(NamedTuple):
    """What goes on: claims and looks; and the rulings of the votes that were stopped here."""

    claims: tuple[Claim, ...]
    trusted: Kept
    stopped: tuple[Ruling, ...]


class AccountGuard:
    """The stage `account_guard`, split by voting account.

    It holds nothing: a claim that should wait goes on, marked with the reason to hold it.

    Args:
        provider: secret and deadlines.
        checks: the guard's account checks by name, in order: the first that stops a vote wins.
        histories: what is known of accounts that are older than the run.
        new_age: looks of accounts younger than this many ticks count nothing.
        heeds: whether it heeds the responder: without a guard, nobody is in quarantine.
    """

    def __init__(
        self,
        provider: Provider,
        checks: Sequence[tuple[str, AccountCheck[Any]]],
        histories: Histories,
        new_age: int,
        heeds: bool = True,
    ) -> None:
        """Start with nothing but the provider's records."""
        self._provider = provider
        self._checks = checks
        self._histories = histories
        self._new_age = new_age
        self._heeds = heeds
        self._pasts: dict[int, list[Any]] = {}
        self._quarantined: dict[int, int] = {}

    def step(self, tick: int, given: AccountGuardIn) -> AccountGuardOut:
        """Take what flows back, then the votes, then the looks."""
        for credit in given.credits:
            self._credit(tick, credit)
        for response in given.responses:
            if self._heeds and response.action == QUARANTINE:
                self._quarantined[response.account] = response.until
        self._quarantined = {a: until for a, until in self._quarantined.items() if until > tick}
        if tick % DAY == 0:
            self._forget(tick)
        claims, stopped = [], []
        for vote in given.votes:
            heard = self._hear(tick, vote)
            if isinstance(heard, Claim):
                claims.append(heard)
            else:
                stopped.append(heard)
        return AccountGuardOut(tuple(claims), self._trusted(tick, given.kept), tuple(stopped))

    def _hear(self, tick: int, vote: Vote) -> Claim | Ruling:
        pasts = self._past(vote.account)
        hold, trust, vetted = "", 0.5, False
        if vote.account in self._quarantined:
            hold = f"source in quarantine until {self._quarantined[vote.account]} h"
        for place, (name, check) in enumerate(self._checks):
            suspicion, pasts[place] = check.examine(tick, pasts[place], vote, self._provider)
            if suspicion.ruling == HOLD:
                hold = hold or suspicion.reason
            elif suspicion.ruling:
                return _ruling(tick, vote, name, suspicion)
            if suspicion.trust is not None:
                trust, vetted = suspicion.trust, suspicion.vetted
        return Claim(
            vote=vote.id,
            account=vote.account,
            mail=vote.mail,
            sent=vote.sent,
            spam=vote.label == SPAM,
            tick=vote.tick,
            address=vote.address,
            subnet=vote.subnet,
            reputation=trust,
            vetted=vetted,
            weight=UNIT,
            hold=hold,
        )

    def _past(self, account: int) -> list[Any]:
        if account not in self._pasts:
            history = self._history(account)
            self._pasts[account] = [check.fresh(history) for _, check in self._checks]
        return self._pasts[account]

    def _history(self, account: int) -> History:
        known = self._histories
        place = find(known.account, np.array([account], np.uint64))[0]
        if place < 0:
            return History(0, 0, 0)
        return History(
            int(known.opened[place]), int(known.confirmed[place]), int(known.refuted[place])
        )

    def _forget(self, tick: int) -> None:
        """Drop the accounts of which no check remembers anything that still matters."""
        self._pasts = {
            account: pasts
            for account, pasts in self._pasts.items()
            if not all(
                check.stale(tick, past, self._provider)
                for (_, check), past in zip(self._checks, pasts, strict=True)
            )
        }

    def _credit(self, tick: int, credit: Credit) -> None:
        pasts = self._past(credit.account)
        for place, (_, check) in enumerate(self._checks):
            pasts[place] = check.credited(tick, pasts[place], credit)

    def _trusted(self, tick: int, kept: Kept) -> Kept:
        old = tick - kept.opened >= self._new_age
        if self._quarantined:
            old &= ~np.isin(kept.account, np.array(sorted(self._quarantined), np.uint64))
        return rows(kept, old) if not old.all() else kept

    def freeze(self) -> bytes:
        """Everything remembered of accounts, a check at a time."""
        pasts = {
            name: codec.pack({account: past[place] for account, past in self._pasts.items()})
            for place, (name, _) in enumerate(self._checks)
        }
        return codec.pack((pasts, self._quarantined))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen memory; a check that it does not know starts afresh."""
        packed, self._quarantined = codec.unpack(tuple[dict[str, bytes], dict[int, int]], frozen)
        if not self._heeds:
            self._quarantined = {}
        self._pasts = {}
        for place, (name, check) in enumerate(self._checks):
            kind = GenericAlias(dict, (int, remembered(check)))
            known = codec.unpack(kind, packed[name]) if name in packed else {}
            for account, past in known.items():
                self._past(account)[place] = past


def _ruling(tick: int, vote: Vote, check: str, suspicion: Suspicion) -> Ruling:
    return Ruling(
        vote=vote.id,
        account=vote.account,
        mail=vote.mail,
        tick=tick,
        ruling=suspicion.ruling,
        check=check,
        reason=suspicion.reason,
    )
