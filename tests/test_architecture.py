"""The invariants that can be read off the source: who imports whom, and who touches the world."""

import ast
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from filter.plugins import load, names

ROOT = Path(__file__).parents[1]
PACKAGES = ("filter", "agents", "simulator")


def words(said: str) -> frozenset[str]:
    return frozenset(said.split())


KNOWS_THE_TRUTH = {
    "simulator/arms.py": "hands each tick's post to the key, to judges, frame and meter",
    "simulator/judges.py": "the provider's staff, who look at mails",
    "simulator/frame.py": "metrics: the truth in aggregate, read by no stage",
    "simulator/meter.py": "metrics: honest votes lost, ROC",
}

SHELLS = {
    "filter/courier.py": "publishes to Kafka",
    "filter/ledger_redis.py": "the ledger in Redis",
    "filter/position.py": "scripts that Redis runs",
    "filter/redis_server.py": "connects to Redis",
    "filter/tolerant.py": "mends Kafka's clients",
    "filter/unit.py": "a stage's partition on Kafka",
    "filter/worker.py": "a worker of Faust's",
    "filter/plugins.py": "finds and loads plug-in files",
    "filter/settings.py": "reads the guards' TOML files",
    "simulator/behind.py": "starts the run behind a console",
    "simulator/broker.py": "Kafka's topics",
    "simulator/checkpoint.py": "reads and writes checkpoints",
    "simulator/cli.py": "the command line",
    "simulator/completion.py": "the names of plug-ins' files and of runs",
    "simulator/console/app.py": "the console's screen",
    "simulator/console/boxes.py": "boxes over the console's panels",
    "simulator/console/carriers.py": "asks a run's servers, in a thread",
    "simulator/console/chart.py": "a chart on the screen",
    "simulator/console/keys.py": "what the keys of the console are bound to",
    "simulator/console/drawing.py": "panels on the screen",
    "simulator/console/export.py": "saves what it shows",
    "simulator/console/following.py": "a run's lines, as they are written",
    "simulator/console/on_kafka.py": "reads how far topics have come",
    "simulator/console/on_redis.py": "reads positions in Redis",
    "simulator/console/panels.py": "the console's panels",
    "simulator/console/pipeline.py": "the console's panel of what carries a run",
    "simulator/console/recording.py": "a run's folder, watched",
    "simulator/console/sources.py": "the console's table",
    "simulator/console/strip.py": "lines of the console",
    "simulator/console/topics.py": "a run's topics, watched",
    "simulator/console/web.py": "the console in a browser",
    "simulator/corpus.py": "reads and caches corpora",
    "simulator/display.py": "the terminal",
    "simulator/doctor.py": "looks at this machine",
    "simulator/durable.py": "atomic files",
    "simulator/engine_kafka.py": "the driver's engine on Kafka",
    "simulator/exits.py": "exit codes, and where a traceback goes",
    "simulator/fleet.py": "starts workers",
    "simulator/exporter.py": "figures for Prometheus, on a port",
    "simulator/figures.py": "what Prometheus's client collects",
    "simulator/flags.py": "reads files that flags name",
    "simulator/folder.py": "a run's folder",
    "simulator/journal.py": "a run's lines, as they come",
    "simulator/junit.py": "a file for build servers",
    "simulator/layers.py": "reads the layers of settings, each from its file",
    "simulator/mail_files.py": "lists and reads folders of raw mail",
    "simulator/manifest.py": "versions and files of this installation",
    "simulator/page/charts.py": "draws with matplotlib",
    "simulator/page/ink.py": "matplotlib's figures as text",
    "simulator/page/origin.py": "names a run's folder",
    "simulator/paint.py": "whether and how wide the terminal is",
    "simulator/past.py": "a run of the past, shown",
    "simulator/printed.py": "lists and summaries as text, with their files' names",
    "simulator/reference/__main__.py": "writes pages of the docs",
    "simulator/replicates.py": "starts a process for each seed",
    "simulator/reproduce.py": "runs packs, and prints them as they come",
    "simulator/saver.py": "when to write a checkpoint",
    "simulator/scenario.py": "reads scenarios' TOML files",
    "simulator/scripting.py": "a run from Python, with its folder",
    "simulator/serving.py": "a worker's process",
    "simulator/session.py": "a run with its folder",
    "simulator/signals.py": "Ctrl-C and SIGTERM",
    "simulator/source.py": "reads this installation's own files",
    "simulator/stack.py": "starts a broker and Redis on this machine",
    "simulator/started.py": "what is there at start-up, and whether a parent is",
    "simulator/stdout.py": "standard output",
    "simulator/steering.py": "what is asked of a run in its folder, and its pace",
    "simulator/tail.py": "reads topics",
    "simulator/templates.py": "writes a new plug-in's file",
    "simulator/watch.py": "whether there is a terminal for the console",
}

