"""The reference: pages of `docs/` that are written from the code, so that they cannot go stale.

``python -m simulator.reference`` writes them anew; a test compares them with what it would write.
"""

from simulator.reference.catalogue_page import catalogue_page
from simulator.reference.scenario_page import scenario_page
from simulator.reference.schema import schema_file

MADE_BY = "python -m simulator.reference"


def pages() -> dict[str, str]:
    """The text of each page, by its file's name."""
    return {
        "scenario.md": scenario_page(MADE_BY),
        "scenario.schema.json": schema_file(),
        "catalogue.md": catalogue_page(MADE_BY),
    }
