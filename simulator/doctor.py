"""The doctor: what this machine has, what each thing is for, and what to do where it is missing.

A shell. It changes nothing, and starts nothing but programs that tell their version. Probes run
side by side, each with a time it may take, and whatever goes wrong in one is its finding.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import metadata, util
from itertools import zip_longest
from logging import NullHandler, getLogger
from pathlib import Path
from socket import create_connection
from typing import Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

from simulator import stdout
from simulator.paint import Paint, ansi, encodes, paint, plain, width
from simulator.safe import safe
from simulator.servers import HINT, HOW, PASSWORD

T = TypeVar("T")
Group = Literal["run", "comfort", "kafka"]
State = Literal["ok", "missing", "broken"]

PATIENCE, COMMAND, NETWORK = 15.0, 4.0, 3.0
"""Seconds that all probes, a command of another program, and an address may take."""
OUTPUT = 1 << 16
"""Bytes of another program's output that are read."""
LONG = 400
PYTHONS = (3, 11), (3, 13)
JAVA, REDIS = (17,), (6, 2)
FREE = 200 << 20
"""Bytes that should be free: a run of the quickstart takes a few megabytes, others more."""
JARS = "kafka-4.1.1"
RUNS = Path("runs")
OURS = ("filter", "agents", "simulator")
FOR_KAFKA = frozenset({"crc32c", "faust-streaming", "kafka-python", "redis"})
INSTALL = "install it again: ./dev, or pip install . in a clean environment"


class Answer(NamedTuple):
    """What a probe says: whether all is well, what it found, and the next step if any."""

    good: bool
    found: str
    step: str = ""


class Probe(NamedTuple):
    """Something to look at, whom it is for, and how to look."""

    name: str
    group: Group
    needed: str
    ask: Callable[[], Answer]


class Finding(NamedTuple):
    """What came out of a probe. Only what every run needs can be ``broken``."""

    name: str
    group: Group
    state: State
    found: str
    needed: str
    step: str


def examine(broker: str, redis_url: str, as_json: bool = False) -> int:
    """Look at this machine and print what was found; gives the exit code.

    Args:
        broker: Kafka's address, as ``host:port``.
        redis_url: of the ledger; a password comes from ``HAMSTRUNG_REDIS_PASSWORD``.
        as_json: a JSON line for each finding, in place of the text.
    """
    findings = look(probes(broker, redis_url))
    if as_json:
        for one in findings:
            stdout.record("finding", _harmless(one)._asdict())
    else:
        stdout.write(_text(findings))
    return int(any(one.state == "broken" for one in findings))


def probes(broker: str, redis_url: str) -> tuple[Probe, ...]:
    """All there is to look at, in the order in which it is shown."""
    return (
        Probe("Python", "run", "the program", python),
        Probe("packages", "run", "the program", lambda: packages(required() - FOR_KAFKA)),
        Probe("our code", "run", "the program", our_code),
        Probe("runs folder", "run", "what a run leaves, in ./runs", runs_folder),
        Probe("terminal", "comfort", "progress and colour", screen),
        Probe("corpora", "comfort", "--corpus PATH, real mail", corpora),
        Probe("packages", "kafka", "talking to Kafka and Redis", lambda: packages(FOR_KAFKA)),
        Probe("Kafka", "kafka", "the topics", lambda: kafka(broker)),
        Probe("Redis", "kafka", "the ledger", lambda: redis(redis_url)),
        Probe("Java", "kafka", "a broker without Docker", java),
        Probe("Kafka's jars", "kafka", "a broker without Docker", jars),
        Probe("redis-server", "kafka", "a Redis without Docker", redis_server),
        Probe("Docker", "kafka", "Kafka and Redis in containers", docker),
    )


