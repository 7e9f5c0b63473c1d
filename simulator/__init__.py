"""The simulator: the world, the truth, the engines, and what shows a run to people.

``from simulator import run, Scenario`` is all that a script needs; both are imported when they are
asked for, so that ``import simulator`` alone costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.scenario import Scenario
    from simulator.scripting import run

__all__ = ["Scenario", "run"]


def __getattr__(name: str) -> Any:
    """Import what scripts ask for (PEP 562)."""
    if name == "Scenario":
        from simulator.scenario import Scenario

        return Scenario
    if name == "run":
        from simulator.scripting import run

        return run
    raise AttributeError(f"module 'simulator' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
