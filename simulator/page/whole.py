"""The whole page, of one run or of several seeds."""

from jinja2 import Environment, PackageLoader

from simulator.durable import FolderError
from simulator.folder import RunFolder
from simulator.page.costs import costs
from simulator.page.damage import damage
from simulator.page.head import facts, thresholds, tiles
from simulator.page.measures import measures
from simulator.page.origin import origin
from simulator.page.part import Part
from simulator.page.run import Run, read
from simulator.page.seeds import seeds, worst_seed
from simulator.page.silenced import silenced
from simulator.page.votes import votes
from simulator.safe import safe
from simulator.summary import Summary

LONG = 4000


def page(folder: RunFolder) -> str:
    """A run as a page that stands alone; equal runs in equal folders give equal pages.

    Raises:
        FolderError: the run has not ended, or one of its files is damaged.
    """
    summary = folder.summary()
    run = None if summary.replicates else read(folder, summary)
    parts = [thresholds(summary), seeds(summary)]
    parts += _course(run) if run else []
    parts += [costs(summary, run)]
    parts += [silenced(run)] if run else []
    worst = _worst(folder, summary)
    environment = Environment(
        loader=PackageLoader("simulator", "page"),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        summary=summary,
        facts=facts(summary),
        tiles=[*tiles(summary)],
        parts=[part for part in parts if part],
        worst=worst.summary if worst else None,
        of_worst=[part for part in [*_course(worst), silenced(worst)] if part] if worst else [],
        origin=origin(summary, folder.manifest, folder.path),
    )


def _shown(value: object) -> object:
    """What stands in the page for a value: whatever text it is, nothing in it acts."""
    return safe(value, LONG) if isinstance(value, str) and type(value) is str else value


def _course(run: Run) -> list[Part | None]:
    return [damage(run), votes(run), measures(run)]


def _worst(folder: RunFolder, summary: Summary) -> Run | None:
    """The seed that went worst, if its folder is still there."""
    worst = worst_seed(summary) if summary.replicates else None
    if worst is None:
        return None
    try:
        own = RunFolder.open(folder.path / f"seed-{worst.seed}")
        return read(own, own.summary())
    except FolderError:
        return None