def look(every: Sequence[Probe]) -> list[Finding]:
    """Ask all probes side by side; none raises, and all together end within `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    asked = [(one, start(one.ask)) for one in every]
    return [_finding(one, answer, end - time.monotonic()) for one, answer in asked]


def _finding(probe: Probe, answer: Callable[[float], Answer], seconds: float) -> Finding:
    try:
        good, found, step = answer(max(seconds, 0))
    except TimeoutError:
        good, found, step = False, f"no answer within {PATIENCE:.0f} s", "try again"
    except Exception as error:  # noqa: BLE001  # whatever is wrong here, it is what was found
        # Only an import's own words are repeated: others may hold a part of a password.
        why = f"{error}" if isinstance(error, ImportError) else type(error).__name__
        good, found, step = False, f"cannot be examined: {why}", ""
    state: State = "ok" if good else "broken" if probe.group == "run" else "missing"
    return Finding(probe.name, probe.group, state, found, probe.needed, step)


def start(ask: Callable[[], T]) -> Callable[[float], T]:
    """Begin something that may hang; gives how to get its result within some seconds.

    A thread that hangs is left behind and does not hold up the end of the program.
    """
    results: list[T] = []
    errors: list[Exception] = []

    def work() -> None:
        try:
            results.append(ask())
        except Exception as error:  # noqa: BLE001  # raised again by `result`
            errors.append(error)

    def result(seconds: float) -> T:
        thread.join(seconds)
        if errors:
            raise errors[0]
        if not results:
            raise TimeoutError
        return results[0]

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return result


# What every run needs.


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Answer:
    """Which Python this is."""
    least, most = PYTHONS
    found = f"{_dotted(version)}, {sys.executable}"
    if least <= version[:2] <= most:
        return Answer(True, found)
    return Answer(False, found, f"use Python {_dotted(least)} to {_dotted(most)}; then {INSTALL}")


def required() -> frozenset[str]:
    """The packages that the program asks for."""
    return frozenset(_least())


def _least() -> dict[str, str]:
    """Each package that is asked for, with the version that it has at least."""
    try:
        lines = metadata.requires("hamstrung") or []
    except metadata.PackageNotFoundError:  # a checkout that is only on the path
        project = Path(__file__).resolve().parents[1] / "pyproject.toml"
        lines = tomllib.loads(project.read_text("utf-8"))["project"]["dependencies"]
    matches = [re.match(r"([\w.-]+)[^;\d]*([\d.]*)[^;]*$", line) for line in lines]
    return {one[1]: one[2] for one in matches if one}


def packages(names: Iterable[str]) -> Answer:
    """Whether packages are installed, and new enough."""
    least, wrong, right = _least(), [], []
    for name in sorted(names):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        if _numbers(version) < _numbers(least.get(name, "")):
            wrong.append(f"{name} {version} is older than {least[name]}")
        right.append(f"{name} {version}")
    if wrong:
        return Answer(False, "; ".join(wrong), INSTALL)
    return Answer(True, ", ".join(right))


def our_code() -> Answer:
    """Whether our three packages are of one installation: openai-agents has an ``agents`` too."""
    folders = {name: _folder(name) for name in OURS}
    here = Path(__file__).resolve().parents[1]
    astray = [f"{name} is in {at or 'no folder'}" for name, at in folders.items() if at != here]
    if astray:
        step = f"another package has the same name; {INSTALL}"
        return Answer(False, f"{'; '.join(astray)}, the others in {here}", step)
    for name, owners in metadata.packages_distributions().items():
        for owner in {*owners} - {"hamstrung"} if name in OURS else ():
            if Path(str(metadata.distribution(owner).locate_file(""))).resolve() == here:
                return Answer(False, f"{owner} wrote into our {name}", f"remove it; {INSTALL}")
    return Answer(True, f"{', '.join(OURS)} in {here}")


def _folder(name: str) -> Path | None:
    """The folder in which Python finds a package, which is not imported for this."""
    found = util.find_spec(name)
    return Path(found.origin).resolve().parents[1] if found and found.origin else None


def runs_folder() -> Answer:
    """Whether a run can be written here, and how much."""
    folder = RUNS if RUNS.exists() else Path()
    step = "go to another folder, or name one: hamstrung run quickstart -o DIR"
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        return Answer(False, f"{folder.resolve()}: {error.strerror or error}", step)
    free = shutil.disk_usage(folder).free
    found = f"{folder.resolve()} can be written, {_size(free)} free"
    return Answer(free >= FREE, found, "" if free >= FREE else f"make room, or {step}")


# What a run does without.


def screen() -> Answer:
    """What the terminal can show."""
    name = os.environ.get("TERM", "") or "not set"
    said = [f"{_columns()} columns" if sys.stdout.isatty() else "no terminal"]
    said += [sys.stdout.encoding or "unknown encoding", f"TERM {name}"]
    said += ["colour" if paint(sys.stdout) is ansi else "no colour"]
    said += ["NO_COLOR is set"] if os.environ.get("NO_COLOR") else []
    able = encodes(sys.stdout, "✓")
    return Answer(able, ", ".join(said), "" if able else "for UTF-8: export LC_ALL=C.UTF-8")


def _columns() -> int:
    return shutil.get_terminal_size().columns


def corpora() -> Answer:
    """Real mail: named by its path, kept in a cache."""
    kept = [one.stat().st_size for one in cache().glob("corpus-*")]
    noun = "corpus" if len(kept) == 1 else "corpora"
    about = f"{len(kept)} {noun}, {_size(sum(kept))}" if kept else "no corpus yet"
    found = f"{about}, in the cache {cache()}"
    return Answer(True, found, "any path will do: hamstrung run quickstart --corpus mail.jsonl.gz")


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Our folder in the user's cache, as the XDG specification has it."""
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "hamstrung"


