"""Real mail dealt: a corpus in the order of the seed, never of its own dates, no message twice."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filter.columns import Bits, Floats, Ids, Ints, Mails, find
from filter.features import words_of
from filter.hashing import combine, key, uniform
from filter.learner import StartSet
from filter.portable import log
from filter.ragged import Ragged
from simulator.corpus import Corpus, CorpusError, texts
from simulator.mail import LONG, Genres, Letters, Spelling, Text
from simulator.seeds import Draws

HAM, SPAM = 0, 1
ALIKE = 0.35
"""Cosine from which a mail is a near-duplicate of the campaign."""
BUCKETS = np.uint32((1 << 18) - 1)


@dataclass(frozen=True)
class CorpusSettings:
    """How a corpus is dealt.

    Args:
        path: JSON Lines, plain or gzip; empty for synthetic mail.
        mails_per_hour: mails an hour.
        start_mails: labelled mails that the filter starts from.
        start_ham: further ham that the folder limits start from.
        reuse: begin again when every message has been dealt; otherwise the run ends before.
    """

    path: str = ""
    mails_per_hour: int = 75
    start_mails: int = 2000
    start_ham: int = 2000
    reuse: bool = False


class CorpusCampaign(NamedTuple):
    """A spam mail of the corpus; its varied words come from other spam, ham's words from ham."""

    row: int
    genre: int
    story: int
    words: NDArray[np.uint32]
    others: NDArray[np.uint32]
    ham: NDArray[np.uint32]

    def mails(self, ids: Ids, varies: Floats, ham: Floats) -> Ragged:
        """The tokens of n mails."""
        count, length = len(ids), len(self.words)
        place = np.arange(length, dtype=np.uint64)
        slot = uniform(combine(key("slot", self.story), place))
        varied = slot[None, :] < varies[:, None]
        pick = combine(key("word", self.story), ids[:, None], place[None, :])
        other = self.others[(pick % np.uint64(len(self.others))).astype(np.int64)]
        tokens = np.where(varied, other, self.words[None, :])
        if ham.any():
            friendly = self.ham[(pick % np.uint64(len(self.ham))).astype(np.int64)]
            stuffed = uniform(combine(key("ham", self.story), ids[:, None], place[None, :]))
            tokens = np.where(stuffed < ham[:, None], friendly, tokens)
        return Ragged(tokens.ravel(), np.arange(count + 1, dtype=np.int64) * length)


class Said(NamedTuple):
    """What is dealt as text, and the words of the campaign and of the spam it borrows from."""

    texts: dict[int, Text]
    """By row."""
    spelling: Spelling


