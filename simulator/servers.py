"""Where Kafka and Redis are, and how they are used: tables ``[kafka]`` and ``[redis]``."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit

from filter.plugins import SettingsError

PASSWORD: Final = "HAMSTRUNG_REDIS_PASSWORD"
"""The variable that holds Redis's password: a run's folder keeps every setting, but not this."""

HINT: Final = f"a password is read from the variable {PASSWORD}"
HOW: Final = "docker compose up -d --wait, or without Docker: ./dev stack up"
"""How to start both."""


class Unreached(Exception):  # noqa: N818 - told to people as it stands
    """A server does not answer: which, where, and how to start it."""


class Misplaced(SettingsError):  # noqa: N818 - told to people as it stands
    """What lies on the broker is not this run's, or the broker is too old."""


class EngineError(Exception):
    """The workers cannot go on."""


@dataclass(frozen=True)
class KafkaSettings:
    """How a run uses Kafka, with ``engine = "kafka"``.

    Args:
        broker: bootstrap servers, ``host:port``, several separated by commas.
        partitions: of the stages that are split; as many workers can share their work.
        workers: processes that the run starts, each with all stages; 0 uses those that somebody
            started with ``hamstrung worker all``.
        events_per_message: that a message carries at most; with 1 any Kafka tool shows one event a
            message, and columns travel as JSON too.
        snapshot_every: ticks from one snapshot of a stage to the next. A worker that takes over
            takes the ticks since the last one again.
        session_timeout: seconds after which a worker that says nothing is taken for dead.
        patience: seconds without anything new after which the run gives up; it can be resumed.
    """

    broker: str = "127.0.0.1:9092"
    partitions: int = 2
    workers: int = 1
    events_per_message: int = 500
    snapshot_every: int = 240
    session_timeout: float = 6.0
    patience: float = 300.0


@dataclass(frozen=True)
class RedisSettings:
    """Where the ledger is, with ``engine = "kafka"``.

    Args:
        url: ``redis://host:port/number``; a password comes from ``HAMSTRUNG_REDIS_PASSWORD``.
    """

    url: str = "redis://127.0.0.1:6379/0"

    def __post_init__(self) -> None:
        """Refuse a password."""
        if _holds_password(self.url):
            raise SettingsError(
                "url holds a password, and a run's folder keeps every setting: leave it out, and"
                f" put it into the variable {PASSWORD}"
            )


def _holds_password(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # it is none: whoever connects says so
        return False
    return bool(parts.password) or "password" in parse_qs(parts.query)
