"""A broker of Apache Kafka and a Redis on this machine's loopback, without Docker.

A shell: ``./dev stack up|status|down``, and :class:`Stack` for tests and benchmarks. The broker is
one Java process, broker and controller in one; what a stack writes lies in a folder of its own.
"""

import argparse
import base64
import fcntl
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NoReturn

import msgspec

from simulator.durable import FolderError, told, write_whole
from simulator.exits import DONE, INTERRUPTED, say
from simulator.safe import safe

KAFKA_VERSION = "4.1.1"
KAFKA_PORT, REDIS_PORT = 9092, 6379
HOST = "127.0.0.1"
UNREACHABLE = 3
"""The exit code of what cannot be reached or started."""

OLDEST_JAVA = 17
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hamstrung</groupId>
  <artifactId>stack</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <!-- Without it the broker logs nothing, not even why it did not start. -->
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""

# A broker that was killed comes back once its old session has run out: 3 s, not 9.
# Relative paths are relative to the stack's folder, so no character of its name needs escaping.
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=PLAINTEXT://{host}:{kafka},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{advertised}
controller.listener.names=CONTROLLER
log.dirs=kafka-data
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
"""

JAVA_OPTIONS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""The broker's: for its work here the optimising compiler costs more than it gives for minutes."""

ANSWER_SECONDS, END_SECONDS, FETCH_SECONDS = 60, 15, 600
UNASSIGNED = range(20000, 32000)
"""Ports for those who do not mind which: no system hands these out to outgoing connections, so one
that was free stays so while its server is down, and a client cannot connect to itself."""

LAUNCH = 'exec "$@" </dev/null >>"$0" 2>&1 & echo $!'
"""A server belongs to init, not to the caller: it outlives the caller and leaves it no zombie."""

WRITTEN = (
    *("kafka-data", "kafka.log", "kafka.pid", "server.properties"),
    *("redis-data", "redis.log", "redis.pid", "stack.lock", "stack.json"),
)
"""What a stack writes into its folder."""

PACKAGES = {
    f"Java {OLDEST_JAVA} or later": "default-jre-headless",
    "Maven (or Kafka in KAFKA_HOME)": "maven",
    "redis-server": "redis-server",
}
"""What a machine may lack, and the Debian package that has it."""


class StackError(Exception):
    """Why a stack cannot be started, stopped or asked, and what would do."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A pid file: a process that cannot be mistaken for a later one with the same number.

    Attributes:
        pid: its number.
        born: when it started, in the system's own words.
        port: where it listens.
        since: when it started, for people.
    """

    pid: int
    born: str
    port: int
    since: str


