"""The judges: the provider's staff, who look at some mails and seldom err."""

from dataclasses import dataclass

import numpy as np

from filter.columns import Bits, Floats, Ids, Judgements, Ticks, no_judgements, rows
from filter.events import INBOX, JUNK, JudgeRequest
from filter.hashing import combine, key, uniform
from simulator.seeds import Draws
from simulator.truth import Known, Truth


@dataclass(frozen=True)
class JudgeSettings:
    """What the judges do.

    Args:
        golden: share of all mail that is judged at random: the golden sample.
        errors: share of judgements that are wrong.
        per_recipient: golden mails of one recipient in a tick, at most.
        per_domain: golden mails of one sender's domain in a tick, at most.
        on: whether they judge at all.
        labelled: of what is to be labelled with ``learns_from = "all"``, the share of recipients.
        labelled_until: tick from which nothing is labelled any more; 0 never stops.
    """

    golden: float = 0.01
    errors: float = 0.005
    per_recipient: int = 1
    per_domain: int = 3
    on: bool = True
    labelled: float = 1.0
    labelled_until: int = 0


class Judges:
    """Draw the golden sample with the provider's secret, and answer the gate's requests.

    Args:
        settings: their numbers.
        draws: the run's draws, for their errors.
        secret: the provider's: a bare hash of the id could be dodged.
        everything: judge every mail without error (``learns_from = "all"``).
    """

    def __init__(
        self, settings: JudgeSettings, draws: Draws, secret: bytes, everything: bool
    ) -> None:
        """Take up work."""
        self._settings = settings
        self._draws = draws
        self._golden = key("golden", secret.hex())
        self._everything = everything

    def judge(
        self, tick: int, known: Known, requests: tuple[JudgeRequest, ...], truth: Truth
    ) -> Judgements:
        """Judge a tick's golden mails once their verdicts are back, and what was asked for."""
        if self._everything:
            return self._without_error(tick, known)
        if not self._settings.on:
            requests = ()
        golden = self._sample(known)
        asked = np.array([one.mail for one in requests], np.uint64)
        when = np.array([one.sent for one in requests], np.int64)
        fresh = ~np.isin(asked, golden)
        mails = np.concatenate((golden, asked[fresh]))
        sent = np.concatenate((np.full(len(golden), tick), when[fresh]))
        is_asked = np.arange(len(mails)) >= len(golden)
        order = np.argsort(mails, kind="stable")
        mails, sent = mails[order], sent[order]
        return self._judged(mails, sent, truth.look(mails, sent), is_asked[order])

    def _sample(self, known: Known) -> Ids:
        if not self._settings.on:
            return known.mail[:0]
        drawn = uniform(combine(self._golden, known.mail))
        chosen = np.flatnonzero(drawn < self._settings.golden)
        chosen = chosen[_at_most(known.recipient[chosen], self._settings.per_recipient)]
        chosen = chosen[_at_most(known.domain[chosen], self._settings.per_domain)]
        return known.mail[chosen]

    def _judged(self, mails: Ids, sent: Ticks, known: Known, asked: Bits) -> Judgements:
        """Judge once; what contradicts the folder twice more, and the majority counts."""
        first = known.spam ^ self._errs(mails, 0)
        contrary = np.where(first, known.folder == INBOX, known.folder == JUNK)
        again = (known.spam ^ self._errs(mails, 1)).astype(np.int8)
        votes = first.astype(np.int8) + again + (known.spam ^ self._errs(mails, 2))
        spam = np.where(contrary, votes >= 2, first)
        times = np.where(contrary, 3, 1).astype(np.int64)
        return Judgements(mails, sent, spam, known.folder, known.domain, asked, times)

    def _errs(self, mails: Ids, time: int) -> Bits:
        drawn: Floats = self._draws.uniform("judge", mails, time)
        return drawn < self._settings.errors

    def _without_error(self, tick: int, known: Known) -> Judgements:
        settings = self._settings
        if settings.labelled_until and tick >= settings.labelled_until:
            return no_judgements()
        if settings.labelled < 1:
            drawn: Floats = self._draws.uniform("labelled", known.recipient)
            known = rows(known, drawn < settings.labelled)
        count = len(known.mail)
        return Judgements(
            known.mail,
            np.full(count, tick),
            known.spam,
            known.folder,
            known.domain,
            np.zeros(count, np.bool_),
            np.ones(count, np.int64),
        )


def _at_most(keys: Ids, most: int) -> Bits:
    """The first ``most`` rows of each key."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.searchsorted(ordered, ordered, side="left")
    keep = np.empty(len(keys), np.bool_)
    keep[order] = np.arange(len(keys)) - first < most
    return keep
