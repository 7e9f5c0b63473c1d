"""The journal: a run's frames and events, a line each, as they happen.

Ids (of votes, accounts, mails, addresses, subnets) go up to 2^64, and a reader that keeps numbers
as JavaScript does would round those above 2^53: they are written as 16 hexadecimal digits. All
other numbers are plain.

`events.jsonl` has lines of these types, each with ``arm`` and ``tick``: ``vote``, ``claim``,
``ruling``, ``lesson`` and ``credit`` of the arm that is judged; ``response`` and ``release`` of all
arms (what was promoted once a day, holds and roll-backs always); and ``alert`` where something
failed. Before the arms part, the first one stands for all: its frames are written for each arm,
its events once.
"""

import fcntl
import os
from collections.abc import Iterator, Set
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import msgspec

from filter.events import PROMOTE, UNIT
from filter.stage import Flow
from simulator.arms import Arm
from simulator.durable import FolderError, told, write_all
from simulator.folder import EVENTS, FRAMES
from simulator.frame import Frame
from simulator.loop import Prepared
from simulator.manifest import SCHEMA_VERSION

DAY = 24
Line = dict[str, Any]


class Offsets(NamedTuple):
    """The lengths of both files, in bytes."""

    frames: int
    events: int


class Journal:
    """Both files of a run, open for writing; nobody else can write them meanwhile.

    Args:
        folder: the run's.
        prepared: the run.
    """

    def __init__(self, folder: Path, prepared: Prepared) -> None:
        """Open both files, at their ends.

        Raises:
            FolderError: they cannot be written, or another process is writing them.
        """
        self._folder = folder
        self._arms = prepared.arms
        self._fork = prepared.fork
        self._bots = prepared.world.bot_ids
        self._written = dict.fromkeys(self._arms, 0)
        self._files: list[int] = []
        try:
            for name in (FRAMES, EVENTS):
                flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self._files.append(os.open(folder / name, flags, 0o666))
            fcntl.flock(self._files[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise FolderError(f"{folder}: another process is simulating this run") from None
        except OSError as error:
            self.close()
            raise self._failed(error) from error

    def offsets(self) -> Offsets:
        """How long both files are."""
        return Offsets(*(os.fstat(file).st_size for file in self._files))

    def cut(self, offsets: Offsets) -> None:
        """Cut both files back to where they were, and go on from the arms as they are now."""
        try:
            for file, length in zip(self._files, offsets, strict=True):
                os.ftruncate(file, length)
        except OSError as error:
            raise self._failed(error) from error
        first = next(iter(self._arms.values()))
        self._written = dict.fromkeys(self._arms, len(first.frames))

    def write(self) -> list[tuple[str, Frame]]:
        """Write what the arms have lived through since the last time; gives the new frames.

        Raises:
            FolderError: the disk is full, or the files cannot be written.
        """
        first = next(iter(self._arms.values()))
        frames: list[tuple[str, Frame]] = []
        events: list[Line] = []
        for name, arm in self._arms.items():
            known = arm.frames or first.frames
            new = known[self._written[name] :]
            self._written[name] += len(new)
            frames += [(name, frame) for frame in new]
            parted = arm is first or (bool(new) and new[-1].tick >= self._fork)
            if new and parted and arm.frames and arm.last is not None:
                events += lines(new[-1].tick, arm, arm is first, self._bots)
        self._append(0, [_frame_line(name, frame) for name, frame in frames])
        self._append(1, events)
        return frames

    def alert(self, tick: int, text: str) -> None:
        """Write that something failed."""
        arm = next(iter(self._arms))
        self._append(1, [{"type": "alert", "arm": arm, "tick": tick, "text": _sound(text)}])

    def _append(self, file: int, new: list[Line]) -> None:
        if new:
            try:
                write_all(self._files[file], _ENCODER.encode_lines(new))
            except OSError as error:
                raise self._failed(error) from error

    def sync(self) -> None:
        """Make what was written durable."""
        try:
            for file in self._files:
                os.fsync(file)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> FolderError:
        return FolderError(f"{self._folder}: the run cannot be written: {told(error)}")

    def close(self) -> None:
        """Close both files, and let others write them."""
        while self._files:
            os.close(self._files.pop())

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


_ENCODER = msgspec.json.Encoder()


def _frame_line(arm: str, frame: Frame) -> Line:
    head: Line = {"type": "frame", "schema_version": SCHEMA_VERSION, "arm": arm}
    return head | msgspec.structs.asdict(frame)


def lines(tick: int, arm: Arm, judged: bool, bots: Set[int]) -> Iterator[Line]:
    """The events of an arm's last tick: all of the judged one, the decisions of another.

    Args:
        tick: at which they happened.
        arm: whose.
        judged: whether it is the one that is judged.
        bots: the attacker's accounts: what a reader is told, the filter is not.
    """
    flow = arm.last
    assert flow is not None
    told_of = [*_votes(flow, arm, bots), *_outcomes(flow)] if judged else []
    for line in [*told_of, *_decisions(tick, flow)]:
        yield {"type": line.pop("type"), "arm": arm.name, "tick": tick} | line


def _votes(flow: Flow, arm: Arm, bots: Set[int]) -> Iterator[Line]:
    """Votes and claims; of a person's vote also whether it is right."""
    right = arm.right(flow.votes or ())
    for vote in flow.votes or ():
        yield {
            "type": "vote",
            "vote": id_text(vote.id),
            "account": id_text(vote.account),
            "bot": vote.account in bots,
            "right": right.get(vote.id),
            "mail": id_text(vote.mail),
            "sent": vote.sent,
            "label": _sound(vote.label),
            "cast": vote.tick,
            "address": id_text(vote.address),
            "subnet": id_text(vote.subnet),
            "opened": vote.opened,
        }
    for claim in flow.claims or ():
        yield {
            "type": "claim",
            "vote": id_text(claim.vote),
            "reputation": claim.reputation,
            "vetted": claim.vetted,
            "weight": claim.weight / UNIT,
            "hold": claim.hold,
        }


def _outcomes(flow: Flow) -> Iterator[Line]:
    for ruling in (*(flow.stopped or ()), *(flow.rulings or ())):
        yield {
            "type": "ruling",
            "vote": id_text(ruling.vote),
            "ruling": ruling.ruling,
            "check": ruling.check,
            "reason": _sound(ruling.reason),
        }
    for lesson in flow.lessons or ():
        yield {
            "type": "lesson",
            "mail": id_text(lesson.mail),
            "label": "spam" if lesson.spam else "ham",
            "weight": lesson.weight / UNIT,
            "shares": {id_text(account): weight / UNIT for account, weight in lesson.shares},
        }
    for credit in flow.credits or ():
        yield {
            "type": "credit",
            "vote": id_text(credit.vote),
            "account": id_text(credit.account),
            "mail": id_text(credit.mail),
            "outcome": credit.outcome,
        }


def _decisions(tick: int, flow: Flow) -> Iterator[Line]:
    for response in flow.responses or ():
        yield {
            "type": "response",
            response.scope: id_text(response.source),
            "action": response.action,
            "until": response.until,
            "reason": _sound(response.reason),
        }
    for release in flow.releases or ():
        if release.action != PROMOTE or tick % DAY == 0:
            yield {
                "type": "release",
                "action": release.action,
                "reason": _sound(release.reason),
                "dropped": release.dropped,
                "limits": [release.limits.inbox, release.limits.spam] if release.limits else None,
            }


def id_text(number: int) -> str:
    """An id as it is written.

    >>> id_text(1 << 60)
    '1000000000000000'
    """
    return f"{number:016x}"


def _sound(text: str) -> str:
    """A text that UTF-8 can hold: an attack's label may be anything that Python calls a string."""
    return text.encode("utf-8", "backslashreplace").decode()
