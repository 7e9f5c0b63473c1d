from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from agents.vocabulary import GENRES, LANGUAGES, TABLE, TOPIC, TOPICS, WORDS, Words, vocabulary
from filter import codec
from filter.columns import Ids, Ints
from filter.features import hash_texts
from filter.ragged import Ragged
from simulator import synthetic
from simulator.mail import Letters
from simulator.scenario import Scenario
from simulator.seeds import Draws
from simulator.synthetic import Plan, Synthetic, SyntheticSettings, words

SETTINGS = SyntheticSettings(mails_per_hour=500, start_mails=300, start_ham=200)


WRITTEN = {word for of in TOPICS.values() for words in of.values() for word in words.split()}


def letters(tick: int = 5, seed: int = 1) -> Letters:
    return Synthetic(SETTINGS, seed).letters(tick)


def test_words_are_all_different_and_so_are_their_hashes() -> None:
    said = vocabulary()
    assert len(set(said.words)) == len(said.words) == WORDS
    assert all(word.isalpha() and word.islower() for word in said.words)
    assert len(np.unique(said.hashes)) == WORDS


def test_the_words_written_out_are_among_them() -> None:
    known = set(vocabulary().words)
    assert known >= WRITTEN


def plan(count: int) -> tuple[np.typing.NDArray[np.uint64], Plan]:
    """Mails of every genre, from plain to as varied, new and disguised as can be."""
    ids = Draws(3).bits("mails", np.arange(count, dtype=np.uint64)) >> np.uint64(1)
    genre = (np.arange(count) % len(GENRES)).astype(np.int8)
    share = np.linspace(0, 1, count)
    language = (np.arange(count) % len(LANGUAGES)).astype(np.int8)
    topic = np.arange(count, dtype=np.int64) * 1_000_003
    made = Plan(
        genre,
        ids,
        share,
        share[::-1] / 2,
        share / 2,
        genre[::-1].copy(),
        language,
        share / 4,
        topic,
    )
    return ids, made


def test_features_of_synthetic_mail_are_the_hashes_of_its_text_bit_for_bit() -> None:
    said = vocabulary()
    numbers, starts = words(*plan(200))
    texts = [said.text(numbers[a:b]) for a, b in pairwise(starts)]
    hashed = hash_texts(texts)
    assert said.hashes[numbers].tolist() == hashed.values.tolist()
    assert starts.tolist() == hashed.starts.tolist()
    assert len({len(text) for text in texts}) > 20


def test_a_tick_s_mail_and_the_campaign_s_carry_the_features_of_their_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts: list[str] = []

    def noted(ids: Ids, made: Plan) -> tuple[Words, Ints]:
        numbers, starts = words(ids, made)
        texts[:] = [vocabulary().text(numbers[a:b]) for a, b in pairwise(starts)]
        return numbers, starts

    monkeypatch.setattr(synthetic, "words", noted)
    tokens = letters().tokens
    assert len(texts) == tokens.rows == 500
    assert codec.pack(hash_texts(texts)) == codec.pack(tokens)
    campaign = next(iter(Synthetic(SETTINGS, 1).campaigns()))
    tokens = campaign.mails(np.arange(9, dtype=np.uint64), np.full(9, 0.3), np.full(9, 0.2))
    assert codec.pack(hash_texts(texts)) == codec.pack(tokens)


def test_a_text_has_a_subject_of_six_words_and_a_body() -> None:
    subject, body = vocabulary().text(np.arange(40, dtype=np.int32)).split("\n")
    assert len(subject.split()) == 6
    assert len(body.split()) == 34


def test_genres_have_the_shares_that_are_stated() -> None:
    assert sum(genre.share for genre in GENRES) == pytest.approx(1.0)
    counts = np.zeros(len(GENRES))
    for tick in range(40):
        counts += np.bincount(letters(tick).genre, minlength=len(GENRES))
    shares = counts / counts.sum()
    for genre, share in zip(GENRES, shares.tolist(), strict=True):
        deviation = (genre.share * (1 - genre.share) / counts.sum()) ** 0.5
        assert abs(share - genre.share) < 4 * deviation, genre.name


def test_half_of_the_mail_is_spam_and_the_start_set_s_further_ham_is_ham() -> None:
    source = Synthetic(SETTINGS, 1)
    start = source.start()
    assert start.spam.mean() == pytest.approx(0.5, abs=0.1)
    assert start.ham.rows == 200
    assert not source.genres.spam[source._before("ham", 200, only_ham=True).genre].any()


def topical_words(language: int, topics: Iterable[str]) -> list[int]:
    """The numbers of all words of some topics, in a language."""
    number = {word: place for place, word in enumerate(vocabulary().words)}
    found: list[int] = []
    for name in topics:
        of = TOPICS[LANGUAGES[language]]
        written = [number[word] for word in of[name].split()]
        first = 1_000 + TOPIC * (len(LANGUAGES) * list(of).index(name) + language)
        found += [*written, *range(first, first + TOPIC - len(written))]
    return found