WORLDLY = words(
    "aiokafka asyncio builtins concurrent datetime faust fcntl fileinput gc getpass glob gzip http"
    " importlib inspect io joblib kafka locale logging matplotlib mmap multiprocessing os pathlib"
    " platform"
    " prometheus_client pwd queue random readline redis resource rich secrets select selectors"
    " shutil signal site smtplib socket socketserver sqlite3 ssl stat subprocess sys syslog"
    " tempfile termios textual threading time typer urllib uuid warnings weakref webbrowser"
    " wsgiref zipfile"
    "aiohttp aiokafka asyncio builtins concurrent datetime faust fcntl fileinput gc getpass"
    " glob gzip http importlib inspect io joblib kafka locale logging matplotlib mmap"
    " multiprocessing os pathlib platform prometheus_client pwd queue random readline redis"
    " resource rich secrets select selectors shutil signal site smtplib socket sqlite3 ssl stat"
    " subprocess sys syslog tempfile termios textual textual_plotext threading time typer urllib"
    " uuid warnings weakref webbrowser zipfile"
)
"""Modules by which code sees or touches something besides its arguments."""

BUILTINS = words(
    "__import__ breakpoint compile delattr eval exec globals hash id input open print vars"
)
"""Built-in functions that do so; ``hash`` and ``id`` differ from one process to the next."""

FILES = words(
    "chmod exists is_dir is_file iterdir mkdir read_bytes read_text rename rmdir symlink_to touch"
    " unlink write_bytes write_text"
)
"""Methods that only a path has, wherever it came from."""

EXCEPTIONS = {
    (
        "filter/checks/outlying_sources.py",
        "weakref",
    ): "detectors at hand; made again, they are equal",
    ("filter/river_model.py", "importlib"): "a River classifier is found by its name",
    ("filter/river_model.py", "inspect"): "what its constructor and `learn_one` take",
    ("filter/river_model.py", "vars"): "the classes of a River module",
    ("simulator/servers.py", "urllib"): "takes an address apart",
    ("simulator/spelling.py", "datetime"): "the types of TOML's dates",
    ("simulator/__init__.py", "globals"): "lists what can be imported from it",
}
"""Uses outside the shells that see nothing of the world: why."""

RANDOM = {"Generator", "Philox"}
"""What of ``numpy.random`` has no state of its own."""

PICKLES = words("pickle cPickle _pickle dill cloudpickle shelve marshal copyreg")


@cache
def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text())
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def imports(tree: ast.Module) -> Iterator[str]:
    """Dotted names imported, also inside functions; a name taken from a module is part of it."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                assert node.level == 0, "imports are absolute"
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


def attributes(tree: ast.Module) -> Iterator[str]:
    """Dotted names such as ``np.random.Generator``, wherever they stand."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)


def test_there_is_something_to_read() -> None:
    assert len(trees()) > 50
    assert {name.split("/")[0] for name in trees()} == set(PACKAGES)


@pytest.mark.parametrize(
    ("package", "never"),
    [("filter", {"agents", "simulator", "tests"}), ("agents", {"simulator", "tests"})],
)
def test_imports_point_from_the_simulator_to_agents_to_the_filter(
    package: str, never: set[str]
) -> None:
    wrong = [
        (name, one)
        for name, tree in trees().items()
        for one in imports(tree)
        if name.startswith(f"{package}/") and one.split(".")[0] in never
    ]
    assert not wrong


def test_the_program_imports_no_tests_and_no_benchmarks() -> None:
    roots = {one.split(".")[0] for tree in trees().values() for one in imports(tree)}
    assert not roots & {"tests", "benchmarks", "hypothesis", "pytest"}


def test_agents_know_of_the_filter_only_its_events_columns_and_arithmetic() -> None:
    known = {"events", "columns", "features", "hashing", "portable", "ragged", "decay"}
    used = {
        one.split(".")[1]
        for name, tree in trees().items()
        if name.startswith("agents/")
        for one in imports(tree)
        if one.startswith("filter.")
    }
    assert used <= known


def test_the_answer_key_is_imported_by_the_world_the_judges_and_the_metrics_alone() -> None:
    importers = {
        name
        for name, tree in trees().items()
        for one in imports(tree)
        if one.startswith("simulator.truth")
    }
    assert importers <= KNOWS_THE_TRUTH.keys()


def test_a_stage_s_file_takes_nothing_from_a_module_by_a_name_made_up_at_run_time() -> None:
    users = {name for name, tree in trees().items() if "importlib" in map(root, imports(tree))}
    plugs = {"filter/plugins.py", "filter/river_model.py"}
    versions = {"simulator/doctor.py", "simulator/manifest.py", "simulator/started.py"}
    assert users <= plugs | versions


def root(dotted: str) -> str:
    return dotted.split(".")[0]


def worldly(name: str) -> list[str]:
    """What a file uses that sees or touches the world."""
    tree = trees()[name]
    found = [one for one in imports(tree) if root(one) in WORLDLY]
    found += [one for one in calls(tree) if one in BUILTINS]
    found += [one for one in attributes(tree) if one.rpartition(".")[2] in FILES]
    return [one for one in found if (name, root(one)) not in EXCEPTIONS]


