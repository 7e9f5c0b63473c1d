"""JUnit XML: what a run came to, in the form that build servers read.

The file is written twice: before the run, as one that did not come to its end, and at its end. So a
path that cannot be written is refused before anything is simulated, and after a crash no build
server reads the good news of the run before.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from filter.plugins import SettingsError
from simulator.durable import FolderError, write_whole
from simulator.manifest import DONE, ERROR
from simulator.safe import safe
from simulator.summary import RAN, Planned, Rule, Summary
from simulator.thresholds import parse

FAILURE, FAULT = "failure", "error"
NO_DATA: Final = "no data"
UNENDED: Final = "the run did not come to its end"
MOST: Final = 2000
"""Characters of a name or message."""


class Case(NamedTuple):
    """A test case.

    Args:
        group: what it is one of, as ``thresholds``.
        name: its name.
        tag: ``failure`` or ``error``; nothing if it passed.
        kind: of the failure or error, in a word or two.
        message: what was wrong.
    """

    group: str
    name: str
    tag: str = ""
    kind: str = ""
    message: str = ""


def begin(path: Path, scenario: str) -> None:
    """Write that the run has not ended yet.

    Raises:
        SettingsError: the file cannot be written.
    """
    unended = Case("run", "ended", FAULT, "unended", UNENDED)
    try:
        if not path.resolve().parent.is_dir():
            raise FolderError(f"{path}: there is no folder {path.parent}")
        if path.exists() and not path.is_file():
            raise FolderError(f"{path} is no file; name one, as junit.xml")
        _write(path, _document(scenario, [unended]))
    except (OSError, ValueError) as error:  # as a name that is too long, or no name at all
        raise SettingsError(f"--junit: {error}") from error


def save(path: Path, summary: Summary) -> None:
    """Write what a run came to.

    Raises:
        FolderError: the disk is full, or the file can no longer be written.
    """
    _write(path, document(summary))


def _write(path: Path, text: bytes) -> None:
    """Write the file itself, not the link that may lead to it, as /dev/stdout is one."""
    write_whole(path.resolve(), text)


def document(summary: Summary) -> bytes:
    """A summary as JUnit XML: a case for the run, each planned attack, seed and threshold."""
    about = {"seed": str(summary.seed), "hash": summary.hash, "verdict": summary.verdict}
    return _document(summary.scenario, list(_cases(summary)), about)


def _cases(summary: Summary) -> Iterator[Case]:
    yield _ended("run", "ended", summary.status if summary.ticks else ERROR, summary.verdict)
    for attack in summary.attacks:
        yield _attack(attack)
    for one in summary.replicates:
        yield _ended("seeds", f"seed {one.seed}", one.status, one.why)
    for rule in summary.thresholds:
        yield _threshold(rule)


def _ended(group: str, name: str, status: str, why: str) -> Case:
    if status == DONE:
        return Case(group, name)
    return Case(group, name, FAULT, status, why or UNENDED)


def _attack(attack: Planned) -> Case:
    """A case that fails if the attack did not run: nothing was measured then, which is no pass."""
    name = f"{attack.attack} ran"
    if attack.status == RAN:
        return Case("attacks", name)
    tag = FAULT if attack.status == ERROR else FAILURE
    return Case("attacks", name, tag, attack.status, attack.why)


def _threshold(rule: Rule) -> Case:
    if rule.held:
        return Case("thresholds", rule.rule)
    asked = parse(rule.rule, "thresholds")
    if rule.actual is None and not asked.metric.startswith("ticks_to_"):
        said = f"expected {rule.rule}, but there is no data"
        return Case("thresholds", rule.rule, FAULT, NO_DATA, said)
    actual = "never reached" if rule.actual is None else f"{rule.actual:.6g}"
    said = f"expected {rule.rule}; {asked.metric}.{asked.statistic} is {actual}"
    return Case("thresholds", rule.rule, FAILURE, "broken", said)


def _document(scenario: str, cases: list[Case], about: dict[str, str] | None = None) -> bytes:
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.tag == FAILURE for case in cases)),
        "errors": str(sum(case.tag == FAULT for case in cases)),
        "skipped": "0",
    }
    root = Element("testsuites", {"name": "hamstrung"} | counts)
    suite = SubElement(root, "testsuite", {"name": safe(scenario, MOST)} | counts)
    if about:
        properties = SubElement(suite, "properties")
        for name, value in about.items():
            SubElement(properties, "property", {"name": name, "value": safe(value, MOST)})
    for case in cases:
        _add(suite, scenario, case)
    indent(root)
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add(suite: Element, scenario: str, case: Case) -> None:
    names = {"classname": safe(f"{scenario}.{case.group}", MOST), "name": safe(case.name, MOST)}
    element = SubElement(suite, "testcase", names)
    if case.tag:
        said = safe(case.message, MOST)
        SubElement(element, case.tag, {"type": case.kind, "message": said}).text = said
