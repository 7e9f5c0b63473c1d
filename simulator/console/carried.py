"""How a run on Kafka is carried: where the workers stand, what flows, and who answers."""

from collections.abc import Iterable
from typing import NamedTuple


class Stand(NamedTuple):
    """Where a partition of a stage stands.

    Args:
        stage: its name.
        part: the number of the partition.
        tick: the newest that it has published whole; None: none that was heard of.
        still: seconds for which that was seen not to change.
        owner: the worker that has it, by the beginning of its name in Redis; empty: not known.
        saved: the tick of its position in Redis; None: none.
        taken_over: how often another worker was seen to take it.
    """

    stage: str
    part: int
    tick: int | None
    still: int = 0
    owner: str = ""
    saved: int | None = None
    taken_over: int = 0


class Stream(NamedTuple):
    """What flows on a topic.

    Args:
        name: the topic's short one.
        rate: messages a second between the last two looks; None: there was one look.
        behind: ticks given there that its slowest reader has not taken; None: the driver reads
            it, and no topic tells how far.
        reader: the slowest reader.
    """

    name: str
    rate: float | None
    behind: int | None
    reader: str


class Answer(NamedTuple):
    """How a server answered.

    Args:
        name: the server's.
        took: seconds of its last answer; None: there was none.
        age: seconds since then.
        wrong: why there has been none since, with its address; empty where nothing is wrong.
    """

    name: str
    took: float | None
    age: int = 0
    wrong: str = ""


class Carried(NamedTuple):
    """What is known of a run's workers, topics and servers.

    Args:
        world: the last tick that the driver handed over whole; None: none that was heard of.
        stands: of each partition of each stage.
        streams: of each topic.
        kafka: how Kafka answered, from which ticks and rates are.
        redis: how Redis answered, from which owners and saved ticks are.
    """

    world: int | None
    stands: tuple[Stand, ...]
    streams: tuple[Stream, ...]
    kafka: Answer
    redis: Answer

    def behind(self, stand: Stand) -> int:
        """Ticks of the world that a partition has not published."""
        return lag([self.world], [("", stand.tick)])[0]

    @property
    def owners(self) -> int:
        """How many workers own something in Redis."""
        return len({one.owner for one in self.stands} - {""})


def lag(makers: Iterable[int | None], readers: Iterable[tuple[str, int | None]]) -> tuple[int, str]:
    """How many ticks the slowest reader is behind the fastest maker, and who it is.

    Args:
        makers: the newest tick of each, one at least.
        readers: name and newest tick of each, one at least.

    >>> lag([7, 9], [("learner", 8), ("crowd_guard", None)])
    (10, 'crowd_guard')
    """
    name, at = min(readers, key=lambda one: _number(one[1]))
    return max(0, max(map(_number, makers)) - _number(at)), name


def _number(tick: int | None) -> int:
    return -1 if tick is None else tick
