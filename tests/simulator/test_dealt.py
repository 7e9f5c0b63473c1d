"""Real mail dealt: in the order of the seed, no message twice, the campaign's likes withheld."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from filter.columns import Bits
from filter.ragged import Ragged, ragged
from simulator.corpus import Corpus, CorpusError, read_corpus
from simulator.dealt import CorpusCampaign, CorpusSettings, Dealt
from simulator.mail import LONG, Letters

HAM, SPAM = 2000, 1000
COPIES = 12
BASE = HAM
"""The row of the spam mail that was copied; its copies are the last rows, one of them as ham."""
SHARED, HAM_WORDS, SPAM_WORDS = 1000, 20_000, 40_000
"""Words below each number: of both, of ham alone, of spam alone."""
SETTINGS = CorpusSettings(mails_per_hour=50, start_mails=400, start_ham=500)


def corpus_of(rows: Sequence[Sequence[int]], is_spam: Sequence[bool]) -> Corpus:
    ids = [f"mail {number}" for number in range(len(rows))]
    return Corpus("small", "", ids, np.array(is_spam), ragged(rows), (), 0, 0)


def small() -> Corpus:
    """All ham first, then all spam, then copies of the first spam with four words of 80 changed."""
    rng = np.random.default_rng(1)

    def mail(first: int, stop: int, length: int) -> list[int]:
        shared = rng.integers(0, SHARED, length // 4)
        return [*shared.tolist(), *rng.integers(first, stop, length - length // 4).tolist()]

    rows = [mail(SHARED, HAM_WORDS, 40) for _ in range(HAM)]
    rows += [mail(HAM_WORDS, SPAM_WORDS, 80 if n % 2 == 0 else 30) for n in range(SPAM)]
    for _ in range(COPIES):
        copy = list(rows[BASE])
        for place in rng.choice(80, 4, replace=False):
            copy[place] = int(rng.integers(HAM_WORDS, SPAM_WORDS))
        rows.append(copy)
    labels = [False] * HAM + [True] * SPAM + [True] * (COPIES - 1) + [False]
    return corpus_of(rows, labels)


CORPUS = small()
ALIKE = {BASE, *range(HAM + SPAM, HAM + SPAM + COPIES)}


def dealt(seed: int = 1, settings: CorpusSettings = SETTINGS, corpus: Corpus = CORPUS) -> Dealt:
    return Dealt(settings, corpus, seed)


def campaign_of(source: Dealt, row: int = BASE) -> CorpusCampaign:
    return next(campaign for campaign in source.campaigns() if campaign.row == row)


def texts_of(tokens: Ragged) -> list[bytes]:
    return [tokens.row(number).tobytes() for number in range(tokens.rows)]


ROW_OF = {text: row for row, text in enumerate(texts_of(CORPUS.tokens))}


def deal(source: Dealt) -> list[Letters]:
    return [source.letters(tick) for tick in range(source.ticks())]


def everything(source: Dealt) -> Counter[bytes]:
    """All that is in the start set, the limits' ham and the deal, and how often."""
    start = source.start()
    given = [start.tokens, start.ham, *(letters.tokens for letters in deal(source))]
    return Counter(text for tokens in given for text in texts_of(tokens))


def dealt_rows(source: Dealt, ticks: Iterable[int]) -> list[set[int]]:
    return [{ROW_OF[text] for text in texts_of(source.letters(t).tokens)} for t in ticks]


def ham_share(letters: Sequence[Letters]) -> float:
    return float(np.mean([one.genre == 0 for one in letters]))


def test_no_mail_is_dealt_twice_nor_one_that_the_filter_started_from() -> None:
    given = everything(dealt())
    assert set(given.values()) == {1}
    assert set(given) <= set(ROW_OF)
    left_over = len(CORPUS.ids) - given.total()
    assert 0 <= left_over < SETTINGS.mails_per_hour