@dataclass
class Dealt:
    """A source that deals a corpus.

    Args:
        settings: how.
        corpus: the mails.
        seed: of the run: another seed deals in another order.
    """

    settings: CorpusSettings
    corpus: Corpus
    seed: int
    genres: Genres = field(init=False)

    def __post_init__(self) -> None:
        """Shuffle."""
        self._draws = Draws(self.seed)
        spam = float(self.corpus.is_spam.mean())
        self.genres = Genres(("ham", "spam"), np.array([False, True]), np.array([1 - spam, spam]))
        self._ids = np.arange(len(self.corpus.ids), dtype=np.uint64)
        self._order = np.argsort(self._draws.bits("deal", self._ids), kind="stable")
        self._campaign: int | None = None
        self._deal(np.zeros(len(self._ids), np.bool_))

    def _deal(self, withheld: Bits) -> None:
        """Lay the start set, the limits' ham and the deal out, one after the other."""
        self.withheld = withheld
        self._said: Said | None = None
        settings, spam = self.settings, self.corpus.is_spam
        order = self._order[~withheld[self._order]]
        self._start, rest = np.split(order, [settings.start_mails])
        ham = rest[~spam[rest]]
        chosen = np.argsort(self._draws.bits("limits", self._ids[ham]), kind="stable")
        self._ham = ham = ham[chosen[: settings.start_ham]]
        self._rest = rest[~np.isin(rest, ham)]
        enough = len(self._start) == settings.start_mails and len(ham) == settings.start_ham
        if not enough or (settings.reuse and len(self._rest) < settings.mails_per_hour):
            raise CorpusError(
                f"{self.corpus.name}: {len(order)} mails are too few: the filter starts from"
                f" {settings.start_mails} mails and {settings.start_ham} further ham, and an hour"
                f" brings {settings.mails_per_hour}; set corpus.mails_per_hour,"
                " corpus.start_mails or corpus.start_ham lower"
            )

    def notes(self) -> tuple[str, ...]:
        """What is dealt and what was left out, for people."""
        corpus, size = self.corpus, self.settings.mails_per_hour
        said = [
            f"corpus {corpus.name}: {len(corpus.ids):,} mails, dealt by the seed at {size} an hour;"
            f" left out: {corpus.duplicates:,} duplicates, {corpus.empty:,} without text,"
            f" {int(self.withheld.sum()):,} near-duplicates of the campaign"
        ]
        if corpus.broken:
            line, reason = corpus.broken[0]
            count = len(corpus.broken)
            said.append(f"{count:,} broken records, the first in line {line}: {reason}")
        return tuple(said)

    def ticks(self) -> int:
        """How many ticks the corpus lasts."""
        return len(self._rest) // self.settings.mails_per_hour

    def letters(self, tick: int) -> Letters:
        """The mail of a tick."""
        ids, row = self._drawn(tick)
        sender = self._draws.bits("sender", self._ids[row])
        genre = self.corpus.is_spam[row].astype(np.int8)
        domain = sender % np.uint64(4000)
        return Letters(ids, sender, domain, genre, ids, self.corpus.tokens.take(row))

    def _drawn(self, tick: int) -> tuple[Ids, Ints]:
        """The ids of a tick's mails, in their order, and the rows they are."""
        size = self.settings.mails_per_hour
        number = np.arange(tick * size, (tick + 1) * size)
        if self.settings.reuse:
            number %= len(self._rest)
        row = self._rest[number]
        ids = self._draws.bits("mail", self._ids[row], tick) >> np.uint64(1)
        order = np.argsort(ids)
        return ids[order], row[order]

    def start(self) -> StartSet:
        """Mails that are not dealt later."""
        tokens = self.corpus.tokens
        spam = self.corpus.is_spam[self._start]
        return StartSet(tokens.take(self._start), spam, tokens.take(self._ham))

    def campaigns(self) -> Iterator[CorpusCampaign]:
        """Long spam mails in the order of the deal."""
        corpus = self.corpus
        long = corpus.is_spam & (corpus.tokens.lengths >= LONG)
        for row in self._order[long[self._order]].tolist():
            story = int(self._draws.bits("attack", self._ids[row : row + 1])[0])
            others = corpus.tokens.take(self._unlike(row)).values
            ham = corpus.tokens.take(self._friendly()).values
            yield CorpusCampaign(row, SPAM, story, corpus.tokens.row(row), others, ham)

    def _unlike(self, row: int) -> Ints:
        """The rows of the spam from which a campaign takes its varied words."""
        unlike = np.flatnonzero(self.corpus.is_spam & (self._cosine(row) <= ALIKE))
        return unlike[:2000]

    def _friendly(self) -> Ints:
        """The rows of the ham whose words an attacker knows."""
        return np.flatnonzero(~self.corpus.is_spam)[:1000]

    def withhold(self, campaign: Any) -> None:
        """Deal without the near-duplicates of a campaign, itself among them."""
        if isinstance(campaign, CorpusCampaign):
            self._campaign = campaign.row
            self._deal(self._cosine(campaign.row) > ALIKE)

    def texts(self, tick: int, mails: Mails) -> list[Text]:
        """What a tick's mails say: ordinary mail as the corpus has it, the rest word by word.

        The corpus is read again at the first call, and kept as text from then on. A campaign whose
        text is about as long as `filter.features.MAX_BYTES` may lose its last words.

        Raises:
            CorpusError: if the corpus cannot be read again.
        """
        if not len(mails.mail):
            return []
        ids, row = self._drawn(tick)
        place = find(ids, mails.mail)
        said = self._said = self._said or self._read()
        drafted = iter(said.spelling.texts(mails.tokens.take(np.flatnonzero(place < 0))))
        return [
            next(drafted) if number < 0 else said.texts[number]
            for number in np.where(place < 0, -1, row[place]).tolist()
        ]

    def _read(self) -> Said:
        """Read what can be dealt, and what the campaign's words stand in."""
        none = np.empty(0, np.int64)
        row = self._campaign
        spelt = (
            none if row is None else np.concatenate(([row], self._unlike(row), self._friendly()))
        )
        rows = np.union1d(self._rest, spelt).tolist()
        found = dict(zip(rows, texts(self.settings.path, rows, self.corpus.digest), strict=True))
        whole = [f"{found[row].subject}\n{found[row].text}" for row in spelt.tolist()]
        words = list(chain.from_iterable(words_of(whole)))
        spelling = Spelling(words, self.corpus.tokens.take(spelt).values)
        return Said({row: found[row] for row in self._rest.tolist()}, spelling)

    def _cosine(self, row: int) -> Floats:
        """The cosine of every mail with one, over the words they hold, the rare ones heavier."""
        words, weight, norm = self._weights
        has = np.zeros(int(BUCKETS) + 1, np.bool_)
        has[words.row(row)] = True
        shared = np.where(has[words.values], weight[words.values] ** 2, 0.0)
        dots = np.add.reduceat(np.append(shared, 0.0), words.starts[:-1])
        cosine: Floats = dots / np.maximum(norm * norm[row], 1e-12)
        return cosine

    @cached_property
    def _weights(self) -> tuple[Ragged, Floats, Floats]:
        """Each mail's different words, a weight for each word, and each mail's norm."""
        return _weigh(self.corpus.tokens)


def _weigh(tokens: Ragged) -> tuple[Ragged, Floats, Floats]:
    size = int(BUCKETS) + 1
    row = np.repeat(np.arange(tokens.rows, dtype=np.int64), tokens.lengths)
    pairs = np.unique(row * size + (tokens.values & BUCKETS))
    lengths = np.bincount(pairs // size, minlength=tokens.rows)
    starts: Ints = np.concatenate(([0], np.cumsum(lengths)))
    words = Ragged((pairs % size).astype(np.uint32), starts)
    mails = np.bincount(words.values, minlength=size)
    weight = log(tokens.rows / np.maximum(mails, 1.0))
    squares = np.append(weight[words.values] ** 2, 0.0)
    return words, weight, np.sqrt(np.add.reduceat(squares, starts[:-1]))
