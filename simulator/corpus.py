"""Real mail: a file of JSON Lines, or a folder of messages, becomes columns, hashed once and kept.

Of JSON Lines, one object a line: ``id``, ``label`` ("spam" or "ham"), ``date`` (or null),
``subject``, ``text``; other fields are not looked at. Of messages: a TREC index, or folders and
mboxes whose names begin with ``ham`` and ``spam``. What cannot be used is named, and the rest is
used.

A shell: it reads the corpus, and keeps what it made of it in ``$XDG_CACHE_HOME/hamstrung``.
"""

import gzip
import hashlib
import io
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from filter.features import hash_texts
from filter.ragged import Ragged, concatenate
from simulator.mail import Text
from simulator.mail_files import MOST, Found, is_raw, messages
from simulator.raw_mail import RefusedMail, parsed

MAX_INFLATED: Final = 2 * 1024**3
"""A file of more bytes than this, or that inflates to more, is refused."""

MAX_LINE: Final = 4 * 1024**2
"""A line of more bytes is broken; it is skipped without being held in memory."""

MAX_BROKEN: Final = 10_000
"""A file with more broken lines is refused: a list of them must end somewhere."""

_FORMAT: Final = 1
_MAGIC: Final = b"hamstrung corpus\n"
_BATCH: Final = 1024**2
_BOM: Final = b"\xef\xbb\xbf"
_WANTED: Final = "expected JSON Lines, an object with id, label, subject and text on each line"


class CorpusError(ValueError):
    """A corpus cannot be used: where, what was got and what would do."""


class Broken(NamedTuple):
    """A line that was left out, counted from 1, and why."""

    line: int
    reason: str


class Corpus(NamedTuple):
    """The usable mails of a file, in its order, as columns; and what was left out."""

    name: str
    """The file's name without its endings."""
    digest: str
    """SHA-256 of the file's bytes as they lie on the disk, in hexadecimal."""
    ids: list[str]
    is_spam: NDArray[np.bool_]
    tokens: Ragged
    broken: tuple[Broken, ...]
    duplicates: int
    """Later copies of a mail, equal in subject and text but for case and white space."""
    empty: int
    """Mails without a token."""


