"""A raw message becomes a subject and a text, or is refused: nothing in it costs more than it may.

Limits come before parsing, because the standard parser has none: deep nesting ends in a
RecursionError, a hundred thousand parts in minutes. Under policy ``compat32`` no header is parsed
that nobody asks for; and it is given Latin-1, or it would decode a body with whatever codec the
message names. Attachments are left out, HTML is reduced to its text.
"""

import binascii
import html
import quopri
import re
from collections.abc import Iterator
from email import message_from_string
from email.errors import HeaderParseError, MessageError
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from typing import Any, Final

from filter.features import MAX_BYTES
from simulator.mail import Text

LOOKED_AT: Final = 256 * 1024
"""Bytes of a message from its beginning; what is behind them is not looked at."""

LONGEST_HEADER: Final = 8 * 1024
MOST_HEADERS: Final = 200
MOST_PARTS: Final = 100
DEEPEST: Final = 20

CHARSETS: Final = frozenset(
    (
        *("ascii", "us-ascii", "utf-8", "utf8", "koi8-r", "koi8-u", "macintosh", "tis-620"),
        *("gb2312", "gbk", "gb18030", "big5", "big5-hkscs", "windows-874", "ks_c_5601-1987"),
        *("euc-jp", "iso-2022-jp", "shift_jis", "euc-kr", "iso-2022-kr"),
        *(f"windows-{number}" for number in range(1250, 1259)),
        *(f"iso-8859-{number}" for number in range(1, 17)),
    )
)
"""Character sets that are decoded as they say; all others, and what does not fit, as Latin-1."""

MOST_TAGS: Final = 20_000
"""Of a page; what is behind them is not looked at."""

_BOUNDARY: Final = re.compile(rb"boundary\s{0,8}=\s{0,8}\"?([^\"\r\n;]{1,200})", re.IGNORECASE)
_NESTED: Final = re.compile(rb"message/rfc822|multipart/", re.IGNORECASE)
_TAG: Final = re.compile(r"/?[a-zA-Z!?][a-zA-Z0-9]{0,20}")
_HIDDEN: Final = ("script", "style", "head", "title")


class RefusedMail(ValueError):  # noqa: N818 - a message is refused, not the program at fault
    """A message beyond the limits, or one that no parser makes sense of; with the reason."""


def parsed(raw: bytes) -> Text:
    r"""The subject and text of a message.

    Args:
        raw: as RFC 5322 has it; of more than `LOOKED_AT` bytes the first ones count.

    Raises:
        RefusedMail: it is beyond the limits, or cannot be parsed.

    >>> parsed(b"Subject: =?utf-8?q?H=C3=A9llo?=\r\n\r\nSee you.")
    Text(subject='Héllo', text='See you.')
    """
    raw = raw[:LOOKED_AT]
    _must_be_within_limits(raw)
    try:
        message = message_from_string(raw.decode("latin-1"), policy=compat32)
        text = "\n".join(part for part in _texts(message) if part)
        return Text(_sound(_subject(message)), _sound(text))
    except (MessageError, ValueError, IndexError, LookupError, TypeError, RecursionError) as error:
        raise RefusedMail(f"it cannot be parsed: {type(error).__name__}") from error


def _sound(text: str) -> str:
    """A text that can be written as UTF-8: one with half a pair cannot."""
    return text.encode("utf-8", "replace").decode()


def _must_be_within_limits(raw: bytes) -> None:
    head = raw[: _end_of_headers(raw)]
    lines = re.split(rb"\r?\n(?![ \t])", head)
    if len(lines) > MOST_HEADERS:
        raise RefusedMail(f"expected at most {MOST_HEADERS} headers, got more")
    if max(map(len, lines)) > LONGEST_HEADER:
        raise RefusedMail(f"expected headers of at most {LONGEST_HEADER} bytes, got a longer one")
    boundaries = set(_BOUNDARY.findall(raw))
    nested = len(_NESTED.findall(raw))
    if len(boundaries) > DEEPEST or nested > MOST_PARTS:
        raise RefusedMail(f"expected parts within parts at most {DEEPEST} deep, got more")
    parts = sum(raw.count(b"\n--" + one.strip()) for one in boundaries)
    if parts > MOST_PARTS:
        raise RefusedMail(f"expected at most {MOST_PARTS} parts, got more")


