"""Synthetic mail: genres, campaigns and newsletters as templates with varied slots."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.vocabulary import GENRES, LANGUAGES, TABLE, Words, vocabulary
from filter.columns import Floats, Ids, Ints, Mails
from filter.hashing import combine, key
from filter.learner import StartSet
from filter.ragged import Ragged
from simulator.mail import LONG, Genres, Letters, Spelling, Text
from simulator.seeds import Draws


@dataclass(frozen=True)
class SyntheticSettings:
    """How much mail there is, and how it changes.

    Args:
        mails_per_hour: ordinary mails an hour.
        start_mails: labelled mails that the filter starts from.
        start_ham: further ham that the folder limits start from.
        campaigns: spam campaigns, and newsletters, that run side by side in a genre.
        life: ticks from the first mail of such a template to the last one's; see `Genre.lasts`.
        varies: share of a template's words that differ from mail to mail.
        novel: share of a template's words that are drawn from the rare ones, new to a filter.
        cover: share of a mail's words, at most, that come from a genre of the other class: spam
            that starts in the inbox until somebody reports it, newsletters that start in spam until
            somebody rescues them.
        topics: what everybody speaks of at a time; each has words of its own, new to a filter.
        topic_life: ticks that such a topic lasts.
        foreign: share of all mail that is in another language than the first.
        attack_novel: as `novel`, of the attacker's campaign, which is to be one that is caught.
    """

    mails_per_hour: int = 2000
    start_mails: int = 2000
    start_ham: int = 2000
    campaigns: int = 18
    life: int = 72
    varies: float = 0.4
    novel: float = 0.3
    cover: float = 0.6
    topics: int = 8
    topic_life: int = 120
    foreign: float = 0.2
    attack_novel: float = 0.02


class Plan(NamedTuple):
    """What n mails are to be made of."""

    genre: NDArray[np.int8]
    template: Ids
    varies: Floats
    novel: Floats
    cover: Floats
    """Share of the words that are drawn from another genre, as a disguise or by chance."""
    cover_genre: NDArray[np.int8]
    language: NDArray[np.int8]
    news: Floats
    """Share of the words that are of what everybody speaks of."""
    topic: Ints
    """Where the words of that begin, among the rare ones."""


class SyntheticCampaign(NamedTuple):
    """A template of the attacker's."""

    genre: int
    story: int
    novel: float
    ham: int

    def mails(self, ids: Ids, varies: Floats, ham: Floats) -> Ragged:
        """The tokens of n mails."""
        count = len(ids)
        plan = Plan(
            np.full(count, self.genre, np.int8),
            np.full(count, self.story, np.uint64),
            varies,
            np.full(count, self.novel),
            ham,
            np.full(count, self.ham, np.int8),
            np.zeros(count, np.int8),
            np.zeros(count),
            np.zeros(count, np.int64),
        )
        return Ragged(*_hashed(words(ids, plan)))


