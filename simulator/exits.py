"""Exit codes: how a run ended, for scripts; and errors told in a line, for people."""

import errno
import os
import sys
import tempfile
import traceback
from typing import TYPE_CHECKING

from filter.plugins import PluginError, SettingsError, told
from simulator.safe import safe
from simulator.servers import EngineError, Unreached

if TYPE_CHECKING:
    from simulator.summary import Summary

DONE, INTERNAL, USAGE, UNREACHED, BROKEN, INTERRUPTED = 0, 1, 2, 3, 99, 130
DEBUG = "HAMSTRUNG_DEBUG"
LONG = 2000
FULL = (errno.ENOSPC, errno.EIO, errno.EDQUOT, errno.EFBIG)


def of_summary(summary: "Summary") -> int:
    """How a run ended: an error counts more than a broken threshold; nothing measured is no 0."""
    if summary.status == "error":
        say(summary.verdict)
        return INTERNAL
    if summary.status == "interrupted":
        return INTERRUPTED
    if not summary.ticks or any(attack.status != "ran" for attack in summary.attacks):
        return BROKEN
    return DONE if all(rule.held for rule in summary.thresholds) else BROKEN


def of_error(error: Exception) -> int:
    """Say an error in a line on stderr, and give the exit code for it."""
    if _mistake(error):
        say(str(error))
        return USAGE
    if isinstance(error, Unreached | EngineError):
        say(str(error))
        return UNREACHED if isinstance(error, Unreached) else INTERNAL
    if isinstance(error, MemoryError):
        say("not enough memory: ask for fewer mails or people (hamstrung config shows how many)")
        return INTERNAL
    if _full(error):
        say(str(error))
        return INTERNAL
    say(f"internal error: {told(error)}; {_traceback(error)}")
    return INTERNAL


def say(message: str) -> None:
    """A line on stderr."""
    sys.stderr.write(f"hamstrung: {safe(message, LONG)}\n")


def _mistake(error: Exception) -> bool:
    """Whether an error is the user's to mend."""
    if isinstance(error, SettingsError | PluginError):
        return True
    if not isinstance(error, ValueError):
        return False
    from simulator.corpus import CorpusError
    from simulator.durable import FolderError
    from simulator.world import NoCampaignError

    return isinstance(error, CorpusError | FolderError | NoCampaignError) and not _full(error)


def _full(error: Exception) -> bool:
    """Whether a disk is full or broken: nobody's mistake."""
    cause = error if isinstance(error, OSError) else error.__cause__
    return isinstance(cause, OSError) and cause.errno in FULL


def _traceback(error: Exception) -> str:
    """Show the traceback or put it into a file, and say which."""
    text = "".join(traceback.format_exception(error))
    if os.environ.get(DEBUG):
        sys.stderr.write("\n".join(safe(line, LONG) for line in text.splitlines()) + "\n")
        return "its traceback is above"
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="hamstrung-", suffix=".log", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
    except OSError:
        return f"{DEBUG}=1 shows its traceback"
    return f"its traceback is in {file.name} ({DEBUG}=1 shows it)"
