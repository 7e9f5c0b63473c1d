"""The pictures of README and docs, drawn from one run of the quickstart.

    python -m benchmarks.pictures [--chromium chromium]

Writes docs/quickstart.svg, docs/console.svg, docs/console-80x24.svg and, with a Chromium that is
there, docs/report.png. A picture shows what the program shows: after a change to what people see,
draw them again and look at them.
"""

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console as Printer
from rich.text import Text

from benchmarks.report import say
from simulator.console.app import Console
from simulator.console.recording import Recording
from simulator.folder import RunFolder

DOCS: Final = Path(__file__).parent.parent / "docs"
PROGRAM: Final = "from simulator.cli import main; raise SystemExit(main())"
HOUR: Final = 129
"""In the middle of the attack, when the unguarded filter has been taken over."""
SIZES: Final = {"console.svg": (120, 40), "console-80x24.svg": (80, 24)}
WIDTH: Final = 100
PAGE: Final = "1100,1250"


def standing_alone(svg: str) -> str:
    """A picture without a font from elsewhere."""
    own = re.sub(r"@font-face\s*\{.*?\}", "", svg, flags=re.DOTALL)
    return own.replace("Fira Code", "DejaVu Sans Mono")


def printed(folder: Path) -> str:
    """What the run prints, as a picture; the run is kept in a folder."""
    name = f"runs/{folder.name}"
    told = {name: of for name, of in os.environ.items() if name != "NO_COLOR"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "run", "quickstart", "--display", "plain", "-o", name],
        cwd=folder.parent.parent,
        env=told | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
        capture_output=True,
        text=True,
        check=True,
    )
    text = Text("$ ./dev hamstrung run quickstart\n").append_text(Text.from_ansi(done.stderr))
    printer = Printer(record=True, width=WIDTH + 2, file=StringIO(), force_terminal=True)
    printer.print(text)
    return standing_alone(printer.export_svg(title="hamstrung run quickstart"))


async def console(folder: Path, size: tuple[int, int]) -> str:
    """The console in the middle of the attack, as a picture."""
    app = Console(Recording(RunFolder.open(folder)))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.player.show(HOUR)
        app.player.paused = False
        app.drawing.draw()
        await pilot.pause()
        return standing_alone(app.export_screenshot(title="hamstrung watch"))


def page(folder: Path, chromium: str, into: Path) -> None:
    """The first part of the report, as a picture."""
    report = [sys.executable, "-c", PROGRAM, "report", f"runs/{folder.name}"]
    subprocess.run(report, cwd=folder.parent.parent, check=True, capture_output=True)
    subprocess.run(
        [
            *(chromium, "--headless=new", "--no-sandbox", "--hide-scrollbars"),
            *(f"--window-size={PAGE}", f"--screenshot={into}"),
            (folder / "report.html").as_uri(),
        ],
        check=True,
        capture_output=True,
    )


def main() -> None:
    """Run, draw, write."""
    options = argparse.ArgumentParser("python -m benchmarks.pictures", description=__doc__)
    options.add_argument("--chromium", default="chromium")
    chromium = shutil.which(options.parse_args().chromium)
    with tempfile.TemporaryDirectory(prefix="hamstrung-pictures-") as there:
        folder = Path(there) / "runs" / "20261128-120000-quickstart-1"
        (DOCS / "quickstart.svg").write_text(printed(folder))
        for name, size in SIZES.items():
            (DOCS / name).write_text(asyncio.run(console(folder, size)))
        if chromium:
            page(folder, chromium, DOCS / "report.png")
        else:
            say("without a Chromium docs/report.png stays as it is")


if __name__ == "__main__":
    main()
