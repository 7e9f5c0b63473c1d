"""The account guard: may this vote go on, from what is known of this one account?"""

from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import repeat
from operator import is_, is_not
from types import GenericAlias
from typing import Any, NamedTuple

import numpy as np

from filter import codec
from filter.checks import HOLD, NOTHING, AccountCheck, History, Suspicion, remembered
from filter.columns import Kept, find, rows
from filter.events import (
    QUARANTINE,
    RESPONDER,
    SHADOW,
    SHADOWED,
    SPAM,
    SUBNET,
    UNIT,
    Claim,
    Credit,
    Response,
    Ruling,
    Vote,
)
from filter.hashing import combine, key
from filter.ledger import AFRESH, Everything, Ledger, Memory, Pasts
from filter.stage import Histories, Provider

DAY = 24
SHADOWS = key("shadow", "account")
SUBNETS = key("quarantine", "subnet")
Ends = dict[int, int]
"""Sources that something is done about, and when that ends: an account in quarantine by its id, one
that is shadowed, and a subnet in quarantine, by hashes of theirs (`_place`)."""


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

    It holds nothing: a claim that should wait goes on, marked with the reason to hold it. What it
    remembers of accounts is in its ledger, where it is read before anything is changed and written
    once, at the end of the step: a step that failed can be called again.

    Args:
        provider: secret and deadlines.
        checks: the guard's account checks by name, in order: the first that stops a vote wins.
        histories: what is known of accounts that are older than the run.
        new_age: looks of accounts younger than this many ticks count nothing.
        heeds: whether it heeds the responder: without a guard, nobody is in quarantine.
        ledger: where it keeps what it remembers; in memory if nothing is said.
    """

    def __init__(
        self,
        provider: Provider,
        checks: Sequence[tuple[str, AccountCheck[Any]]],
        histories: Histories,
        new_age: int,
        heeds: bool = True,
        ledger: Ledger | None = None,
    ) -> None:
        """Start with nothing but the provider's records."""
        self._provider = provider
        self._checks = checks
        self._histories = histories
        self._new_age = new_age
        self._heeds = heeds
        self._tick = -1
        self.ledger: Ledger = Memory() if ledger is None else ledger

    def step(self, tick: int, given: AccountGuardIn) -> AccountGuardOut:
        """Take what flows back, then the votes, then the looks."""
        before = self.ledger.quarantined(tick) if self._heeds else {}
        books = self._open(tick, given)
        for credit in given.credits:
            self._credit(tick, credit, books)
        ends = self._ends(tick, before, given.responses)
        if tick % DAY == 0:
            self._forget(tick, books)
        claims, stopped = [], []
        measures = _measures(given.votes, ends)
        for vote, measure in zip(given.votes, measures, strict=True):
            heard = self._hear(tick, vote, books, measure)
            if isinstance(heard, Claim):
                claims.append(heard)
            else:
                stopped.append(heard)
        trusted = self._trusted(tick, given.kept, ends)
        self.ledger.put(tick, books.changed(), ends if ends != before else None)
        self._tick = tick
        return AccountGuardOut(tuple(claims), trusted, tuple(stopped))

    def _open(self, tick: int, given: AccountGuardIn) -> "_Books":
        """What is remembered of the tick's accounts; of everybody when it is time to forget."""
        if tick % DAY == 0:
            known = self.ledger.everything(tick - 1).accounts
        else:
            named = dict.fromkeys(credit.account for credit in given.credits)
            named.update(dict.fromkeys(vote.account for vote in given.votes))
            known = self.ledger.load(tick, named)
        return _Books(self._whole(known), self._fresh)

    def _ends(self, tick: int, before: Ends, responses: Sequence[Response]) -> Ends:
        heeded = [r for r in responses if r.action in (QUARANTINE, SHADOW) and self._heeds]
        told = {_place(r): r.until for r in heeded}
        return {place: until for place, until in (before | told).items() if until > tick}

    def _hear(self, tick: int, vote: Vote, books: "_Books", measure: Suspicion) -> Claim | Ruling:
        pasts = books.of(vote.account)
        hold, holder, trust, vetted = measure.reason, RESPONDER, 0.5, False
        for place, (name, check) in enumerate(self._checks):
            suspicion, pasts[place] = check.examine(tick, pasts[place], vote, self._provider)
            if suspicion.ruling == HOLD and not hold:
                hold, holder = suspicion.reason, name
            elif suspicion.ruling not in ("", HOLD):
                return _ruling(tick, vote, name, suspicion)
            if suspicion.trust is not None:
                trust, vetted = suspicion.trust, suspicion.vetted
        if measure.ruling == SHADOWED:
            return _ruling(tick, vote, RESPONDER, measure)
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
            holder=holder if hold else "",
        )

    def _whole(self, known: dict[int, Pasts]) -> dict[int, Pasts]:
        """With fresh pasts for the checks that a record is older than."""
        for account, pasts in known.items():
            if any(map(is_, pasts, repeat(AFRESH))):
                pairs = zip(pasts, self._fresh(account), strict=True)
                known[account] = [new if past is AFRESH else past for past, new in pairs]
        return known

    def _fresh(self, account: int) -> Pasts:
        history = self._history(account)
        return [check.fresh(history) for _, check in self._checks]

    def _history(self, account: int) -> History:
        known = self._histories
        place = find(known.account, np.array([account], np.uint64))[0]
        if place < 0:
            return History(0, 0, 0)
        return History(
            int(known.opened[place]), int(known.confirmed[place]), int(known.refuted[place])
        )

    def _forget(self, tick: int, books: "_Books") -> None:
        """Drop the accounts of which no check remembers anything that still matters."""
        for account, pasts in books.all():
            if all(
                check.stale(tick, past, self._provider)
                for (_, check), past in zip(self._checks, pasts, strict=True)
            ):
                books.forget(account)

    def _credit(self, tick: int, credit: Credit, books: "_Books") -> None:
        pasts = books.of(credit.account)
        for place, (_, check) in enumerate(self._checks):
            pasts[place] = check.credited(tick, pasts[place], credit)

    def _trusted(self, tick: int, kept: Kept, ends: Collection[int]) -> Kept:
        old = tick - kept.opened >= self._new_age
        if ends:
            places = np.array(sorted(ends), np.uint64)
            old &= ~np.isin(kept.account, places)
            old &= ~np.isin(combine(SHADOWS, kept.account), places)
        return rows(kept, old) if not old.all() else kept

    def freeze(self) -> bytes:
        """Everything remembered of accounts, a check at a time, whatever ledger it is in."""
        known, quarantined = self.ledger.everything(self._tick)
        accounts = sorted(self._whole(known).items(), key=lambda item: item[0])
        pasts = {
            name: codec.pack({account: past[place] for account, past in accounts})
            for place, (name, _) in enumerate(self._checks)
        }
        return codec.pack((pasts, dict(sorted(quarantined.items()))))

    def thaw(self, frozen: bytes, tick: int = -1) -> None:
        """Take up a frozen memory; a check that it does not know starts afresh.

        Args:
            frozen: what `freeze` gave.
            tick: the tick after which it was frozen, for a ledger that asks.
        """
        packed, quarantined = codec.unpack(tuple[dict[str, bytes], dict[int, int]], frozen)
        accounts: dict[int, Pasts] = {}
        for place, (name, check) in enumerate(self._checks):
            kind = GenericAlias(dict, (int, remembered(check)))
            known = codec.unpack(kind, packed[name]) if name in packed else {}
            for account, past in known.items():
                accounts.setdefault(account, [AFRESH] * len(self._checks))[place] = past
        held = quarantined if self._heeds else {}
        self.ledger.replace(tick, Everything(accounts, held))
        self._tick = tick


