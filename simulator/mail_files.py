"""Folders of raw mail: a TREC index, or ham and spam in folders of messages and in mboxes.

A shell: it lists and reads files, none of them outside the corpus's own folder.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

INDEX: Final = ("full/index", "index")
"""Where a TREC corpus has its index."""

MOST: Final = 1_000_000
"""Messages of a corpus at most."""

LARGEST: Final = 1024 * 1024
"""Bytes of a message that are read; far beyond what is looked at."""

_LINE: Final = re.compile(r"\s*(?P<label>ham|spam)\s+(?P<path>\S.*?)\s*")


class Found(NamedTuple):
    """A message: its id, its label, and its bytes, or why there are none."""

    id: str
    label: str
    raw: bytes
    why: str = ""


def is_raw(path: Path) -> bool:
    """Whether a path is one of raw mail: a folder, or a TREC index."""
    if path.is_dir():
        return True
    if not path.is_file() or path.stat().st_size == 0:
        return False
    with path.open("rb") as file:
        first = file.readline(4096)
    return _LINE.fullmatch(first.decode("utf-8", "replace").strip()) is not None


def messages(path: Path) -> Iterator[Found]:
    """The messages of a corpus, in the order of its index, or of their names.

    Raises:
        LookupError: a folder in which nothing is labelled, with what would do.
        OSError: it cannot be listed.
    """
    if path.is_file():
        yield from _indexed(path)
        return
    for name in INDEX:
        if (path / name).is_file():
            yield from _indexed(path / name)
            return
    labelled = [(one, label) for one in sorted(path.iterdir()) if (label := _label(one))]
    if not labelled:
        raise LookupError(
            "expected full/index as TREC has it, or folders or mboxes whose names begin with ham"
            " and spam (ham/1.eml, spam.mbox)"
        )
    for one, label in labelled:
        if one.is_dir():
            yield from _of_folder(one, path, label)
        else:
            yield from _of_mbox(one, label)


def _label(path: Path) -> str:
    name = path.name.lower()
    if path.is_file() and not name.endswith((".mbox", ".mbx")):
        return ""
    return next((label for label in ("ham", "spam") if name.startswith(label)), "")


def _indexed(index: Path) -> Iterator[Found]:
    """The files that an index names, relative to it: ``spam ../data/inmail.1``."""
    root = index.parent.parent if index.parent.name == "full" else index.parent
    root = root.resolve()
    with index.open("rb") as file:
        for line in file:
            said = line[:4096].decode("utf-8", "replace")
            if not said.strip():
                continue
            match = _LINE.fullmatch(said.rstrip("\r\n"))
            if match is None:
                yield Found(
                    "", "ham", b"", f"expected 'ham PATH' or 'spam PATH', got {said[:80]!r}"
                )
                continue
            place = (index.parent / match["path"]).resolve()
            if not place.is_relative_to(root):
                yield Found("", "ham", b"", f"{match['path'][:80]} is outside the corpus's folder")
                continue
            yield _read(place, str(place.relative_to(root)), match["label"])


def _of_folder(folder: Path, root: Path, label: str) -> Iterator[Found]:
    """All files below a folder, by name."""
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            place = Path(here) / name
            yield _read(place, str(place.relative_to(root)), label)


def _read(place: Path, id_: str, label: str) -> Found:
    try:
        if not place.is_file() or place.is_symlink():
            return Found(id_, label, b"", f"{id_}: expected a file")
        with place.open("rb") as file:
            return Found(id_, label, file.read(LARGEST))
    except OSError as error:
        return Found(id_, label, b"", f"{id_}: cannot be read: {error.strerror or error}")


def _of_mbox(path: Path, label: str) -> Iterator[Found]:
    """The messages of an mbox: each begins with ``From `` behind an empty line (RFC 4155)."""
    lines: list[bytes] = []
    size = number = 0
    blank, begun = True, False
    with path.open("rb") as file:
        while line := file.readline(LARGEST):
            if blank and line.startswith(b"From "):
                if begun:
                    yield Found(f"{path.name}#{number}", label, b"".join(lines))
                lines, size, begun = [], 0, True
                number += 1
            elif begun and size < LARGEST:
                lines.append(line[1:] if line.startswith(b">From ") else line)
                size += len(line)
            blank = line in (b"\n", b"\r\n")
    if begun:
        yield Found(f"{path.name}#{number}", label, b"".join(lines))
