"""The sources: who votes, how much it is believed, and the evidence on each."""

from typing import Any

from rich.text import Text
from textual.widgets import DataTable

from simulator.console.figures import sparkline
from simulator.console.panels import BOTS, DIM, PEOPLE, Look
from simulator.console.seen import Seen, Source

MOST = 100
"""Rows at most: nobody reads more."""
ORDERS = ("stopped", "votes", "reputation", "last")
HEADS = ("account", "votes", "taught", "stopped", "reput.", "right", "wrong", "subnet", "state")


def fill(table: "DataTable[Text]", seen: Seen, look: Look, order: int) -> None:
    """Put the sources into a table; the row under the cursor stays under it."""
    heads = ("who", *HEADS) if look.truth else HEADS
    under = _under(table)
    if len(table.columns) != len(heads):
        table.clear(columns=True)
        table.add_columns(*heads)
    table.clear()
    for one in ranked(seen, look, order):
        table.add_row(*_row(one, seen, look), key=one.account)
    if under in table.rows:
        table.move_cursor(row=table.get_row_index(under), animate=False)
    only = f', only "{look.filter}"' if look.filter else ""
    table.border_title = Text(f"5 sources, by {ORDERS[order]}{only} (Enter: evidence)")


def _under(table: "DataTable[Text]") -> Any:
    if not table.row_count:
        return None
    return table.coordinate_to_cell_key(table.cursor_coordinate).row_key


def ranked(seen: Seen, look: Look, order: int) -> list[Source]:
    """The sources that are asked for, the most notable first."""
    wanted = look.filter.lower()

    def rank(one: Source) -> tuple[float, str]:
        value = {
            "stopped": -one.stopped,
            "votes": -one.votes,
            "reputation": 2.0 if one.reputation is None else one.reputation,
            "last": -one.last,
        }[ORDERS[order]]
        return float(value), one.account

    known = [one for one in seen.sources.values() if _matches(one, wanted, seen, look.truth)]
    return sorted(known, key=rank)[:MOST]


def _matches(one: Source, wanted: str, seen: Seen, truth: bool) -> bool:
    who = ("bot" if one.bot else "person") if truth else ""
    state, _ = seen.state(one)
    return wanted in f"{one.account} {one.subnet} {one.address} {state} {who}".lower()


def _row(one: Source, seen: Seen, look: Look) -> list[Text]:
    reputation = "-" if one.reputation is None else f"{one.reputation:.2f}"
    cells = [
        Text(one.account[-8:]),
        *(Text(str(n), justify="right") for n in (one.votes, one.taught, one.stopped)),
        Text(reputation, justify="right"),
        *(Text(str(n), justify="right") for n in (one.right, one.wrong)),
        Text(one.subnet[-8:]),
        Text(seen.state(one)[0]),
    ]
    return [_who(one), *cells] if look.truth else cells


def _who(one: Source) -> Text:
    return Text("▒ bot", BOTS) if one.bot else Text("█ person", PEOPLE)


def evidence(one: Source, seen: Seen, look: Look) -> Text:
    """Votes, rulings with their reasons, and reputation over time, the newest last."""
    text = Text().append(f"account {one.account}\n", "bold")
    if look.truth:
        text.append_text(_who(one)).append("  (the guard is never told)\n", DIM)
    text.append(f"address {one.address}, subnet {one.subnet}\n")
    text.append(
        f"{one.votes} votes: {one.taught} taught, {one.stopped} held or refused;"
        f" {one.right} confirmed, {one.wrong} refuted\n"
    )
    past = one.reputations
    if past:
        text.append(
            f"reputation {past[0]:.2f} → {past[-1]:.2f}  {sparkline(past, 40, 1.0)}", PEOPLE
        )
        text.append("  (█ is 1)\n", DIM)
    now, until = seen.state(one)
    if now:
        text.append(f"now: {now}, for {until - seen.tick} h more\n", BOTS)
    for tick, said in one.evidence:
        text.append(f"\n{tick:>5} h  {said}")
    return text