def test_what_the_filter_starts_from_is_as_much_as_was_asked_for_and_truly_labelled() -> None:
    start = dealt().start()
    rows = [ROW_OF[text] for text in texts_of(start.tokens)]
    assert (start.tokens.rows, start.ham.rows) == (SETTINGS.start_mails, SETTINGS.start_ham)
    assert start.spam.tolist() == CORPUS.is_spam[rows].tolist()
    assert 0.2 < start.spam.mean() < 0.5
    assert not any(CORPUS.is_spam[ROW_OF[text]] for text in texts_of(start.ham))


def test_ticks_says_how_long_the_corpus_lasts() -> None:
    source = dealt()
    dealing = len(CORPUS.ids) - SETTINGS.start_mails - SETTINGS.start_ham
    assert source.ticks() == dealing // SETTINGS.mails_per_hour == 42
    assert {len(letters.mail) for letters in deal(source)} == {SETTINGS.mails_per_hour}


def test_a_tick_s_letters_are_a_function_of_the_tick_in_order_of_their_ids() -> None:
    source, other = dealt(), dealt()
    for tick in (7, 0, 41, 7):
        first, second = source.letters(tick), other.letters(tick)
        assert first.mail.tolist() == second.mail.tolist() == sorted(set(first.mail.tolist()))
        assert texts_of(first.tokens) == texts_of(second.tokens)
        rows = [ROW_OF[text] for text in texts_of(first.tokens)]
        assert first.genre.tolist() == CORPUS.is_spam[rows].tolist()


def test_another_seed_deals_in_another_order() -> None:
    one, same, other = dealt(1), dealt(1), dealt(2)
    assert dealt_rows(one, range(5)) == dealt_rows(same, range(5))
    both = zip(dealt_rows(one, range(5)), dealt_rows(other, range(5)), strict=True)
    assert all(len(a & b) < 10 for a, b in both)
    assert texts_of(one.start().tokens) != texts_of(other.start().tokens)
    first = [next(iter(source.campaigns())).row for source in (one, same, other)]
    assert first[0] == first[1] != first[2]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ham_and_spam_are_mixed_evenly_over_the_run(seed: int) -> None:
    letters = deal(dealt(seed))
    quarter = len(letters) // 4
    early, late = ham_share(letters[:quarter]), ham_share(letters[-quarter:])
    assert early == pytest.approx(late, abs=0.1)
    assert early == pytest.approx(ham_share(letters), abs=0.07)


def test_campaigns_are_long_spam_in_the_order_of_the_deal() -> None:
    source = dealt()
    rows = [campaign.row for campaign in source.campaigns()]
    long_spam = CORPUS.is_spam & (CORPUS.tokens.lengths >= LONG)
    assert sorted(rows) == np.flatnonzero(long_spam).tolist()
    start = [ROW_OF[text] for text in texts_of(source.start().tokens)]
    assert [row for row in start if long_spam[row]] == rows[: int(long_spam[start].sum())]
    assert campaign_of(source).words.tolist() == CORPUS.tokens.row(BASE).tolist()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_campaign_s_near_duplicates_are_in_nothing_that_is_given_out(seed: int) -> None:
    source = dealt(seed)
    alike = {texts_of(CORPUS.tokens)[row] for row in ALIKE}
    assert alike & set(everything(source))
    source.withhold(campaign_of(source))
    given = everything(source)
    assert not alike & set(given)
    assert set(given.values()) == {1}
    assert set(np.flatnonzero(source.withheld).tolist()) == ALIKE
    assert f"{len(ALIKE)} near-duplicates of the campaign" in source.notes()[0]
    assert source.start().tokens.rows == SETTINGS.start_mails


def test_withholding_another_campaign_gives_the_first_one_s_mail_back() -> None:
    source, other = dealt(), dealt()
    source.withhold(campaign_of(source))
    source.withhold(campaign_of(source, BASE + 2))
    other.withhold(campaign_of(other, BASE + 2))
    assert set(np.flatnonzero(source.withheld).tolist()) == {BASE + 2}
    assert everything(source) == everything(other)


