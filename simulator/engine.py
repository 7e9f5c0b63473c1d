"""The engine: takes a tick's mail and feedback, gives what the filter made of them."""

from collections.abc import Sequence
from typing import Any, Protocol

from filter import codec
from filter.chain import CHAIN, Link
from filter.sharing import merged, shares
from filter.stage import Flow, Stage


class Engine(Protocol):
    """What the loop needs: it may run up to ``feedback_delay`` ticks behind."""

    def submit(self, tick: int, given: Flow) -> None:
        """Hand a tick's mail, votes, looks and judgements over."""
        ...

    def collect(self, tick: int) -> Flow:
        """All that flowed at a tick, once the last stage has taken it."""
        ...

    def freeze(self) -> bytes:
        """All stages, and what is on its way."""
        ...

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen engine."""
        ...


class Embedded:
    """All stages in this process.

    A stage takes a tick as soon as all that it reads is there. Which of the stages that could go on
    does so is a matter of taste, and of ``order``: with the chain reversed the last one that can
    goes on, with the chain itself each runs ahead of those behind it. A test shows that it does not
    matter.

    Args:
        stages: the parts of each stage, as `filter.chain.stages` makes them.
        delay: ticks after which what flows back acts, 1 or more.
        order: which stage to try first.
    """

    def __init__(
        self,
        stages: dict[str, list[Stage[Any, Any]]],
        delay: int,
        order: Sequence[Link] = CHAIN[::-1],
    ) -> None:
        """Start before tick 0."""
        self._stages = stages
        self._delay = delay
        self._order = order
        self._next = {link.stage: 0 for link in CHAIN}
        self._flows: dict[int, Flow] = {}

    def submit(self, tick: int, given: Flow) -> None:
        """Hand a tick's mail, votes, looks and judgements over."""
        self._flows[tick] = given

    def collect(self, tick: int) -> Flow:
        """All that flowed at a tick; the one that no stage will read again is let go."""
        while min(self._next.values()) <= tick:
            link = next(link for link in self._order if self._ready(link))
            self._take(link)
        self._flows.pop(tick - self._delay, None)
        return self._flows[tick]

    def _ready(self, link: Link) -> bool:
        tick = self._next[link.stage]
        return all(self._read(link, name, tick) is not None for name in link.takes._fields)

    def _read(self, link: Link, name: str, tick: int) -> Any:
        """A stream as a stage reads it at a tick; None if it is not there yet."""
        if name in link.back:
            tick -= self._delay
            if tick < 0:
                return ()
        flow = self._flows.get(tick)
        return None if flow is None else getattr(flow, name)

    def _take(self, link: Link) -> None:
        tick = self._next[link.stage]
        parts = self._stages[link.stage]
        shared = [
            shares(self._read(link, name, tick), link.key, len(parts))
            for name in link.takes._fields
        ]
        gives = [
            part.step(tick, link.takes(*given))
            for part, given in zip(parts, zip(*shared, strict=True), strict=True)
        ]
        flow = self._flows[tick]
        for name in link.gives._fields:
            setattr(flow, name, merged([getattr(one, name) for one in gives]))
        self._next[link.stage] += 1

    def freeze(self) -> bytes:
        """All stages, and what is on its way."""
        stages = {name: [part.freeze() for part in parts] for name, parts in self._stages.items()}
        return codec.pack((self._next, stages, self._flows))

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen engine of as many parts."""
        kind = tuple[dict[str, int], dict[str, list[bytes]], dict[int, Flow]]
        self._next, stages, self._flows = codec.unpack(kind, frozen)
        for name, parts in self._stages.items():
            for part, one in zip(parts, stages[name], strict=True):
                part.thaw(one)