# What only Kafka's engine needs.


def kafka(broker: str) -> Answer:
    """Whether each broker of a list answers at its address, and of which version it is."""
    answers = [_one_broker(one.strip()) for one in broker.split(",")]
    bad = [one for one in answers if not one.good]
    found = "; ".join(one.found for one in bad or answers)
    return Answer(not bad, found, bad[0].step if bad else "")


def _one_broker(broker: str) -> Answer:
    from kafka.errors import KafkaError

    from simulator.broker import OLDEST

    host, _, port = broker.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        return Answer(False, f"'{broker}' is no address", "name it as localhost:9092")
    step = f"start one with {HOW}"
    getLogger("kafka").addHandler(NullHandler())  # what it logs would go to the terminal
    try:
        version = start(lambda: _broker_version(host.strip("[]"), int(port)))(NETWORK)
    except KafkaError as error:
        found = f"{broker} is open, but no broker answers there ({type(error).__name__})"
        return Answer(False, found, step)
    except OSError as error:
        return Answer(False, f"nothing answers at {broker} ({_why(error)})", step)
    found = f"{_dotted(version)} at {broker}"
    if version < OLDEST:
        return Answer(False, found, f"give it Kafka {_dotted(OLDEST)} or later")
    return Answer(True, found)


def _broker_version(host: str, port: int) -> tuple[int, ...]:
    """The version of a broker; kafka-python would try again where nothing listens, so look first.

    Raises:
        OSError: nothing listens there.
        KafkaError: something does, but it is no broker.
    """
    from kafka import KafkaAdminClient

    create_connection((host, port), NETWORK).close()
    patience = int(800 * NETWORK)
    client = KafkaAdminClient(
        bootstrap_servers=[f"{host}:{port}"],
        bootstrap_timeout_ms=patience,
        request_timeout_ms=patience,
    )
    try:
        node = client.describe_cluster()["brokers"][0]["broker_id"]
        version: tuple[int, ...] = client.get_broker_version_data(node).broker_version
        return version
    finally:
        client.close()


def _why(error: OSError) -> str:
    late = isinstance(error, TimeoutError)
    return f"not within {NETWORK:.0f} s" if late else error.strerror or type(error).__name__


def redis(url: str) -> Answer:
    """Whether Redis answers, is new enough, and drops nothing when it is full."""
    from redis.exceptions import AuthenticationError, RedisError

    place = shown(url)
    try:
        version, policy = start(lambda: _version_and_policy(url))(NETWORK)
    except ValueError:
        step = f"write redis.url as redis://127.0.0.1:6379/0; {HINT}"
        return Answer(False, f"{place} is no URL of Redis", step)
    except AuthenticationError:
        return Answer(False, f"{place} wants another password", HINT)
    except (RedisError, OSError) as error:
        found = f"no Redis answers at {place} ({type(error).__name__})"
        return Answer(False, found, f"start one with {HOW}")
    found = f"{version} at {place}, maxmemory-policy {policy}"
    if _numbers(version) < REDIS:
        return Answer(False, found, f"start Redis {_dotted(REDIS)} or later there")
    if policy != "noeviction":
        return Answer(False, found, "redis-cli config set maxmemory-policy noeviction")
    return Answer(True, found)


