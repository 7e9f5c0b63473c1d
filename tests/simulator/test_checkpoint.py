import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import checkpoint
from simulator.checkpoint import Checkpoint
from simulator.folder import FolderError
from simulator.journal import Offsets

LONG = Offsets(1 << 60, 1 << 60)


def made(tick: int, state: bytes = b"the state of all arms") -> Checkpoint:
    return Checkpoint(tick, Offsets(100 + tick, 200 + tick), state)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@settings(deadline=None)
@given(st.integers(0, 2**40), st.binary(max_size=1000))
def test_a_checkpoint_reads_back_as_it_was(tick: int, state: bytes) -> None:
    with TemporaryDirectory() as folder:
        checkpoint.write(Path(folder), made(tick, state))
        assert checkpoint.latest(Path(folder), LONG).checkpoint == made(tick, state)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for tick in (1, 9, 10, 111):
        checkpoint.write(tmp_path / "checkpoint", made(tick))
    assert names(tmp_path / "checkpoint") == ["10.ckpt", "111.ckpt"]


def test_every_flipped_bit_is_refused_and_the_one_before_is_used(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, made(1))
    checkpoint.write(tmp_path, made(2))
    path = tmp_path / "2.ckpt"
    good = path.read_bytes()
    for bit in range(8 * len(good)):
        bad = bytearray(good)
        bad[bit // 8] ^= 1 << bit % 8
        path.write_bytes(bad)
        with pytest.raises(FolderError, match=r"2\.ckpt: refused"):
            checkpoint.read(path)
        found = checkpoint.latest(tmp_path, LONG)
        assert found.checkpoint == made(1)
        assert len(found.refused) == 1


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, made(2))
    path = tmp_path / "2.ckpt"
    good = path.read_bytes()
    for length in range(len(good)):
        path.write_bytes(good[:length])
        with pytest.raises(FolderError, match="refused"):
            checkpoint.read(path)
    path.write_bytes(good + b"\0")
    with pytest.raises(FolderError, match="refused"):
        checkpoint.read(path)


@settings(deadline=None)
@given(st.data())
def test_any_change_of_bytes_is_refused(data: st.DataObject) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkpoint.write(folder, made(3, bytes(range(256))))
        path = folder / "3.ckpt"
        good = path.read_bytes()
        start = data.draw(st.integers(0, len(good)))
        end = data.draw(st.integers(start, len(good)))
        bad = good[:start] + data.draw(st.binary(max_size=40)) + good[end:]
        path.write_bytes(bad)
        if bad == good:
            assert checkpoint.read(path) == made(3, bytes(range(256)))
        else:
            with pytest.raises(FolderError, match="refused"):
                checkpoint.read(path)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(garbage: bytes) -> None:
    with TemporaryDirectory() as name:
        path = Path(name) / "1.ckpt"
        path.write_bytes(garbage)
        assert checkpoint.latest(Path(name), LONG).checkpoint is None


def test_a_checkpoint_under_another_tick_s_name_is_refused(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, made(2))
    (tmp_path / "2.ckpt").rename(tmp_path / "7.ckpt")
    with pytest.raises(FolderError, match="after tick 2"):
        checkpoint.read(tmp_path / "7.ckpt")


def test_another_version_is_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "VERSION", 2)
        checkpoint.write(tmp_path, made(2))
    with pytest.raises(FolderError, match="of version 2, this program reads 1"):
        checkpoint.read(tmp_path / "2.ckpt")


def test_a_checkpoint_is_refused_where_the_journals_before_it_are_cut(tmp_path: Path) -> None:
    checkpoint.write(tmp_path, made(1))
    checkpoint.write(tmp_path, made(2))
    found = checkpoint.latest(tmp_path, Offsets(101, 500))
    assert found.checkpoint == made(1)
    assert "are cut" in found.refused[0]


def test_where_there_is_none_nothing_is_found(tmp_path: Path) -> None:
    assert checkpoint.latest(tmp_path / "absent", LONG) == (None, ())


@pytest.mark.parametrize("fails", ["write", "fsync", "replace"])
def test_whatever_fails_the_one_before_stays(
    fails: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint.write(tmp_path, made(1))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if fails == "replace":
            patch.setattr(Path, fails, full)
        else:
            patch.setattr(os, fails, full)
        with pytest.raises(FolderError, match="cannot be written: no space left on device"):
            checkpoint.write(tmp_path, made(2))
    assert names(tmp_path) == ["1.ckpt"]
    assert checkpoint.latest(tmp_path, LONG).checkpoint == made(1)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match="cannot be made"):
        checkpoint.write(tmp_path / "file", made(1))


def test_checkpoints_and_left_overs_are_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    checkpoint.write(folder, made(1))
    checkpoint.write(folder, made(2))
    (folder / ".3.ckpt.tmp").write_bytes(b"half")
    checkpoint.forget(folder, after=1)
    assert names(folder) == ["1.ckpt"]
    checkpoint.forget(folder)
    assert not folder.exists()
    checkpoint.forget(folder)
