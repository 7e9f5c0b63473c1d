"""What a person reads while it runs (stderr), and the line that a program reads (stdout)."""

import sys
from collections.abc import Mapping
from typing import Any

import msgspec


def say(line: str = "") -> None:
    """A line for people, at once."""
    print(line, file=sys.stderr, flush=True)


def round_done(number: int, rounds: int, rates: Mapping[str, float]) -> None:
    """A round of the race: everybody's mails a second."""
    if number == 1:
        say(f"mails a second, {rounds} rounds:")
        for place, name in enumerate(rates):
            say(f"  ({_letter(place)}) {name}")
        say("  round " + "".join(f"{f'({_letter(place)})':>9}" for place in range(len(rates))))
    say(f"  {number:>5} " + "".join(f"{rate:>9,.0f}" for rate in rates.values()))


def _letter(place: int) -> str:
    return chr(ord("a") + place)


def spreads(title: str, found: Mapping[str, tuple[float, float, float]], digits: int) -> None:
    """Medians with their least and greatest."""
    say(f"\n{title:<42}{'median':>10}{'min':>10}{'max':>10}")
    for name, values in found.items():
        say(f"  {name:<40}" + "".join(f"{value:>10,.{digits}f}" for value in values))


def size_done(mails: int, seconds: float, peak_mb: float) -> None:
    """A run of the growth: mails, time, rate, memory."""
    say(
        f"  {mails:>9,} mails {seconds:>8.2f} s {mails / seconds:>9,.0f} mails/s {peak_mb:>6.0f} MB"
    )


def parts(microseconds: Mapping[str, float]) -> None:
    """Where the time of a mail goes."""
    total = sum(microseconds.values())
    say(f"\nwhere the time of a mail goes{'µs':>19}{'share':>9}")
    for name, each in microseconds.items():
        say(f"  {name:<40}{each:>6.2f}{100 * each / total:>8.1f}%")
    say(f"  {'in all, with the clocks':<40}{total:>6.2f}")


def last_line(found: Any) -> None:
    """One line of JSON."""
    print(msgspec.json.encode(found).decode(), flush=True)
