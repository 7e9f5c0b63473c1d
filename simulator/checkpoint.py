"""Checkpoints: the state after a tick, in a file that is whole and unchanged, or is refused.

A file is a header (magic, version, tick, the lengths of the run's two journals at that tick, the
length of the state), the BLAKE2b digest of all else, and the state.
"""

import hashlib
import struct
from pathlib import Path
from typing import NamedTuple

from simulator.durable import FolderError, told, write_whole
from simulator.journal import Offsets

MAGIC = b"HAMSTATE"
VERSION = 1
HEADER = struct.Struct("<8sIQQQQ")
DIGEST = 32
LARGEST = 16 << 30
"""Bytes of a state that are read at most."""
KEPT = 2


class Checkpoint(NamedTuple):
    """A state to go on from: that after ``tick``, with the journals' lengths."""

    tick: int
    offsets: Offsets
    state: bytes


class Found(NamedTuple):
    """The latest valid checkpoint, if there is one, and why each later one was refused."""

    checkpoint: Checkpoint | None
    refused: tuple[str, ...]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; when it is durable, delete all but the last two.

    Args:
        folder: that of the checkpoints; made if it is not there.
        checkpoint: tick, lengths of the journals (which have to be durable already), state.

    Raises:
        FolderError: it cannot be written; those before are as they were.
    """
    tick, offsets, state = checkpoint
    header = HEADER.pack(MAGIC, VERSION, tick, *offsets, len(state))
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FolderError(f"{folder}: cannot be made: {told(error)}") from error
    write_whole(_path(folder, tick), header, _digest(header, state), state)
    for old in _files(folder)[:-KEPT]:
        old.unlink(missing_ok=True)


def read(path: Path) -> Checkpoint:
    """Read one checkpoint.

    Raises:
        FolderError: it is cut, changed, of another version, or cannot be read.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise FolderError(f"{path}: refused: larger than any checkpoint")
        data = path.read_bytes()
    except OSError as error:
        raise FolderError(f"{path}: cannot be read: {told(error)}") from error
    start = HEADER.size + DIGEST
    if len(data) < start:
        raise FolderError(f"{path}: refused: cut at {len(data)} bytes")
    magic, version, tick, frames, events, length = HEADER.unpack_from(data)
    if magic != MAGIC:
        raise FolderError(f"{path}: refused: no checkpoint, or a damaged one")
    if version != VERSION:
        raise FolderError(f"{path}: refused: of version {version}, this program reads {VERSION}")
    if len(data) != start + length:
        raise FolderError(f"{path}: refused: {len(data)} bytes, expected {start + length}")
    state = data[start:]
    if _digest(data[: HEADER.size], state) != data[HEADER.size : start]:
        raise FolderError(f"{path}: refused: damaged, its digest does not fit")
    if path.name != _path(path.parent, tick).name:
        raise FolderError(f"{path}: refused: it holds the state after tick {tick}")
    return Checkpoint(tick, Offsets(frames, events), state)


def latest(folder: Path, offsets: Offsets) -> Found:
    """The latest checkpoint that is valid, and whose part of the journals is there.

    Args:
        folder: that of the checkpoints.
        offsets: how long the journals are now.
    """
    refused: list[str] = []
    for path in reversed(_files(folder)):
        try:
            found = read(path)
        except FolderError as error:
            refused.append(str(error))
            continue
        if all(then <= now for then, now in zip(found.offsets, offsets, strict=True)):
            return Found(found, tuple(refused))
        refused.append(f"{path}: refused: the frames or events before it are cut")
    return Found(None, tuple(refused))


def forget(folder: Path, after: int = -1) -> None:
    """Delete the checkpoints of later ticks than ``after``: all of them, if nothing is said."""
    for path in _files(folder):
        if int(path.stem) > after:
            path.unlink(missing_ok=True)
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)
    if after < 0 and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _files(folder: Path) -> list[Path]:
    """The checkpoints' files by tick."""
    found = [path for path in folder.glob("*.ckpt") if path.stem.isdecimal()]
    return sorted(found, key=lambda path: int(path.stem))


def _path(folder: Path, tick: int) -> Path:
    return folder / f"{tick}.ckpt"


def _digest(header: bytes, state: bytes) -> bytes:
    digest = hashlib.blake2b(header, digest_size=DIGEST)
    digest.update(state)
    return digest.digest()
