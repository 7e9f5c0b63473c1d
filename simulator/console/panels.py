"""The console's panels as text: what was seen, in the room there is."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rich.text import Text

from filter.events import LIMITED, QUARANTINED, REJECTED, RULINGS, SHADOWED
from simulator.console.figures import (
    DAY,
    HOURS,
    curve,
    percent,
    rate,
    scale,
    sparkline,
    success,
    thresholds,
)
from simulator.console.seen import Check, Seen
from simulator.frame import Frame
from simulator.metrics import RATES
from simulator.thresholds import Held

PEOPLE, BOTS, BAD, DIM = "#5b9bd5", "#e08a2e", "bold #e08a2e", "dim"
"""Blue and orange; a word or a letter stands beside each colour."""
LEVELS = {"info": ("·", ""), "warn": ("!", PEOPLE), "alarm": ("‼", BAD)}


class Look(NamedTuple):
    """How somebody looks at a run.

    Args:
        width: columns of the panel.
        height: lines of the panel.
        truth: whether bots and people are told apart, which no guard can.
        cumulative: everything so far, not the last day.
        filter: a text that sources and events must have in them.
        cleared: the tick before which events are not shown; below 0: all are.
    """

    width: int
    height: int
    truth: bool = True
    cumulative: bool = False
    filter: str = ""
    cleared: int = -1

    @property
    def ticks(self) -> int:
        """Frames that figures are taken over."""
        return 1 << 40 if self.cumulative else DAY

    @property
    def span(self) -> str:
        """The same in words."""
        return "since the start" if self.cumulative else "last 24 h"


Panel = Callable[[Seen, Look], Text]


def _lines(lines: Sequence[Text], look: Look) -> Text:
    text = Text("\n", no_wrap=True, overflow="ellipsis").join(lines[: max(look.height, 1)])
    text.no_wrap = True
    return text


def tiles(seen: Seen, look: Look) -> Text:
    """Five figures, now and over the last days, and what a bar of full height is."""
    judged, twin = seen.plan.judged, seen.plan.twin
    frames, other = (seen.window(arm, look.ticks) for arm in (judged, twin))
    every = seen.frames.get(judged, [])

    def rated(name: str) -> tuple[str, str, list[float | None]]:
        here, there = rate(frames, name), rate(other, name)
        beside = f"twin {percent(there)}" if twin else ""
        return percent(here), beside, curve(every, *RATES[name], hours=HOURS)

    now = success(seen, judged, twin, HOURS)
    shown = [
        (("attack success", "attack"), percent(now), f"last {HOURS} h", _successes(seen)),
        (("spam misclassified", "spam wrong"), *rated("spam_misclassified")),
        (("ham misclassified", "ham wrong"), *rated("ham_misclassified")),
        (("poison in lessons", "poison"), *rated("poison_share")),
        (("people's votes stopped", "stopped"), *_refused(seen, look)),
    ]
    share = max(look.width // len(shown), 12)
    rows = [Text(), Text(), Text(), Text()]
    for heads, figure, beside, values in shown:
        head = heads[len(heads[0]) >= share]
        rows[0].append(head[: share - 1].ljust(share), DIM)
        full = scale(values, share - 2)
        room = share - len(figure)
        means = f" █={100 * full:.0f}%" if any(one is not None for one in values) else ""
        rows[1].append(figure, "bold")
        rows[1].append(means.rjust(room - 2)[:room].ljust(room), DIM)
        rows[2].append(beside[: share - 1].ljust(share), DIM)
        rows[3].append(sparkline(values, share - 2, full).ljust(share), PEOPLE)
    if look.height < len(rows):
        rows = [rows[0], rows[1], rows[3]]
    return _lines(rows, look)


def _successes(seen: Seen) -> list[float | None]:
    part, whole = RATES["campaign_in_inbox"]
    ours, theirs = (
        curve(seen.frames.get(arm, []), part, whole, HOURS)
        for arm in (seen.plan.judged, seen.plan.twin)
    )
    pairs = zip(ours, theirs, strict=False)
    return [None if a is None or b is None else max(a - b, 0.0) for a, b in pairs]


def _refused(seen: Seen, look: Look) -> tuple[str, str, list[float | None]]:
    """People's votes that were stopped for good, mistaken ones too, of those ruled on."""

    def against(frame: Frame) -> float:
        return sum(frame.rulings_people.get(one, 0) for one in (LIMITED, REJECTED, SHADOWED))

    def ruled(frame: Frame) -> float:
        return sum(frame.rulings_people.values()) - frame.rulings_people.get(QUARANTINED, 0)

    frames = seen.window(seen.plan.judged, look.ticks)
    total = sum(ruled(frame) for frame in frames)
    share = sum(against(frame) for frame in frames) / total if total else None
    every = seen.frames.get(seen.plan.judged, [])
    return percent(share), look.span, curve(every, against, ruled, DAY)