class _Books:
    """The accounts of a tick: as they were before it, and as they are by now."""

    def __init__(self, were: dict[int, Pasts], fresh: Callable[[int], Pasts]) -> None:
        """Begin with what was remembered; ``fresh`` says what is known of a new account."""
        self._were = were
        self._are: dict[int, Pasts | None] = {}
        self._fresh = fresh

    def of(self, account: int) -> Pasts:
        """What is remembered of an account, for the caller to change."""
        pasts = self._are.get(account)
        if pasts is None:
            pasts = self._begun(account)
            self._are[account] = pasts
        return pasts

    def _begun(self, account: int) -> Pasts:
        if account in self._are:
            return self._fresh(account)  # it was forgotten
        if account not in self._were:
            self._were[account] = self._fresh(account)
        return [*self._were[account]]

    def all(self) -> Iterator[tuple[int, Pasts]]:
        """Everybody, as they are by now."""
        for account, pasts in self._were.items():
            yield account, self._are.get(account) or pasts

    def forget(self, account: int) -> None:
        """Remember nothing of it."""
        self._are[account] = None

    def changed(self) -> dict[int, Pasts | None]:
        """Those of which something else is remembered now; a check changes no past in place."""
        return {
            account: pasts
            for account, pasts in self._are.items()
            if pasts is None or any(map(is_not, pasts, self._were[account]))
        }


def _place(response: Response) -> int:
    """Where a response's end is kept."""
    if response.scope == SUBNET:
        return int(combine(SUBNETS, response.source))
    if response.action == SHADOW:
        return int(combine(SHADOWS, response.source))
    return response.source


def _measures(votes: Sequence[Vote], ends: Ends) -> list[Suspicion]:
    """What is to be done about the source of each vote: it is held, shadowed, or neither."""
    if not ends:
        return [NOTHING] * len(votes)
    accounts = [vote.account for vote in votes]
    shadows = combine(SHADOWS, np.array(accounts, np.uint64)).tolist()
    subnets = combine(SUBNETS, np.array([vote.subnet for vote in votes], np.uint64)).tolist()
    found = []
    for account, shadow, subnet in zip(accounts, shadows, subnets, strict=True):
        measure = NOTHING
        if subnet in ends:
            measure = Suspicion(HOLD, f"its subnet in quarantine until {ends[subnet]} h")
        if account in ends:
            measure = Suspicion(HOLD, f"source in quarantine until {ends[account]} h")
        if shadow in ends:
            measure = Suspicion(SHADOWED, f"source shadowed until {ends[shadow]} h")
        found.append(measure)
    return found


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