def _end_of_headers(raw: bytes) -> int:
    ends = [place for place in (raw.find(b"\n\n"), raw.find(b"\r\n\r\n")) if place >= 0]
    return min(ends, default=len(raw))


def _subject(message: "Message[str, str]") -> str:
    given = message.get("Subject")
    if given is None:
        return ""
    raw = str(given)
    try:
        found = decode_header(raw)
    except (HeaderParseError, binascii.Error, ValueError):
        found = [(raw, None)]
    return "".join(
        _decoded(part.encode("latin-1") if isinstance(part, str) else part, charset or "utf-8")
        for part, charset in found
    )


def _texts(message: "Message[str, str]", depth: int = 0) -> Iterator[str]:
    """The texts of a message's parts; of alternatives the plain one, if it is not empty."""
    if depth > DEEPEST:
        raise RefusedMail(f"expected parts within parts at most {DEEPEST} deep, got more")
    payload: Any = message.get_payload()
    if isinstance(payload, list):
        parts = payload
        if message.get_content_type() == "multipart/alternative":
            plain = [one for one in parts if one.get_content_type() == "text/plain"]
            if any(_text(one).strip() for one in plain):
                parts = plain
        for part in parts:
            yield from _texts(part, depth + 1)
    elif message.get_content_maintype() == "text" and not _is_attached(message):
        yield _text(message)


def _is_attached(message: "Message[str, str]") -> bool:
    return str(message.get("Content-Disposition") or "").strip().lower().startswith("attachment")


def _text(message: "Message[str, str]") -> str:
    """What a part says."""
    payload: Any = message.get_payload()
    if not isinstance(payload, str):
        return ""
    raw = payload.encode("latin-1")
    match str(message.get("Content-Transfer-Encoding") or "").strip().lower():
        case "base64":
            raw = _of_base64(raw)
        case "quoted-printable":
            raw = quopri.decodestring(raw)
    charset = message.get_content_charset() or "utf-8"
    text = _decoded(raw, str(charset))
    return of_html(text) if message.get_content_type() == "text/html" else text


def _of_base64(raw: bytes) -> bytes:
    """What base64 says; of damaged one as much as can be had."""
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    return binascii.a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")


def _decoded(raw: bytes, charset: str) -> str:
    """Bytes as text, in a character set that is known and fits, or else as Latin-1."""
    name = charset.strip().lower()
    if name in CHARSETS:
        try:
            return raw.decode(name)
        except (UnicodeDecodeError, LookupError):
            pass
    return raw.decode("latin-1")


def of_html(page: str) -> str:
    """The text of a page, in one pass; what stands in scripts, styles and its head is left out.

    >>> of_html("<p>Cheap &amp; <b>good</b><style>p {}</style><br>a < b")
    ' Cheap & good a < b'
    """
    said: list[str] = []
    hidden, length = "", 0
    first, *pieces = page.split("<", MOST_TAGS)
    said.append(first)
    for piece in pieces:
        length += len(said[-1])
        if length > MAX_BYTES:
            break
        tag, closed, rest = piece.partition(">")
        name = _TAG.match(tag)
        if name is None or not closed:
            said.append("" if hidden else f"<{piece}")
            continue
        word = name[0].lower()
        if hidden:
            if word == f"/{hidden}":
                hidden = ""
                said.append(rest)
        elif word in _HIDDEN:
            hidden = word
        else:
            said.append((" " if _breaks(word) else "") + rest)
    return html.unescape("".join(said)[:MAX_BYTES])


def _breaks(tag: str) -> bool:
    """Whether a tag parts words; those that only change how they look do not."""
    return tag.lstrip("/") not in ("a", "b", "i", "u", "em", "strong", "font", "span", "small")
