"""Text to tokens: each run of letters, digits and underscores becomes a 32-bit hash.

Whole batches at a time and without a loop over tokens or bytes. An odd B has an inverse modulo
2^64, so one running sum over the text's bytes, S_i = byte_0 + byte_1 B^-1 + ... + byte_i B^-i,
holds every token's polynomial hash: the token from a to b is (S_b - S_(a-1)) B^b, wherever it is.

The hash is fixed and public. It is no defence: who wants two words to collide can find such words.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from filter.ragged import Ragged

MAX_BYTES: Final = 256 * 1024
"""What a mail's text has beyond this many bytes is not read."""

SKETCH: Final = 8
"""Min-hashes in a sketch."""

NO_SKETCH: Final = 0xFFFFFFFF
"""Stands in every place of the sketch of a mail without a token, and in no other."""

_CHUNK: Final = 96 * 1024
"""Characters hashed at a time: measured, the work then stays in a core's own cache."""

_SKETCHED: Final = 64 * 1024
"""Tokens sketched at a time, for the same reason."""

_BASE: Final = 0x9E3779B97F4A7C15
_MIXER: Final = np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)


def _folded(byte: int) -> int:
    word = byte >= 128 or chr(byte).isalnum() or byte == ord("_")
    return ord(chr(byte).lower()) if word and byte < 128 else byte if word else 0


_FOLD: Final = bytes(map(_folded, range(256)))
"""Each byte as the hash sees it: ASCII in lower case, 0 for what stands between words."""


class _Powers(NamedTuple):
    of_base: NDArray[np.uint64]
    of_inverse: NDArray[np.uint64]


class _Chunk(NamedTuple):
    text: bytes
    lengths: NDArray[np.int64]


def hash_texts(texts: Sequence[str] | Sequence[bytes]) -> Ragged:
    """Each text's tokens as 32-bit hashes, in order and as often as they stand there.

    Equal tokens have equal hashes whatever else is in the batch. ASCII letters count without case;
    every byte from 128 on belongs to a word, so other scripts are hashed as they are. Half a
    surrogate pair is hashed like any other character.

    Args:
        texts: all of them ``str`` (read as UTF-8) or all ``bytes``; past `MAX_BYTES` nothing is
            read.

    >>> mails = hash_texts(["Cheap pills, cheap!", "", "cheap"])
    >>> mails.lengths.tolist()
    [3, 0, 1]
    >>> [f"{token:08x}" for token in mails.values]
    ['428be054', 'c9d1dea3', '428be054', '428be054']
    """
    values, starts, found = [np.empty(0, np.uint32)], [np.zeros(1, np.int64)], 0
    for chunk in _chunks(texts):
        hashes, firsts = _hash(chunk)
        values.append(hashes)
        starts.append(firsts + found)
        found += len(hashes)
    return Ragged(np.concatenate(values), np.concatenate(starts))


def hash_words(words: Sequence[str] | Sequence[bytes]) -> NDArray[np.uint32]:
    """The hash of each word, as `hash_texts` gives it.

    Raises:
        ValueError: if something is not exactly one token.

    >>> f"{hash_words(['cheap'])[0]:08x}"
    '428be054'
    """
    hashed = hash_texts(words)
    if (wrong := np.flatnonzero(hashed.lengths != 1)).size:
        word, tokens = words[wrong[0]], hashed.lengths[wrong[0]]
        raise ValueError(f"words[{wrong[0]}]: expected one token, got {tokens} in {word[:80]!r}")
    return hashed.values


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """Each text's tokens as the words that `hash_texts` hashes, in its order; ASCII in lower case.

    What is no UTF-8, a character that `MAX_BYTES` cuts in two or half a surrogate pair, is U+FFFD
    here and so has another hash; every word still stands in its token's place.

    >>> words_of(["Cheap pills, cheap!", ""])
    [['cheap', 'pills', 'cheap'], []]
    """
    encoded = (text[:MAX_BYTES].encode("utf-8", "surrogatepass")[:MAX_BYTES] for text in texts)
    folded = (text.translate(_FOLD).decode("utf-8", "replace") for text in encoded)
    return [[word for word in text.split("\0") if word] for text in folded]


