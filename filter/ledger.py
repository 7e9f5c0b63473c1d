"""The ledger: what is remembered of each account from one tick to the next."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple, Protocol

import msgspec

Pasts = list[Any]
"""What each account check remembers of an account, in the order of the checks."""

AFRESH: Final = msgspec.UNSET
"""In place of a past: the record is older than the check, so that the check starts afresh."""


class Everything(NamedTuple):
    """All that is remembered; ``quarantined``: account -> the tick at which its quarantine ends.

    What else is done about sources stands there too, by hashes that are no account's id.
    """

    accounts: dict[int, Pasts]
    quarantined: dict[int, int]


class Ledger(Protocol):
    """Where an account guard keeps what it remembers; a past that was given or got is not changed.

    A tick's step reads what was remembered after the tick before, and puts its changes once.
    """

    def load(self, tick: int, accounts: Collection[int]) -> dict[int, Pasts]:
        """These accounts as they were after ``tick - 1``, without those that are not remembered."""
        ...

    def quarantined(self, tick: int) -> dict[int, int]:
        """Who was in quarantine after ``tick - 1``."""
        ...

    def put(
        self, tick: int, changed: Mapping[int, Pasts | None], quarantined: dict[int, int] | None
    ) -> None:
        """Keep what is remembered after ``tick``.

        Args:
            tick: the tick that was taken.
            changed: the accounts of which something else is remembered now; None forgets one.
            quarantined: all that are in quarantine, or None if that did not change.
        """
        ...

    def everything(self, tick: int) -> Everything:
        """All that is remembered after ``tick``."""
        ...

    def replace(self, tick: int, everything: Everything) -> None:
        """Take this up as what is remembered after ``tick``, whatever was there."""
        ...


class Memory:
    """A ledger in this process: it knows only the newest tick.

    >>> ledger = Memory()
    >>> ledger.put(0, {7: [0.5], 8: [0.9]}, {8: 20})
    >>> ledger.put(1, {8: None}, None)
    >>> ledger.load(2, (7, 8)), ledger.quarantined(2)
    ({7: [0.5]}, {8: 20})
    """

    def __init__(self) -> None:
        """Nothing is remembered."""
        self._accounts: dict[int, Pasts] = {}
        self._quarantined: dict[int, int] = {}

    def load(self, tick: int, accounts: Collection[int]) -> dict[int, Pasts]:
        """Look them up."""
        known = self._accounts
        return {account: [*known[account]] for account in accounts if account in known}

    def quarantined(self, tick: int) -> dict[int, int]:
        """Who is in quarantine."""
        return dict(self._quarantined)

    def put(
        self, tick: int, changed: Mapping[int, Pasts | None], quarantined: dict[int, int] | None
    ) -> None:
        """Write it over."""
        for account, pasts in changed.items():
            if pasts is None:
                self._accounts.pop(account, None)
            else:
                self._accounts[account] = [*pasts]
        if quarantined is not None:
            self._quarantined = dict(quarantined)

    def everything(self, tick: int) -> Everything:
        """All of it."""
        return Everything(self.load(tick, self._accounts), self.quarantined(tick))

    def replace(self, tick: int, everything: Everything) -> None:
        """Forget what was there."""
        self._accounts = {account: [*pasts] for account, pasts in everything.accounts.items()}
        self._quarantined = dict(everything.quarantined)
