"""The one sanitiser: no byte of an attacker's, or of a file's, acts on a terminal."""

import unicodedata

UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's categories of what is not shown as itself: controls, formats, halves, line ends."""
BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
"""Letters and marks that look like nothing at all."""
PICTURES, DELETE = 0x2400, 0x7F
STACKED = 3
"""Marks that may stand above or below one letter; a tower of them covers the lines around it."""


def safe(text: str, limit: int = 200) -> str:
    r"""A text in which nothing acts: control characters, bidi controls and the like are visible.

    Control characters become their pictures, other unshown ones their code point; a space stays.
    Whatever has been made safe stays as it is when it is made safe again with the same limit.

    Args:
        text: anything.
        limit: characters of the result at most, 1 or more; what is cut ends in an ellipsis.

    >>> safe("caf\u00e9 \x1b[2J\n\u202etxt.exe")
    'café ␛[2J␊<202E>txt.exe'
    >>> safe("abcdef", limit=4)
    'abc…'
    """
    shown: list[str] = []
    length = marks = 0
    for one in text:
        marks = marks + 1 if unicodedata.combining(one) else 0
        part = _visible(one, marks)
        shown.append(part)
        length += len(part)
        if length > limit:
            return "".join(shown)[: limit - 1] + "…"
    return "".join(shown)


def _visible(one: str, marks: int) -> str:
    code = ord(one)
    if code < ord(" "):
        return chr(PICTURES + code)
    if code == DELETE:
        return "␡"
    hidden = unicodedata.category(one) in UNSHOWN or one in BLANK or marks > STACKED
    return f"<{code:04X}>" if hidden else one