def test_with_reuse_the_deal_begins_again_with_new_ids() -> None:
    settings = CorpusSettings("", 50, 400, 462, reuse=True)
    source = dealt(settings=settings)
    assert (len(CORPUS.ids) - 862) % 50 == 0
    lasts = source.ticks()
    first, again = dealt_rows(source, range(3)), dealt_rows(source, range(lasts, lasts + 3))
    assert first == again
    ids = np.concatenate([source.letters(tick).mail for tick in range(2 * lasts)])
    assert len(set(ids.tolist())) == len(ids)


def test_with_reuse_the_last_messages_are_followed_by_the_first() -> None:
    source = dealt(settings=CorpusSettings("", 50, 400, 500, reuse=True))
    lasts = source.ticks()
    [first, turn] = dealt_rows(source, (0, lasts))
    left_over = set(ROW_OF.values()) - {ROW_OF[text] for text in everything(source)}
    assert left_over < turn
    assert turn - left_over < first


@pytest.mark.parametrize("start_ham", [570, 600])
def test_with_reuse_too_few_mails_for_one_tick_are_a_corpus_error(start_ham: int) -> None:
    hams = CORPUS._replace(ids=CORPUS.ids[:1000], is_spam=CORPUS.is_spam[:1000])
    hams = hams._replace(tokens=CORPUS.tokens.part(0, 1000))
    with pytest.raises(CorpusError):
        dealt(settings=CorpusSettings("", 50, 400, start_ham, reuse=True), corpus=hams).letters(0)


@pytest.mark.parametrize(
    ("start_mails", "start_ham", "fits"),
    [
        (3012, 0, True),
        (3013, 0, False),
        (0, 2001, True),
        (0, 2002, False),
        (1500, 1500, False),
        (50_000, 50_000, False),
    ],
)
def test_too_few_mails_are_a_corpus_error(start_mails: int, start_ham: int, fits: bool) -> None:
    settings = CorpusSettings("", 50, start_mails, start_ham)
    if fits:
        dealt(settings=settings)
        return
    with pytest.raises(CorpusError, match=r"small: 3012 mails are too few.*start_ham lower"):
        dealt(settings=settings)


def test_too_few_mails_are_left_once_the_campaign_s_are_withheld() -> None:
    source = dealt(settings=CorpusSettings("", 50, 3000, 0))
    with pytest.raises(CorpusError, match="2999 mails are too few"):
        source.withhold(campaign_of(source))


def long_campaign() -> CorpusCampaign:
    """One of 3,000 different words, which no other mail has."""
    words = np.arange(SPAM_WORDS, SPAM_WORDS + 3000)
    rows = [*(CORPUS.tokens.row(row).tolist() for row in range(len(CORPUS.ids))), words.tolist()]
    corpus = corpus_of(rows, [*CORPUS.is_spam.tolist(), True])
    return campaign_of(dealt(corpus=corpus), len(rows) - 1)


LONG_CAMPAIGN = long_campaign()
IDS = np.arange(100, 130, dtype=np.uint64)


def varied(share: float) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.uint32]], Bits]:
    """Thirty mails of the campaign, a row each, and where they differ from its words."""
    mails = LONG_CAMPAIGN.mails(IDS, np.full(len(IDS), share), np.zeros(len(IDS)))
    assert set(mails.lengths.tolist()) == {3000}
    words = mails.values.reshape(len(IDS), 3000)
    return words, words != LONG_CAMPAIGN.words


def test_varied_words_come_from_spam() -> None:
    words, differs = varied(0.5)
    spam = CORPUS.tokens.take(np.flatnonzero(CORPUS.is_spam)).values
    found = set(words[differs].tolist()) - set(LONG_CAMPAIGN.words.tolist())
    assert found <= set(spam.tolist())
    assert len(found) > 5000


def test_varied_words_come_from_other_spam_than_the_campaign() -> None:
    words, differs = varied(0.5)
    assert not set(words[differs].tolist()) & set(LONG_CAMPAIGN.words.tolist())