class Server:
    """One of the two processes: its pid file, its log, its beginning and its end.

    Args:
        name: "kafka" or "redis"; its files are called so.
        folder: the stack's.
        answers: whether a server of this kind answers at a port.
    """

    def __init__(self, name: str, folder: Path, answers: Callable[[int], bool]) -> None:
        self.name = name
        self.answers = answers
        self.log = folder / f"{name}.log"
        self._file = folder / f"{name}.pid"
        self._folder = folder

    def marked(self) -> Mark | None:
        """What the pid file says, whether or not it still holds."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=Mark)
        except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
            return None

    def running(self) -> Mark | None:
        """The process, if it runs and is the one that this stack started."""
        mark = self.marked()
        return mark if mark and mark.born and born(mark.pid) == mark.born else None

    def stale(self) -> str:
        """What to say of a pid file whose process is gone; empty where there is none."""
        mark = self.marked()
        if mark is None or self.running():
            return ""
        if born(mark.pid):
            return f"{self.name}: process {mark.pid} is another program's by now, and left alone"
        return f"{self.name}: process {mark.pid} had ended by itself; its log is {self.log}"

    def launch(self, command: Sequence[str], port: int) -> None:
        """Start it, detached from the terminal, and write its pid file."""
        shell = ["/bin/sh", "-c", LAUNCH, str(self.log), *command]
        pid = int(
            subprocess.run(
                shell, cwd=self._folder, start_new_session=True, stdout=subprocess.PIPE, check=True
            ).stdout
        )
        since = datetime.now().astimezone().isoformat(" ", "seconds")
        write_whole(self._file, msgspec.json.encode(Mark(pid, born(pid), port, since)))

    def wait(self, seconds: float = ANSWER_SECONDS) -> None:
        """Wait until it answers.

        Raises:
            StackError: it ended, or did not answer in time.
        """
        deadline = time.monotonic() + seconds
        while mark := self.running():
            if self.answers(mark.port):
                return
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name}: process {mark.pid} does not answer at {HOST}:{mark.port} within"
                    f" {seconds:.0f} s; look into {self.log}, then stop it with:"
                    f" {stop(self._folder)}"
                )
            time.sleep(0.1)
        raise StackError(f"{self.name} ended at its start: {_reason(self.log)} (all in {self.log})")

    def ask_to_end(self, hard: bool = False) -> None:
        """Send the signal, if it runs."""
        if mark := self.running():
            with suppress(ProcessLookupError):
                os.kill(mark.pid, signal.SIGKILL if hard else signal.SIGTERM)

    def wait_for_end(self, seconds: float = END_SECONDS) -> None:
        """Wait until it is gone; what does not go in time is killed."""
        deadline = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > deadline:
                self.ask_to_end(hard=True)
            time.sleep(0.02)

    def forget(self) -> None:
        """Remove the pid file."""
        self._file.unlink(missing_ok=True)


class Stack:
    """A broker and a Redis of one's own, on loopback.

    Args:
        folder: where data, logs and pid files lie; it is empty, absent, or a stack's already.
        kafka_port: the broker's; 0 takes the one of the last start, at first any free one.
        redis_port: Redis's, likewise.
        advertised_port: where the broker tells its clients to connect, if a proxy stands before it.
        java_options: the broker's Java's.
        say: told, in a line, what goes on; by default nobody is.
    """

    def __init__(
        self,
        folder: Path,
        kafka_port: int = 0,
        redis_port: int = 0,
        *,
        advertised_port: int = 0,
        java_options: Sequence[str] = JAVA_OPTIONS,
        say: Callable[[str], object] = str,
    ) -> None:
        self.folder = folder.absolute()
        self.kafka = Server("kafka", self.folder, kafka_answers)
        self.redis = Server("redis", self.folder, redis_answers)
        self._asked = {"kafka": kafka_port, "redis": redis_port}
        self._advertised = advertised_port
        self._java_options = java_options
        self._say = say

    @property
    def broker(self) -> str:
        """The broker's address, ``127.0.0.1:PORT``."""
        return f"{HOST}:{self.port(self.kafka)}"

    @property
    def redis_url(self) -> str:
        """Redis's address, as a URL."""
        return f"redis://{HOST}:{self.port(self.redis)}/0"

    def port(self, server: Server) -> int:
        """Where a server listens, or will when it is started; 0 where that is still open."""
        mark = server.running()
        kept = remembered(self.folder).get(server.name, 0)
        return mark.port if mark else self._asked[server.name] or kept

    @staticmethod
    def missing() -> str:
        """Why a stack cannot run on this machine, and what to install; empty if it can."""
        return lacking(kafka=True, redis=True)

    def up(self) -> None:
        """Start what does not run, and wait until both answer.

        Raises:
            StackError: something is missing or in the way; nothing that was not there before runs.
        """
        self._start(self.kafka, self.redis)

    def start_kafka(self) -> None:
        """The same for the broker alone."""
        self._start(self.kafka)

    def start_redis(self) -> None:
        """The same for Redis alone."""
        self._start(self.redis)

    def kill_kafka(self, hard: bool) -> None:
        """End the broker as an accident would: its pid file stays.

        Args:
            hard: by SIGKILL, at once, instead of SIGTERM.
        """
        self.kafka.ask_to_end(hard)
        self.kafka.wait_for_end()

    def kill_redis(self, hard: bool) -> None:
        """End Redis likewise."""
        self.redis.ask_to_end(hard)
        self.redis.wait_for_end()

    def down(self, *, wipe: bool = False) -> None:
        """End what this stack started, and nothing else.

        Args:
            wipe: also delete the data and everything else that the stack wrote.
        """
        if not self._mine().exists():
            self._say(f"nothing to stop: no stack was ever started in {self.folder}")
            return
        with self._locked():
            self._end(self.kafka, self.redis)
            if wipe:
                self._wipe()

    def status(self) -> tuple[list[str], bool]:
        """What runs, where, since when: a line each; and whether both answer."""
        lines, good = [], True
        for server in (self.kafka, self.redis):
            mark, port = server.running(), self.port(server)
            answers = bool(port) and server.answers(port)
            good = good and answers
            where = f"{HOST}:{port}" if port else "no port yet"
            if mark:
                what = f"process {mark.pid}, since {mark.since}"
            elif who := holder(port):
                what = f"not of this stack: {who}"
            else:
                what = "not running" if free(port) else "not of this stack"
            lines.append(f"{server.name}  {where}  {what}, {'answers' if answers else 'no answer'}")
        return [*lines, f"folder {self.folder}"], good

    def _start(self, *servers: Server) -> None:
        self._check_folder()
        with self._locked():
            idle = [server for server in servers if not server.running()]
            for server in servers:
                if server not in idle:
                    mark = self._running(server)
                    self._say(f"{server.name}: already running, process {mark.pid}")
            self._start_idle(idle)
            for server in servers:
                server.wait()

    def _start_idle(self, idle: Sequence[Server]) -> None:
        """Start servers that do not run, all at once; on any failure none of them is left."""
        if lack := lacking(kafka=self.kafka in idle, redis=self.redis in idle):
            raise StackError(lack)
        ports = self._chosen(idle)
        made = {self.kafka: self._kafka_command, self.redis: self._redis_command}
        commands = {server: made[server](ports) for server in idle}
        write_whole(self._mine(), msgspec.json.encode(ports))
        began = time.monotonic()
        try:
            for server, command in commands.items():
                self._warn(server)
                server.launch(command, ports[server.name])
            for server in idle:
                server.wait()
                took = time.monotonic() - began
                mark = self._running(server)
                self._say(
                    f"{server.name}: {HOST}:{mark.port}, process {mark.pid}, up in {took:.1f} s"
                )
        except BaseException:
            for server in idle:
                server.ask_to_end(hard=True)
                server.wait_for_end()
            raise

    def _running(self, server: Server) -> Mark:
        mark = server.running()
        if mark is None:
            raise StackError(f"{server.name} has just ended; its log is {server.log}")
        asked = self._asked[server.name]
        if asked and asked != mark.port:
            raise StackError(
                f"{server.name} runs at port {mark.port} already, not at {asked};"
                f" stop it first: {stop(self.folder)}"
            )
        return mark

    def _warn(self, server: Server) -> None:
        if stale := server.stale():
            self._say(stale)

    def _chosen(self, idle: Sequence[Server]) -> dict[str, int]:
        """Choose the ports, and see that they are free."""
        ports = remembered(self.folder)
        ports |= {server.name: self.port(server) or free_port() for server in idle}
        for server in idle:
            self._check_port(server.name, ports[server.name])
        controller = ports.get("controller")
        if self.kafka in idle and not (controller and free(controller)):
            ports["controller"] = free_port()
        return ports

    def _check_port(self, name: str, port: int) -> None:
        if not free(port):
            who = holder(port)
            raise StackError(
                f"{name}: port {port} is taken{f' by {who}' if who else ''};"
                f" stop that, or choose another port with --{name}-port"
            )

    def _kafka_command(self, ports: dict[str, int]) -> list[str]:
        libraries = f"{kafka_home(self._say) / 'libs'}/*"
        advertised = self._advertised or ports["kafka"]
        text = PROPERTIES.format(host=HOST, advertised=advertised, **ports)
        write_whole(self.folder / "server.properties", text.encode())
        start = [java(), *self._java_options, "-Dlog4j2.level=WARN", "-cp", libraries]
        if not (self.folder / "kafka-data" / "meta.properties").exists():
            self._format([*start, "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool"])
        return [*start, "kafka.Kafka", "server.properties"]

    def _format(self, tool: Sequence[str]) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode()
        done = subprocess.run(
            [*tool, "format", *f"-t={cluster} -c server.properties --ignore-formatted".split()],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise StackError(f"kafka: its data folder cannot be formatted: {' '.join(last)}")

    def _redis_command(self, ports: dict[str, int]) -> list[str]:
        (self.folder / "redis-data").mkdir(exist_ok=True)
        options = {
            "bind": HOST,
            "port": str(ports["redis"]),
            "dir": "redis-data",
            "daemonize": "no",
        }
        options |= {"appendonly": "yes", "maxmemory-policy": "noeviction", "save": ""}
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        return [str(shutil.which("redis-server")), *words]

    def _end(self, *servers: Server) -> None:
        running = {server: mark for server in servers if (mark := server.running())}
        began = time.monotonic()
        for server in servers:
            self._warn(server)
            server.ask_to_end()
        for server in servers:
            server.wait_for_end()
            server.forget()
            if server in running:
                took = time.monotonic() - began
                self._say(f"{server.name}: stopped process {running[server].pid} in {took:.1f} s")
        if not running:
            self._say("nothing to stop")

    def _mine(self) -> Path:
        """The file that makes a folder a stack's."""
        return self.folder / "stack.json"

    def _check_folder(self) -> None:
        """Make the folder; one with other people's files in it is refused."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            foreign = {path.name for path in self.folder.iterdir()} - set(WRITTEN)
            if foreign and not self._mine().exists():
                raise StackError(
                    f"{self.folder}: neither empty nor a stack's; give a folder of its own by --dir"
                )
            with self._mine().open("ab"):
                pass
        except OSError as error:
            _refuse(self.folder, error)

    def _wipe(self) -> None:
        for path in map(self.folder.joinpath, WRITTEN):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        with suppress(OSError):  # somebody else's files lie there
            self.folder.rmdir()
        self._say(f"deleted the data in {self.folder}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Two starts at once: the second waits, then finds everything running."""
        with ExitStack() as held:
            try:
                held.enter_context(locked(self.folder / "stack.lock", self._say))
            except OSError as error:
                _refuse(self.folder, error)
            yield


@contextmanager
def locked(path: Path, say: Callable[[str], object]) -> Iterator[None]:
    """Hold a file's lock; say so when another process holds it."""
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that works in {path.parent}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def own_folder() -> Path:
    """The folder of the stack that nobody gave another one."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "stack"


def stop(folder: Path) -> str:
    """The command that stops the stack of a folder."""
    named = [] if folder == own_folder() else ["--dir", str(folder)]
    return shlex.join(["./dev", "stack", "down", *named])


def remembered(folder: Path) -> dict[str, int]:
    """The ports of a stack's last start, by the server's name."""
    try:
        return msgspec.json.decode((folder / "stack.json").read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        return {}


def born(pid: int) -> str:
    """When a process started; empty where none of that number runs.

    A zombie does not run, unless other threads of it still end: they hold its ports open.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _born_by_ps(pid)
    state, *fields = text.rpartition(")")[2].split()
    threads, started = int(fields[16]), fields[18]
    return "" if state in "ZX" and threads <= 1 else started


def _born_by_ps(pid: int) -> str:
    asked = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    state, _, started = done.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else started.strip()


def free(port: int) -> bool:
    """Whether nobody listens at a port of loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Any free port."""
    tried = random.SystemRandom().sample(UNASSIGNED, 100)
    return next(port for port in tried if free(port))


def holder(port: int) -> str:
    """Who listens at a port, as far as this user may know; empty where nobody can tell."""
    sockets = set()
    for table in ("tcp", "tcp6"):
        with suppress(OSError):
            for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
                local, state, inode = (row.split()[place] for place in (1, 3, 9))
                if state == "0A" and int(local.rpartition(":")[2], 16) == port:
                    sockets.add(f"socket:[{inode}]")
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(link.readlink()) in sockets for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()}, process {process.name}"
    return ""


