"""Text to tokens, against a naive reading of the same text token by token; and sketches."""

import gzip
import json
import re
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from filter.features import MAX_BYTES, NO_SKETCH, SKETCH, hash_texts, hash_words, sketch, words_of
from filter.ragged import ragged

WORD = re.compile(rb"[0-9A-Za-z_\x80-\xff]+")
BASE, MIXER = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93

TEXT = st.text(st.one_of(st.sampled_from("aAzZ09_ .\0\n-é"), st.characters(exclude_categories=())))
TEXTS = st.lists(TEXT, max_size=12)


def naive(text: str | bytes) -> list[int]:
    """The tokens of one text by the definition: a polynomial in 2^64, mixed, its upper half."""
    encoded = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    tokens = []
    for word in WORD.findall(encoded[:MAX_BYTES]):
        hashed = 0
        for byte in word.lower():
            hashed = (hashed * BASE + byte) % 2**64
        hashed ^= hashed >> 32
        tokens.append(hashed * MIXER % 2**64 >> 32)
    return tokens


def hashed(texts: list[str] | list[bytes]) -> list[list[int]]:
    rows = hash_texts(texts)
    assert [rows.values.dtype, rows.starts.dtype] == [np.dtype(np.uint32), np.dtype(np.int64)]
    return [rows.row(number).tolist() for number in range(rows.rows)]


@given(TEXTS)
@example([])
@example(["", "a", "", "", "b c", ""])
@example(["\ud800", "İıſK", "a\0b"])
def test_tokens_are_those_of_a_naive_reading(texts: list[str]) -> None:
    assert hashed(texts) == [naive(text) for text in texts]


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_bytes_of_any_kind_are_read(texts: list[bytes]) -> None:
    assert hashed(texts) == [naive(text) for text in texts]


@given(TEXTS)
def test_text_and_its_bytes_are_one(texts: list[str]) -> None:
    assert hashed(texts) == hashed([text.encode("utf-8", "surrogatepass") for text in texts])


@given(TEXTS, st.data())
def test_a_batch_may_be_split_anywhere(texts: list[str], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(texts)))
    assert hashed(texts) == hashed(texts[:cut]) + hashed(texts[cut:])


def test_many_chunks_give_what_one_mail_at_a_time_gives() -> None:
    rng = np.random.default_rng(3)
    words = np.array(["Gold", "RINGS", "für", "dich", "日本", "x" * 300, "!", "100%"])
    texts = [" ".join(rng.choice(words, int(size))) for size in rng.integers(0, 400, 1500)]
    assert sum(map(len, texts)) > 4 * MAX_BYTES
    assert hashed(texts) == [hashed([text])[0] for text in texts]


