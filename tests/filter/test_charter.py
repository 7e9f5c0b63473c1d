from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
import pytest

from filter import codec
from filter.chain import Beginning, in_memory
from filter.charter import PROTOCOL, Charter, charter, packed, unpacked
from filter.codec import CodecError
from filter.learner import StartSet
from filter.plugins import PluginError
from filter.ragged import ragged
from filter.settings import FilterSettings, plugins
from filter.stage import Histories, Provider

SECRET = bytes(range(16))


def beginning() -> Beginning:
    accounts = np.array([3, 2**64 - 1], np.uint64)
    ticks = np.array([-5, 7], np.int64)
    start = StartSet(
        ragged([[1, 2], [2**32 - 1], []]), np.array([True, False, True]), ragged([[5], [6, 7]])
    )
    return Beginning(Provider(SECRET, 48), start, Histories(accounts, ticks, ticks, ticks))


def made(settings: FilterSettings | None = None) -> Charter:
    own = settings or FilterSettings(guard="default")
    return charter(
        "run-1",
        own,
        msgspec.json.encode(asdict(own)),
        beginning(),
        {"hamstrung": "1", "numpy": "2"},
        parts=2,
        delay=3,
        last=29,
        per_message=500,
        snapshot_every=240,
    )


@pytest.mark.parametrize("size", [1, 7, 100, 1 << 20])
def test_a_charter_comes_back_from_pieces_of_any_size(size: int) -> None:
    pieces = packed(made(), size)
    assert max(map(len, pieces)) <= size
    again = unpacked(pieces)
    assert codec.pack(again) == codec.pack(made())
    assert again.protocol == PROTOCOL


def test_what_the_filter_begins_with_comes_back_bit_for_bit() -> None:
    again = unpacked(packed(made(), 64)).beginning
    assert codec.pack(tuple(again)) == codec.pack(tuple(beginning()))


def test_the_settings_of_the_filter_come_back() -> None:
    own = FilterSettings(guard="rate_limit,correction_budget", checks={"rate_limit": {}})
    assert unpacked(packed(made(own), 64)).filter_settings() == own


def test_a_charter_makes_all_stages_in_their_parts() -> None:
    stages = unpacked(packed(made(), 64)).stages(in_memory)
    assert {name: len(parts) for name, parts in stages.items()} == {
        "scoring": 2,
        "account_guard": 2,
        "crowd_guard": 1,
        "learner": 1,
        "responder": 1,
    }


@pytest.mark.parametrize(
    "given",
    [
        [],
        [b""],
        [b"\xc0"],
        [b"\x91" * 100_000],
        packed(made(), 64)[:-1],
        packed(made(), 64)[1:],
        packed(made(), 64)[::-1],
        [*packed(made(), 64), b"\0"],
        [codec.pack(msgspec.structs.asdict(made()) | {"owner": 1})],
        [codec.pack(msgspec.structs.asdict(made()) | {"parts": "2"})],
    ],
)
def test_pieces_that_are_no_charter_are_refused(given: list[bytes]) -> None:
    with pytest.raises(CodecError):
        unpacked(given)


def test_any_flipped_bit_is_read_or_refused() -> None:
    whole = b"".join(packed(made(), 1 << 20))
    random = Random(1)
    refused = 0
    for _ in range(500):
        raw = bytearray(whole)
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(8)
        try:
            unpacked([bytes(raw)])
        except CodecError:
            refused += 1
    assert refused > 50


def test_a_plug_in_with_another_digest_is_refused_and_named() -> None:
    (name, digest), *others = made().plugins
    strange = digest[::-1]
    assert strange != digest
    other = msgspec.structs.replace(made(), plugins=((name, strange), *others))
    with pytest.raises(PluginError, match=f"'{name}' differs from the driver's"):
        other.stages(in_memory)


def test_a_plug_in_that_is_not_here_is_refused() -> None:
    missing = msgspec.structs.replace(made(), plugins=(*made().plugins, ("telepathy", "0" * 64)))
    with pytest.raises(PluginError, match="'telepathy'"):
        missing.stages(in_memory)


def test_an_own_file_that_was_edited_after_the_charter_is_refused(tmp_path: Path) -> None:
    import filter.model.naive_bayes as original

    assert original.__file__ is not None
    own = tmp_path / "naive_bayes.py"
    own.write_text(Path(original.__file__).read_text())
    settings = replace(FilterSettings(guard="none"), model=str(own))
    order: Any = made(settings)
    order.stages(in_memory)
    own.write_text(f"{own.read_text()}\n# another one\n")
    assert plugins(settings)[-1].digest not in dict(order.plugins).values()
    with pytest.raises(PluginError, match="put the same file here"):
        order.stages(in_memory)
