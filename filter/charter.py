"""The charter of a run: all that its workers must know, handed to them before the first tick."""

from typing import Any

import msgspec
import numpy as np

from filter import codec
from filter.chain import Beginning, Ledgers, stages
from filter.columns import Bits, Ids, Ticks
from filter.learner import StartSet
from filter.plugins import PluginError, configured
from filter.ragged import Ragged
from filter.settings import FilterSettings, plugins
from filter.stage import Histories, Provider, Stage

PROTOCOL = 1
"""Of topics, headers and snapshots: workers of another one refuse a run."""


class Charter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a run's workers must know.

    It holds the provider's secret: who may read the topic ``control`` can sign deliveries.

    Args:
        protocol: `PROTOCOL` of the driver.
        versions: of the program and of what its results depend on.
        run: its id, which every message carries.
        parts: partitions of the stages that are split.
        delay: ticks after which what flows back acts.
        last: the last tick that there may be.
        per_message: events that a message carries at most.
        snapshot_every: ticks from one snapshot of a stage to the next.
        settings: of the filter, as JSON.
        plugins: name and digest of each that the filter is made of.
    """

    protocol: int
    versions: dict[str, str]
    run: str
    parts: int
    delay: int
    last: int
    per_message: int
    snapshot_every: int
    settings: bytes
    plugins: tuple[tuple[str, str], ...]
    secret: bytes
    mail_window: int
    start_tokens: Ragged
    start_spam: Bits
    start_ham: Ragged
    accounts: Ids
    opened: Ticks
    confirmed: Ticks
    refuted: Ticks

    @property
    def beginning(self) -> Beginning:
        """What the filter knows before the first tick."""
        return Beginning(
            Provider(self.secret, self.mail_window),
            StartSet(self.start_tokens, self.start_spam, self.start_ham),
            Histories(self.accounts, self.opened, self.confirmed, self.refuted),
        )

    def filter_settings(self) -> FilterSettings:
        """The settings of the filter."""
        table: dict[str, Any] = msgspec.json.decode(self.settings)
        return configured(FilterSettings, table, "filter")

    def stages(self, ledgers: Ledgers) -> dict[str, list[Stage[Any, Any]]]:
        """All stages as they begin.

        Raises:
            PluginError: a plug-in that is not here, or is another one than the driver's.
        """
        settings = self.filter_settings()
        here = digests(settings)
        for name, digest in self.plugins:
            if dict(here).get(name) != digest:
                raise PluginError(
                    f"the plug-in '{name}' differs from the driver's: put the same file here"
                )
        return stages(settings, self.beginning, self.parts, ledgers)


def digests(settings: FilterSettings) -> tuple[tuple[str, str], ...]:
    """Name and digest of each plug-in that a filter is made of."""
    return tuple(sorted((one.name, one.digest) for one in plugins(settings)))


def charter(
    run: str,
    settings: FilterSettings,
    table: bytes,
    beginning: Beginning,
    versions: dict[str, str],
    *,
    parts: int,
    delay: int,
    last: int,
    per_message: int,
    snapshot_every: int,
) -> Charter:
    """The charter of a run; ``table`` is ``settings`` as JSON."""
    provider, start, histories = beginning
    return Charter(
        protocol=PROTOCOL,
        versions=versions,
        run=run,
        parts=parts,
        delay=delay,
        last=last,
        per_message=per_message,
        snapshot_every=snapshot_every,
        settings=table,
        plugins=digests(settings),
        secret=provider.secret,
        mail_window=provider.mail_window,
        start_tokens=start.tokens,
        start_spam=start.spam,
        start_ham=start.ham,
        accounts=histories.account,
        opened=np.asarray(histories.opened, np.int64),
        confirmed=np.asarray(histories.confirmed, np.int64),
        refuted=np.asarray(histories.refuted, np.int64),
    )


def packed(made: Charter, size: int) -> list[bytes]:
    """A charter in pieces of at most ``size`` bytes."""
    whole = codec.pack(made)
    return [whole[first : first + size] for first in range(0, len(whole), size)]


def unpacked(pieces: list[bytes]) -> Charter:
    """A charter from its pieces.

    Raises:
        CodecError: they are none.
    """
    made: Charter = codec.unpack(Charter, b"".join(pieces))
    return made
