"""What a docstring says, taken apart: its paragraphs, its arguments, and where it has it from."""

import re
from textwrap import dedent
from typing import NamedTuple

CODE = re.compile(r"\b[AD]\d{1,2}\b")
CITED = re.compile(r"(?:\b[A-Z]\w+ \()?(?:\bal\. |\.(?=,)|[^.;:()])*\b(?:19|20)\d\d\b")
"""From the last full stop, colon or bracket to a year; or a name, and venue and year in them."""


class Said(NamedTuple):
    """A docstring in parts.

    Args:
        paragraphs: the prose, each paragraph in a line.
        args: what each argument is, by its name.
    """

    paragraphs: tuple[str, ...]
    args: dict[str, str]

    @property
    def first(self) -> str:
        """The first sentence."""
        return self.paragraphs[0]

    @property
    def codes(self) -> tuple[str, ...]:
        """The attacks and defences that it names, in their order: A1 to A28, D1 to D27."""
        found = set(CODE.findall(" ".join(self.paragraphs)))
        return tuple(sorted(found, key=lambda code: (code[0], int(code[1:]))))

    @property
    def papers(self) -> tuple[str, ...]:
        """What it cites, with a year.

        >>> said("Few are skilled (Freeman, WWW 2017: at most 2.4 %). Day et al., X 2009.").papers
        ('Freeman, WWW 2017', 'Day et al., X 2009')
        >>> said("As Freeman (WWW 2017) says.").papers
        ('Freeman, WWW 2017',)
        """
        found = CITED.findall(" ".join(self.paragraphs))
        return tuple(dict.fromkeys(one.replace(" (", ", ").strip(" ,") for one in found))


def said(docstring: str | None) -> Said:
    r"""Take a docstring in Google's style apart.

    >>> said("Count.\n\n    Slowly.\n\n    Args:\n        n: how\n            many.\n    ")
    Said(paragraphs=('Count.', 'Slowly.'), args={'n': 'how many.'})
    """
    first, _, rest = (docstring or "").partition("\n")
    prose, _, args = dedent(rest).partition("Args:\n")
    paragraphs = f"{first}\n{prose}".strip().split("\n\n")
    return Said(tuple(map(_in_a_line, paragraphs)), _arguments(dedent(args)))


def _arguments(text: str) -> dict[str, str]:
    """An argument begins at the margin, and goes on where lines are indented."""
    blocks = re.split(r"\n(?=\S)", text.strip("\n"))
    pairs = [block.partition(": ") for block in blocks if block]
    return {name: _in_a_line(about) for name, _, about in pairs}


def _in_a_line(text: str) -> str:
    """With Markdown's one backtick where docstrings have two."""
    return " ".join(text.split()).replace("``", "`")
