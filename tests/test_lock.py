"""The lock against pyproject.toml: complete for every Python, hashed, and naming no host."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
LOCKED_EXTRAS = ("dev", "web")

ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)"
    r"(?:\s*;\s*(?P<marker>[^\\]+?))?"
    r"(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})*)\s*"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One pinned release of the lock."""

    name: str
    version: Version
    marker: Marker | None
    hashes: int

    def applies_to(self, python: str) -> bool:
        environment = {"python_version": python, "python_full_version": f"{python}.0"}
        return self.marker is None or self.marker.evaluate(environment)


def entries(text: str) -> list[Entry]:
    """Read a lock; a logical line that is no pinned release is an error."""
    lines = re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found = []
    for line in filter(str.strip, lines):
        match = ENTRY.fullmatch(line)
        if match is None:
            raise ValueError(f"not a pinned release: {line[:80]!r}")
        marker = match["marker"]
        found.append(
            Entry(
                canonicalize_name(match["name"]),
                Version(match["version"]),
                Marker(marker) if marker else None,
                match["hashes"].count("--hash="),
            )
        )
    return found


def wanted(project: dict[str, Any]) -> list[Requirement]:
    """Everything that the lock must hold by pyproject.toml, the build backend too."""
    extras = project["project"]["optional-dependencies"]
    lines = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(line for extra in LOCKED_EXTRAS for line in extras[extra]),
    ]
    return [Requirement(line) for line in lines]


def complaints(requirements: Iterable[Requirement], lock: Iterable[Entry]) -> list[str]:
    """What of the requirements the lock does not give, for each Python, one line each."""
    lock = list(lock)
    found = [f"{entry.name}: no hash" for entry in lock if not entry.hashes]
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        for python in PYTHONS:
            pins = [entry for entry in lock if entry.name == name and entry.applies_to(python)]
            if len(pins) != 1:
                found.append(f"{name}: {len(pins)} pins for Python {python}")
            elif pins[0].version not in requirement.specifier:
                found.append(f"{name}: {pins[0].version} is not {requirement.specifier}")
    return found


def below(requirements: Iterable[Requirement]) -> list[Requirement]:
    """What the installed releases of these need in their turn, on this Python and system."""
    todo = list(requirements)
    seen: set[tuple[str, str]] = set()
    found = []
    while todo:
        parent = todo.pop()
        for extra in ("", *sorted(parent.extras)):
            if (key := (canonicalize_name(parent.name), extra)) in seen:
                continue
            seen.add(key)
            for line in metadata.requires(parent.name) or ():
                child = Requirement(line)
                if child.marker is None or child.marker.evaluate({"extra": extra}):
                    found.append(child)
                    todo.append(child)
    return found


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "requirements.lock").read_text("utf-8")


def test_the_lock_gives_what_pyproject_asks_for_on_every_python(
    project: dict[str, Any], text: str
) -> None:
    requirements = wanted(project)
    assert len(requirements) > 20
    assert complaints(requirements, entries(text)) == []


def test_the_lock_holds_what_the_installed_releases_need(
    project: dict[str, Any], text: str
) -> None:
    """`./dev` installs with --no-deps, so a lock with a hole would show at import only."""
    needed = below(wanted(project))
    assert {"lupa", "pluggy", "scipy"} <= {canonicalize_name(each.name) for each in needed}
    locked = {entry.name for entry in entries(text)}
    assert {canonicalize_name(each.name) for each in needed} <= locked


def test_the_lock_names_no_place_to_download_from(text: str) -> None:
    assert not re.search(r"://|\s@\s|--(?!hash=)[a-z]|^-", text, flags=re.MULTILINE)


def test_the_lock_supports_the_pythons_of_pyproject(project: dict[str, Any]) -> None:
    supported = SpecifierSet(project["project"]["requires-python"])
    minors = [f"3.{minor}" for minor in range(30)]
    assert tuple(minor for minor in minors if f"{minor}.1" in supported) == PYTHONS


def test_the_dev_group_equals_the_dev_extra(project: dict[str, Any]) -> None:
    extras = project["project"]["optional-dependencies"]
    assert project["dependency-groups"]["dev"] == extras["dev"]


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        ("numpy>=999", "numpy: .* is not >=999"),
        ("no-such-package", "no-such-package: 0 pins for Python 3.12"),
    ],
)
def test_a_requirement_that_the_lock_does_not_give_is_found(
    text: str, ask: str, complaint: str
) -> None:
    found = complaints([Requirement(ask)], entries(text))
    assert any(re.fullmatch(complaint, line) for line in found)


def test_every_entry_taken_out_of_the_lock_is_missed(project: dict[str, Any], text: str) -> None:
    lock = entries(text)
    for name in {canonicalize_name(each.name) for each in wanted(project)}:
        rest = [entry for entry in lock if entry.name != name]
        assert len(complaints(wanted(project), rest)) >= len(PYTHONS), name


def test_an_entry_without_hashes_or_pinned_twice_is_found(text: str) -> None:
    lock = entries(text)
    rich = next(entry for entry in lock if entry.name == "rich")
    assert complaints([], [replace(rich, hashes=0)]) == ["rich: no hash"]
    assert len(complaints([Requirement("rich")], [rich, rich])) == len(PYTHONS)


@pytest.mark.parametrize(
    "line",
    [
        "rich>=13",
        "rich",
        "rich @ file:wheel.whl",
        "--index-url somewhere",
        "-e .",
        "rich==1 --hash=md5:0",
    ],
)
def test_a_line_that_is_no_pinned_release_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a pinned release"):
        entries(f"{line}\n")