@pytest.mark.parametrize("sign", ["a", "é", "日", "😀", " a", " é"])
@pytest.mark.parametrize("extra", [-1, 0, 1, MAX_BYTES])
def test_a_text_is_read_up_to_its_limit(sign: str, extra: int) -> None:
    text = sign * ((MAX_BYTES + extra) // len(sign.encode()) + 1)
    [neighbour], [tokens], [other] = (hashed([one]) for one in ("one", text, "two"))
    assert tokens == naive(text)
    assert hashed(["one", text, "two"]) == [neighbour, tokens, other]
    assert hashed([text.encode()]) == [tokens]


def test_words_never_join_across_mails() -> None:
    assert hashed(["spam", "mail"]) == [naive("spam"), naive("mail")]


def test_case_counts_only_beyond_ascii() -> None:
    assert hashed(["SPAM"]) == hashed(["spam"])
    assert hashed(["ÜBER"]) != hashed(["über"])


@given(st.lists(st.from_regex(r"\A[0-9a-zA-Z_é日]+\Z"), max_size=12))
def test_a_word_has_the_hash_that_it_has_in_a_text(words: list[str]) -> None:
    assert hash_words(words).tolist() == hashed([" ".join(words)])[0]


SPELT = st.characters(exclude_categories=["Cs"])
"""All characters but halves of a pair, which have no word of their own."""


@given(st.lists(st.text(st.one_of(st.sampled_from("aAzZ09_ .\0\n-é"), SPELT))))
@example(["", "A a\0b", "İıſK 日本, 😀!"])
def test_the_words_of_a_text_have_the_hashes_of_its_tokens(texts: list[str]) -> None:
    assert [hash_words(words).tolist() for words in words_of(texts)] == hashed(texts)


@pytest.mark.parametrize("text", ["\ud800 a", " a" * MAX_BYTES, " é" * MAX_BYTES, "日" * MAX_BYTES])
def test_every_token_has_a_word_in_its_place_whatever_is_cut(text: str) -> None:
    [words], [tokens] = words_of([text]), hashed([text])
    assert len(words) == len(tokens)
    spelt = [token for word, token in zip(words, tokens, strict=True) if "\ufffd" not in word]
    assert hash_words([word for word in words if "\ufffd" not in word]).tolist() == spelt
    assert len(tokens) - len(spelt) <= 1


@pytest.mark.parametrize("wrong", ["", "two words", "?"])
def test_what_is_no_word_is_refused_by_place(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"words\[1\]: expected one token, got [02]"):
        hash_words(["fine", wrong])


def test_real_mail_is_read_as_a_naive_reading_reads_it(corpora: Path) -> None:
    with gzip.open(corpora / "enron-spam.jsonl.gz", "rt", encoding="utf-8") as lines:
        mails = [json.loads(line) for _, line in zip(range(300), lines, strict=False)]
    texts = [f"{mail['subject']}\n{mail['text']}" for mail in mails]
    assert hashed(texts) == [naive(text) for text in texts]


def test_english_words_collide_no_more_than_by_chance(corpora: Path) -> None:
    with gzip.open(corpora / "words" / "scowl-en-us-60.txt.gz", "rt", encoding="utf-8") as lines:
        words = sorted({word for word in map(str.lower, lines.read().split()) if word.isalnum()})
    tokens = hash_words(words)
    assert len(words) > 80_000
    assert len(words) - len(np.unique(tokens)) <= 6  # 0.9 expected in 2^32
    places = 2**18
    free = places * (1 - 1 / places) ** len(words)
    assert abs(len(np.unique(tokens % places)) - (places - free)) < 6 * np.sqrt(free)


TOKENS = st.lists(st.integers(0, 2**32 - 1), max_size=12)


@given(st.lists(TOKENS, max_size=8), st.data())
def test_a_sketch_does_not_depend_on_its_neighbours(
    rows: list[list[int]], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(rows)))
    whole = sketch(ragged(rows))
    assert whole.dtype == np.uint32
    assert whole.shape == (len(rows), SKETCH)
    parts = [sketch(ragged(rows[:cut])), sketch(ragged(rows[cut:]))]
    assert np.array_equal(whole, np.concatenate(parts))


@given(TOKENS.filter(len), st.randoms(use_true_random=False))
def test_a_sketch_knows_neither_order_nor_count(tokens: list[int], random: Random) -> None:
    shuffled = tokens + tokens[:3]
    random.shuffle(shuffled)
    one, other = sketch(ragged([tokens, shuffled]))
    assert one.tolist() == other.tolist()


@given(st.lists(TOKENS, max_size=8))
def test_an_empty_mail_is_like_no_other(rows: list[list[int]]) -> None:
    for tokens, places in zip(rows, sketch(ragged(rows)).tolist(), strict=True):
        assert [place == NO_SKETCH for place in places] == [not tokens] * SKETCH


def test_tokens_beyond_one_block_are_sketched_alike() -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(0, 3000, 200)
    rows = ragged([rng.integers(0, 2**32, int(size), dtype=np.uint32) for size in sizes])
    together = sketch(rows)
    for number in range(rows.rows):
        assert np.array_equal(together[number], sketch(ragged([rows.row(number)]))[0])


@pytest.mark.parametrize("shared", [20, 50, 80])
def test_equal_places_estimate_the_share_of_common_tokens(shared: int) -> None:
    rng = np.random.default_rng(shared)
    drawn = rng.integers(0, 2**32, (2000, 200 - shared), dtype=np.uint32)
    one, other = ragged(list(drawn[:, :100])), ragged(list(drawn[:, -100:]))
    equal = float((sketch(one) == sketch(other)).mean())
    likeness = shared / (200 - shared)
    assert abs(equal - likeness) < 5 * np.sqrt(likeness * (1 - likeness) / (2000 * SKETCH))


def test_one_token_stands_for_another_number_in_each_place() -> None:
    tokens = np.random.default_rng(6).integers(0, 2**32, 2000, dtype=np.uint32)
    numbers = sketch(ragged([[token] for token in tokens]))
    by_chance = numbers.size**2 / 2**33
    assert numbers.size - len(np.unique(numbers)) <= 5 * by_chance + 5