def kafka_answers(port: int) -> bool:
    """Whether a broker answers: it names itself in its cluster."""
    if not _speaks_kafka(port):
        return False
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    try:
        client = KafkaAdminClient(
            bootstrap_servers=f"{HOST}:{port}", bootstrap_timeout_ms=2000, request_timeout_ms=2000
        )
    except KafkaError:
        return False
    try:
        return bool(client.describe_cluster()["brokers"])
    except KafkaError:
        return False
    finally:
        client.close()


def _speaks_kafka(port: int) -> bool:
    """Whether a request for the versions of the API is answered as Kafka's protocol has it.

    Asked first, because kafka-python 3.0 leaves a socket open for every connection that is refused.
    """
    number = b"\0\0\0\x07"
    request = b"\0\x12" + b"\0\0" + number + b"\xff\xff"
    try:
        with socket.create_connection((HOST, port), timeout=2) as asked:
            asked.sendall(len(request).to_bytes(4, "big") + request)
            return asked.recv(8, socket.MSG_WAITALL)[4:] == number
    except OSError:
        return False


def redis_answers(port: int) -> bool:
    """Whether a Redis answers PING."""
    if free(port):
        return False
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        with Redis(HOST, port, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as client:
            return bool(client.ping())
    except RedisError:
        return False


def java() -> str:
    """The program, by JAVA_HOME or PATH; empty where there is none."""
    own = Path(os.environ.get("JAVA_HOME") or "/nowhere") / "bin" / "java"
    return str(own) if os.access(own, os.X_OK) else shutil.which("java") or ""


def java_version(program: str) -> int:
    """Its main number; 0 where it does not tell.

    >>> java_version("/bin/true")
    0
    """
    try:
        done = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr)
    return int(found[1]) if found else 0


