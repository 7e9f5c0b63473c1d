"""The list of strings that all contenders start from."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from filter.features import hash_texts
from filter.ragged import Ragged
from simulator.corpus import Corpus, read_corpus, texts

Rows = NDArray[np.integer[Any]]


class Strings(NamedTuple):
    """The mails of a corpus as text.

    ``reading`` is seconds from the file to the strings (gunzip, JSON), which no contender is
    charged for; ``kept`` is seconds to get its tokens from where they were kept.
    """

    texts: list[str]
    spam: list[bool]
    corpus: Corpus
    reading: float
    kept: float


def strings(path: Path) -> Strings:
    """Read a corpus as strings. Its tokens are read twice, so that the second time finds them kept.

    Raises:
        CorpusError: as `simulator.corpus.read_corpus` does.
    """
    read_corpus(path)
    begun = perf_counter()
    corpus = read_corpus(path)
    kept = perf_counter() - begun
    said = [f"{mail.subject}\n{mail.text}" for mail in texts(path, range(len(corpus.ids)))]
    reading = perf_counter() - begun - kept
    return Strings(said, corpus.is_spam.tolist(), corpus, reading, kept)


class Unhashed(Ragged):
    """Stands for a corpus's tokens, but hashes the strings anew whenever rows are taken.

    A source that deals such a corpus does within the loop what `read_corpus` does once. ``dealt``
    notes the rows, so that the other contenders get the same mails.
    """

    texts: Sequence[str]
    dealt: list[Rows]

    def take(self, rows: Rows) -> Ragged:
        """The tokens of these rows' strings."""
        self.dealt.append(rows)
        return hash_texts([self.texts[row] for row in rows.tolist()])


def unhashed(said: Strings) -> Unhashed:
    """The tokens of a corpus, to be hashed when they are needed."""
    tokens = Unhashed(*said.corpus.tokens)
    tokens.texts, tokens.dealt = said.texts, []
    return tokens
