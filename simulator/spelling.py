"""How settings are written: by people on a command line, and as TOML."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Any

from filter.plugins import SettingsError

BARE = re.compile(r"[A-Za-z0-9_-]+")
HOURS = {"": 1, "h": 1, "d": 24}
DIGITS = 18


def hours(text: str, place: str) -> int:
    """A duration in ticks, which are hours: ``240``, ``2h`` or ``10d``.

    Raises:
        SettingsError: it is none of these.

    >>> hours("10d", "--duration"), hours("2h", "--duration")
    (240, 2)
    """
    match = re.fullmatch(r"([0-9]+) ?([hd]?)", text.strip())
    if match is None or len(match[1]) > DIGITS:
        raise SettingsError(f"{place}: expected hours or days such as 240, 2h or 10d, got {text!r}")
    return int(match[1]) * HOURS[match[2]]


def whole(text: str, place: str) -> int:
    """A whole number.

    Raises:
        SettingsError: it is none.
    """
    if not re.fullmatch(r"[-+]?[0-9]+", text.strip()) or len(text) > DIGITS + 2:
        raise SettingsError(f"{place}: expected a whole number, got {text!r}")
    return int(text)


FASTEST = 10_000.0
"""Ticks a second that can be asked for; above that, say ``max``."""


def pace(text: str | None, place: str) -> float:
    """Ticks a second at most; 0 for as many as can be.

    Raises:
        SettingsError: it is no such number.

    >>> pace("2.5", "--speed"), pace("max", "--speed"), pace(None, "--speed")
    (2.5, 0.0, 0.0)
    """
    if text is None or text.strip().lower() == "max":
        return 0.0
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0.01 <= speed <= FASTEST:
        raise SettingsError(
            f"{place}: expected ticks a second from 0.01 to {FASTEST:,.0f}, or max, got {text!r}"
        )
    return speed


def switch(text: str, place: str) -> bool:
    """Yes or no, as an environment variable says it.

    Raises:
        SettingsError: it says neither.
    """
    match text.strip().lower():
        case "1" | "true" | "yes" | "on":
            return True
        case "0" | "false" | "no" | "off":
            return False
    raise SettingsError(f"{place}: expected 1 or 0, got {text!r}")


def key_path(text: str, place: str) -> tuple[str, ...]:
    """A dotted key as TOML reads it.

    Raises:
        SettingsError: it is none.

    >>> key_path("filter.guard", "--set")
    ('filter', 'guard')
    """
    try:
        table: Any = tomllib.loads(f"{text} = 0") if "\n" not in text else {}
    except tomllib.TOMLDecodeError:
        table = {}
    keys: list[str] = []
    while isinstance(table, dict) and len(table) == 1:
        [(name, table)] = table.items()
        keys.append(name)
    if table != 0:
        raise SettingsError(f"{place}: expected a key such as world.people, got {text!r}")
    return tuple(keys)


def toml_value(text: str) -> Any:
    """A value as TOML reads it, else the text itself.

    >>> toml_value("3"), toml_value("[1, 2]"), toml_value("none"), toml_value("")
    (3, [1, 2], 'none', '')
    """
    try:
        table = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return text
    return table["value"] if table.keys() == {"value"} else text


def written(value: Any) -> str:
    """A value as TOML.

    >>> written([True, 0.5, "a"]), written({"x": 1})
    ('[true, 0.5, "a"]', '{x = 1}')
    """
    match value:
        case bool():
            return "true" if value else "false"
        case Mapping():
            inside = ", ".join(f"{quoted([k])} = {written(v)}" for k, v in value.items())
            return "{" + inside + "}"
        case list() | tuple():
            return "[" + ", ".join(map(written, value)) + "]"
        case int() | float():
            return repr(value)
        case date() | time():
            return value.isoformat()
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")


def quoted(keys: Iterable[str]) -> str:
    """A dotted key as TOML.

    >>> quoted(["a", "b c"])
    'a."b c"'
    """
    return ".".join(key if BARE.fullmatch(key) else written(key) for key in keys)