def lacking(*, kafka: bool, redis: bool) -> str:
    """What is to be installed before a server can start; empty if nothing is."""
    lacks = {}
    java_is, maven_is, redis_is = PACKAGES
    if kafka:
        program = java()
        version = java_version(program) if program else 0
        if version < OLDEST_JAVA:
            lacks[java_is] = f" ({program} is {version or 'unusable'})" if program else ""
        if not (os.environ.get("KAFKA_HOME") or has_jars(fetched()) or shutil.which("mvn")):
            lacks[maven_is] = ""
    if redis and not shutil.which("redis-server"):
        lacks[redis_is] = ""
    if not lacks:
        return ""
    packages = " ".join(PACKAGES[one] for one in lacks)
    told = ", ".join(one + detail for one, detail in lacks.items())
    return f"this machine lacks {told}; on Debian: apt-get install {packages}"


def has_jars(home: Path) -> bool:
    """Whether a folder is an unpacked release of Kafka, or looks like one."""
    return any((home / "libs").glob("kafka_*.jar"))


def fetched() -> Path:
    """Where Maven's copy of Kafka lies, or will."""
    return _xdg("XDG_CACHE_HOME", ".cache") / f"kafka-{KAFKA_VERSION}"


def kafka_home(say: Callable[[str], object]) -> Path:
    """The folder of Kafka: KAFKA_HOME, or the copy in the cache, fetched if need be.

    Raises:
        StackError: KAFKA_HOME names no Kafka, or there is no getting one.
    """
    if own := os.environ.get("KAFKA_HOME"):
        if not has_jars(Path(own)):
            raise StackError(
                f"KAFKA_HOME={own}: no libs/kafka_*.jar in there; unset it, or let it name an"
                " unpacked release of Apache Kafka"
            )
        return Path(own).absolute()
    home = fetched()
    if has_jars(home):
        return home
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        with locked(home.with_name(f"{home.name}.lock"), say):
            if not has_jars(home):
                _fetch(home, say)
    except OSError as error:
        _refuse(home.parent, error, "let XDG_CACHE_HOME name another folder")
    return home


