"""The responder: what is done about sources that were found out."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from filter import codec
from filter.events import QUARANTINE, UNLEARN, Credit, Response

DAY = 24
NEVER = -(1 << 40)


@dataclass(frozen=True)
class ResponderSettings:
    """When a source is put in quarantine.

    Args:
        refuted: claims of one account, refuted within `memory` ticks, that put it in quarantine.
        memory: ticks that a refuted claim is remembered.
        quarantine: ticks that a quarantine lasts; each further one lasts twice as long.
        longest: ticks that a quarantine lasts at most.
        unlearn: whether the model forgets what such a source taught, if no claim of it was
            confirmed within `memory` ticks: honest people are right now and then.
    """

    refuted: int = 2
    memory: int = 168
    quarantine: int = 72
    longest: int = 720
    unlearn: bool = True


class ResponderIn(NamedTuple):
    """The tick's credits."""

    credits: tuple[Credit, ...]


class ResponderOut(NamedTuple):
    """The tick's counter-measures."""

    responses: tuple[Response, ...]


class Source(msgspec.Struct, forbid_unknown_fields=True):
    """Ticks of an account's refuted claims, its quarantine's end, and how many it had.

    ``right`` is the tick of its last confirmed claim.
    """

    refuted: list[int] = []
    until: int = 0
    times: int = 0
    right: int = NEVER


class Responder:
    """The stage `responder`, of which there is one: quarantine for sources that were refuted."""

    def __init__(self, settings: ResponderSettings, on: bool, unlearns: bool = False) -> None:
        """Start with nobody under suspicion; ``unlearns``: whether the model can."""
        self._settings = settings
        self._on = on
        self._unlearns = settings.unlearn and unlearns
        self._sources: dict[int, Source] = {}

    def step(self, tick: int, given: ResponderIn) -> ResponderOut:
        """Count refuted claims; put a source in quarantine when there are too many."""
        if not self._on:
            return ResponderOut(())
        if tick % DAY == 0:
            self._forget(tick)
        responses = []
        for credit in given.credits:
            source = self._sources.setdefault(credit.account, Source())
            if credit.outcome > 0:
                source.right = tick
            else:
                source.refuted = [*self._recent(tick, source), tick]
                if len(source.refuted) >= self._settings.refuted and source.until <= tick:
                    responses += self._respond(tick, credit.account, source)
        return ResponderOut(tuple(sorted(responses)))

    def _respond(self, tick: int, account: int, source: Source) -> list[Response]:
        settings = self._settings
        ticks = min(settings.quarantine << min(source.times, 16), settings.longest)
        reason = f"{len(source.refuted)} claims refuted in {settings.memory} h"
        source.until, source.times = tick + ticks, source.times + 1
        source.refuted = []
        forget = self._unlearns and source.right <= tick - settings.memory
        actions = (QUARANTINE, UNLEARN) if forget else (QUARANTINE,)
        return [Response(account, action, source.until, reason) for action in actions]

    def _forget(self, tick: int) -> None:
        self._sources = {
            account: source
            for account, source in self._sources.items()
            if self._recent(tick, source)
            or source.until > tick - self._settings.longest
            or source.right > tick - self._settings.memory
        }

    def _recent(self, tick: int, source: Source) -> list[int]:
        return [then for then in source.refuted if then > tick - self._settings.memory]

    def freeze(self) -> bytes:
        """Everybody under suspicion."""
        return codec.pack(self._sources)

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen memory."""
        self._sources = codec.unpack(dict[int, Source], frozen)
