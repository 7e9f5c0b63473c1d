"""The responder: what is done about sources that were found out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from filter import codec
from filter.events import (
    DECOY,
    QUARANTINE,
    SHADOW,
    SUBNET,
    UNLEARN,
    Credit,
    ProbeCount,
    Response,
)

DAY = 24
NEVER = -(1 << 40)


@dataclass(frozen=True)
class ResponderSettings:
    """When something is done about a source, and for how long.

    Args:
        refuted: claims of one account, refuted within `memory` ticks, that put it in quarantine.
        memory: ticks that a refuted claim is remembered.
        quarantine: ticks that a quarantine lasts; each further one lasts twice as long.
        longest: ticks that a quarantine lasts at most.
        unlearn: whether the model forgets what such a source taught, if no claim of it was
            confirmed within `memory` ticks: honest people are right now and then.
        shadow_after: quarantines after which such a source, instead of the next one, is shadowed.
        cluster: accounts of one subnet, each refuted within `memory` ticks, that put the whole
            subnet in quarantine, if they are more than those that were confirmed; 0 for never.
        probes: near-duplicates that come to one account in a day from which it is shown decoys; 0
            for never. They are counted from its mail number `watched_from` of the day on.
        decoy: ticks for which it is.
    """

    refuted: int = 2
    memory: int = 168
    quarantine: int = 72
    longest: int = 720
    unlearn: bool = True
    shadow_after: int = 2
    cluster: int = 3
    probes: int = 8
    decoy: int = 72


class ResponderIn(NamedTuple):
    """The tick's credits, and who gets many near-duplicates."""

    credits: tuple[Credit, ...]
    probes: tuple[ProbeCount, ...] = ()


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


class Cluster(msgspec.Struct, forbid_unknown_fields=True):
    """The accounts of a subnet that were refuted and confirmed, each with the last tick."""

    refuted: dict[int, int] = {}
    right: dict[int, int] = {}
    until: int = 0
    times: int = 0


class Memory(msgspec.Struct, forbid_unknown_fields=True):
    """Accounts and subnets under suspicion, and until when accounts are shown decoys."""

    sources: dict[int, Source] = {}
    clusters: dict[int, Cluster] = {}
    decoys: dict[int, int] = {}


class Responder:
    """The stage `responder`, of which there is one: it answers for sources that were refuted."""

    def __init__(self, settings: ResponderSettings, on: bool, unlearns: bool = False) -> None:
        """Start with nobody under suspicion; ``unlearns``: whether the model can."""
        self._settings = settings
        self._on = on
        self._unlearns = settings.unlearn and unlearns
        self._memory = Memory()

    def step(self, tick: int, given: ResponderIn) -> ResponderOut:
        """Count refuted claims; do something about a source when there are too many."""
        if not self._on:
            return ResponderOut(())
        if tick % DAY == 0:
            self._forget(tick)
        responses: list[Response] = []
        for credit in given.credits:
            responses += self._account(tick, credit)
        for subnet in self._tally(tick, given.credits) if self._settings.cluster else ():
            responses += self._cluster(tick, subnet)
        for count in given.probes:
            responses += self._decoy(tick, count)
        return ResponderOut(tuple(sorted(responses)))

    def _account(self, tick: int, credit: Credit) -> Iterator[Response]:
        settings = self._settings
        source = self._memory.sources.setdefault(credit.account, Source())
        if credit.outcome > 0:
            source.right = tick
            return
        source.refuted = [*self._recent(tick, source.refuted), tick]
        if len(source.refuted) < settings.refuted or source.until > tick:
            return
        reason = f"{len(source.refuted)} claims refuted in {settings.memory} h"
        never_right = source.right <= tick - settings.memory
        shadow = never_right and source.times >= settings.shadow_after
        source.until = tick + self._ticks(source.times)
        source.times += 1
        source.refuted = []
        yield Response(credit.account, SHADOW if shadow else QUARANTINE, source.until, reason)
        if self._unlearns and never_right:
            yield Response(credit.account, UNLEARN, source.until, reason)

    def _tally(self, tick: int, given: tuple[Credit, ...]) -> list[int]:
        """Note the tick's outcomes by subnet, whatever their order; which subnets had any."""
        for credit in given:
            cluster = self._memory.clusters.setdefault(credit.subnet, Cluster())
            (cluster.right if credit.outcome > 0 else cluster.refuted)[credit.account] = tick
        return sorted({credit.subnet for credit in given})

    def _cluster(self, tick: int, subnet: int) -> Iterator[Response]:
        """Quarantine for everybody in a subnet of which too many were refuted."""
        settings, cluster = self._settings, self._memory.clusters[subnet]
        wrong, right = self._young(tick, cluster.refuted), self._young(tick, cluster.right)
        if cluster.until <= tick and len(wrong) >= settings.cluster and len(wrong) > len(right):
            cluster.until = tick + self._ticks(cluster.times)
            cluster.times += 1
            cluster.refuted = {}
            reason = f"{len(wrong)} of its accounts refuted in {settings.memory} h"
            yield Response(subnet, QUARANTINE, cluster.until, reason, SUBNET)

    def _decoy(self, tick: int, count: ProbeCount) -> Iterator[Response]:
        """Lies for who tries the filter out."""
        settings, decoys = self._settings, self._memory.decoys
        probing = settings.probes and count.many >= settings.probes
        if probing and decoys.get(count.recipient, 0) <= tick:
            until = decoys[count.recipient] = tick + settings.decoy
            reason = f"{count.many} near-duplicates came to it in a day"
            yield Response(count.recipient, DECOY, until, reason)

    def _ticks(self, times: int) -> int:
        """How long the next measure lasts, after so many."""
        return min(self._settings.quarantine << min(times, 16), self._settings.longest)

    def _forget(self, tick: int) -> None:
        memory, oldest = self._memory, tick - self._settings.longest
        memory.sources = {
            account: source
            for account, source in memory.sources.items()
            if self._recent(tick, source.refuted)
            or source.until > oldest
            or source.right > tick - self._settings.memory
        }
        memory.decoys = {who: until for who, until in memory.decoys.items() if until > tick}
        for cluster in memory.clusters.values():
            cluster.refuted = self._young(tick, cluster.refuted)
            cluster.right = self._young(tick, cluster.right)
        memory.clusters = {
            subnet: cluster
            for subnet, cluster in memory.clusters.items()
            if cluster.refuted or cluster.right or cluster.until > oldest
        }

    def _recent(self, tick: int, ticks: list[int]) -> list[int]:
        return [then for then in ticks if then > tick - self._settings.memory]

    def _young(self, tick: int, accounts: dict[int, int]) -> dict[int, int]:
        oldest = tick - self._settings.memory
        return {account: then for account, then in accounts.items() if then > oldest}

    def freeze(self) -> bytes:
        """Everybody under suspicion."""
        return codec.pack(self._memory)

    def thaw(self, frozen: bytes) -> None:
        """Take up a frozen memory."""
        self._memory = codec.unpack(Memory, frozen)
