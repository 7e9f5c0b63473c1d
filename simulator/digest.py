"""The run's hash: verdicts, rulings, releases and frames, tick by tick."""

import hashlib

from filter import codec
from filter.stage import Flow
from simulator.frame import Frame

START = "0" * 32


def chained(before: str, flow: Flow, frame: Frame) -> str:
    """The hash after a tick, from the hash before it (32 hexadecimal digits)."""
    digest = hashlib.blake2b(bytes.fromhex(before), digest_size=16)
    assert flow.verdicts is not None
    for column in flow.verdicts:
        digest.update(column.tobytes())
    releases = tuple(release.fingerprint() for release in flow.releases or ())
    digest.update(codec.pack((flow.stopped, flow.rulings, releases, frame)))
    return digest.hexdigest()
