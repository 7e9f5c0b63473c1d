"""The console's panel of what carries a run: its engine, or its workers, topics and servers."""

from rich.text import Text

from simulator.console.carried import Answer, Carried, Stand, Stream
from simulator.console.panels import BAD, DIM, Look
from simulator.console.seen import Seen

ROOMY = 12
"""Lines from which each partition and each topic has a place of its own."""
TWO = 58
"""Columns in which two stages stand side by side."""
STUCK = 5
"""Seconds without an answer, or without a step while there is work, that are pointed at."""
CAPTIONS = (
    "from Kafka: at hour (the newest published whole, and for how long it is), topics",
    "from Redis: saved (each hour by account_guard, by the others at snapshots alone), owner",
    "taken over: had a new owner, while this console looked",
)


def pipeline(seen: Seen, look: Look) -> Text:
    """What passes through each stream in a tick, and who carries it."""
    if seen.carried is not None:
        lines = carried(seen.carried, look)
    else:
        lines = _heard(seen) if seen.topics else _counted(seen, look)
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines[: max(look.height, 1)])


def _counted(seen: Seen, look: Look) -> list[Text]:
    """What the run's frames tell."""
    frames = seen.window(seen.plan.judged, look.ticks)
    count = max(len(frames), 1)

    def a_tick(*names: str) -> float:
        return float(sum(getattr(frame, name) for frame in frames for name in names)) / count

    rows = [
        ("mails", a_tick("mails")),
        ("votes", a_tick("votes_people", "votes_bots")),
        ("looks", a_tick("kept")),
        ("judgements", a_tick("judged")),
        ("lessons", a_tick("lessons_people", "lessons_bots")),
    ]
    first = Text(f"carried by the engine: {seen.plan.engine}; {look.span}, in an hour", DIM)
    return [first, *(Text(f"{name:<12}{value:>10,.1f}") for name, value in rows)]


def _heard(seen: Seen) -> list[Text]:
    """What was heard on the topics."""
    newest = max(tick for _, tick in seen.topics.values())
    lines = [Text(f"{'topic':<12}{'messages':>10}{'at hour':>9}{'behind':>8}", DIM)]
    for name, (messages, tick) in seen.topics.items():
        lines.append(Text(f"{name:<12}{messages:>10,}{tick:>9}{newest - tick:>8}"))
    return lines


def carried(now: Carried, look: Look) -> list[Text]:
    """Workers, topics and servers as they are now, wherever the view is."""
    lines = [_servers(now), *(_silent(one) for one in (now.kafka, now.redis) if _bad(one))]
    if not now.stands:
        return lines
    if look.height < ROOMY:
        return [*lines, *_in_short(now, 2 if look.width >= TWO else 1)]
    return [*lines, *_stages(now), *_topics(now, look.width), *(Text(one, DIM) for one in CAPTIONS)]


def _hour(tick: int | None) -> str:
    return "none" if tick is None or tick < 0 else str(tick)


def _bad(one: Answer) -> bool:
    return bool(one.wrong) or (one.took is not None and one.age >= STUCK)


def _servers(now: Carried) -> Text:
    """Where the world is, how soon who answers answered, and how old all that is."""
    then = _bad(now.kafka) and now.kafka.took is not None
    told = f"{now.kafka.age} s ago" if then else "now"
    took = f"{_took(now.redis)}, {_took(now.kafka)}"
    ages = [one.age for one in (now.redis, now.kafka) if not (one.took is None or _bad(one))]
    age = f", {max(ages)} s ago" if ages else ""
    return Text(f"{told}: hour {_hour(now.world)}; {took}{age}", DIM)


def _took(one: Answer) -> str:
    silent = one.took is None or _bad(one)
    return f"{one.name} silent" if silent else f"{one.name} {1000 * (one.took or 0):.1f} ms"


def _silent(one: Answer) -> Text:
    """Whose answer is missing, why, and how old what is shown of it is."""
    since = "yet" if one.took is None else f"for {one.age} s"
    return Text(f"‼ no answer {since}: {one.wrong or one.name}", BAD)


def _in_short(now: Carried, columns: int) -> list[Text]:
    """The stages, so many a line, then the workers and the slowest topic."""
    of: dict[str, list[Stand]] = {}
    for one in now.stands:
        of.setdefault(one.stage, []).append(one)
    cells = [_cell(now, stage, stands) for stage, stands in of.items()]
    taken = sum(one.taken_over for one in now.stands)
    cells.append(Text(f"owners: {now.owners}, taken over: {taken}", BAD if taken else ""))
    rates = [one.rate for one in now.streams if one.rate is not None]
    flow = f"{sum(rates):,.0f} messages/s" if rates else "messages are being counted"
    last = max(now.streams, key=lambda one: one.behind or 0)
    late = f"; {last.reader} {last.behind} h behind on {last.name}" if last.behind else ""
    return [*_rows(cells, columns), Text(f"{flow}{late}")]


def _cell(now: Carried, stage: str, stands: list[Stand]) -> Text:
    """A stage: where its partitions stand, and how far the last of them is behind."""
    ticks = sorted({-1 if one.tick is None else one.tick for one in stands})
    at = "-".join(dict.fromkeys((_hour(ticks[0]), _hour(ticks[-1]))))
    behind = max(now.behind(one) for one in stands)
    stuck = any(_stuck(now, one) for one in stands)
    return Text(f"{stage:<14}{at:>9}{-behind:>5}", BAD if stuck else "")


def _stuck(now: Carried, stand: Stand) -> bool:
    return stand.still >= STUCK and now.behind(stand) > 0


def _stages(now: Carried) -> list[Text]:
    head = f"{'stage':<14}{'part':>5}{'at hour':>9}{'behind':>8}{'for':>8}{'saved':>8}"
    lines = [Text(f"{head}  {'owner':<8}{'taken over':>10}", DIM)]
    for one in now.stands:
        at, saved = _hour(one.tick), _hour(one.saved)
        behind = now.behind(one)
        line = f"{one.stage:<14}{one.part:>5}{at:>9}{behind:>8}{one.still:>6} s{saved:>8}"
        style = BAD if _stuck(now, one) else ""
        lines.append(Text(f"{line}  {one.owner or '-':<8}{one.taken_over:>10}", style))
    return lines


def _topics(now: Carried, width: int) -> list[Text]:
    """The topics, as many side by side as there is room for."""
    head = f"{'topic':<16}{'messages/s':>11}{'behind':>8}  {'reader':<14}"
    columns = max(1, (width + 2) // (len(head) + 2))
    cells = [Text(head, DIM)] * columns + [_topic(one) for one in now.streams]
    return _rows(cells, columns)


def _rows(cells: list[Text], columns: int) -> list[Text]:
    places = range(0, len(cells), columns)
    return [Text("  ").join(cells[first : first + columns]) for first in places]


def _topic(one: Stream) -> Text:
    rate = "-" if one.rate is None else f"{one.rate:,.1f}"
    behind = "-" if one.behind is None else one.behind
    return Text(f"{one.name:<16}{rate:>11}{behind:>8}  {one.reader:<14}")
