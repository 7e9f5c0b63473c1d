"""A tick's mails as text: hashed, they are the tokens that travel without it, bit for bit."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.actor import Draft
from agents.people import BotSettings, Habits
from agents.vocabulary import vocabulary
from filter import codec
from filter.columns import Mails, joined, no_mails, rows
from filter.features import hash_texts, hash_words
from filter.ragged import ragged
from simulator.corpus import CorpusError, read_corpus
from simulator.dealt import CorpusSettings, Dealt
from simulator.mail import CAMPAIGN, COPY, PEOPLE, Post, Source, Spelling, Text
from simulator.synthetic import Synthetic, SyntheticSettings
from simulator.world import World, WorldSettings

DRAFTS = [
    Draft(number / 30, number % 8 if number % 3 else None, number % 4, number % 5 / 5)
    for number in range(30)
]
SETTINGS = SyntheticSettings(mails_per_hour=200, start_mails=50, start_ham=50)
LETTERS = [*"abcdefghijklmnopqrstuvwxyz_0189", "é", "ß", "İ", "日", "😀"]
BETWEEN = [" ", ", ", "\n", "\0", "-", "... ", "\u007f"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def written(folder: Path, count: int = 300) -> Path:
    """A corpus of words of all kinds; every third mail is spam, every sixth is long."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 9, 900)
    words = ["".join(rng.choice(LETTERS, size)) for size in lengths]
    words += [word.upper() for word in words]

    def say(length: int) -> str:
        said = zip(rng.choice(words, length), rng.choice(BETWEEN, length), strict=True)
        return "".join(word + between for word, between in said)

    with (folder / "mail.jsonl").open("w") as file:
        for number in range(count):
            mail = {
                "id": f"m{number}",
                "label": "ham" if number % 3 else "spam",
                "subject": say(number % 5),
                "text": say(25 if number % 6 else 90),
            }
            print(json.dumps(mail, ensure_ascii=number % 2 == 0), file=file)
    return folder / "mail.jsonl"


def dealt(path: Path, size: int = 20, start: int = 40) -> Dealt:
    return Dealt(CorpusSettings(str(path), size, start, start), read_corpus(path), 1)


def world_of(source: Source) -> World:
    """A world whose campaign is the source's second candidate, after the first one was tried."""
    world = World(1, WorldSettings(people=100), Habits(), source, 8, BotSettings(), 24)
    for campaign, _ in zip(source.campaigns(), range(2), strict=False):
        source.withhold(campaign)
        world.campaign = campaign
    return world


def post(world: World, tick: int) -> Post:
    """Ordinary mail, the campaign and copies to bots in order of their ids."""
    parts = [world.ordinary(tick), *(world.drafted(tick, DRAFTS, name) for name in ("one", "two"))]
    return joined([part for part in parts if part is not None])


def hashed(texts: list[Text]) -> bytes:
    return codec.pack(hash_texts([f"{text.subject}\n{text.text}" for text in texts]))


def check(world: World, ticks: list[int]) -> None:
    """The text of these ticks' mails has their tokens and can be sent as JSON."""
    for tick in ticks:
        given = post(world, tick)
        assert set(given.kind.tolist()) == {PEOPLE, CAMPAIGN, COPY}
        assert (np.diff(given.kind) != 0).sum() > 10
        texts = world.source.texts(tick, given.mails)
        assert all(type(part) is str and part.encode() is not None for one in texts for part in one)
        assert hashed(texts) == codec.pack(given.tokens)


def test_synthetic_mail_and_its_campaign_are_written_out() -> None:
    check(world_of(Synthetic(SETTINGS, 1)), [0, 7, 3, 7])


def test_a_corpus_s_mail_and_its_campaign_are_written_out(tmp_path: Path) -> None:
    source = dealt(written(tmp_path))
    world = world_of(source)
    assert source.ticks() > 7
    check(world, [0, 7, 3, 7])


def test_a_corpus_dealt_anew_is_written_out(tmp_path: Path) -> None:
    path = written(tmp_path)
    settings = CorpusSettings(str(path), 20, 40, 40, reuse=True)
    source = Dealt(settings, read_corpus(path), 1)
    check(world_of(source), [0, 2 * source.ticks(), 50])


@pytest.mark.parametrize("name", ["enron-spam.jsonl.gz", "spamassassin.jsonl.gz"])
def test_real_mail_and_its_campaign_are_written_out(corpora: Path, name: str) -> None:
    source = dealt(corpora / name, 75, 500)
    check(world_of(source), [0, 30, source.ticks() - 1])


