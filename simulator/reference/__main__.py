"""Write the pages: ``python -m simulator.reference [FOLDER]``, else into ``docs``."""

import sys
from pathlib import Path

from simulator import stdout
from simulator.reference import pages


def write(folder: Path) -> int:
    """Write every page into a folder; gives the exit code."""
    if not folder.is_dir():
        sys.stderr.write(f"reference: there is no folder {folder}\n")
        return 2
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
        stdout.write(f"wrote {folder / name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(write(Path(*sys.argv[1:2] or ["docs"])))
