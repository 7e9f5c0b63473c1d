"""Saving what the console shows: the picture, and the figures behind it."""

import csv
from pathlib import Path

import msgspec

from simulator.console.seen import Seen

PLAIN = ("rulings_people", "rulings_bots")
"""Fields of a frame that are tables of their own."""


def export(seen: Seen, folder: Path, picture: str) -> Path:
    """Write `console-TICK.svg`, and `console-TICK.csv` with the frames up to there.

    Raises:
        OSError: the run's folder cannot be written.
    """
    path = folder / f"console-{max(seen.tick, 0)}.svg"
    path.write_text(picture, encoding="utf-8")
    with path.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        names: list[str] = []
        for arm, frames in seen.frames.items():
            for frame in frames:
                of = msgspec.structs.asdict(frame)
                if not names:
                    names = [name for name in of if name not in PLAIN]
                    rows.writerow(["arm", *names])
                rows.writerow([arm, *(of[name] for name in names)])
    return path