def test_ordinary_mail_is_as_the_corpus_has_it(tmp_path: Path) -> None:
    path = written(tmp_path)
    mails = [json.loads(line) for line in path.read_text().splitlines()]
    original = {Text(mail["subject"], mail["text"]) for mail in mails}
    world = world_of(dealt(path))
    texts = world.source.texts(4, post(world, 4).mails)
    kinds = post(world, 4).kind.tolist()
    known = {(kind, text in original) for kind, text in zip(kinds, texts, strict=True)}
    assert known >= {(PEOPLE, True), (CAMPAIGN, False), (COPY, False)}
    assert (PEOPLE, False) not in known


def test_text_comes_in_the_order_of_the_mails_and_for_any_of_them(tmp_path: Path) -> None:
    for source in (Synthetic(SETTINGS, 1), dealt(written(tmp_path))):
        world = world_of(source)
        mails = post(world, 2).mails
        texts = source.texts(2, mails)
        some = np.random.default_rng(2).permutation(len(mails.mail))[:20]
        assert source.texts(2, rows(mails, some)) == [texts[number] for number in some]
        assert source.texts(2, no_mails()) == []


def check_ordinary(source: Source) -> None:
    mails = (
        World(1, WorldSettings(people=100), Habits(), source, 0, BotSettings(), 24)
        .ordinary(3)
        .mails
    )
    assert len(mails.mail)
    assert hashed(source.texts(3, mails)) == codec.pack(mails.tokens)


def test_without_a_campaign_ordinary_mail_is_written_out(tmp_path: Path) -> None:
    check_ordinary(Synthetic(SETTINGS, 1))
    check_ordinary(dealt(written(tmp_path)))


def test_real_short_messages_are_written_out(corpora: Path) -> None:
    check_ordinary(dealt(corpora / "sms-spam-collection.jsonl.gz"))


def test_a_corpus_is_read_again_once_and_only_for_text(tmp_path: Path) -> None:
    path = written(tmp_path)
    world = world_of(dealt(path))
    before = post(world, 1).mails
    path.write_text(path.read_text() + "{\n")
    with pytest.raises(CorpusError, match="expected the file as it was first read"):
        world.source.texts(1, before)
    path.write_text(path.read_text().removesuffix("{\n"))
    texts = world.source.texts(1, before)
    path.unlink()
    assert world.source.texts(1, before) == texts
    check(world, [5])


def test_an_empty_mail_is_an_empty_text_and_short_ones_have_a_subject_alone() -> None:
    said = vocabulary().hashes
    tokens = ragged([[], said[:6], said[:7], [], said[:1]])
    none = np.zeros(5, np.uint64)
    texts = Synthetic(SETTINGS, 1).texts(0, Mails(none, none, none, none, tokens))
    six = " ".join(vocabulary().words[:6])
    assert texts[0] == texts[3] == Text("", "")
    assert texts[1:3] == [Text(six, ""), Text(six, vocabulary().words[6])]
    assert hashed(texts) == codec.pack(tokens)


def test_synthetic_text_has_the_subject_that_its_readers_see() -> None:
    numbers = np.arange(40, 0, -1, dtype=np.int32)
    spelling = Spelling(vocabulary().words, vocabulary().hashes)
    [text] = spelling.texts(ragged([vocabulary().hashes[numbers]]))
    assert f"{text.subject}\n{text.text}" == vocabulary().text(numbers)


def test_words_that_begin_with_the_same_bits_are_told_apart() -> None:
    hashes = np.array([0, 1, 2, 3, 0xFFFFFFFD, 0xFFFFFFFF, 0xFFFFFFFE], np.uint32)
    spelling = Spelling(["a", "b", "c", "d", "e", "f", "g"], hashes)
    [text] = spelling.texts(ragged([hashes[::-1]]))
    assert text == Text("g f e d c b", "a")
    [text] = Spelling(["one", "other", "one"], np.array([7, 7, 7], np.uint32)).texts(ragged([[7]]))
    assert text == Text("one", "")


def test_a_token_without_a_word_is_refused() -> None:
    [known, unknown] = hash_words(["known", "unknown"]).tolist()
    spelling = Spelling(["known"], np.array([known], np.uint32))
    assert spelling.texts(ragged([[known]])) == [Text("known", "")]
    for token in (unknown, 0, 2**32 - 1):
        with pytest.raises(IndexError):
            spelling.texts(ragged([[token]]))
