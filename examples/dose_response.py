"""A dose-response curve: how much of the campaign do so many votes an hour buy, guard by guard?

    ./dev python examples/dose_response.py
    ./dev python examples/dose_response.py --seeds 5 --guards none default --output curve.png

The first draws dose_response.svg, in a minute: without a guard the response rises in an S from 3 %
to 94 %, one check alone lets a sixth to a quarter through, the default guard stays at zero.

Each point is a run of its own beside its twin, the same world with the same luck in which nobody
poisoned anything; the line is the mean over seeds, the band goes from the best to the worst.
"""

import argparse
import statistics
import sys
from pathlib import Path

from matplotlib.figure import Figure

from simulator import Scenario, run

WORLD = Scenario(name="dose-response", duration=96, arms=("attacked", "twin"))
"""Two arms, in small: a day and a half of peace, then two days of the attack."""
PEOPLE = {"people": 2000}
MAIL = {"mails_per_hour": 300, "start_mails": 1500, "start_ham": 800}
GUARDS = ("none", "golden_neighbours", "default")
DOSES = (1, 2, 4, 8, 16, 32)
MARKS = "os^Dvx"


def response(guard: str, dose: int, seed: int) -> float:
    """The share of the campaign that reached the inbox, less the twin's."""
    attack = {
        "name": "not-spam-campaign",
        "start": 36,
        "duration": 48,
        "settings": {"votes_per_hour": dose},
    }
    own = {"guard": guard}
    summary = run(WORLD, seed=seed, world=PEOPLE, synthetic=MAIL, filter=own, attack=attack)
    return summary.metrics["attack_success"].mean or 0.0


def curve(guard: str, doses: list[int], seeds: int) -> list[list[float]]:
    """The responses to each dose, one for each seed."""
    found = []
    for dose in doses:
        found.append([100 * response(guard, dose, seed) for seed in range(1, seeds + 1)])
        said = f"{statistics.mean(found[-1]):5.1f} % of the campaign"
        print(f"{guard:<12} {dose:>3} votes an hour: {said}", flush=True)
    return found


def draw(curves: dict[str, list[list[float]]], doses: list[int], path: Path) -> None:
    """All curves in one picture; marks beside the colours, so that it prints in black and white."""
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for (guard, points), mark in zip(curves.items(), MARKS * len(curves), strict=False):
        means = [statistics.mean(of) for of in points]
        (line,) = axes.plot(doses, means, marker=mark, label=guard)
        low, high = [min(of) for of in points], [max(of) for of in points]
        axes.fill_between(doses, low, high, alpha=0.15, color=line.get_color())
    axes.set_xscale("log", base=2)
    axes.set_xticks(doses, [str(dose) for dose in doses])
    axes.set(xlabel="votes of bots an hour", ylabel="campaign in the inbox, beyond the twin's (%)")
    axes.set_ylim(-2, 102)
    axes.legend(title="guard")
    figure.savefig(path)


def main(words: list[str]) -> None:
    """Run everything, and draw it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--guards", nargs="+", default=list(GUARDS))
    parser.add_argument("--doses", type=int, nargs="+", default=list(DOSES))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("dose_response.svg"))
    asked = parser.parse_args(words)
    curves = {guard: curve(guard, asked.doses, asked.seeds) for guard in asked.guards}
    draw(curves, asked.doses, asked.output)
    print(f"drawn in {asked.output}")


if __name__ == "__main__":
    main(sys.argv[1:])
