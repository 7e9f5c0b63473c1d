"""Second opinion: a model that only judges have taught finds the claim hard to believe."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter.checks import NOTHING, Case, Heard, Suspicion
from filter.columns import Bits, Floats
from filter.decay import halving
from filter.events import QUARANTINED
from filter.portable import log
from filter.ragged import Ragged, ragged, sums

DAY = 24
NONE = np.empty(0)
SMOOTH = 0.5
"""What every bucket is counted more often than it was seen."""


class Opinion(msgspec.Struct, forbid_unknown_fields=True):
    """How often each bucket of the token hash stood in judged ham, and in judged spam.

    ``of_ham`` and ``of_spam`` are the scores of judged mails before they were learned, newest last;
    ``contrary`` how many claims of the last ticks were hard to believe, newest last, ``mails`` how
    many there were of these, in thousands, ``usual`` how many such claims there are in a thousand
    mails, and ``cap`` what that may be at most.
    """

    ham: Floats = NONE
    spam: Floats = NONE
    of_ham: Floats = NONE
    of_spam: Floats = NONE
    contrary: list[int] = []
    mails: list[float] = []
    usual: float = 0.0
    cap: float = 0.0
    flood: float = 0.0
    """Claims of the last hours, hard to believe, from which there is a flood of them."""


@dataclass(frozen=True)
class SecondOpinion:
    """Hold claims that a model of judged mail contradicts: label sanitisation (D15) by golden mail.

    The filter learns from votes, so what it thinks of a mail is what it was told before. A second
    naive Bayes learns from the start set and from judgements alone (D11), which nobody can poison.
    It sees far less mail, and files worse; but a "not spam" claim on a mail that it finds more like
    spam than half of all spam is hardly ever right. Words that vary do not help an attacker here:
    each judged copy teaches those that do not. While there are many times as many such claims as
    usual, what is more like spam than a fifth of it is held too: honest people wait with the bots,
    as long as the flood lasts.

    Args:
        share: of the judged spam (ham) that a mail is more like spam (ham) than, for a claim of the
            other label to be held.
        strict: the same while there is a flood; and always for what readers keep, of which nothing
            is lost but a tenth of a vote.
        start: claims in a thousand mails that are usually held by the strict share, at the
            beginning; in peace, synthetic mail and Enron have 0.4 to 0.8.
        room: how far above the usual a flood begins, beyond four claims.
        hours: ticks over which these are counted.
        growth_per_day: how much the usual may grow in a day, as a share of it.
        memory: thousands of mails over which it is averaged.
        enough: judged mails of a label without which it says nothing.
        newest: judged mails of a label that tell what is usual.
        half_life: ticks after which a judged mail counts half.
        bits: of the token hash that it tells apart.
    """

    share: float = 0.5
    strict: float = 0.2
    start: float = 0.6
    room: float = 3.0
    hours: int = 6
    growth_per_day: float = 0.1
    memory: float = 168.0
    enough: int = 100
    newest: int = 1000
    half_life: float = 1440.0
    bits: int = 16

    def fresh(self) -> Opinion:
        """No opinion."""
        return Opinion(usual=self.start, cap=self.start * (1 + self.growth_per_day))

    def examine(self, tick: int, past: Opinion, cases: Sequence[Case]) -> list[Suspicion]:
        """Hold what is contradicted, unless judges have looked at its story."""
        scores = self._of(past, cases)
        if not len(scores):
            return [NOTHING] * len(cases)
        bars = self._bars(past, self.strict)
        new = [
            self._doubts(bars, c, s)
            for c, s in zip(cases, scores, strict=True)
            if c.arrived == tick
        ]
        flood = sum(past.contrary) + sum(new) > past.flood > 0
        share = self.strict if flood else self.share
        bars = self._bars(past, share)
        found = []
        for case, score in zip(cases, scores, strict=True):
            if self._doubts(bars, case, score) and case.judged != case.claim.spam:
                way, other = ("below", "ham") if case.claim.spam else ("above", "spam")
                said = f"{score:.2f} {way} {bars[not case.claim.spam]:.2f}"
                said += f": more like {other} than {share:.0%} of judged {other}"
                found.append(Suspicion(QUARANTINED, said))
            else:
                found.append(NOTHING)
        return found

    def doubted(self, tick: int, past: Opinion, tokens: Ragged, spam: Bits) -> Bits:
        """Looks at mail in a folder that judged mail finds wrong; there, nobody has to wait."""
        if not self._speaks(past):
            return np.zeros(len(spam), np.bool_)
        scores = self._scores(past, tokens)
        low, high = self._bars(past, self.strict)
        return np.where(spam, scores < low, scores > high)

    def _of(self, past: Opinion, cases: Sequence[Case]) -> list[float]:
        """The score of each case's mail; nothing if too little has been judged to tell."""
        if not cases or not self._speaks(past):
            return []
        scores: list[float] = self._scores(past, ragged([c.tokens for c in cases])).tolist()
        return scores

    def _speaks(self, past: Opinion) -> bool:
        """Whether enough has been judged to tell."""
        return min(len(past.of_ham), len(past.of_spam)) >= self.enough

    def _bars(self, past: Opinion, share: float) -> tuple[float, float]:
        """Below which score a mail is too much like ham, and above which too much like spam."""
        like_ham = np.quantile(past.of_ham, 1 - share)
        return float(like_ham), float(np.quantile(past.of_spam, share))

    def _doubts(self, bars: tuple[float, float], case: Case, score: float) -> bool:
        return score < bars[0] if case.claim.spam else score > bars[1]

    def learn(self, tick: int, past: Opinion, heard: Heard) -> Opinion:
        """Score what was judged, then learn it; count what was hard to believe."""
        return self._counted(tick, self._learned(tick, past, heard), past, heard)

    def _learned(self, tick: int, past: Opinion, heard: Heard) -> Opinion:
        faded = halving(DAY, self.half_life) if tick % DAY == 0 and self.half_life else 1.0
        if not heard.judged.rows and (faded == 1.0 or not len(past.ham)):
            return past
        counts = [self._counts(one) * faded for one in (past.ham, past.spam)]
        of = [past.of_ham, past.of_spam]
        scores = self._scores(past, heard.judged)
        for label in (False, True):
            rows = heard.judgements.spam == label
            tokens = heard.judged.take(np.flatnonzero(rows))
            counts[label] += np.bincount(self._buckets(tokens), minlength=1 << self.bits)
            if len(past.ham):
                of[label] = np.concatenate((of[label], scores[rows]))[-self.newest :]
        return msgspec.structs.replace(
            past, ham=counts[0], spam=counts[1], of_ham=of[0], of_spam=of[1]
        )

    def _counted(self, tick: int, now: Opinion, past: Opinion, heard: Heard) -> Opinion:
        """What is usual follows what there is, as fast as it may."""
        scores = self._of(past, heard.claims)
        bars = self._bars(past, self.strict) if scores else (0.0, 0.0)
        many = sum(self._doubts(bars, c, s) for c, s in zip(heard.claims, scores, strict=False))
        thousands = heard.mails / 1000
        usual, cap = past.usual, past.cap
        if thousands and self._speaks(past):
            usual += (many / thousands - usual) * min(1.0, thousands / self.memory)
        if tick % DAY == 0:
            cap = max(past.usual, self.start / 10) * (1 + self.growth_per_day)
        usual = min(usual, cap)
        mails = [*past.mails, thousands][-self.hours :]
        contrary = [*past.contrary, many][1 - self.hours :] if self.hours > 1 else []
        flood = 4 + self.room * usual * sum(mails) * self.hours / len(mails)
        return msgspec.structs.replace(
            now, contrary=contrary, mails=mails, usual=usual, cap=cap, flood=flood
        )

    def _counts(self, known: Floats) -> Floats:
        return known if len(known) else np.zeros(1 << self.bits)

    def _buckets(self, tokens: Ragged) -> NDArray[np.uint32]:
        return tokens.values & np.uint32((1 << self.bits) - 1)

    def _scores(self, past: Opinion, tokens: Ragged) -> Floats:
        """How much more like judged spam than judged ham each mail is, for its length."""
        buckets = self._buckets(tokens)
        ham, spam = (self._counts(one) + SMOOTH for one in (past.ham, past.spam))
        whole = len(buckets) > len(ham)  # of a full tick's looks; one by one, few words are quicker
        odds = log(spam / ham)[buckets] if whole else log(spam[buckets] / ham[buckets])
        odds += log(np.array([ham.sum() / spam.sum()]))
        scores: Floats = sums(tokens, odds) / np.sqrt(np.maximum(tokens.lengths, 1))
        return scores
