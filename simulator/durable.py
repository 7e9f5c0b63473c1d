"""Files that survive a crash: each is there as a whole or not at all."""

import os
from contextlib import suppress
from pathlib import Path


class FolderError(ValueError):
    """A run's folder that cannot be made, written, read, or taken up again; with the reason."""


def write_whole(path: Path, *parts: bytes) -> None:
    """Put a file in its place in one step: temporary file, fsync, rename, fsync of the folder.

    Whatever goes wrong on the way, the file that was there before stays as it was.

    Args:
        path: the file.
        parts: its bytes, one part after the other.

    Raises:
        FolderError: the disk is full, or nothing can be written there.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb", buffering=0) as file:
            for part in parts:
                write_all(file.fileno(), part)
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise FolderError(f"{path}: cannot be written: {told(error)}") from error


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the bytes: the system may take fewer at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def told(error: OSError) -> str:
    """What the system says of an error, without the file's name."""
    return (error.strerror or str(error)).lower()