def flow(seen: Seen, look: Look) -> Text:
    """What became of votes, and whose they were."""
    frames = seen.window(seen.plan.judged, look.ticks)
    counted = {
        ruling: tuple(
            sum(of.get(ruling, 0) for of in whose)
            for whose in (
                [frame.rulings_people for frame in frames],
                [frame.rulings_bots for frame in frames],
            )
        )
        for ruling in RULINGS
    }
    cast = (sum(f.votes_people for f in frames), sum(f.votes_bots for f in frames))
    most = max((sum(pair) for pair in (*counted.values(), cast)), default=1) or 1
    room = max(look.width - 30, 4)
    head = Text(f"{look.span}: what became of votes", DIM)
    every = len(counted) + 3 <= look.height
    rows = [("cast", cast), *((name, pair) for name, pair in counted.items() if every or any(pair))]
    bars = [_bar(name, pair, room / most, look) for name, pair in rows]
    held = seen.frames[seen.plan.judged][-1].held if seen.frames[seen.plan.judged] else 0
    waiting = Text(f"waiting now {held}", DIM)
    tight = len(bars) + 2 > look.height
    return _lines(bars if tight else [head, *bars, waiting], look)


def _bar(name: str, pair: tuple[int, ...], scale: float, look: Look) -> Text:
    people, bots = pair
    if not look.truth:
        people, bots = people + bots, 0
    line = Text(f"{name:<12}")
    figure = f"{people:>6}{bots:>6} " if look.truth else f"{people:>6} "
    line.append(figure)
    line.append("█" * round(people * scale), PEOPLE)
    line.append("▒" * round(bots * scale), BOTS)
    return line


def guards(seen: Seen, look: Look) -> Text:
    """Each check: whose votes it has stopped, how right it was, and the last reason it gave."""
    head = f"{'check':<17}"
    truth = f"{'bots':>6}{'people':>7}{'rightly':>8}{'prec.':>7}{'recall':>7}"
    head += truth if look.truth else f"{'stopped':>8}"
    every = sorted(seen.checks.items(), key=lambda one: -(one[1].bots + one[1].people))
    apart = look.truth and look.height >= 2 * len(every) + 3
    lines = [Text(head + ("" if apart else "  last reason"), DIM)]
    for name, check in every:
        line = Text(f"{name[:17]:<17}")
        line += _against(check, seen.bot_votes) if look.truth else _stopped(check)
        reason = Text(f"  {check.reason} ({check.tick} h)", DIM)
        lines += [line, reason] if apart else [line + reason]
    if not every:
        lines.append(Text("no vote was stopped yet", DIM))
    if look.truth:
        lines.append(Text("rightly: bots' votes and people's mistaken ones, of those stopped", DIM))
    return _lines(lines, look)


def _against(check: Check, bot_votes: int) -> Text:
    """Whose votes a check has stopped, and how right that was."""
    stopped = check.bots + check.people
    precision = f"{100 * check.bots / stopped:.1f}%" if stopped else "-"
    rightly = f"{100 * (check.bots + check.mistaken) / stopped:.1f}%" if stopped else "-"
    recall = f"{100 * check.bots / bot_votes:.1f}%" if bot_votes else "-"
    return Text.assemble(
        (f"{check.bots:>6}", BOTS),
        (f"{check.people:>7}", PEOPLE),
        f"{rightly:>8}{precision:>7}{recall:>7}",
    )