def test_the_same_places_vary_in_each_mail_with_other_words() -> None:
    words, differs = varied(0.3)
    assert (differs == differs[0]).all()
    assert (words[0] == words[1])[differs[0]].mean() < 0.05
    assert len({row.tobytes() for row in words}) == len(IDS)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.8, 1.0])
def test_about_the_stated_share_of_words_varies(share: float) -> None:
    assert varied(share)[1].mean() == pytest.approx(share, abs=0.03 if 0 < share < 1 else 0.001)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_about_the_stated_share_of_words_is_ham_s(share: float) -> None:
    some = np.full(len(IDS), 0.2)
    mails = LONG_CAMPAIGN.mails(IDS, some, np.full(len(IDS), share))
    plain = LONG_CAMPAIGN.mails(IDS, some, np.zeros(len(IDS)))
    stuffed = mails.values != plain.values
    assert stuffed.mean() == pytest.approx(share, abs=0.02)
    ham = CORPUS.tokens.take(np.flatnonzero(~CORPUS.is_spam)).values
    assert set(mails.values[stuffed].tolist()) <= set(ham.tolist())


def test_each_mail_has_its_own_share_and_the_larger_one_s_places_hold_the_smaller_one_s() -> None:
    mails = LONG_CAMPAIGN.mails(IDS[:3], np.array([0.1, 0.6, 0.0]), np.zeros(3))
    few, many, none = (mails.row(number) != LONG_CAMPAIGN.words for number in range(3))
    assert (few.mean(), many.mean()) == pytest.approx((0.1, 0.6), abs=0.03)
    assert not none.any()
    assert many[few].all()


def test_a_mail_s_words_are_a_function_of_its_id() -> None:
    share = np.full(len(IDS), 0.5)
    none = np.zeros(len(IDS))
    whole, backwards = (LONG_CAMPAIGN.mails(ids, share, none) for ids in (IDS, IDS[::-1]))
    assert texts_of(whole) == texts_of(backwards)[::-1]


@pytest.fixture(scope="module")
def enron(corpora: Path) -> Corpus:
    return read_corpus(corpora / "enron-spam.jsonl.gz")


def test_no_real_mail_is_given_out_twice_and_ham_and_spam_are_mixed(enron: Corpus) -> None:
    source = Dealt(CorpusSettings(), enron, 1)
    source.withhold(next(iter(source.campaigns())))
    assert everything(source) <= Counter(texts_of(enron.tokens))
    letters = deal(source)
    senders = np.concatenate([one.sender for one in letters])
    assert len(set(senders.tolist())) == len(senders)
    quarter = len(letters) // 4
    assert ham_share(letters[:quarter]) == pytest.approx(ham_share(letters[-quarter:]), abs=0.04)


def test_real_near_duplicates_of_a_campaign_are_withheld(enron: Corpus) -> None:
    """Those that share three quarters of all their words with it; and hardly any other mail."""
    source = Dealt(CorpusSettings(), enron, 1)
    sets = [frozenset(enron.tokens.row(row).tolist()) for row in range(len(enron.ids))]
    lengths = np.array([len(words) for words in sets])
    alike: dict[int, set[int]] = {}
    for campaign in islice(source.campaigns(), 40):
        words = sets[campaign.row]
        size = len(words)
        near = np.flatnonzero((lengths >= 0.75 * size) & (0.75 * lengths <= size)).tolist()
        alike[campaign.row] = {
            row for row in near if len(words & sets[row]) >= 0.75 * len(words | sets[row])
        }
    row = max(alike, key=lambda one: len(alike[one]))
    assert len(alike[row]) >= 3
    source.withhold(campaign_of(source, row))
    withheld = set(np.flatnonzero(source.withheld).tolist())
    assert alike[row] <= withheld
    assert len(withheld) < 0.03 * len(enron.ids)
    assert not everything(source).keys() & {enron.tokens.row(one).tobytes() for one in withheld}
