"""Hostile mail: how long each message takes at most, and whether one gets through unrefused.

    python -m benchmarks.hostile [--mails 10000] [--corpus FOLDER]

Each is within 50 ms or refused; nothing but a refusal is raised. The last line of output is JSON.
"""

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchmarks import report
from simulator.mail_files import messages
from simulator.raw_mail import RefusedMail, parsed

BAR: Final = 0.05
"""Seconds."""

WHOLE: Final = 256 * 1024


def _headers(draw: random.Random) -> bytes:
    return b"X-%d: y\n" % draw.randrange(9) * draw.choice([150, 199, 250, 40_000]) + b"\nbody"


def _long_header(draw: random.Random) -> bytes:
    name = draw.choice([b"Subject", b"To", b"Received", b"Content-Type"])
    filler = draw.choice([b"(", b"=?utf-8?b?", b"a ", b'"', b"\\", b"=?x?q?=", b"<", b";a=b"])
    return name + b": " + filler * draw.choice([500, 4000, 500_000]) + b"\n\nbody"


def _parts(draw: random.Random) -> bytes:
    name = draw.choice([b"b", b"-" * 60, b"=_x", b" "])
    head = b'Content-Type: multipart/mixed; boundary="' + name + b'"\n\n'
    return head + (b"--" + name + b"\n\n") * draw.choice([50, 99, 101, 100_000])


def _nested(draw: random.Random) -> bytes:
    raw = b""
    for level in range(draw.choice([10, 19, 21, 400])):
        name = b"b%d" % (level if draw.random() < 0.9 else 0)
        raw += b'Content-Type: multipart/mixed; boundary="' + name + b'"\n\n--' + name + b"\n"
    return raw + b"\nx"


def _messages_within(draw: random.Random) -> bytes:
    return b"Content-Type: message/rfc822\n\n" * draw.choice([5, 15, 90, 8000]) + b"\nx"


def _page(draw: random.Random) -> bytes:
    filler = draw.choice(
        [b"<", b"<script>", b"<!--", b"&#", b"&amp", b"<a href=", b"</style", b">"]
    )
    kind = draw.choice([b"text/html", b"text/html; charset=utf-7", b"TEXT/HTML;;;"])
    return b"Content-Type: " + kind + b"\n\n" + filler * (WHOLE // len(filler))


def _encoded(draw: random.Random) -> bytes:
    way = draw.choice([b"base64", b"quoted-printable", b"x-uuencode", b"7bit"])
    charset = draw.choice([b"idna", b"rot13", b"zlib", b"iso-2022-kr", b"punycode", b"utf-8"])
    filler = draw.choice([b"=", b"A", b"=41", b"\xff\xfe", b"\x1b$)C", b"====", b"a-"])
    return (
        b"Content-Type: text/plain; charset=" + charset + b"\nContent-Transfer-Encoding: " + way
    ) + (b"\n\n" + filler * (WHOLE // len(filler)))


def _noise(draw: random.Random) -> bytes:
    return draw.randbytes(draw.choice([10, 1000, WHOLE]))


KINDS: Final[tuple[Callable[[random.Random], bytes], ...]] = (
    _headers,
    _long_header,
    _parts,
    _nested,
    _messages_within,
    _page,
    _encoded,
    _noise,
)


def _mutated(draw: random.Random, real: Sequence[bytes]) -> bytes:
    """A real message with some of its bytes changed, doubled or gone."""
    made = bytearray(draw.choice(real))
    for _ in range(draw.randrange(1, 20)):
        place = draw.randrange(len(made) or 1)
        piece = made[place : place + draw.randrange(1, 2000)]
        match draw.randrange(3):
            case 0:
                made[place : place + 1] = draw.randbytes(1)
            case 1:
                made[place:place] = piece * draw.randrange(1, 9)
            case _:
                del made[place : place + len(piece)]
    return bytes(made)


def hostile(count: int, real: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """So many messages of all kinds; half of them real ones that were damaged, if there are any."""
    draw = random.Random(1)
    for number in range(count):
        if real and number % 2:
            yield "mutated", _mutated(draw, real)
        else:
            kind = KINDS[(number // 2 if real else number) % len(KINDS)]
            yield kind.__name__.lstrip("_"), kind(draw)


def main() -> int:
    """Parse hostile mail; the last line of output is JSON."""
    options = argparse.ArgumentParser("python -m benchmarks.hostile", description=main.__doc__)
    options.add_argument("--mails", type=int, default=10_000)
    options.add_argument("--corpus", type=Path, help="raw mail to damage")
    given = options.parse_args()
    real = [one.raw for one in messages(given.corpus)][:2000] if given.corpus else []
    slowest: dict[str, float] = {}
    refused: Counter[str] = Counter()
    uncaught = 0
    for kind, raw in hostile(given.mails, real):
        began = time.process_time()
        try:
            parsed(raw)
        except RefusedMail:
            refused[kind] += 1
        except Exception as error:  # noqa: BLE001 - what is looked for
            uncaught += 1
            report.say(f"{kind}: {type(error).__name__}: {error}")
        slowest[kind] = max(slowest.get(kind, 0.0), time.process_time() - began)
    worst = max(slowest.values())
    report.last_line(
        {
            "mails": given.mails,
            "uncaught": uncaught,
            "slowest_ms": round(1000 * worst, 1),
            "refused": dict(refused),
            "slowest_ms_by_kind": {name: round(1000 * of, 1) for name, of in slowest.items()},
        }
    )
    return 0 if worst <= BAR and not uncaught else 1


if __name__ == "__main__":
    sys.exit(main())
