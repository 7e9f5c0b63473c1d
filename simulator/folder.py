"""A run's folder: where it lies, what it holds, and how it is found again.

`manifest.json` says what the run is made of, `frames.jsonl` has a line for each arm and tick,
`events.jsonl` what was decided and why (see `simulator.journal`), `summary.json` what it came to,
and `checkpoint/` the state to go on from while it is not at its end.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from simulator import manifest as manifests
from simulator.durable import FolderError, told, write_whole
from simulator.frame import Frame
from simulator.manifest import INTERRUPTED, RUNNING, SCHEMA_VERSION, Manifest
from simulator.scenario import Scenario
from simulator.summary import Summary

__all__ = ["FolderError", "Record", "RunFolder", "runs"]

T = TypeVar("T")

RUNS = Path("runs")
MANIFEST, FRAMES, EVENTS, SUMMARY = "manifest.json", "frames.jsonl", "events.jsonl", "summary.json"
CHECKPOINT = "checkpoint"
LATEST = "latest"
LARGEST = 64 << 20
"""Bytes of a manifest or summary that are read at most."""


class Record(NamedTuple):
    """A run in a list of runs. ``status`` is ``unreadable`` where its manifest is."""

    name: str
    scenario: str
    seed: int
    status: str
    verdict: str
    began: str
    path: Path


class RunFolder:
    """The folder of one run; `create` a new one or `open` one that is there.

    Args:
        path: where it lies.
        manifest: what it holds.
    """

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Take a folder whose manifest is known."""
        self.path = path
        self.manifest = manifest

    @classmethod
    def create(
        cls,
        scenario: Scenario,
        path: str | Path | None = None,
        root: Path = RUNS,
        command: str = "",
        replicates: int = 1,
    ) -> "RunFolder":
        """Make the folder of a new run.

        Args:
            scenario: what will be run.
            path: where; nothing for ``<time>-<scenario>-<seed>`` under ``root``.
            root: where runs are collected.
            command: what makes the same run again.
            replicates: seeds that it is run with.

        Raises:
            FolderError: the path already holds a run, or cannot be written.
        """
        now = datetime.now(UTC)
        try:
            place = _own(Path(path)) if path is not None else _fresh(root, scenario, now)
        except OSError as error:
            raise FolderError(f"{path or root}: cannot be made: {told(error)}") from error
        made = cls(place, manifests.begun(scenario, now.isoformat(), command, replicates))
        made.save(made.manifest)
        return made

    @classmethod
    def open(cls, which: str | Path, root: Path = RUNS) -> "RunFolder":
        """Find a run by its path, by its folder's name under ``root``, or as ``latest``.

        Raises:
            FolderError: there is none, or its manifest cannot be read.
        """
        if str(which) == LATEST:
            found = [record.path for record in runs(root) if record.began]
            if not found:
                raise FolderError(f"there is no run in {root}/ yet")
            return cls(found[-1], _manifest(found[-1]))
        for place in (Path(which), root / which):
            if (place / MANIFEST).is_file():
                return cls(place, _manifest(place))
        raise FolderError(f"there is no run {str(which)!r}, neither as a path nor in {root}/")

    @property
    def checkpoints(self) -> Path:
        """Where its checkpoints lie."""
        return self.path / CHECKPOINT

    def save(self, manifest: Manifest) -> None:
        """Put another manifest in the place of the one it has."""
        write_whole(self.path / MANIFEST, _json(manifest))
        self.manifest = manifest

    def save_summary(self, summary: Summary) -> None:
        """Write what the run came to; then its manifest, with the status."""
        write_whole(self.path / SUMMARY, _json(summary))
        hashes = {name: arm.hash for name, arm in summary.arms.items()}
        status, verdict = summary.status, summary.verdict
        self.save(
            msgspec.structs.replace(self.manifest, status=status, verdict=verdict, hashes=hashes)
        )

    def scenario(self) -> Scenario:
        """The scenario that was run."""
        return self.manifest.settings()

    def run_id(self) -> str:
        """What the run is called on a broker that others use too: its folder's name, and a hash.

        Bots that join do not change it: its topics are there by then.
        """
        scenario = self.manifest.scenario
        attack = {"attack": scenario["attack"] | {"more": []}} if "attack" in scenario else {}
        began = hashlib.blake2b(self.manifest.began.encode(), digest_size=4)
        began.update(_json(scenario | attack))
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", self.path.absolute().name)[:80].strip("-")
        return f"{name or 'run'}-{began.hexdigest()}"

    def summary(self) -> Summary:
        """What the run came to.

        Raises:
            FolderError: it has not ended, or the file is damaged.
        """
        path = self.path / SUMMARY
        if not path.is_file():
            raise FolderError(f"{self.path}: no summary yet: the run has not ended; resume it")
        return _read(path, Summary)

    def must_be_one(self) -> None:
        """Refuse a folder of several seeds where one run is asked for.

        Raises:
            FolderError: it is one; with how to name a seed.
        """
        if self.manifest.replicates > 1:
            first = self.path / f"seed-{self.manifest.seed}"
            raise FolderError(f"{self.path} holds several seeds: name one of them, as {first}")

    def frames(self) -> Iterator[tuple[str, Frame]]:
        """Each frame and its arm, in the order of the file."""
        known = Frame.__struct_fields__
        for line in self._lines(FRAMES):
            yield line["arm"], msgspec.convert({name: line[name] for name in known}, Frame)

    def events(self) -> Iterator[dict[str, Any]]:
        """Each event, in the order of the file."""
        return self._lines(EVENTS)

    def _lines(self, name: str) -> Iterator[dict[str, Any]]:
        """The lines of a file that may still be growing: a last one that is cut is left out."""
        path = self.path / name
        decoder = msgspec.json.Decoder(dict[str, Any])
        try:
            with path.open("rb") as file:
                for number, line in enumerate(file, 1):
                    if line.endswith(b"\n"):
                        yield _decoded(decoder, line, f"{path}:{number}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise FolderError(f"{path}: cannot be read: {told(error)}") from error


def last_tick(path: Path) -> int:
    """The tick of the last line of frames that is whole; -1 where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 16)))
            line = file.read().rpartition(b"\n")[0].rpartition(b"\n")[2]
        return int(msgspec.json.decode(line)["tick"]) if line else -1
    except (OSError, msgspec.DecodeError):
        return -1


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a folder with several runs in it, which nobody else may write meanwhile.

    Raises:
        FolderError: somebody does.
    """
    with (path / FRAMES).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderError(f"{path}: another process is simulating this run") from None
        yield


def runs(root: Path = RUNS) -> list[Record]:
    """The runs under a folder, the oldest first."""
    if not root.is_dir():
        return []
    found = [_record(place) for place in root.iterdir() if (place / MANIFEST).is_file()]
    return sorted(found, key=lambda record: (record.began, record.name))


def _record(place: Path) -> Record:
    try:
        of = _manifest(place)
    except FolderError:
        return Record(place.name, "", 0, "unreadable", "", "", place)
    status = INTERRUPTED if of.status == RUNNING and not being_written(place) else of.status
    name = str(of.scenario.get("name", ""))
    return Record(place.name, name, of.seed, status, of.verdict, of.began, place)


def being_written(place: Path) -> bool:
    """Whether a process is writing this run: it holds a lock as long as it lives."""
    try:
        with (place / FRAMES).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _own(path: Path) -> Path:
    """A folder of the user's choice: new, or one that holds no run."""
    taken = (MANIFEST, FRAMES, EVENTS, SUMMARY, CHECKPOINT)
    if any((path / name).exists() for name in taken):
        raise FolderError(f"{path} already holds a run; choose another folder, or resume it")
    if path.exists() and not path.is_dir():
        raise FolderError(f"{path} is a file; a run needs a folder")
    path.mkdir(parents=True, exist_ok=True)
    return path


def _fresh(root: Path, scenario: Scenario, now: datetime) -> Path:
    """A folder that nobody else has, named after time, scenario and seed."""
    root.mkdir(parents=True, exist_ok=True)
    time = now.astimezone().strftime("%Y%m%d-%H%M%S")
    name = f"{time}-{file_name(scenario.name)}-{scenario.seed}"
    count = 1
    while True:
        path = root / (name if count == 1 else f"{name}-{count}")
        try:
            path.mkdir()
        except FileExistsError:
            count += 1
        else:
            return path


def file_name(text: str) -> str:
    """A text as part of a file's name: letters, digits, ``-``, ``_``, at most 40.

    >>> file_name("../../etc/passwd"), file_name("Zwei Wölfe"), file_name("…")
    ('etc-passwd', 'Zwei-W-lfe', 'run')
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-")[:40] or "run"


def _manifest(place: Path) -> Manifest:
    found = _read(place / MANIFEST, Manifest)
    if found.schema_version != SCHEMA_VERSION:
        raise FolderError(
            f"{place}: its files are of version {found.schema_version}, this program reads"
            f" {SCHEMA_VERSION}; start a new run"
        )
    return found


def _read(path: Path, kind: type[T]) -> T:
    try:
        if path.stat().st_size > LARGEST:
            raise FolderError(f"{path}: cannot be read: more than {LARGEST >> 20} MiB")
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FolderError(f"{path}: cannot be read: {error}") from error
    except OSError as error:
        raise FolderError(f"{path}: cannot be read: {told(error)}") from error


def _decoded(decoder: msgspec.json.Decoder[dict[str, Any]], line: bytes, place: str) -> Any:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FolderError(f"{place}: cannot be read: {error}") from error


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n"