@pytest.mark.parametrize("name", sorted(trees().keys() - SHELLS.keys()))
def test_only_shells_touch_network_clock_terminal_files_or_processes(name: str) -> None:
    assert not worldly(name)


def test_a_file_is_called_a_shell_only_if_it_has_to_be() -> None:
    assert not [name for name in SHELLS if name in trees() and not worldly(name)]


@pytest.mark.parametrize("name", sorted(trees()))
def test_no_random_numbers_come_from_anywhere_but_a_generator(name: str) -> None:
    tree = trees()[name]
    used = {one for one in imports(tree) if one.startswith("numpy.random")}
    used |= {one for one in attributes(tree) if one.startswith(("np.random", "numpy.random"))}
    allowed = {f"{numpy}.random.{one}" for numpy in ("np", "numpy") for one in RANDOM}
    assert used <= allowed | {"np.random", "numpy.random"}
    if used & {f"np.random.{one}" for one in RANDOM}:
        assert name == "simulator/seeds.py"


@pytest.mark.parametrize("name", sorted(trees().keys() - SHELLS.keys()))
def test_only_shells_wait(name: str) -> None:
    waits = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    assert not [node for node in ast.walk(trees()[name]) if isinstance(node, waits)]


@pytest.mark.parametrize("name", sorted(trees()))
def test_nothing_is_pickled(name: str) -> None:
    tree = trees()[name]
    assert not {root(one) for one in imports(tree)} & PICKLES
    assert not {"np.save", "joblib.load", "joblib.dump"} & set(attributes(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("np.load"):
            assert "allow_pickle=False" in ast.unparse(node)
    assert "eval" not in set(calls(tree))
    assert "exec" not in set(calls(tree))


@pytest.mark.parametrize("name", sorted(trees()))
def test_no_module_keeps_a_state_that_changes(name: str) -> None:
    tree = trees()[name]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Global)]
    mutable = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, mutable):
            shown = [ast.unparse(target) for target in node.targets]
            assert all(one.isupper() or one == "__all__" for one in shown), (
                f"{shown} is no constant"
            )


def fields(name: str, wanted: str = "") -> dict[str, set[str]]:
    """Each class of a file with the fields it declares."""
    return {
        node.name: {
            one.target.id
            for one in node.body
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
        }
        for node in ast.walk(trees()[name])
        if isinstance(node, ast.ClassDef) and node.name.endswith(wanted)
    }


STREAMS = ("filter/events.py", "filter/columns.py", "filter/stage.py")
STAGES = ("scoring", "account_guard", "crowd_guard", "learner", "responder")
TRUTH = words(
    "bot bots campaign genre honest is_bot is_spam kind known owner person poison poisoned story"
    " truth"
)


def test_no_event_column_or_stream_has_a_field_of_the_answer_key() -> None:
    declared = {f"{name}:{kind}": of for name in STREAMS for kind, of in fields(name).items()}
    for stage in STAGES:
        for end in ("In", "Out"):
            declared |= fields(f"filter/{stage}.py", end)
    assert len(declared) > 25
    assert sum(map(len, declared.values())) > 100
    assert not {kind: of & TRUTH for kind, of in declared.items() if of & TRUTH}


@pytest.mark.parametrize("kind", ["Mails", "Verdicts", "Features"])
def test_what_every_mail_passes_has_no_label(kind: str) -> None:
    of = fields("filter/columns.py")[kind]
    assert "mail" in of
    assert not of & {"spam", "ham", "label"}


def test_the_answer_key_has_the_fields_that_are_looked_for() -> None:
    assert fields("simulator/truth.py")["Known"] & TRUTH == {"genre", "story", "kind"}
    assert fields("simulator/mail.py")["Post"] & TRUTH == {"genre", "story", "kind", "owner"}


@pytest.mark.parametrize("package", ["filter.checks", "filter.model", "agents.attacks"])
def test_a_plug_in_is_one_file_and_no_second_edit(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = f"copied_{package.replace('.', '_')}"
    shutil.copytree(ROOT / package.replace(".", "/"), tmp_path / copied)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = names(copied)
    assert before == names(package)
    source = (tmp_path / copied / f"{before[0].replace('-', '_')}.py").read_text()
    old = "".join(part.capitalize() for part in before[0].split("-"))
    (tmp_path / copied / "found_by_name.py").write_text(source.replace(old, "FoundByName"))
    assert names(copied) == sorted([*before, "found-by-name"])
    for name in ("found-by-name", "found_by_name"):
        assert load(copied, name, "plug-in").settings.__name__ == "FoundByName"
    own = load(package, str(tmp_path / copied / "found_by_name.py"), "plug-in")
    assert own.settings.__name__ == "FoundByName"
    assert own.settings() == own.settings()
    assert own.digest == load(copied, "found-by-name", "plug-in").digest
    for module in [name for name in sys.modules if name.startswith(copied)]:
        monkeypatch.delitem(sys.modules, module)
