"""The responder: what is done about sources that were found out."""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from filter import codec
from filter.events import QUARANTINE, Credit, Response

DAY = 24


@dataclass(frozen=True)
class ResponderSettings:
    """When a source is put in quarantine.

    Args:
        refuted: claims of one account, refuted within `memory` ticks, that put it in quarantine.
        memory: ticks that a refuted claim is remembered.
        quarantine: ticks that a quarantine lasts; each further one lasts twice as long.
        longest: ticks that a quarantine lasts at most.
    """

    refuted: int = 2
    memory: int = 168
    quarantine: int = 72
    longest: int = 720


class ResponderIn(NamedTuple):
    """The tick's credits."""

    credits: tuple[Credit, ...]


class ResponderOut(NamedTuple):
    """The tick's counter-measures."""

    responses: tuple[Response, ...]


class Source(msgspec.Struct, forbid_unknown_fields=True):
    """Ticks of an account's refuted claims, its quarantine's end, and how many it had."""

    refuted: list[int] = []
    until: int = 0
    times: int = 0


class Responder:
    """The stage `responder`, of which there is one: quarantine for sources that were refuted."""

    def __init__(self, settings: ResponderSettings, on: bool) -> None:
        """Start with nobody under suspicion."""
        self._settings = settings
        self._on = on
        self._sources: dict[int, Source] = {}

    def step(self, tick: int, given: ResponderIn) -> ResponderOut:
        """Count refuted claims; put a source in quarantine when there are too many."""
        if not self._on:
            return ResponderOut(())
        if tick % DAY == 0:
            self._forget(tick)
        responses = []
        for credit in given.credits:
            if credit.outcome < 0:
                source = self._sources.setdefault(credit.account, Source())
                source.refuted = [*self._recent(tick, source), tick]
                if len(source.refuted) >= self._settings.refuted and source.until <= tick:
                    responses.append(self._quarantine(tick, credit.account, source))
        return ResponderOut(tuple(sorted(responses)))

    def _quarantine(self, tick: int, account: int, source: Source) -> Response:
        settings = self._settings
        ticks = min(settings.quarantine << min(source.times, 16), settings.longest)
        reason = f"{len(source.refuted)} claims refuted in {settings.memory} h"
        source.until, source.times = tick + ticks, source.times + 1
        source.refuted = []
        return Response(account, QUARANTINE, source.until, reason)

    def _forget(self, tick: int) -> None:
        self._sources = {
            account: source
            for account, source in self._sources.items()
            if self._recent(tick, source) or source.until > tick - self._settings.longest
        }

    def _recent(self, tick: int, source: Source) -> list[int]:
        return [then for then in source.refuted if then > tick - self._settings.memory]

    def freeze(self) -> bytes:
        """Everybody under suspicion."""
        return codec.pack(self._sources)

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen memory."""
        self._sources = codec.unpack(dict[int, Source], frozen)