def _stopped(check: Check) -> Text:
    """How many votes a check has stopped, whosever they are."""
    return Text(f"{check.bots + check.people:>8}")


def responses(seen: Seen, look: Look) -> Text:
    """What is done about sources now, and how often it was."""
    total = ", ".join(f"{count} {action}" for action, count in sorted(seen.done.items()))
    lines = [Text(f"so far: {total or 'nothing'}", DIM)]
    for one in seen.active():
        line = Text(f"{one.action:<11}{one.scope:<8}{one.source[-8:]} ")
        line.append(f"{one.until - seen.tick:>4} h left  ", BOTS)
        line.append(one.reason, DIM)
        lines.append(line)
    return _lines(lines, look)


def model(seen: Seen, look: Look) -> Text:
    """Who taught the filter, and what it serves."""
    frames = seen.window(seen.plan.judged, look.ticks)
    people, bots = (sum(getattr(f, f"lessons_{who}") for f in frames) for who in ("people", "bots"))
    kept, judged = sum(f.kept for f in frames), sum(f.judged for f in frames)
    lines = [Text(f"{look.span}: lessons", DIM)]
    if look.truth:
        lines.append(
            Text.assemble(
                ("by people ", ""),
                (f"{people:.1f}", PEOPLE),
                ("  by bots ", ""),
                (f"{bots:.1f}", BOTS),
            )
        )
    else:
        lines.append(Text(f"by votes {people + bots:.1f}"))
    lines.append(Text(f"looks believed {kept:,}, judgements {judged:,}"))
    last = next((one for one in reversed(frames) if one.release), None)
    if last:
        lines.append(Text(f"gate at {last.tick} h: {last.release}"))
    if limits := seen.release.get("limits"):
        at = f"limits at {seen.release['tick']} h:"
        lines.append(Text(f"{at} inbox below {limits[0]:+.2f}, spam from {limits[1]:+.2f}"))
    lines.append(Text("most taught, by subnet (ham, spam):", DIM))
    top = sorted(seen.teachers.items(), key=lambda one: -sum(one[1]))
    for subnet, (ham, spam) in top[: look.height]:
        lines.append(Text(f"  {subnet[-8:] or '(unknown)':<10}{ham:>8.1f}{spam:>8.1f}"))
    return _lines(lines, look)


def log(seen: Seen, look: Look) -> Text:
    """What happened, the newest last."""
    wanted = look.filter.lower()
    events = [one for one in seen.log if one.tick >= look.cleared and wanted in one.text.lower()]
    lines = []
    for one in events[-look.height :]:
        symbol, style = LEVELS[one.level]
        lines.append(Text.assemble((f"{one.tick:>4} h {symbol} ", style), (one.text, style)))
    nothing = "nothing yet" if look.cleared < 0 else "nothing since it was cleared: c shows it all"
    if look.filter:
        nothing = f'nothing with "{look.filter}" in it; f and an empty line show all'
    return _lines(lines or [Text(nothing, DIM)], look)


def rules(seen: Seen, look: Look) -> Text:
    """Each threshold with what it is now; those that frames cannot answer wait for the end."""
    text = Text("   ").join(_rules(thresholds(seen), True))
    if text.cell_len > look.width:
        broken_first = sorted(thresholds(seen), key=lambda one: one.held)
        text = Text("  ").join(_rules(broken_first, False))
    if not seen.plan.rules:
        text = Text("no thresholds in this scenario", DIM)
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text


def _rules(found: Sequence[Held], whole: bool) -> Iterator[Text]:
    """Each threshold; where there is no room, without its margin."""
    for held in found:
        if held.actual is None:
            yield Text(f"… {held.threshold.text} (no data yet)", DIM)
            continue
        margin = abs(held.actual - held.threshold.value)
        mark, style = ("✓", PEOPLE) if held.held else ("✗", BAD)
        said = f"is {held.actual:.3f}" + (f", margin {margin:.3f}" if whole else "")
        yield Text.assemble((f"{mark} ", style), held.threshold.text, (f" {said}", style))