def _fetch(home: Path, say: Callable[[str], object]) -> None:
    """Fetch with Maven, whole or not at all; what a fetch that was killed left behind goes."""
    for part in home.parent.glob(f"{home.name}-part-*"):
        shutil.rmtree(part, ignore_errors=True)
    say(f"fetching Apache Kafka {KAFKA_VERSION} with Maven, once")
    part = Path(tempfile.mkdtemp(prefix=f"{home.name}-part-", dir=home.parent))
    try:
        (part / "pom.xml").write_text(POM)
        _run_maven(part)
        part.chmod(0o755)
        shutil.rmtree(home, ignore_errors=True)  # one without jars, or we would not be here
        part.rename(home)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _run_maven(part: Path) -> None:
    options = ["-B", "-q", "--strict-checksums", "-f", str(part / "pom.xml"), PLUGIN]
    options += ["-DincludeScope=runtime", f"-DoutputDirectory={part / 'libs'}"]
    try:
        done = subprocess.run(
            ["mvn", *options], capture_output=True, text=True, timeout=FETCH_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        said = f"no end after {FETCH_SECONDS} s"
    else:
        if done.returncode == 0 and has_jars(part):
            return
        errors = re.findall(r"ERROR\]\s+(\S.*?)(?: -> .*)?\n", done.stdout + done.stderr)
        said = errors[0] if errors else "it did not say why"
    raise StackError(
        f"Maven cannot fetch Apache Kafka {KAFKA_VERSION}: is there a network? Or unpack a release"
        f" and let KAFKA_HOME name it. Maven said: {said}"
    )


def _reason(log: Path) -> str:
    """The line of a log that tells most: the last that speaks of an error, or the last one."""
    try:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line]
    except OSError:
        lines = []
    last = lines[-30:]
    tells = [
        line for line in last if re.match(r"(?!at ).*(error|exception|fatal|\bno )", line, re.I)
    ]
    return (tells or last or ["it said nothing"])[-1]


