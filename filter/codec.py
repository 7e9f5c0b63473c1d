"""Values to bytes and back: how a stage's state is frozen, sent and read again.

MessagePack by msgspec, driven by the types that the reader expects: nothing in the bytes can name
code. Arrays travel as (dtype, shape, little-endian bytes in C order).
"""

import math
from collections.abc import Hashable
from functools import lru_cache
from typing import Any, Final, cast, get_args, get_origin

import msgspec
import numpy as np

DTYPES: Final = frozenset(
    ("|b1", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "<f8"),
)
"""The arrays that travel, as numpy writes their dtypes."""


class CodecError(ValueError):
    """A value that cannot be packed, or bytes that are not what the reader expects."""


def pack(value: object) -> bytes:
    """Pack structs, dataclasses, named tuples, dicts, tuples, arrays and numbers.

    The same value gives the same bytes; dicts and sets keep their own order, so that it reads back
    alike.

    Raises:
        CodecError: For an array of another dtype than `DTYPES`, or a value of an unknown type.

    >>> unpack(tuple[int, np.ndarray], pack((3, np.arange(2))))
    (3, array([0, 1]))
    """
    try:
        return msgspec.msgpack.encode(value, enc_hook=_plain)
    except (TypeError, ValueError, OverflowError, RecursionError) as problem:
        raise CodecError(f"cannot pack a {type(value).__name__}: {problem}") from problem


def unpack(kind: Any, data: bytes) -> Any:
    """Read a value of ``kind``; arrays are views of the bytes read, so they cannot be written.

    A ``NDArray[np.uint64]`` accepts that dtype alone, ``NDArray[Any]`` all of `DTYPES`. Unknown
    fields are refused where the struct says ``forbid_unknown_fields``; in a dataclass they are
    passed over. An array field must say ``NDArray``.

    Raises:
        CodecError: With the place, such as ``$.seen``, where the bytes are not such a value.

    >>> unpack(dict[int, float], pack({1: "half"}))
    Traceback (most recent call last):
    filter.codec.CodecError: Expected `float`, got `str` - at `$[...]`
    """
    try:
        return _decoder(cast("Hashable", kind)).decode(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        raise CodecError(str(problem)) from problem


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(kind, dec_hook=_rebuilt)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value, value.dtype.newbyteorder("<"))
        if little.dtype.str not in DTYPES:
            raise TypeError(f"an array of dtype {value.dtype} does not travel")
        return little.dtype.str, value.shape, little.data
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} does not travel")


def _rebuilt(kind: Any, given: object) -> object:
    """What msgspec asks for types it does not know: here, arrays."""
    if (get_origin(kind) or kind) is not np.ndarray:
        raise TypeError(f"cannot read a {kind}")
    match given:
        case [str() as dtype, [*shape], bytes() as raw]:
            lengths = [_length(length) for length in shape]
            _must_fit(_dtypes_of(kind), dtype, lengths, raw)
            return np.frombuffer(raw, dtype).reshape(lengths)
    raise ValueError("Expected an array as (dtype, shape, bytes)")


def _dtypes_of(kind: Any) -> frozenset[str]:
    """The dtypes that ``NDArray[...]`` allows."""
    for dtype in get_args(kind)[1:]:
        (scalar,) = get_args(dtype)
        if scalar is not Any:
            return DTYPES & {np.dtype(scalar).newbyteorder("<").str}
    return DTYPES


def _length(given: object) -> int:
    if type(given) is not int or not 0 <= given < 1 << 48:
        raise ValueError("Expected lengths from 0 up as an array's shape")
    return given


def _must_fit(dtypes: frozenset[str], dtype: str, lengths: list[int], raw: bytes) -> None:
    if dtype not in dtypes:
        raise ValueError(f"Expected an array of {' or '.join(sorted(dtypes))}, got {dtype[:20]!r}")
    needed = math.prod(lengths) * np.dtype(dtype).itemsize
    if len(raw) != needed:
        raise ValueError(f"Expected {needed} bytes for an array, got {len(raw)}")
    if dtype == "|b1" and raw.translate(None, b"\0\1"):
        raise ValueError("Expected only bytes 0 and 1 in an array of bool")