class _Mail(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    label: Literal["spam", "ham"]
    subject: str
    text: str
    date: str | None = None


Record = tuple[int, _Mail | str, int]
"""Its number, counted from 1; the mail, or what is wrong with it; how many bytes it was."""


_DECODER: Final = msgspec.json.Decoder(_Mail)


def read_corpus(path: str | os.PathLike[str]) -> Corpus:
    """Read a corpus, or what was kept of it when a file of the same bytes was read before.

    Args:
        path: JSON Lines, plain or gzip (told by its content, not by its name), a TREC index, or a
            folder of raw mail.

    Raises:
        CorpusError: if there is no such file, if it is cut short, damaged, too large or no JSON
            Lines, or if no mail of one of the labels is left.
    """
    path = Path(path)
    if _is_raw(path):
        digest = _digest_of_files(path)
        corpus = _kept(digest) or _parsed_and_kept(path, _records_of_files(path), digest)
        return corpus._replace(name=_name_of_files(path))
    with _opened(path) as file:
        try:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(path, error) from error
        corpus = _kept(digest) or _parsed_and_kept(path, _records(path, file), digest)
    return corpus._replace(name=path.name.removesuffix(".gz").removesuffix(".jsonl"))


def _parsed_and_kept(path: Path, records: Iterable[Record], digest: str) -> Corpus:
    corpus = _parsed(path, records, digest)
    _keep(corpus)
    return corpus


def texts(
    path: str | os.PathLike[str],
    rows: Sequence[int] | NDArray[np.integer[Any]],
    digest: str = "",
) -> list[Text]:
    """Read again what mails say, for somebody who looks at them; features keep no text.

    Args:
        path: the file of a corpus.
        rows: places in its columns, in any order.
        digest: of the corpus that the rows are of; empty for any.

    Raises:
        CorpusError: as `read_corpus` does, or if the file has another digest by now.
        IndexError: if there is no such row.
    """
    path = Path(path)
    corpus = read_corpus(path)
    if digest not in ("", corpus.digest):
        raise CorpusError(f"{path}: expected the file as it was first read, got other bytes")
    wanted = [corpus.ids[int(row)] for row in rows]
    missing, found = set(wanted), dict[str, Text]()
    with nullcontext() if _is_raw(path) else _opened(path) as file:
        records = _records_of_files(path) if file is None else _records(path, file)
        for _, mail, _ in records:
            if not missing:
                break
            if not isinstance(mail, str) and mail.id in missing:
                missing.remove(mail.id)
                found[mail.id] = Text(mail.subject, mail.text)
    return [found[name] for name in wanted]


def _records(path: Path, file: io.BufferedReader) -> Iterator[Record]:
    """The lines of a file."""
    for number, line in _lines(path, file):
        yield number, _mail(line), len(line)


def _is_raw(path: Path) -> bool:
    try:
        return is_raw(path)
    except (OSError, ValueError):
        return False


def _name_of_files(path: Path) -> str:
    """The corpus's folder: an index lies in one of its own, ``full``."""
    place = path.resolve()
    if place.is_file():
        place = place.parent.parent if place.parent.name == "full" else place.parent
    return place.name or "corpus"


def _messages(path: Path) -> Iterator[Found]:
    try:
        for number, found in enumerate(messages(path)):
            if number >= MOST:
                raise CorpusError(f"{path}: expected at most {MOST:,} messages, got more")
            yield found
    except LookupError as error:
        raise CorpusError(f"{path}: {error.args[0]}") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _digest_of_files(path: Path) -> str:
    """Of all that is read of them, with their names and labels."""
    digest = hashlib.sha256()
    for one in _messages(path):
        for part in (one.id.encode("utf-8", "surrogateescape"), one.label.encode(), one.raw):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _records_of_files(path: Path) -> Iterator[Record]:
    """The messages of a folder."""
    for number, one in enumerate(_messages(path), 1):
        yield number, _of_message(one), len(one.raw)


def _of_message(one: Found) -> _Mail | str:
    if one.why:
        return one.why
    id_ = one.id.encode("utf-8", "replace").decode()
    try:
        said = parsed(one.raw)
    except RefusedMail as error:
        return f"{id_}: {error}"
    label: Literal["spam", "ham"] = "spam" if one.label == "spam" else "ham"
    return _Mail(id_, label, said.subject, said.text)


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """The file, once it is known to be one: opening a pipe would wait for its writer."""
    if "\0" in str(path):
        raise CorpusError(f"{str(path)!r}: no such file, a name has no zero byte")
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise CorpusError(f"{path}: cannot be read")
        if not stat.S_ISREG(status.st_mode):
            raise CorpusError(f"{path}: expected a regular file, got a device or a pipe")
        if status.st_size > MAX_INFLATED:
            raise CorpusError(f"{path}: {_too_large()}")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise CorpusError(f"{path}: no such file; name a .jsonl or .jsonl.gz file") from error
    except OSError as error:
        raise _unreadable(path, error) from error
    with file:
        yield file


def _lines(path: Path, file: io.BufferedReader) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, counted from 1; of one beyond `MAX_LINE` only the beginning."""
    try:
        number = inflated = 0
        stream = _inflating(file)
        while line := stream.readline(MAX_LINE + 1):
            number += 1
            rest = line
            while True:
                inflated += len(rest)
                if inflated > MAX_INFLATED:
                    raise CorpusError(f"{path}: {_too_large()}")
                if len(rest) <= MAX_LINE or rest.endswith(b"\n"):
                    break
                rest = stream.readline(MAX_LINE + 1)
            if number == 1:
                line = line.removeprefix(_BOM)
            if line and not line.isspace():
                yield number, line
    except EOFError as error:
        raise CorpusError(
            f"{path}: the file is cut short: its gzip data has no end; fetch it again"
        ) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise CorpusError(f"{path}: the gzip data is damaged ({error}); fetch it again") from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _inflating(file: io.BufferedReader) -> io.BufferedReader:
    file.seek(0)
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    if not packed:
        return file
    inflated = cast("io.RawIOBase", gzip.GzipFile(fileobj=file))  # only readinto is needed
    return io.BufferedReader(inflated, _BATCH)


def _mail(line: bytes) -> _Mail | str:
    """The mail in a line, or what is wrong with it."""
    if len(line) > MAX_LINE:
        return f"expected at most {MAX_LINE} bytes, got more"
    try:
        return _DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        return str(error)


@dataclass(slots=True)
class _Reading:
    """What is known of a file so far."""

    ids: list[str] = field(default_factory=list)
    is_spam: list[bool] = field(default_factory=list)
    tokens: list[Ragged] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    """The line of each id."""
    seen: set[bytes] = field(default_factory=set)
    duplicates: int = 0
    empty: int = 0

    def add(self, mails: Sequence[_Mail]) -> None:
        """Hash some more mails and take those that say something new."""
        tokens = hash_texts([f"{mail.subject}\n{mail.text}" for mail in mails])
        rows = []
        for row, (mail, length) in enumerate(zip(mails, tokens.lengths.tolist(), strict=True)):
            if not length:
                self.empty += 1
            elif (likeness := _likeness(mail)) in self.seen:
                self.duplicates += 1
            else:
                self.seen.add(likeness)
                self.ids.append(mail.id)
                self.is_spam.append(mail.label == "spam")
                rows.append(row)
        self.tokens.append(tokens.take(np.array(rows, np.int64)))


def _parsed(path: Path, records: Iterable[Record], digest: str) -> Corpus:
    reading = _Reading()
    waiting: list[_Mail] = []
    size = 0
    for number, mail, length in records:
        if not isinstance(mail, str):
            first = reading.lines.setdefault(mail.id, number)
            if first != number:
                mail = f"expected an id of its own, got that of line {first}"
        if isinstance(mail, str):
            reading.broken.append(Broken(number, mail[:200]))
            if len(reading.broken) > MAX_BROKEN:
                raise CorpusError(f"{path}: {_WANTED}; got more than {MAX_BROKEN} broken lines")
            continue
        waiting.append(mail)
        size += length
        if size >= _BATCH:
            reading.add(waiting)
            waiting, size = [], 0
    reading.add(waiting)
    _check(path, reading)
    return Corpus(
        path.name,
        digest,
        reading.ids,
        np.array(reading.is_spam, np.bool_),
        concatenate(reading.tokens),
        tuple(reading.broken),
        reading.duplicates,
        reading.empty,
    )


def _check(path: Path, reading: _Reading) -> None:
    if not reading.lines and not reading.broken:
        raise CorpusError(f"{path}: {_WANTED}; the file is empty")
    if not reading.lines:
        line, reason = reading.broken[0]
        raise CorpusError(f"{path}, line {line}: {_WANTED}; got: {reason}")
    left_out = (
        f"left out: {len(reading.broken)} broken, {reading.duplicates} duplicate and"
        f" {reading.empty} empty"
    )
    if not reading.ids:
        raise CorpusError(f"{path}: expected spam and ham, no mail is left ({left_out})")
    if len(set(reading.is_spam)) == 1:
        only = "spam" if reading.is_spam[0] else "ham"
        raise CorpusError(f"{path}: expected spam and ham, got only {only} ({left_out})")


def _likeness(mail: _Mail) -> bytes:
    letters = "".join(f"{mail.subject}\n{mail.text}".casefold().split())
    return hashlib.blake2b(letters.encode(), digest_size=16).digest()


def _too_large() -> str:
    return f"expected at most {MAX_INFLATED} bytes, inflated, got more; split the file"


def _unreadable(path: Path, error: OSError) -> CorpusError:
    return CorpusError(f"{path}: cannot be read: {error.strerror or error}")


class _About(msgspec.Struct, frozen=True):
    """What is kept beside the arrays."""

    digest: str
    ids: list[str]
    broken: list[tuple[int, str]]
    duplicates: int
    empty: int


def _keep(corpus: Corpus) -> None:
    """Keep a corpus for next time, whole or not at all; where that cannot be, do without."""
    place = _place(corpus.digest)
    if place is None:
        return
    packed = _packed(corpus)
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(packed)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(place)
        finally:
            Path(name).unlink(missing_ok=True)


def _kept(digest: str) -> Corpus | None:
    """What was kept of the file with this digest, or None if that is nothing one can trust."""
    place = _place(digest)
    if place is None:
        return None
    try:
        return _unpacked(place.read_bytes(), digest)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _place(digest: str) -> Path | None:
    """Where a corpus is kept. Other formats and other hashes have other names."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():  # as the XDG specification asks for
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            return None
    sample = hash_texts(["Hashed_1 as of now, über alles"]).values.astype("<u4").tobytes()
    hashes = hashlib.blake2b(sample, digest_size=4).hexdigest()
    return base / "hamstrung" / f"corpus-{_FORMAT}-{hashes}-{digest}"


def _packed(corpus: Corpus) -> bytes:
    about = msgspec.json.encode(
        _About(corpus.digest, corpus.ids, list(corpus.broken), corpus.duplicates, corpus.empty)
    )
    buffer = io.BytesIO()
    np.savez(
        buffer,
        about=np.frombuffer(about, np.uint8),
        is_spam=corpus.is_spam,
        values=corpus.tokens.values,
        starts=corpus.tokens.starts,
    )
    content = buffer.getvalue()
    return _MAGIC + hashlib.sha256(content).digest() + content


def _unpacked(packed: bytes, digest: str) -> Corpus:
    seal, content = packed[: len(_MAGIC) + 32], packed[len(_MAGIC) + 32 :]
    if seal != _MAGIC + hashlib.sha256(content).digest():
        raise ValueError("not what was written")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        about = msgspec.json.decode(arrays["about"].tobytes(), type=_About)
        is_spam, tokens = arrays["is_spam"], Ragged(arrays["values"], arrays["starts"])
    if not about.digest == digest or not len(about.ids) == len(is_spam) == tokens.rows:
        raise ValueError("another corpus")
    broken = tuple(Broken(line, reason) for line, reason in about.broken)
    return Corpus("", digest, about.ids, is_spam, tokens, broken, about.duplicates, about.empty)
