"""Standard output, for data: whoever reads it may leave at any time."""

import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.frame import Frame
    from simulator.summary import Summary

SCHEMA_VERSION = 1


def write(text: str) -> None:
    """Write a text and an end of line; whoever no longer reads it is not told."""
    write_bytes(text.encode("utf-8", "replace") + b"\n")


def write_bytes(data: bytes) -> None:
    """Write bytes; whoever no longer reads them is not told."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        turn_off()


def turn_off() -> None:
    """Let nothing more be written there: Python itself writes again when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def record(kind: str, fields: dict[str, Any]) -> None:
    """Write a JSON line with its type and version."""
    import msgspec

    typed = {"type": kind, "schema_version": SCHEMA_VERSION} | fields
    write_bytes(msgspec.json.encode(typed) + b"\n")


def frame(arm: str, one: "Frame") -> None:
    """Write a frame of an arm as a JSON line."""
    import msgspec

    record("frame", {"arm": arm} | msgspec.structs.asdict(one))


def summary(one: "Summary") -> None:
    """Write a summary as a JSON line."""
    import msgspec

    write_bytes(msgspec.json.encode(one) + b"\n")