def _version_and_policy(url: str) -> tuple[str, str]:
    """What Redis says of itself. The text of what is raised may hold a part of the password."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    with Redis.from_url(
        url,
        password=os.environ.get(PASSWORD),
        socket_connect_timeout=NETWORK,
        socket_timeout=NETWORK,
        retry=Retry(NoBackoff(), 0),
    ) as client:
        told: dict[str, object] = client.info()
    return str(told.get("redis_version", "0")), str(told.get("maxmemory_policy", "unknown"))


def shown(url: str) -> str:
    """The address in a URL, without user, password and settings.

    >>> shown("redis://me:secret@example.org:6379/0?password=secret")
    'redis://example.org:6379'
    >>> shown("redis://:sec/ret@example.org:6379/0")
    'the given URL'
    """
    with suppress(ValueError):
        parts = urlsplit(url)
        if parts.hostname and "@" not in f"{parts.path}{parts.query}{parts.fragment}":
            port = f":{parts.port}" if parts.port else ""
            return f"{parts.scheme}://{parts.hostname}{port}"
    return "the given URL"


def java() -> Answer:
    """Whether there is a Java on which Kafka runs; that of ``$JAVA_HOME`` counts first."""
    own = Path(os.environ.get("JAVA_HOME") or "/nowhere", "bin", "java")
    program = str(own) if os.access(own, os.X_OK) else "java"
    pattern = r'version "(?:1\.)?(\d[^"]*)"'
    return _version(program, ("-version",), pattern, JAVA, "default-jre-headless")


def redis_server() -> Answer:
    """Whether a Redis can be started here."""
    return _version("redis-server", ("--version",), r"v=(\d[\d.]*)", REDIS, "redis-server")


def _version(
    program: str, args: tuple[str, ...], pattern: str, least: tuple[int, ...], package: str
) -> Answer:
    """Whether a program is here and new enough; ``pattern`` finds its version in what it prints."""
    step = f"apt-get install {package}, or another of version {_dotted(least)} or later"
    told = output(program, *args)
    if not told.good:
        return Answer(False, told.text, step)
    match = re.search(pattern, told.text)
    if match is None:
        return Answer(False, f"{program} tells no version: {_first(told.text)}", step)
    good = _numbers(match[1]) >= least
    return Answer(good, match[1] if good else f"{match[1]} is too old", "" if good else step)


def jars() -> Answer:
    """Whether Kafka itself is here, or Maven to get it."""
    if home := os.environ.get("KAFKA_HOME"):
        step = "unset KAFKA_HOME, or let it name a folder with libs/kafka_*.jar"
        return (
            Answer(True, home) if _has_jars(Path(home)) else Answer(False, f"none in {home}", step)
        )
    if _has_jars(cache() / JARS):
        return Answer(True, str(cache() / JARS))
    told = output("mvn", "-version")
    if told.good:
        maven = re.search(r"Apache Maven [\w.-]+", told.text)
        return Answer(True, f"not here yet; {maven[0] if maven else 'Maven'} can fetch them")
    step = "apt-get install maven, or unpack Kafka and export KAFKA_HOME=FOLDER"
    return Answer(False, told.text, step)


def _has_jars(home: Path) -> bool:
    return any((home / "libs").glob("kafka_*.jar"))


def docker() -> Answer:
    """Whether there is a Docker with an engine that runs, and with its plug-in compose."""
    if shutil.which("docker") is None:
        return Answer(False, "docker is not on the PATH", "install it, or do without it")
    told = output("docker", "info", "--format", "{{.ServerVersion}}")
    version = re.search(r"^\d+\.[\w.+~-]+$", told.text, re.MULTILINE)
    if not told.good or version is None:
        return Answer(False, f"no engine: {told.text}", "systemctl start docker, or do without it")
    if output("docker", "compose", "version").good:
        return Answer(True, f"engine {version[0]}, with compose")
    step = "apt-get install docker-compose-plugin"
    return Answer(False, f"engine {version[0]}, but no plug-in compose", step)


class Told(NamedTuple):
    """What a program printed, or, where that is not ``good``, why there is nothing to read."""

    good: bool
    text: str


def output(program: str, *args: str) -> Told:
    """What a program prints, to stderr as well. It gets `COMMAND` seconds and no input.

    It runs in a session of its own, so that what it starts ends with it.
    """
    path = shutil.which(program)
    if path is None:
        return Told(False, f"{program} is not on the PATH")
    try:
        process = subprocess.Popen(
            [path, *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return Told(False, f"{program} cannot be started: {error.strerror or error}")
    return _read(process, program)


def _read(process: "subprocess.Popen[bytes]", program: str) -> Told:
    late = threading.Event()

    def end() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(COMMAND, end)
    timer.daemon = True
    timer.start()
    with process:
        data = process.stdout.read(OUTPUT) if process.stdout else b""
        timer.cancel()
        timer.join()
        if not late.is_set() and (len(data) == OUTPUT or not _ended(process)):
            _kill(process)
    text = data.decode("utf-8", "replace")
    if late.is_set():
        return Told(False, f"{program} gives no answer within {COMMAND:.0f} s")
    if process.returncode:
        return Told(False, f"{program} failed: {_first(text) or process.returncode}")
    return Told(True, text)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError, PermissionError):  # it has just ended by itself
        os.killpg(process.pid, signal.SIGKILL)


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(1)
    return process.returncode is not None


def _first(text: str) -> str:
    """The first line with something in it."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, to compare.

    >>> _numbers("17.0.15+6") > _numbers("6.2")
    True
    """
    match = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, match[0].split("."))) if match else ()


def _dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


# What is shown.

TITLES: Mapping[Group, tuple[str, str]] = {
    "run": ("EVERY RUN", "needs these"),
    "comfort": ("COMFORT", "a run does without"),
    "kafka": ("KAFKA", "only for --engine kafka"),
}
MARKS: Mapping[State, tuple[str, str, str]] = {
    "ok": ("✓", "ok", "good"),
    "missing": ("–", "--", "dim"),
    "broken": ("✗", "NO", "bad"),
}
"""Of each state its mark, the mark in ASCII, and its style."""
NAME, FOUND, WIDE = 14, 44, 96
"""Columns of a name, of what was found beside what it is for, and from which on these fit."""


def render(
    findings: Sequence[Finding], paint: Paint = plain, width: int = 80, unicode: bool = True
) -> str:
    """All findings as people read them, and what they come to.

    Args:
        findings: in the order in which they are shown.
        paint: how to colour.
        width: columns.
        unicode: whether more than ASCII can be shown.
    """
    blocks = []
    for group, (title, about) in TITLES.items():
        lines = [f"{paint(title, 'title')}  {paint(about, 'dim')}"]
        for one in findings:
            if one.group == group:
                lines += _lines(_harmless(one), paint, width, unicode)
        blocks.append("\n".join(lines))
    return "\n\n".join([*blocks, paint(_verdict(findings), "title")])


def _lines(one: Finding, paint: Paint, width: int, unicode: bool) -> Iterator[str]:
    mark, ascii_mark, style = MARKS[one.state]
    shown, arrow = (mark, "→ ") if unicode else (ascii_mark, "-> ")
    column = len(f"  {shown} ") + NAME
    room = width - column
    first, *rest = [
        *_rows(one, paint, room, width >= WIDE),
        *_wrapped(one.step and f"{arrow}{one.step}", room, " " * len(arrow)),
    ]
    yield f"  {paint(shown, style)} {one.name:<{NAME}}{first}"
    yield from (" " * column + row for row in rest)


def _rows(one: Finding, paint: Paint, room: int, wide: bool) -> Iterator[str]:
    """What was found, and beside or below it what it is for."""
    needed = f"for {one.needed}"
    if wide:
        sides = _wrapped(one.found, FOUND), _wrapped(needed, room - FOUND - 2)
        for left, right in zip_longest(*sides, fillvalue=""):
            yield f"{left:<{FOUND}}  {paint(right, 'dim')}" if right else left
        return
    *before, last = _wrapped(one.found, room) or [""]
    yield from before
    if len(last) + len(needed) + 2 <= room:
        yield f"{last}  {paint(needed, 'dim')}"
    else:
        yield last
        yield from (paint(line, "dim") for line in _wrapped(needed, room))


def _wrapped(text: str, room: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, room, subsequent_indent=indent, break_on_hyphens=False)


def _verdict(findings: Sequence[Finding]) -> str:
    broken = [one.name for one in findings if one.state == "broken"]
    if broken:
        return f"A run does not work here yet: {', '.join(broken)}."
    return "All that a run needs is here: hamstrung run quickstart"


def _harmless(one: Finding) -> Finding:
    return one._replace(found=safe(one.found, LONG), step=safe(one.step, LONG))


def _text(findings: Sequence[Finding]) -> str:
    """The text as standard output can show it."""
    unicode = encodes(sys.stdout, "✓–✗→")
    text = render(findings, paint(sys.stdout), width(), unicode)
    return text if encodes(sys.stdout, text) else text.encode("ascii", "replace").decode()
