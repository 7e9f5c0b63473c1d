"""The scenario file's reference: a table for each section."""

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from simulator.reference.sections import Key, Section, sections
from simulator.spelling import written

HEAD = """\
# The scenario file, key by key

Written by `{made_by}` from the code's docstrings and ranges. Do not edit it: a
test compares it with them.

A scenario is a TOML file, `hamstrung run my.toml`. Whatever it does not say has its default; its
`name` is the file's. A tick is an hour of the simulation. An unknown key, a wrong type or a number
out of its range is refused, with the key's place and what would do; where no range is named, any
number is taken. Three ways to set `people` of the table `[world]`:

```toml
[world]
people = 4000
```

```console
hamstrung run quickstart --set world.people=4000
HAMSTRUNG_SET=world.people=4000 hamstrung run quickstart
```

`hamstrung config NAME` prints all settings of a scenario and where each comes from, as a file that
can be run. What each attack, check and model is: [catalogue.md](catalogue.md).

**In an editor.** [scenario.schema.json](scenario.schema.json) is the same as a JSON Schema. Editors
that use Taplo (Visual Studio Code with "Even Better TOML") complete keys, show what each is for and
mark mistakes where the file begins with the schema's path, seen from the file:

```toml
#:schema ./docs/scenario.schema.json
```

Where there is no clone, `python -m simulator.reference FOLDER` writes it. The program itself needs
no such line. It checks a little more than the schema can say: that `thresholds` can be read, that a
file exists, and that settings fit each other. `feedback_delay` is less than `filter.mail_window`,
which is at least `people.kept_after + feedback_delay`; the two shares of `filter.learner.limits`
add up to 1 at most.

**Tables of numbers**, as `people.mistaken_spam`, are taken whole: what is not named there is 0.

"""
WORDS = {int: "integer", float: "number", bool: "true or false", str: "text", Any: "anything"}


def scenario_page(made_by: str) -> str:
    """The page.

    Args:
        made_by: the command that writes it.
    """
    parts = [_part(one) for one in sections()]
    return HEAD.format(made_by=made_by) + "\n\n".join(parts) + "\n"


def _part(one: Section) -> str:
    lines = [f"## {_title(one)}", "", " ".join(one.said.paragraphs[:1])]
    if one.keys:
        lines += ["", "| key | type | default | range | what it is for |", "|---|---|---|---|---|"]
        lines += [_row(key) for key in one.keys]
    elif one.of:
        lines += ["", "No settings."]
    return "\n".join(lines)


def _title(one: Section) -> str:
    """The table's name as it stands in a file; an attack's settings with whose they are.

    The name alone is what links lead to, as Markdown makes anchors of titles.
    """
    if not one.place:
        return "Top level"
    return f"`[{one.place}]` of {one.of}" if one.place == "attack.settings" else f"`[{one.place}]`"


def _row(key: Key) -> str:
    bounds = str(key.within) if key.within and counted(key.hint) else ""
    cells = f"`{key.name}`", type_of(key.hint), f"`{written(key.default)}`", bounds, key.about
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def counted(hint: Any) -> bool:
    """Whether a setting is a number, or a table of numbers, so that a range means something."""
    return hint in (int, float) or float in get_args(hint)


def type_of(hint: Any) -> str:
    """A type in words.

    >>> type_of(tuple[str, ...]), type_of(dict[str, float]), type_of(Literal["a", "b"])
    ('list of text', 'table of numbers', '`"a"` or `"b"`')
    """
    return "".join(_words(hint))


def _words(hint: Any) -> Iterator[str]:
    assert not isinstance(hint, UnionType), "a setting has one type"
    args = get_args(hint)
    match get_origin(hint):
        case None:
            yield WORDS[hint]
        case origin if origin is Literal:
            choices = [f"`{written(one)}`" for one in args]
            yield ", ".join(choices[:-1]) + f" or {choices[-1]}"
        case origin if origin is tuple:
            yield f"list of {type_of(args[0])}"
        case _:
            yield "table" if args[1] is Any else f"table of {type_of(args[1])}s"
