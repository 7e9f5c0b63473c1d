"""Completion: what a shell offers for a word that is half written.

A shell asks at every Tab, so names are those of files, and nothing is imported to find them.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from simulator.metric_names import NAMES, STATISTICS

PROGRAM: Final = Path(__file__).parents[1]
RUNS: Final = Path("runs")
MANIFEST: Final = "manifest.json"

Complete = Callable[[str], list[str]]


def stems(folder: str, ending: str) -> list[str]:
    """The names of a folder's files, as they are listed."""
    found = (PROGRAM / folder).glob(f"*{ending}")
    return sorted(path.stem.replace("_", "-") for path in found if path.stem != "__init__")


def begun(words: list[str], incomplete: str) -> list[str]:
    """The words that begin so; with ``_`` for ``-`` where they were begun so: names have both."""
    if "_" in incomplete:
        words = [word.replace("-", "_") for word in words]
    return [word for word in dict.fromkeys(words) if word.startswith(incomplete)]


def scenarios(incomplete: str) -> list[str]:
    """Scenarios; where none begins so, the shell offers files."""
    return begun(stems("simulator/scenarios", ".toml"), incomplete)


def attacks(incomplete: str) -> list[str]:
    """Attacks, and none at all."""
    return begun(["none", *stems("agents/attacks", ".py")], incomplete)


def models(incomplete: str) -> list[str]:
    """Classifiers of ours: River's would have to be imported."""
    return begun(stems("filter/model", ".py"), incomplete)


def packs(incomplete: str) -> list[str]:
    """Findings that can be run again."""
    return begun(stems("simulator/packs", ".py"), incomplete)


def guards(incomplete: str) -> list[str]:
    """Guards; and checks, of which several may stand in a row, parted by commas."""
    before, comma, last = incomplete.rpartition(",")
    named = [] if comma else stems("filter/guards", ".toml")
    parts = [*stems("filter/checks", ".py"), "gate", "responder"]
    given = {part.replace("_", "-") for part in before.split(",")}
    rest = [part for part in parts if part not in given]
    return [f"{before}{comma}{word}" for word in begun([*named, *rest], last)]


def runs(incomplete: str) -> list[str]:
    """The runs of this folder."""
    return begun(["latest", *sorted(_runs())], incomplete)


def watched(incomplete: str) -> list[str]:
    """The runs of this folder, and the topics."""
    return [*runs(incomplete), *begun(["kafka"], incomplete)]


def rules(incomplete: str) -> list[str]:
    """A metric, then what there is of it; sign and number are the user's own, in quotes."""
    metric, dot, _ = incomplete.partition(".")
    of = [metric] if metric in NAMES else []
    words = [f"{name}.{one}" for name in of for one in STATISTICS] if dot else list(NAMES)
    return begun(words, incomplete)


def _runs() -> Iterator[str]:
    if RUNS.is_dir():
        yield from (one.name for one in RUNS.iterdir() if (one / MANIFEST).is_file())


def one_of(*words: str) -> Complete:
    """Some words that never change."""
    return lambda incomplete: begun(list(words), incomplete)
