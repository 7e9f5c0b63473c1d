"""Findings of the field, run again: what the paper says, what came out, and whether it agrees."""

import os
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

from filter.plugins import SettingsError, load, names
from simulator import exits, stdout
from simulator.manifest import DONE as ENDED
from simulator.packs import Finding, Pack, Values
from simulator.paint import Paint, paint, width
from simulator.scripting import run
from simulator.summary import Replicate

PACKS = "simulator.packs"


def reproduce(wanted: Sequence[str], seeds: int | None, jobs: int | None, as_json: bool) -> int:
    """Run packs one after the other, and print each as it is there.

    Args:
        wanted: their names; none for all there are.
        seeds: of each; None: as many as the pack asks for.
        jobs: seeds at a time; None: one a core.
        as_json: print JSON Lines.

    Raises:
        SettingsError: there is no such pack.
    """
    chosen = [_pack(name, seeds) for name in wanted or names(PACKS)]
    agree = True
    for name, pack in chosen:
        runs = _Runs(name, pack.seeds, jobs or os.cpu_count() or 1)
        try:
            found = list(pack.findings(runs))
        except SeedError as error:
            exits.say(f"{name}: {error}")
            return exits.INTERNAL
        agree &= all(one.agrees for one in found)
        if as_json:
            of = {"pack": name, "paper": pack.paper, "findings": msgspec.to_builtins(found)}
            stdout.record("pack", of | {"agrees": all(one.agrees for one in found)})
        else:
            stdout.write("\n".join(_told(name, pack, found, paint(sys.stdout))))
    return exits.DONE if agree else exits.BROKEN


def _pack(name: str, seeds: int | None) -> tuple[str, Pack]:
    if name.endswith(".py"):
        kind = load(PACKS, name, "pack", ("findings", "paper", "seeds"))
    else:
        kind = load(PACKS, name.lower(), "pack")
    settings: dict[str, Any] = {} if seeds is None else {"seeds": seeds}
    made: Pack = kind.settings(**settings)
    if made.seeds < 2:
        raise SettingsError(f"--seeds: expected 2 or more, for an interval; got {made.seeds}")
    return kind.name.upper(), made


class SeedError(Exception):
    """A seed did not come to its end, so a figure would be of fewer seeds than it says."""


class _Runs:
    """Runs scenarios with a pack's seeds, and tells who waits."""

    def __init__(self, name: str, seeds: int, jobs: int) -> None:
        self._name, self._seeds, self._jobs = name, seeds, jobs
        self._count = 0

    def __call__(self, scenario: str, **changes: Any) -> Sequence[Values]:
        """Each seed's metrics."""
        self._count += 1
        sys.stderr.write(f"{self._name}: run {self._count}, {scenario}, {self._seeds} seeds ...\n")
        sys.stderr.flush()
        given = {"thresholds": []} | changes
        summary = run(scenario, replicates=self._seeds, jobs=self._jobs, **given)
        return [_values(one) for one in summary.replicates]


def _values(one: Replicate) -> Values:
    if one.status != ENDED:
        raise SeedError(f"seed {one.seed} did not end ({one.status}): {one.why}")
    return one.values


def _told(name: str, pack: Pack, found: Sequence[Finding], paint: Paint) -> list[str]:
    """A pack as people read it."""
    agrees = all(one.agrees for one in found)
    word = paint("+ agrees", "good") if agrees else paint("x does not agree", "bad")
    claim = " ".join((type(pack).__doc__ or "").split("Args:")[0].split())
    return [
        f"{paint(f'{name}  {pack.paper}', 'title')}: {word}",
        *textwrap.wrap(claim, min(width(), 96), initial_indent="  ", subsequent_indent="  "),
        "",
        *(line for one in found for line in _line(one, paint)),
        "",
    ]


def _line(one: Finding, paint: Paint) -> list[str]:
    sign = paint("+", "good") if one.agrees else paint("x", "bad")
    return [
        f"  {sign} {one.what}",
        f"      {one.mean:.2f} {one.unit} [{one.ci_low:.2f}, {one.ci_high:.2f}] over {one.n} seeds;"
        f" {_band(one)}",
    ]


def _band(one: Finding) -> str:
    match one.low, one.high:
        case None, None:
            return "no band: for comparison"
        case None, high:
            return f"band: at most {high:g}"
        case low, None:
            return f"band: above {low:g}"
        case low, high:
            return f"band: above {low:g}, at most {high:g}"
    raise AssertionError
