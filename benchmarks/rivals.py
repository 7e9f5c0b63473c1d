"""The rivals: River, and Vowpal Wabbit, each as fast as its own interface allows."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple

import vowpalwabbit
from river.feature_extraction import BagOfWords
from river.linear_model import LogisticRegression

from benchmarks.loop import Lap

VW_OPTIONS: Final = "--loss_function logistic -b 18 --quiet"
"""Its default learner; 2^18 weights, as many as the filter's own model has for each class."""

_SPAM, _HAM = b"\xff", b"\xfe"
"""Bytes that UTF-8 never has: they stand where a mail begins until its label is written there."""


def _letter(byte: int) -> int:
    """What VW reads of a byte: word characters in lower case; its own signs would break the line.

    The two bytes above stay as they are, being above 127 like those of other scripts' letters.
    """
    word = byte >= 128 or chr(byte).isalnum() or byte == ord("_")
    return ord(chr(byte).lower()) if word and byte < 128 else byte if word else ord(" ")


_LETTERS: Final = bytes(map(_letter, range(256)))


class River:
    """``BagOfWords | LogisticRegression``: predict a mail, then learn it, one after the other."""

    def __init__(self) -> None:
        """Start from nothing; what is learned stays from lap to lap."""
        # Any: by River's annotations a pipeline takes a dict alone; this one begins with text.
        self._model: Any = BagOfWords() | LogisticRegression()

    def lap(self, texts: Sequence[str], spam: Sequence[bool]) -> Lap:
        """Predict and learn mails."""
        begun = perf_counter()
        for text, label in zip(texts, spam, strict=True):
            self._model.predict_one(text)
            self._model.learn_one(text, label)
        return Lap(len(texts), perf_counter() - begun)


class VowpalLaps(NamedTuple):
    """What Vowpal Wabbit took: from the strings on, and for its own part alone."""

    from_strings: Lap
    from_lines: Lap


def vowpal_lap(texts: Sequence[str], spam: Sequence[bool]) -> VowpalLaps:
    """Write mails in VW's text format and have it learn them in one pass, without predicting.

    VW's own reader takes the lines from a file, in memory where the system has such a place: that
    is faster than handing it Python strings one by one.
    """
    with _place() as path:
        begun = perf_counter()
        path.write_bytes(vowpal_lines(texts, spam))
        written = perf_counter()
        workspace = vowpalwabbit.Workspace(f"{VW_OPTIONS} --data {path}", enable_logging=False)
        learned = perf_counter()
        count = round(workspace.get_weighted_examples())
        workspace.finish()
    if count != len(texts):
        raise RuntimeError(f"Vowpal Wabbit learned {count} mails of {len(texts)}")
    return VowpalLaps(Lap(count, learned - begun), Lap(count, learned - written))


def vowpal_lines(texts: Sequence[str], spam: Sequence[bool]) -> bytes:
    r"""Mails in VW's text format: a line each, its words as the filter would tell them.

    >>> vowpal_lines(["Cheap: pills!\nnow", "Hi"], [True, False])
    b'1 | cheap  pills  now\n-1 | hi\n'
    """
    parts: list[bytes] = []
    for text, label in zip(texts, spam, strict=True):
        parts.append(_SPAM if label else _HAM)
        parts.append(text.encode("utf-8", "surrogatepass"))
    letters = b"".join(parts).translate(_LETTERS)
    lines = letters.replace(_SPAM, b"\n1 | ").replace(_HAM, b"\n-1 | ")
    return lines[1:] + b"\n"


@contextmanager
def _place() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder) / "mails.vw"
