"""The source that a run's result depends on, as one digest.

All of `filter` and `agents`, and what `simulator.loop` imports of the simulator; not the plug-ins,
which have digests of their own, nor scenarios, which the manifest has resolved, nor what shows a
run: a new attack or another colour leaves interrupted runs as they are.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLUGINS = ("agents/attacks", "filter/checks", "filter/model")
IMPORTS = re.compile(
    r"^\s*(?:from simulator\.(\w+) import|from simulator import (.+))", re.MULTILINE
)


@cache
def source() -> str:
    """Digest of those files: names and bytes."""
    digest = hashlib.sha256()
    for path in sorted({*_of_packages(), *_imported("loop")}):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _of_packages() -> Iterator[Path]:
    for package in ("filter", "agents"):
        for path in (ROOT / package).rglob("*"):
            plugin = path.parent.relative_to(ROOT).as_posix() in PLUGINS
            if path.suffix in (".py", ".toml") and not (plugin and path.stem != "__init__"):
                yield path


def _imported(module: str) -> set[Path]:
    """A module of the simulator's, and all of the simulator's that it imports, near and far."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = ROOT / "simulator" / f"{waiting.pop()}.py"
        if path.is_file() and path not in found:
            found.add(path)
            for one, several in IMPORTS.findall(path.read_text(encoding="utf-8")):
                waiting += [one] if one else re.findall(r"\w+", several)
    return found
