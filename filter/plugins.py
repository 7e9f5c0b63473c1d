"""Plug-ins: a file in a folder, found by its name; or a file of the user's own."""

import hashlib
import importlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import msgspec

T = TypeVar("T")


class PluginError(ValueError):
    """A plug-in that is not there, cannot be loaded, or is not what it should be."""


class SettingsError(ValueError):
    """A setting that does not exist or has a wrong value; the message begins with its place."""


@dataclass(frozen=True)
class Plugin:
    """A plug-in's class, its name, and the digest of its source."""

    name: str
    settings: type
    digest: str
    path: str = ""


def names(package: str) -> list[str]:
    """The plug-ins of a package, by file name; nothing is imported but the package."""
    folder = Path(importlib.import_module(package).__path__[0])
    return sorted(p.stem.replace("_", "-") for p in folder.glob("*.py") if p.stem != "__init__")


def load(package: str, name: str, what: str, needs: Sequence[str] = ()) -> Plugin:
    """A plug-in by its name, or by the path of a user's own file (``*.py``).

    Args:
        package: where the project's own plug-ins lie, as ``agents.attacks``.
        name: file name without its ending, with ``-`` or ``_``; or a path that ends in ``.py``.
        what: what it is, for the message, as ``attack``.
        needs: the methods and fields that it has to have.

    Raises:
        PluginError: there is none of that name (the nearest is named), or its file does not load
            (file and line are named), or holds no frozen dataclass of the file's name, or that
            lacks what it needs.
    """
    plugin = _found(package, name, what)
    has = {field.name for field in fields(plugin.settings)} | set(dir(plugin.settings))
    lacks = [need for need in needs if need not in has]
    if lacks:
        raise PluginError(f"{what}: {plugin.name} has no {' and no '.join(lacks)}")
    return plugin


def _found(package: str, name: str, what: str) -> Plugin:
    if name.endswith(".py"):
        if not Path(name).is_file():
            raise PluginError(f"{what}: there is no file {Path(name)}")
        return _own(Path(name).absolute(), what)
    known = names(package)
    wanted = name.replace("_", "-")
    if wanted not in known:
        raise PluginError(f"{what}: {unknown(name, known)}")
    module = importlib.import_module(f"{package}.{wanted.replace('-', '_')}")
    assert module.__file__ is not None
    return _plugin(module, wanted, Path(module.__file__), what, "")


def _own(path: Path, what: str) -> Plugin:
    name = path.stem.replace("_", "-")
    module_name = f"hamstrung_own_{path.stem}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's file raises is told with its place
        raise PluginError(f"{what}: {_place(path, error)}: {told(error)}") from error
    return _plugin(module, name, path, what, str(path))


def _plugin(module: ModuleType, name: str, path: Path, what: str, own: str) -> Plugin:
    wanted = "".join(part.capitalize() for part in name.split("-"))
    found = getattr(module, wanted, None)
    if not (isinstance(found, type) and is_dataclass(found)):
        raise PluginError(f"{what}: {path} has no frozen dataclass {wanted}, named after the file")
    if not found.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # absent from the stubs
        raise PluginError(f"{what}: {path}: the dataclass {wanted} has to be frozen")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Plugin(name, found, digest, own)


def _place(path: Path, error: Exception) -> str:
    """File and line of the user's own code in which an error arose."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path}:{error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def place(error: Exception) -> str:
    """File and line where an error arose, with a colon behind."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""


def told(error: Exception) -> str:
    """An error in a line: its type and its message."""
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def unknown(got: str, known: list[str]) -> str:
    """A message for a name that does not exist, with the nearest one and the list.

    >>> unknown("peece", ["peace", "quickstart"])
    "unknown 'peece'; did you mean 'peace'? There are: peace, quickstart"
    """
    near = nearest(got, known)
    hint = f"; did you mean '{near}'?" if near else "."
    return f"unknown '{got}'{hint} There are: {', '.join(dict.fromkeys(known))}"


def about(made: Any) -> str:
    """What a plug-in is for, in its docstring's first paragraph."""
    return " ".join((made.__doc__ or "").strip().partition("\n\n")[0].split())


def nearest(got: str, known: Sequence[str]) -> str:
    """The name that was meant: one that begins so or has it as a word, else one spelt alike.

    >>> nearest("votes", ["varies", "votes_per_hour"]), nearest("hour", ["sour", "votes_per_hour"])
    ('votes_per_hour', 'votes_per_hour')
    >>> nearest("vareis", ["varies", "votes_per_hour"]), nearest("zzz", ["varies"])
    ('varies', '')
    """
    wanted = got.lower().replace("-", "_")
    plain = {name: name.lower().replace("-", "_") for name in known}
    longer = [
        name
        for name, text in plain.items()
        if len(wanted) > 1 and (text.startswith(wanted) or f"_{wanted}_" in f"_{text}_")
    ]
    if longer:
        return min(longer, key=lambda name: (not plain[name].startswith(wanted), len(name)))
    return next(iter(get_close_matches(got, known, 1, 0.5)), "")


SAID = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}
"""The kinds of values, in the words of people who write TOML."""
KINDS_OF_VALUE = re.compile(f"`({'|'.join(SAID)})`")


def configured(kind: type[T], table: Any, place: str) -> T:
    """A table of settings as a dataclass; the message of any error begins with the place.

    Raises:
        SettingsError: an unknown key (the nearest is named), or a value of a wrong type.
    """
    check_keys(kind, table, place)
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        message = KINDS_OF_VALUE.sub(lambda found: SAID[found[1]], str(error))
        what, _, where = message.partition(" - at `$")
        dotted = place + where.rstrip("`").replace("[...]", "")
        raise SettingsError(f"{dotted.lstrip(chr(46))}: {what[:1].lower()}{what[1:]}") from None


def check_keys(kind: Any, table: Any, place: str) -> None:
    """One walk over the fields that names an unknown key's place and the nearest known one."""
    if not isinstance(table, dict):
        return
    if get_origin(kind) is dict:
        _check_tables(get_args(kind)[1], table, place)
    if not is_dataclass(kind):
        return
    known = [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    for name, value in table.items():
        if name not in known:
            raise SettingsError(f"{dot(place, name)}: {unknown(str(name), known)}")
        check_keys(hints[name], value, dot(place, name))


def _check_tables(kind: Any, table: dict[Any, Any], place: str) -> None:
    """Where tables are asked for by name, each has to be one."""
    for name, value in table.items():
        if get_origin(kind) is dict and not isinstance(value, dict):
            raise SettingsError(f"{dot(place, str(name))}: expected a table, got {value!r}")


def dot(place: str, name: str) -> str:
    """A place inside a place: ``filter`` and ``guard`` make ``filter.guard``."""
    return f"{place}.{name}" if place else name