def _refuse(folder: Path, error: OSError, instead: str = "give another by --dir") -> NoReturn:
    raise StackError(f"{folder}: cannot be written: {told(error)}; {instead}") from error


def _xdg(variable: str, default: str) -> Path:
    """Our folder below one of the user's, as the XDG specification has it."""
    base = Path(os.environ.get(variable, ""))
    return (base if base.is_absolute() else Path.home() / default) / "hamstrung"


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise argparse.ArgumentTypeError(f"expected a port, 1 to 65535, got {text!r}")
    return int(text)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    add = shared.add_argument
    add(
        "--dir",
        type=Path,
        default=own_folder(),
        help="data, logs and pid files (default: %(default)s)",
    )
    for name, port in (("kafka", KAFKA_PORT), ("redis", REDIS_PORT)):
        text = f"default: the last start's, at first {port}"
        add(f"--{name}-port", type=_port, metavar="PORT", help=text)
    parser = argparse.ArgumentParser(prog="./dev stack", description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", parents=[shared], help="start both, and wait until they answer")
    commands.add_parser("status", parents=[shared], help="what runs; exit code 3: not both answer")
    down = commands.add_parser("down", parents=[shared], help="stop what `up` started")
    down.add_argument("--wipe", action="store_true", help="and delete its data")
    given = parser.parse_args(words)
    kept = remembered(given.dir)
    given.kafka_port = given.kafka_port or kept.get("kafka", KAFKA_PORT)
    given.redis_port = given.redis_port or kept.get("redis", REDIS_PORT)
    if given.kafka_port == given.redis_port:
        parser.error(f"--kafka-port and --redis-port: both are {given.kafka_port}")
    return given


def _next(stack: Stack) -> str:
    """The command to go on with; the default addresses need no settings."""
    settings = ""
    if stack.port(stack.kafka) != KAFKA_PORT:
        settings += f" --set kafka.broker={stack.broker}"
    if stack.port(stack.redis) != REDIS_PORT:
        settings += f" --set redis.url={stack.redis_url}"
    return f"hamstrung run not-spam-campaign --engine kafka{settings}"


def main(words: Sequence[str] | None = None) -> int:
    """The command line: what is asked for goes to stdout, all else to stderr."""
    given = _arguments(words)
    stack = Stack(given.dir, given.kafka_port, given.redis_port, say=say)
    try:
        match given.command:
            case "up":
                stack.up()
                say(f"data and logs: {stack.folder}; stop with: {stop(stack.folder)}")
                say(f"next: {_next(stack)}")
            case "down":
                stack.down(wipe=given.wipe)
            case _:
                lines, good = stack.status()
                sys.stdout.write("".join(f"{safe(line, 2000)}\n" for line in lines))
                return DONE if good else UNREACHABLE
    except (StackError, FolderError) as error:
        say(str(error))
        return UNREACHABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
