"""Where a result is from: how to make it again, with what, and where it lies."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from simulator.manifest import INTERRUPTED, Manifest
from simulator.page.part import Part, Table
from simulator.page.votes import MOST
from simulator.printed import ARMS, LONG
from simulator.safe import safe
from simulator.summary import Summary


def origin(summary: Summary, manifest: Manifest, path: PurePath) -> Part:
    """The part that says so."""
    words = ["The command makes the same run again, to the same hash."]
    command = safe(manifest.command, LONG)
    commands = [command] if command else []
    if summary.status == INTERRUPTED and command:
        words = [
            "The run was interrupted. The first command goes on with it to its end, the second one"
            " makes it from its beginning to its end; both come to the same hash, which is not yet"
            " the one below."
        ]
        commands = [f"hamstrung run --resume {safe(shlex.quote(str(path)), LONG)}", command]
    if not command:
        words = ["It was not run from the command line."]
    tables = [
        Table("Arms", ("arm", "what it is", "hash"), [*_arms(summary)], 3),
        Table("Made of", ("what", "which"), [*_made(manifest, path)], 2),
    ]
    tables = [table for table in tables if table.rows]
    return Part("Again", words, tables=tables, commands=commands)


def _arms(summary: Summary) -> Iterator[Sequence[str]]:
    for name, arm in [*summary.arms.items()][:MOST]:
        yield (safe(name, 24), ARMS.get(name, "-"), safe(arm.hash, 64) or "-")


def _made(manifest: Manifest, path: PurePath) -> Iterator[Sequence[str]]:
    yield ("saved in", safe(str(path), LONG))
    for name, version in [*manifest.versions.items()][:MOST]:
        yield (safe(name, 40), safe(version, 60))
    yield ("source of the program", safe(manifest.source, 64))
    for plugin in [one for one in manifest.plugins if one.path][:MOST]:
        yield (f"own file {safe(plugin.path, 300)}", safe(plugin.digest, 64))
    if manifest.corpus:
        yield ("corpus", safe(manifest.corpus, 64))
