"""Folders of raw mail become a corpus like any other."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from simulator import corpus, run
from simulator.corpus import Corpus, CorpusError, read_corpus, texts
from simulator.mail_files import is_raw, messages

SPAM, HAM = b"Subject: cheap pills\n\nbuy %d now", b"Subject: agenda\n\nmeeting %d today"


def eml(folder: Path, *, count: int = 4) -> Path:
    for label, said in (("ham", HAM), ("spam", SPAM)):
        (folder / label / "more").mkdir(parents=True, exist_ok=True)
        for number in range(count):
            place = folder / label / ("more" if number % 2 else "")
            (place / f"{number}.eml").write_bytes(said % number)
    return folder


def mbox(folder: Path, *, count: int = 4) -> Path:
    folder.mkdir(exist_ok=True)
    for label, said in (("ham", HAM), ("spam", SPAM)):
        lines = [
            b"From someone Mon Nov 25 10:00:00 2002\n" + said % number + b"\n>From me\n\n"
            for number in range(count)
        ]
        (folder / f"{label}.mbox").write_bytes(b"".join(lines))
    return folder


def trec(folder: Path, *, count: int = 4) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "full").mkdir()
    lines = []
    for number in range(2 * count):
        label, said = (("ham", HAM), ("spam", SPAM))[number % 2]
        (folder / "data" / f"inmail.{number}").write_bytes(said % number)
        lines.append(f"{label} ../data/inmail.{number}\n")
    (folder / "full" / "index").write_text("".join(lines))
    return folder


@pytest.mark.parametrize("make", [eml, mbox, trec])
def test_a_folder_becomes_columns_and_text_can_be_had_again(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path / "mail")
    found = read_corpus(path)
    assert found.name == "mail"
    assert (int(found.is_spam.sum()), len(found.ids)) == (4, 8)
    assert not found.broken
    said = texts(path, range(8), found.digest)
    for text, is_spam in zip(said, found.is_spam.tolist(), strict=True):
        assert text.subject == ("cheap pills" if is_spam else "agenda")


def test_an_index_can_be_named_itself(tmp_path: Path) -> None:
    path = trec(tmp_path / "trec07p")
    assert is_raw(path / "full" / "index")
    by_index, by_folder = read_corpus(path / "full" / "index"), read_corpus(path)
    assert by_index.name == by_folder.name == "trec07p"
    assert by_index.digest == by_folder.digest
    assert by_index.ids == [f"data/inmail.{number}" for number in range(8)]


def test_an_mbox_is_parted_at_its_from_lines_alone(tmp_path: Path) -> None:
    path = mbox(tmp_path / "mail", count=2)
    found = [one.raw for one in messages(path)]
    assert len(found) == 4
    assert all(b"\nFrom me" in one for one in found)
    tricky = b"From a\nSubject: x\n\nline\nFrom here on\n\nFrom b\nSubject: y\n\nz\n"
    (path / "ham.mbox").write_bytes(tricky)
    ham = [one.raw for one in messages(path) if one.label == "ham"]
    assert ham == [b"Subject: x\n\nline\nFrom here on\n\n", b"Subject: y\n\nz\n"]


def test_no_index_leads_out_of_its_corpus(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("Subject: secret\n\npassword")
    path = trec(tmp_path / "trec")
    for line in ("ham ../../secret.txt\n", f"ham {secret}\n", "ham ../data/link\n"):
        with (path / "full" / "index").open("a") as file:
            file.write(line)
    (path / "data" / "link").symlink_to(secret)
    found = read_corpus(path)
    assert [one.line for one in found.broken] == [9, 10, 11]
    assert all("outside the corpus's folder" in one.reason for one in found.broken)
    assert not any("password" in text.text for text in texts(path, range(len(found.ids))))


def test_what_cannot_be_used_is_named_and_the_rest_is_used(tmp_path: Path) -> None:
    path = trec(tmp_path / "trec")
    (path / "data" / "inmail.3").write_bytes(b"X: y\n" * 300 + b"\nbody")
    (path / "data" / "inmail.5").unlink()
    with (path / "full" / "index").open("a") as file:
        file.write("eggs ../data/inmail.1\n")
    found = read_corpus(path)
    assert [one.line for one in found.broken] == [4, 6, 9]
    reasons = [one.reason for one in found.broken]
    assert "expected at most 200 headers" in reasons[0]
    assert "data/inmail.5: expected a file" in reasons[1]
    assert "expected 'ham PATH' or 'spam PATH', got 'eggs" in reasons[2]
    assert len(found.ids) == 6


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    path = eml(tmp_path / "mail")
    (tmp_path / "secret").write_text("Subject: s\n\npassword")
    (path / "ham" / "link.eml").symlink_to(tmp_path / "secret")
    found = read_corpus(path)
    assert len(found.ids) == 8
    assert "ham/link.eml: expected a file" in found.broken[0].reason


def test_a_file_that_changes_makes_another_corpus(tmp_path: Path) -> None:
    path = eml(tmp_path / "mail")
    before = read_corpus(path)
    (path / "ham" / "0.eml").write_bytes(HAM % 77)
    after = read_corpus(path)
    assert before.digest != after.digest
    with pytest.raises(CorpusError, match="got other bytes"):
        texts(path, [0], before.digest)


def test_a_folder_is_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = eml(tmp_path / "mail")
    first = read_corpus(path)
    monkeypatch.setattr(corpus, "_parsed", lambda *_: pytest.fail("parsed again"))
    again = read_corpus(path)
    assert same(first, again)
    moved = Path(shutil.move(path, tmp_path / "elsewhere"))
    assert read_corpus(moved).digest == first.digest


def same(one: Corpus, other: Corpus) -> bool:
    return one.ids == other.ids and np.array_equal(one.tokens.values, other.tokens.values)


def test_a_run_on_raw_mail(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    rng = np.random.default_rng(1)
    for label in ("ham", "spam"):
        (path / label).mkdir(parents=True)
        for number in range(500):
            words = " ".join(f"{label}{word}" for word in rng.integers(400, size=70))
            (path / label / f"{number}.eml").write_text(f"Subject: {label}\n\n{words}")
    dealt = {"path": str(path), "mails_per_hour": 5, "start_mails": 200, "start_ham": 100}
    summary = run("peace", duration=20, corpus=dealt, world={"people": 50}, thresholds=[])
    assert summary.status == "done"
    assert summary.metrics["ham_misclassified"].mean is not None


def test_real_raw_mail_is_what_its_flattened_copy_is(raw_mail: Path, corpora: Path) -> None:
    raw = read_corpus(raw_mail)
    flat = read_corpus(corpora / "spamassassin.jsonl.gz")
    assert len(raw.broken) < 60
    assert raw.is_spam.sum() == pytest.approx(flat.is_spam.sum(), rel=0.03)
    assert len(raw.ids) == pytest.approx(len(flat.ids), rel=0.03)
    assert np.median(raw.tokens.lengths) == pytest.approx(np.median(flat.tokens.lengths), rel=0.1)
