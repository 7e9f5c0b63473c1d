"""The collector: a tick's slices, until all of them are there."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from filter.wire import Header, WireError, must_stand_alone, together

Source = tuple[int, int]
"""Where slices come from: a partition of the topic, and of the stage that gives them."""


Decode = Callable[[str, bytes | None], Any]
"""Reads a message of a stream."""


class Collector:
    """Keeps what has arrived for ticks that are not yet taken; what comes again changes nothing.

    Args:
        sources: of each stream: all that give it.
        last: the run's last tick.
        decode: reads a message of a stream.
    """

    def __init__(self, sources: Mapping[str, Sequence[Source]], last: int, decode: Decode) -> None:
        """Start empty."""
        self._sources = {stream: tuple(of) for stream, of in sources.items()}
        self._last = last
        self._decode = decode
        self._slices: dict[tuple[str, int], dict[Source, list[Any]]] = {}
        self._missing: dict[tuple[str, int], int] = {}

    def add(self, stream: str, partition: int, header: Header, raw: bytes | None) -> None:
        """Read a slice and keep it.

        Raises:
            WireError: it is none, of a tick or partition that does not exist, or of another number
                of slices than those that have come before it.
        """
        source = (partition, header.part)
        if header.tick > self._last or source not in self._sources[stream]:
            raise WireError("header", f"there is no tick {header.tick} of {source}")
        events = self._decode(stream, raw)
        if header.of == 1:
            must_stand_alone(events)
        place = stream, header.tick
        of_tick = self._slices.setdefault(place, {})
        cut = of_tick.get(source)
        if cut is None:
            cut = of_tick[source] = [None] * header.of
            missing = self._missing.get(place, 0) + header.of
            self._missing[place] = missing
        elif len(cut) != header.of:
            raise WireError("header", f"expected {len(cut)} slices, got one of {header.of}")
        if cut[header.slice] is None:
            cut[header.slice] = events
            self._missing[place] -= 1

    def complete(self, stream: str, tick: int) -> bool:
        """Whether every source has given all its slices."""
        place = stream, tick
        whole = len(self._slices.get(place, ())) == len(self._sources[stream])
        return whole and not self._missing[place]

    def take(self, stream: str, tick: int) -> Any:
        """What all sources gave at a tick, put together; it is let go here."""
        place = stream, tick
        del self._missing[place]
        of_tick = self._slices.pop(place)
        return together(stream, [of_tick[source] for source in self._sources[stream]])

    def drop(self, stream: str, before: int) -> None:
        """Let go of a stream's ticks before one: they were taken."""
        for place in [one for one in self._slices if one[0] == stream and one[1] < before]:
            del self._slices[place], self._missing[place]

    def waits_for(self, stream: str, tick: int) -> list[Source]:
        """The sources that have not given all their slices of a tick."""
        of_tick = self._slices.get((stream, tick), {})
        return [
            source
            for source in self._sources[stream]
            if source not in of_tick or any(one is None for one in of_tick[source])
        ]