@dataclass
class Synthetic:
    """A source of synthetic mail.

    Args:
        settings: its numbers.
        seed: of the run.
    """

    settings: SyntheticSettings
    seed: int
    genres: Genres = field(init=False)

    def __post_init__(self) -> None:
        """Tabulate the genres."""
        self._draws = Draws(self.seed)
        self.genres = Genres(
            tuple(genre.name for genre in GENRES),
            np.array([genre.spam for genre in GENRES]),
            np.array([genre.share for genre in GENRES]),
        )
        self._shares = np.cumsum([genre.share for genre in GENRES])
        self._bulk = np.array([genre.bulk for genre in GENRES])
        self._cover = np.array([genre.cover for genre in GENRES])
        self._lasts = np.array([genre.lasts for genre in GENRES])
        self._news = np.array([genre.news for genre in GENRES])

    def letters(self, tick: int) -> Letters:
        """The ordinary mail of a tick."""
        number = np.arange(self.settings.mails_per_hour, dtype=np.uint64)
        ids = self._draws.bits("mail", number, tick) >> np.uint64(1)
        ids.sort()
        return self._made(ids, tick, self._genre(ids))

    def _genre(self, ids: Ids) -> NDArray[np.int8]:
        drawn = self._draws.uniform("genre", ids) * self._shares[-1]
        genre: NDArray[np.int8] = np.searchsorted(self._shares, drawn, "right").astype(np.int8)
        return genre

    def _made(self, ids: Ids, tick: int | Ints, genre: NDArray[np.int8]) -> Letters:
        bulk = self._bulk[genre]
        slot = np.floor(self._draws.uniform("slot", ids) ** 2 * self.settings.campaigns)
        lane = (genre.astype(np.int64) * self.settings.campaigns + slot.astype(np.int64)).astype(
            np.uint64
        )
        life = self.settings.life * self._lasts[genre]
        phase = np.floor(self._draws.uniform("phase", lane) * life).astype(np.int64)
        issue = (tick + phase) // life
        template = self._draws.bits("template", lane, issue.astype(np.uint64))
        story = np.where(bulk, template, ids)
        settings = self.settings
        cover = settings.cover * self._cover[genre] * self._draws.uniform("cover", story) ** 2
        plan = Plan(
            genre,
            story,
            np.where(bulk, settings.varies, 0.0),
            np.where(bulk, settings.novel, 0.02),
            cover,
            self._cover_genre(genre, story),
            self._language(story),
            self._news[genre],
            self._topic(tick, story),
        )
        sender = np.where(bulk, self._draws.bits("sender", template), self._friend(ids))
        domain = np.where(bulk, sender, sender % np.uint64(4000))
        return Letters(ids, sender, domain, genre, story, Ragged(*_hashed(words(ids, plan))))

    def _cover_genre(self, genre: NDArray[np.int8], story: Ids) -> NDArray[np.int8]:
        """A genre of the other class for each story."""
        drawn = self._draws.uniform("cover genre", story)
        ham, spam = (np.flatnonzero(self.genres.spam == label) for label in (False, True))
        other = np.where(
            self.genres.spam[genre],
            ham[(drawn * len(ham)).astype(np.int64)],
            spam[(drawn * len(spam)).astype(np.int64)],
        )
        return other.astype(np.int8)

    def _language(self, story: Ids) -> NDArray[np.int8]:
        """The first language, or one of the others."""
        others = len(LANGUAGES) - 1
        drawn = self._draws.uniform("language", story) / max(self.settings.foreign, 1e-9)
        language: NDArray[np.int8] = (1 + np.floor(drawn * others)).astype(np.int8)
        language[drawn >= 1] = 0
        return language

    def _topic(self, tick: int | Ints, story: Ids) -> Ints:
        """What each story speaks of now: of several topics, each of which is followed by others."""
        settings = self.settings
        slot = np.floor(self._draws.uniform("topic", story) * settings.topics).astype(np.uint64)
        phase = np.floor(self._draws.uniform("topic phase", slot) * settings.topic_life)
        turn = (tick + phase.astype(np.int64)) // settings.topic_life
        drawn = self._draws.bits("topic words", slot, turn.astype(np.uint64))
        return (drawn >> np.uint64(2)).astype(np.int64)

    def _friend(self, ids: Ids) -> Ids:
        return self._draws.bits("friend", ids) % np.uint64(50_000)

    def start(self) -> StartSet:
        """Mail of the ten days before the run, labelled."""
        settings = self.settings
        some = self._before("start", settings.start_mails)
        ham = self._before("ham", settings.start_ham, only_ham=True)
        return StartSet(some.tokens, self.genres.spam[some.genre], ham.tokens)

    def _before(self, purpose: str, count: int, only_ham: bool = False) -> Letters:
        ids = self._draws.bits(purpose, np.arange(count, dtype=np.uint64)) >> np.uint64(1)
        genre = self._genre(ids)
        if only_ham:
            shares = np.cumsum([0.0 if genre.spam else genre.share for genre in GENRES])
            drawn = self._draws.uniform("genre", ids) * shares[-1]
            genre = np.searchsorted(shares, drawn, side="right").astype(np.int8)
        ticks = -1 - (self._draws.uniform("when", ids) * 240).astype(np.int64)
        return self._made(ids, ticks, genre)

    def campaigns(self) -> Iterator[SyntheticCampaign]:
        """Long templates of the pharmacy genre."""
        pharmacy, work = (self.genres.names.index(name) for name in ("pharmacy", "work"))
        for number in range(1000):
            story = int(self._draws.bits("attack", number))
            campaign = SyntheticCampaign(pharmacy, story, self.settings.attack_novel, work)
            none = np.zeros(1)
            if campaign.mails(np.zeros(1, np.uint64), none, none).lengths[0] >= LONG:
                yield campaign

    def withhold(self, campaign: object) -> None:
        """Nothing else is made from that template."""

    def texts(self, tick: int, mails: Mails) -> list[Text]:
        """What mails say: each token is a word's hash, and no two words have the same."""
        return self._spelling.texts(mails.tokens)

    @cached_property
    def _spelling(self) -> Spelling:
        return Spelling(vocabulary().words, vocabulary().hashes)


def words(ids: Ids, plan: Plan) -> tuple[Words, Ints]:
    """The words of n mails: numbers of words, and n + 1 offsets.

    A word at a place of a template is the template's, unless that place is varied: then it is the
    mail's own. Either way a hash decides: 16 bits look the word up in a genre's table, 16 say
    whether it is new, of the news or a cover, 16 which word it is then, and 16 whether the place is
    varied.
    """
    said = vocabulary()
    pick = combine(key("length"), plan.template) >> np.uint64(56)
    lengths = said.lengths[plan.genre, pick.astype(np.int64)].astype(np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    row = np.repeat(np.arange(len(ids)), lengths)
    place = np.arange(starts[-1]) - starts[row]
    bits = combine(key("slot"), plan.template[row], place)
    varied = np.flatnonzero(_lanes(bits)[:, 3] < _marks(plan.varies)[row])
    bits[varied] = combine(key("word"), ids[row[varied]], place[varied])
    lanes = _lanes(bits)
    novel = _marks(plan.novel)
    new = lanes[:, 1] < novel[row]
    new[varied] = False
    covered = lanes[:, 1] >= np.uint32(TABLE) - _marks(plan.cover)[row]
    first = plan.language.astype(np.int64) * len(GENRES)
    table = np.where(covered, (first + plan.cover_genre)[row], (first + plan.genre)[row])
    picked = said.tables.ravel()[table * TABLE + lanes[:, 0]]
    many = len(said.words) - said.tail
    picked[new] = said.tail + (lanes[new, 2].astype(np.int64) * many >> 16)
    of_news = np.flatnonzero((lanes[:, 1] - novel[row]) < _marks(plan.news)[row])
    spoken = plan.topic[row[of_news]] + said.news[lanes[of_news, 2]]
    picked[of_news] = said.tail + spoken % many
    return picked, starts


def _lanes(bits: Ids) -> NDArray[np.uint16]:
    """The four 16-bit parts of each number, the lowest first."""
    return bits.astype("<u8", copy=False).view("<u2").reshape(-1, 4)


def _marks(share: Floats) -> NDArray[np.uint32]:
    """The 16-bit numbers below which a share of all lies."""
    return np.rint(share * TABLE).astype(np.uint32)


def _hashed(made: tuple[Words, Ints]) -> tuple[NDArray[np.uint32], Ints]:
    numbers, starts = made
    return vocabulary().hashes[numbers], starts