def sketch(features: Ragged) -> NDArray[np.uint32]:
    """Eight min-hashes of each row's set of tokens: what share is equal estimates their likeness.

    In one place, two rows have the same number if and only if the same token is the smallest there.
    Each place spreads its numbers in its own way, so they may all go into one index.

    Args:
        features: token hashes; their order and how often they stand in a row do not matter.

    Returns:
        One row of eight for each row; eight times `NO_SKETCH` for an empty one.

    See: A. Broder, "On the resemblance and containment of documents", 1997.

    >>> one, other = sketch(hash_texts(["cheap gold for you", "cheap gold rings for two"]))
    >>> int((one == other).sum())
    5
    """
    result = np.full((features.rows, SKETCH), NO_SKETCH, np.uint32)
    filled = np.flatnonzero(features.lengths)
    starts = features.starts[filled]
    first = 0
    while first < len(filled):
        stop = max(first + 1, int(np.searchsorted(starts, starts[first] + _SKETCHED)))
        end = starts[stop] if stop < len(filled) else features.starts[-1]
        tokens = features.values[starts[first] : end]
        result[filled[first:stop]] = _smallest(tokens, starts[first:stop] - starts[first])
        first = stop
    return result


def _chunks(texts: Sequence[str] | Sequence[bytes]) -> Iterator[_Chunk]:
    """The texts in pieces of about `_CHUNK`, each mail whole."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    ends = np.cumsum(np.minimum(lengths, MAX_BYTES) + 1)
    first = 0
    while first < len(texts):
        before = ends[first - 1] if first else 0
        stop = max(first + 1, int(np.searchsorted(ends, before + _CHUNK, "right")))
        yield _joined(texts[first:stop], cut=bool(lengths[first:stop].max() > MAX_BYTES))
        first = stop


def _joined(texts: Sequence[str] | Sequence[bytes], cut: bool) -> _Chunk:
    """Texts in one, a space behind each and one in front, with each one's length in bytes."""
    if isinstance(texts[0], str):
        words = cast("Sequence[str]", texts)
        if all(map(str.isascii, words)) and not cut:
            lengths = np.fromiter(map(len, words), np.int64, len(words))
            return _Chunk(" ".join(["", *words, ""]).encode(), lengths)
        texts = [
            text.encode() if text.isascii() else text[:MAX_BYTES].encode("utf-8", "surrogatepass")
            for text in words
        ]
    encoded = [text[:MAX_BYTES] for text in cast("Sequence[bytes]", texts)]
    lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
    return _Chunk(b" ".join([b"", *encoded, b""]), lengths)


def _hash(chunk: _Chunk) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """All tokens of a chunk, and where each mail's tokens end among them."""
    letters = np.frombuffer(chunk.text.translate(_FOLD), np.uint8)
    word = letters != 0
    borders = np.flatnonzero(word[1:] != word[:-1])
    before, last = borders[0::2], borders[1::2]
    powers = _powers()
    running = letters.astype(np.uint64)
    running *= powers.of_inverse[: len(running)]
    np.cumsum(running, out=running)
    hashes = running[last]
    hashes -= running[before]
    hashes *= powers.of_base[last]
    return _mixed(hashes), np.searchsorted(before, np.cumsum(chunk.lengths + 1))


def _mixed(hashes: NDArray[np.uint64]) -> NDArray[np.uint32]:
    hashes ^= hashes >> _HALF
    hashes *= _MIXER
    hashes >>= _HALF
    return hashes.astype(np.uint32)


@cache
def _powers() -> _Powers:
    """B^i and B^-i for each place in the longest chunk: one mail, or many of 4-byte characters."""
    size = max(MAX_BYTES, 4 * _CHUNK) + 2
    return _Powers(_power(_BASE, size), _power(pow(_BASE, -1, 2**64), size))


def _power(base: int, size: int) -> NDArray[np.uint64]:
    factors = np.full(size, base, np.uint64)
    factors[0] = 1
    return np.multiply.accumulate(factors)


_KEYS: Final = np.array(
    [
        0x85EBCA6B,
        0xC2B2AE35,
        0x27D4EB2F,
        0x165667B1,
        0x9E3779B1,
        0xCC9E2D51,
        0x1B873593,
        0xE6546B65,
    ],
    np.uint32,
)
"""Odd, so that multiplying by one loses nothing: two tokens never have the same product."""


def _smallest(tokens: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The smallest of each row's tokens in eight orders; no row is empty."""
    least = np.empty((len(starts), SKETCH), np.uint32)
    product = np.empty_like(tokens)
    for place, key in enumerate(_KEYS):
        np.multiply(tokens, key, out=product)
        least[:, place] = np.minimum.reduceat(product, starts)
    least ^= _KEYS[::-1]
    least ^= least >> np.uint32(16)
    least *= _KEYS
    least ^= least >> np.uint32(15)
    return np.minimum(least, np.uint32(NO_SKETCH - 1))
