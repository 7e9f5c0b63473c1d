from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from filter.codec import DTYPES, CodecError, pack, unpack


class Row(NamedTuple):
    ids: NDArray[np.uint64]
    name: str


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seen: tuple[int, ...]
    trust: float | None = None


@dataclass(frozen=True, slots=True)
class State:
    tick: int
    row: Row
    accounts: dict[int, Account]
    seen: NDArray[np.bool_] | None
    counts: dict[int, NDArray[np.int64]]


STATE = State(
    7,
    Row(np.array([1, 2**64 - 1], np.uint64), "ham"),
    {3: Account((1, 2), 0.5), 2**63: Account(())},
    np.array([True, False]),
    {1: np.arange(6).reshape(2, 3)},
)


def wire(dtype: object, shape: object, raw: object) -> bytes:
    return msgspec.msgpack.encode([dtype, shape, raw])


def test_a_state_of_records_and_arrays_comes_back() -> None:
    again = unpack(State, pack(STATE))
    assert (again.tick, again.row.name, again.accounts) == (7, "ham", STATE.accounts)
    assert isinstance(again.row, Row)
    assert again.row.ids.tolist() == [1, 2**64 - 1]
    assert again.seen is not None
    assert again.seen.tolist() == [True, False]
    assert again.counts[1].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_same_value_gives_the_same_bytes() -> None:
    assert pack(unpack(State, pack(STATE))) == pack(STATE)


def test_nothing_in_place_of_an_array_comes_back_as_nothing() -> None:
    bare = State(0, Row(np.empty(0, np.uint64), ""), {}, None, {})
    assert unpack(State, pack(bare)).seen is None


def test_a_dict_keeps_its_order() -> None:
    assert list(unpack(dict[int, int], pack({3: 0, 1: 0, 2: 0}))) == [3, 1, 2]


@given(
    st.sampled_from(sorted(DTYPES)),
    st.lists(st.integers(0, 4), max_size=3),
    st.randoms(use_true_random=False),
)
def test_every_dtype_and_shape_comes_back(dtype: str, shape: list[int], random: Any) -> None:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = bytes(random.getrandbits(1) for _ in range(size))
    array = np.frombuffer(raw, dtype).reshape(shape)
    again = unpack(NDArray[Any], pack(array))
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, raw)


def test_an_array_s_layout_and_byte_order_do_not_travel() -> None:
    grid = np.arange(6).reshape(2, 3)
    assert pack(grid.T) == pack(np.ascontiguousarray(grid.T))
    assert pack(np.asfortranarray(grid)) == pack(grid)
    assert pack(grid.astype(">i8")) == pack(grid)


def test_an_array_that_was_read_cannot_be_written() -> None:
    again = unpack(NDArray[np.int64], pack(np.arange(3)))
    with pytest.raises(ValueError, match="read-only"):
        again[0] = 1


def test_a_number_of_numpy_travels_as_a_plain_one() -> None:
    assert unpack(tuple[int, float], pack((np.uint64(3), np.float64(0.5)))) == (3, 0.5)


@pytest.mark.parametrize(
    "value",
    [
        np.array([object()]),
        np.ones(1, np.float32),
        np.ones(1, np.complex128),
        np.ones(1, "datetime64[s]"),
        np.array(["ham"]),
        np.zeros(1, [("a", "i4")]),
        2**64,
        object(),
        lambda: None,
    ],
)
def test_what_does_not_travel_is_refused(value: object) -> None:
    with pytest.raises(CodecError, match="cannot pack"):
        pack({"inside": value})


@pytest.mark.parametrize(
    "data",
    [
        wire("|O", [1], bytes(8)),
        wire("<f4", [2], bytes(8)),
        wire("i8", [1], bytes(8)),
        wire(">i8", [1], bytes(8)),
        wire("<i8", [2], bytes(8)),
        wire("<i8", [1], bytes(9)),
        wire("<i8", [-1, -1], bytes(8)),
        wire("<i8", [2**32, 2**32], b""),
        wire("<i8", [2**40, 2**40, 0], b""),
        wire("<i8", [2**63, 0], b""),
        wire("<i8", [1.0], bytes(8)),
        wire("<i8", [True], bytes(8)),
        wire("<i8", [1] * 65, bytes(8)),
        wire("<i8", 1, bytes(8)),
        wire("<i8", [1], "12345678"),
        wire("|b1", [1], b"\2"),
        wire(1, [1], bytes(8)),
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode({"dtype": "<i8"}),
        msgspec.msgpack.encode(None),
    ],
)
def test_bytes_that_are_no_array_are_refused(data: bytes) -> None:
    with pytest.raises(CodecError):
        unpack(NDArray[Any], data)


def test_another_dtype_than_the_reader_s_is_refused() -> None:
    with pytest.raises(CodecError, match=r"Expected an array of <u8, got '<i8' - at `\$\[0\]`"):
        unpack(Row, pack((np.arange(3), "ham")))


def test_a_refusal_names_the_place() -> None:
    broken = {"seen": [1, "two"]}
    with pytest.raises(CodecError, match=r"Expected `int`, got `str` - at `\$\[...\].seen\[1\]`"):
        unpack(dict[int, Account], pack({5: broken}))


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(CodecError, match="unknown field `is_bot`"):
        unpack(Account, pack({"seen": [], "is_bot": True}))


@pytest.mark.parametrize("length", [1, 3])
def test_a_named_tuple_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(CodecError, match="Expected `array` of length 2"):
        unpack(Row, pack((0,) * length))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc1",
        b"\x01\x02",
        b"\xdd\xff\xff\xff\xff",
        b"\x91" * 100_000,
        b"\xa2\xff\xfe",
        b"\xc6\xff\xff\xff\xff",
        pack(STATE)[:-1],
        pack(STATE) + b"\0",
    ],
)
@pytest.mark.parametrize("expected", [int, str, State, NDArray[Any], tuple[int, ...], list[Any]])
def test_bad_bytes_are_refused(expected: Any, data: bytes) -> None:
    with pytest.raises(CodecError):
        unpack(expected, data)


@given(st.binary(max_size=60))
def test_whatever_the_bytes_nothing_but_a_codec_error_is_raised(data: bytes) -> None:
    for expected in (State, NDArray[Any]):
        with suppress(CodecError):
            unpack(expected, data)


@given(st.integers(0, len(pack(STATE)) - 1), st.integers(0, 255))
def test_a_changed_byte_is_read_or_refused(place: int, byte: int) -> None:
    data = bytearray(pack(STATE))
    data[place] = byte
    with suppress(CodecError):
        pack(unpack(State, bytes(data)))