@pytest.mark.parametrize("genre", GENRES, ids=lambda genre: genre.name)
def test_a_genre_draws_its_topics_words_as_often_as_stated(genre: object) -> None:
    place = next(n for n, one in enumerate(GENRES) if one is genre)
    said = vocabulary()
    stated = sum(GENRES[place].topics.values())
    for language in range(len(LANGUAGES)):
        table = said.tables[language * len(GENRES) + place]
        assert table.shape == (TABLE,)
        topical = np.isin(table, topical_words(language, GENRES[place].topics)).mean()
        assert stated <= topical < stated + 0.2
    lengths = said.lengths[place]
    assert np.median(lengths) == pytest.approx(GENRES[place].tokens, rel=0.15)
    assert lengths.min() >= 8


def test_everybody_s_words_fall_off_by_zipf_s_law() -> None:
    """Few words make half of all mail; most are seldom met."""
    counts = np.sort(np.bincount(vocabulary().tables.ravel(), minlength=WORDS))[::-1]
    upto = np.cumsum(counts) / counts.sum()
    assert upto[300] > 0.4
    assert upto[3000] < 0.99
    assert upto[0] < 0.2


def test_mails_of_a_template_share_the_words_that_are_not_varied() -> None:
    ids = np.arange(1, 61, dtype=np.uint64)
    count = len(ids)
    one = np.full(count, 77, np.uint64)
    genre, nothing = np.full(count, 6, np.int8), np.zeros(count)
    english, start = np.zeros(count, np.int8), np.zeros(count, np.int64)
    varied = Plan(genre, one, np.full(count, 0.3), nothing, nothing, genre, english, nothing, start)
    numbers, starts = words(ids, varied)
    rows = numbers.reshape(count, -1)
    assert len(set(np.diff(starts).tolist())) == 1
    kept = np.mean([(rows[0] == row).mean() for row in rows[1:]])
    assert 0.35 < kept < 0.75
    same, _ = words(ids, varied._replace(varies=nothing))
    assert len({row.tobytes() for row in same.reshape(count, -1)}) == 1


def test_a_tick_s_letters_are_in_order_of_id_and_depend_on_seed_and_tick_alone() -> None:
    one, again, later, other = letters(), letters(), letters(6), letters(5, seed=2)
    assert (np.diff(one.mail.astype(object)) > 0).all()
    assert one.tokens.values.tolist() == again.tokens.values.tolist()
    assert isinstance(one.tokens, Ragged)
    assert not set(one.mail.tolist()) & (set(later.mail.tolist()) | set(other.mail.tolist()))


def test_people_s_mistakes_are_named_after_genres_that_exist() -> None:
    names = {genre.name for genre in GENRES} | {"ham", "spam"}
    habits = Scenario().people
    assert set(habits.mistaken_ham) | set(habits.mistaken_spam) <= names


def test_a_share_of_the_mail_is_in_other_languages_word_for_word() -> None:
    source = Synthetic(replace(SETTINGS, foreign=0.3), 1)
    ids = letters().mail
    language = source._language(ids)
    counts = np.bincount(language, minlength=len(LANGUAGES)) / len(ids)
    assert counts[0] == pytest.approx(0.7, abs=0.08)
    assert counts[1:] == pytest.approx(0.15, abs=0.06)
    alone = Synthetic(replace(SETTINGS, foreign=0.0), 1)
    assert not alone._language(ids).any()


def test_what_everybody_speaks_of_changes_and_is_shared_by_ham_and_spam() -> None:
    source = Synthetic(SETTINGS, 1)
    story = Draws(1).bits("stories", np.arange(200, dtype=np.uint64))
    now, soon, later = (source._topic(tick, story) for tick in (0, 1, 500))
    assert len(np.unique(now)) == SETTINGS.topics
    assert (now == soon).mean() > 0.9
    assert not (now == later).any()


def test_the_templates_of_receipts_outlast_those_of_campaigns() -> None:
    source = Synthetic(SETTINGS, 1)
    stories = [{name: set() for name in ("receipts", "pharmacy")} for _ in range(2)]  # type: list[dict[str, set[int]]]
    for found, tick in zip(stories, (0, 150), strict=True):
        for at in range(tick, tick + 40):
            made = source.letters(at)
            for name, of in found.items():
                of.update(made.story[made.genre == source.genres.names.index(name)].tolist())
    kept = {name: len(stories[0][name] & of) / len(of) for name, of in stories[1].items()}
    assert kept["receipts"] > 0.7
    assert kept["pharmacy"] < 0.1
