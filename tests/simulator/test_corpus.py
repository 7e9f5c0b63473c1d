"""Reading real mail: what is taken, what is left out and named, what is refused, what is kept."""

import gzip
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filter.features import hash_texts
from simulator import corpus as module
from simulator.corpus import Broken, Corpus, CorpusError, read_corpus, texts
from simulator.mail import Text

SPAM = {"id": "1", "label": "spam", "date": None, "subject": "Cheap pills", "text": "buy now"}
HAM = {"id": "2", "label": "ham", "date": "2001-05-06", "subject": "", "text": "see you at 5"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder / "hamstrung"


def write(folder: Path, *lines: dict[str, Any] | str | bytes, name: str = "mail.jsonl") -> Path:
    encoded = [
        line
        if isinstance(line, bytes)
        else (line if isinstance(line, str) else json.dumps(line)).encode()
        for line in lines
    ]
    content = b"\n".join(encoded)
    path = folder / name
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return path


def mail(number: int, **changed: Any) -> dict[str, Any]:
    label = "spam" if number % 2 else "ham"
    return {"id": f"m{number}", "label": label, "subject": "", "text": f"mail {number}"} | changed


def same(one: Corpus, other: Corpus) -> bool:
    def plain(corpus: Corpus) -> tuple[Any, ...]:
        arrays = (corpus.is_spam, corpus.tokens.values, corpus.tokens.starts)
        left_out = (corpus.broken, corpus.duplicates, corpus.empty)
        rest = (corpus.name, corpus.digest, corpus.ids, left_out)
        return rest, [(array.dtype, array.tolist()) for array in arrays]

    return plain(one) == plain(other)


@pytest.mark.parametrize("name", ["mail.jsonl", "mail.jsonl.gz"])
def test_a_file_becomes_columns_and_text_can_be_had_again(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, SPAM, HAM, name=name)
    corpus = read_corpus(path)
    assert (corpus.name, corpus.ids, corpus.is_spam.tolist()) == ("mail", ["1", "2"], [True, False])
    expected = hash_texts(["Cheap pills\nbuy now", "\nsee you at 5"])
    assert np.array_equal(corpus.tokens.values, expected.values)
    assert np.array_equal(corpus.tokens.starts, expected.starts)
    assert (corpus.broken, corpus.duplicates, corpus.empty) == ((), 0, 0)
    assert texts(path, [1, 0, 1]) == [
        Text("", "see you at 5"),
        Text("Cheap pills", "buy now"),
        Text("", "see you at 5"),
    ]


def test_text_is_not_taken_from_a_file_that_has_changed(tmp_path: Path) -> None:
    path = write(tmp_path, SPAM, HAM)
    digest = read_corpus(path).digest
    assert texts(path, [1], digest) == [Text("", "see you at 5")]
    write(tmp_path, HAM, SPAM)
    with pytest.raises(CorpusError, match="expected the file as it was first read"):
        texts(path, [1], digest)


def test_copies_but_for_case_and_white_space_are_left_out(tmp_path: Path) -> None:
    copy = SPAM | {"id": "3", "label": "ham", "subject": "cheap  PILLS\t", "text": "\nBuy now"}
    corpus = read_corpus(write(tmp_path, SPAM, HAM, copy))
    assert (corpus.ids, corpus.duplicates) == (["1", "2"], 1)


def test_mails_without_a_token_are_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, mail(1, text="!?"), mail(2), mail(3), mail(5, text=""))
    corpus = read_corpus(path)
    assert (corpus.ids, corpus.empty, corpus.tokens.rows) == (["m2", "m3"], 2, 2)
    assert texts(path, np.array([1])) == [Text("", "mail 3")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("NaN", "malformed"),
        ('{"id": NaN, "label": "spam", "subject": "", "text": ""}', "malformed"),
        (mail(9, label="Spam"), "Invalid enum value 'Spam'"),
        (mail(9, text=None), "Expected `str`, got `null`"),
        (mail(9, id=9), "Expected `str`, got `int`"),
        (mail(9, id=""), "length >= 1"),
        ({"id": "9", "label": "ham", "subject": ""}, "missing required field `text`"),
        (b'{"id": "9\xff", "label": "ham", "subject": "", "text": ""}', "utf-8"),
        ('{"id": "9", "label": "ham", "subject": "\\ud800", "text": ""}', ""),
        ('{"id": "9", "label": "ham", "subject": "", "text": "a \\ud83d b c d"}', "surrogate pair"),
        ('{"id": "9", "label": "ham", "subject": "", "text": "a \\ude00 b"}', "surrogate pair"),
        (b'{"id": "9", "label": "ham", "subject": "", "text": "\xed\xa0\x80"}', "utf-8"),
        ('{"other": ' + "[" * 100_000 + "]" * 100_000 + "}", "recursion"),
        (mail(9, id="1"), "expected an id of its own, got that of line 1"),
        (b"\0" * 50, "malformed"),
    ],
)
def test_a_broken_line_is_named_and_the_rest_is_used(
    tmp_path: Path, line: dict[str, Any] | str | bytes, reason: str
) -> None:
    corpus = read_corpus(write(tmp_path, SPAM, "", line, HAM))
    assert corpus.ids == ["1", "2"]
    [broken] = corpus.broken
    assert broken.line == 3
    assert reason in broken.reason
    assert len(broken.reason) <= 200


