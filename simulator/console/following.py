"""Following a run's folder: its lines, as they are written, without the run noticing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from simulator.durable import FolderError, told
from simulator.safe import safe

Line = dict[str, Any]

MOST = 4 << 20
"""Bytes that are read at a time, so that a screen never waits for a whole file."""
LONG = 200
"""Characters of a text in a file that are shown at most."""


class Lines:
    """The lines of a file that another process may be writing.

    A last line that is not whole yet is left for the next time. When the file has become shorter,
    its run was taken up again from a checkpoint: it is read anew from its beginning.

    Args:
        path: the file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        """Begin before the first line."""
        self._path = path
        self._offset = 0
        self._rest = b""
        self._decoder = msgspec.json.Decoder(Line)
        self._anew = False

    def begun_anew(self) -> bool:
        """Whether the lines given since the last time are the first of the file, read again."""
        anew, self._anew = self._anew, False
        return anew

    def rewind(self) -> None:
        """Begin before the first line again."""
        self._offset, self._rest = 0, b""

    def new(self) -> list[Line]:
        """The lines since the last time, the next few megabytes of them.

        Raises:
            FolderError: the file cannot be read, or a line of it.
        """
        try:
            size = self._path.stat().st_size
            if size < self._offset:
                self._anew = True
                self.rewind()
            if size == self._offset:
                return []
            with self._path.open("rb") as file:
                file.seek(self._offset)
                data = file.read(MOST)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise FolderError(f"{self._path}: cannot be read: {told(error)}") from error
        self._offset += len(data)
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        return list(self._decoded((whole + end).splitlines()))

    def _decoded(self, lines: list[bytes]) -> Iterator[Line]:
        for line in lines:
            try:
                yield sound(self._decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise FolderError(f"{self._path}: cannot be read: {error}") from error


def sound(value: Any) -> Any:
    r"""A value of a file with every text in it made safe: the one door to the screen.

    >>> sound({"reason": "\x1b]52;c;aGk=\x07"})
    {'reason': '␛]52;c;aGk=␇'}
    """
    match value:
        case str():
            plain = len(value) <= LONG and value.isascii() and value.isprintable()
            return value if plain else safe(value, LONG)
        case dict():
            return {sound(key): sound(one) for key, one in value.items()}
        case list():
            return [sound(one) for one in value]
    return value