def test_a_key_given_twice_a_byte_order_mark_and_other_fields_do_no_harm(tmp_path: Path) -> None:
    twice = '{"id": "a", "id": "b", "label": "ham", "subject": "", "text": "hi", "more": [1]}\r'
    corpus = read_corpus(write(tmp_path, b"\xef\xbb\xbf" + json.dumps(SPAM).encode(), twice, " "))
    assert (corpus.ids, corpus.broken) == (["1", "b"], ())


def test_a_line_too_long_is_broken_and_not_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_LINE", 4096)
    path = write(tmp_path, SPAM, mail(9, text="a " * 8_000_000), HAM, name="mail.jsonl.gz")
    tracemalloc.start()
    corpus = read_corpus(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert corpus.broken == (Broken(2, "expected at most 4096 bytes, got more"),)
    assert corpus.ids == ["1", "2"]
    assert peak < 12_000_000  # the line alone has 16


def test_lines_are_as_long_as_they_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(json.dumps(SPAM))
    monkeypatch.setattr(module, "MAX_LINE", size)
    path = write(tmp_path, SPAM | {"text": "buy n"}, SPAM | {"id": "3"}, HAM | {"text": "a"})
    assert [broken.line for broken in read_corpus(path).broken] == [2]  # its line end is one more


def refused(path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read_corpus(path)
    assert str(caught.value).startswith(str(path))
    return str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    assert "no such file; name a .jsonl or .jsonl.gz file" in refused(tmp_path / "none.jsonl")


def test_a_name_with_a_zero_byte_is_refused() -> None:
    with pytest.raises(CorpusError, match="no such file"):
        read_corpus("mail\0.jsonl")


def test_a_folder_in_which_nothing_is_labelled_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    assert "folders or mboxes whose names begin with ham and spam" in refused(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "expected a regular file" in refused(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["mail.jsonl", "mail.jsonl.gz"])
@pytest.mark.parametrize("content", [b"", b" \n\r\n\n"])
def test_an_empty_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    assert "the file is empty" in refused(write(tmp_path, content, name=name))


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.999])
def test_a_gzip_file_that_is_cut_short_is_named_so(tmp_path: Path, kept: float) -> None:
    path = write(tmp_path, *map(mail, range(2000)), name="mail.jsonl.gz")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "cut short" in refused(path)


def test_a_damaged_gzip_file_is_named_so(tmp_path: Path) -> None:
    path = write(tmp_path, *map(mail, range(2000)), name="mail.jsonl.gz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert "damaged" in refused(path)


@pytest.mark.parametrize(
    "content", [b"Dear Sir,\nhello\n", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), b'["a", "b"]']
)
def test_what_is_no_json_lines_is_refused(tmp_path: Path, content: bytes) -> None:
    message = refused(write(tmp_path, content))
    assert "line 1: expected JSON Lines" in message


def test_a_file_of_broken_lines_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BROKEN", 10)
    assert "more than 10 broken lines" in refused(write(tmp_path, SPAM, HAM, *["{"] * 11))


def test_a_file_with_no_usable_mail_is_refused(tmp_path: Path) -> None:
    message = refused(write(tmp_path, mail(1, text=""), mail(2, text="?"), "{"))
    assert "no mail is left (left out: 1 broken, 0 duplicate and 2 empty)" in message


@pytest.mark.parametrize("only", [SPAM, HAM])
def test_a_file_with_one_label_is_refused(tmp_path: Path, only: dict[str, Any]) -> None:
    assert f"got only {only['label']}" in refused(write(tmp_path, only))


@pytest.mark.parametrize("name", ["mail.jsonl", "mail.jsonl.gz"])
def test_a_file_that_inflates_too_far_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(module, "MAX_INFLATED", 50_000)
    path = write(tmp_path, SPAM, HAM, b" " * 50_000, name=name)
    assert "expected at most 50000 bytes, inflated, got more" in refused(path)


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were parsed and not taken from the cache."""
    files: list[Path] = []
    original = module._parsed

    def counted(path: Path, *rest: Any) -> Corpus:
        files.append(path)
        return original(path, *rest)

    monkeypatch.setattr(module, "_parsed", counted)
    return files


def messy(folder: Path, name: str = "mail.jsonl.gz") -> Path:
    return write(folder, SPAM, "{", HAM, SPAM | {"id": "3"}, mail(4, text=""), name=name)


def test_a_file_is_parsed_once(tmp_path: Path, parsed: list[Path], cache: Path) -> None:
    first = read_corpus(messy(tmp_path))
    again = read_corpus(messy(tmp_path))
    assert same(first, again)
    assert [type(line) for line in again.broken] == [Broken]
    assert len(parsed) == len(list(cache.iterdir())) == 1


def test_a_file_of_other_bytes_is_parsed_anew(tmp_path: Path, parsed: list[Path]) -> None:
    read_corpus(write(tmp_path, SPAM, HAM))
    assert read_corpus(write(tmp_path, HAM, SPAM)).ids == ["2", "1"]
    assert len(parsed) == 2


def test_the_name_is_the_files_and_not_the_caches(tmp_path: Path, parsed: list[Path]) -> None:
    read_corpus(messy(tmp_path))
    assert read_corpus(messy(tmp_path, name="other.jsonl.gz")).name == "other"
    assert len(parsed) == 1


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_cache_is_rebuilt(
    tmp_path: Path, parsed: list[Path], cache: Path, kept: float
) -> None:
    first = read_corpus(messy(tmp_path))
    [place] = cache.iterdir()
    whole = place.read_bytes()
    place.write_bytes(whole[: int(len(whole) * kept)])
    assert same(first, read_corpus(messy(tmp_path)))
    assert len(parsed) == 2
    assert len(place.read_bytes()) == len(whole)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_cache_with_any_byte_changed_is_not_believed(
    tmp_path: Path, cache: Path, position: int, change: int
) -> None:
    first = read_corpus(messy(tmp_path))
    [place] = cache.iterdir()
    content = bytearray(place.read_bytes())
    content[position % len(content)] ^= change
    place.write_bytes(content)
    assert same(first, read_corpus(messy(tmp_path)))


def test_the_cache_of_another_file_is_not_believed(tmp_path: Path, cache: Path) -> None:
    path = write(tmp_path, HAM, SPAM)
    read_corpus(path)
    [other] = cache.iterdir()
    read_corpus(messy(tmp_path))
    [own] = set(cache.iterdir()) - {other}
    own.write_bytes(other.read_bytes())
    assert read_corpus(messy(tmp_path)).ids == ["1", "2"]


def test_a_cache_folder_that_cannot_be_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert read_corpus(messy(tmp_path)).ids == ["1", "2"]


def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert read_corpus(messy(tmp_path)).ids == ["1", "2"]
    assert list(cache.iterdir()) == []


def test_a_relative_cache_folder_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "cache-of-nobody")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    read_corpus(messy(tmp_path))
    assert len(list((tmp_path / "home" / ".cache" / "hamstrung").iterdir())) == 1


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=40), st.just(json.dumps(HAM).encode())), max_size=6))
def test_no_bytes_do_more_than_break_a_line(tmp_path: Path, lines: list[bytes]) -> None:
    path = write(tmp_path, SPAM, HAM | {"id": "x"}, *lines)
    assert read_corpus(path).ids == ["1", "x"]


def test_real_mail_is_read_whole(corpora: Path) -> None:
    corpus = read_corpus(corpora / "enron-spam.jsonl.gz")
    assert (corpus.name, corpus.broken) == ("enron-spam", ())
    assert len(corpus.ids) + corpus.duplicates + corpus.empty == 23_622
    assert (corpus.duplicates, corpus.empty) == (2475, 52)
    assert corpus.tokens.rows == len(corpus.ids) == len(corpus.is_spam)
    assert same(corpus, read_corpus(corpora / "enron-spam.jsonl.gz"))
    row = len(corpus.ids) - 1
    [said] = texts(corpora / "enron-spam.jsonl.gz", [row])
    tokens = hash_texts([f"{said.subject}\n{said.text}"])
    assert np.array_equal(tokens.values, corpus.tokens.row(row))
