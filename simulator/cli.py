"""The command line. What each command needs is imported when it is given, for ``--help`` is quick.

Commands give their exit code: see `simulator.exits`.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from simulator import completion

app = typer.Typer(
    help="An online spam filter that learns from votes, the botnets that poison it, its guards.",
    epilog="Every flag of 'run' is a variable as well, as HAMSTRUNG_SEED, and a key in"
    " ./hamstrung.toml. Begin with: hamstrung run quickstart",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

NAME = typer.Argument(
    metavar="SCENARIO",
    help="Its name, or the path of a .toml file.",
    autocompletion=completion.scenarios,
)
Name = Annotated[str, NAME]
OptionalName = Annotated[str | None, NAME]
Run = Annotated[
    str,
    typer.Argument(
        metavar="RUN",
        help="Its folder, its name, or 'latest'.",
        autocompletion=completion.runs,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Any setting, as world.people=300; repeatable."
    ),
]
Seed = Annotated[str | None, typer.Option(metavar="N", help="Another world with other luck.")]
Duration = Annotated[
    str | None, typer.Option(metavar="TIME", help="Simulated time: 240 or 240h, or 10d.")
]
Attack = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.py",
        help="Another attack; 'none' for none.",
        autocompletion=completion.attacks,
    ),
]
Guard = Annotated[
    str | None,
    typer.Option(
        metavar="GUARD|CHECK,...",
        help="none, default, reject-all, or checks.",
        autocompletion=completion.guards,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.py",
        help="A classifier: ours, or module.Class of River.",
        autocompletion=completion.models,
    ),
]
Corpus = Annotated[
    str | None,
    typer.Option(metavar="PATH", help="Real mail: JSON Lines (.gz), or a folder of messages."),
]
Engine = Annotated[
    str | None,
    typer.Option(
        metavar="embedded|kafka",
        help="What carries the judged arm.",
        autocompletion=completion.one_of("embedded", "kafka"),
    ),
]
Workers = Annotated[
    str | None, typer.Option(metavar="N", help="Processes that it starts on Kafka; 0: none.")
]
Replicates = Annotated[
    str | None, typer.Option(metavar="N", help="Run it with so many seeds: means and intervals.")
]
Jobs = Annotated[
    str | None, typer.Option("--jobs", "-j", metavar="M", help="Seeds at a time; else every core.")
]
WhileStdin = Annotated[bool, typer.Option("--while-stdin", hidden=True)]
NoTwin = Annotated[
    bool, typer.Option("--no-twin", help="Leave out the arms that are never poisoned.")
]
Display = Annotated[
    str | None,
    typer.Option(
        metavar="full|rich|plain|none",
        help="How to show it; full: console.",
        autocompletion=completion.one_of("full", "rich", "plain", "none"),
    ),
]
Speed = Annotated[
    str | None,
    typer.Option(
        metavar="max|N",
        help="N ticks (simulated hours) a second at most.",
        autocompletion=completion.one_of("max"),
    ),
]
Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout.")]
FailIf = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RULE",
        help="As 'attack_success.max>0.05': exit 99; repeatable.",
        autocompletion=completion.rules,
    ),
]
JUnit = Annotated[
    str | None, typer.Option("--junit", metavar="FILE", help="What became of each rule, as XML.")
]
PrometheusPort = Annotated[
    str | None, typer.Option(metavar="N", help="Serve figures while it runs, on 127.0.0.1:N.")
]
Resume = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Go on with a run.", autocompletion=completion.runs),
]
Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="DIR", help="The run's own, new folder.")
]


def _version(asked: bool) -> None:
    if asked:
        from simulator import stdout
        from simulator.started import version

        stdout.write(f"hamstrung {version()}")
        raise typer.Exit


@app.callback()
def _hamstrung(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None: ...


@app.command()
def run(
    scenario: OptionalName = None,
    set_: Set = None,
    seed: Seed = None,
    duration: Duration = None,
    attack: Attack = None,
    guard: Guard = None,
    model: Model = None,
    corpus: Corpus = None,
    engine: Engine = None,
    workers: Workers = None,
    replicates: Replicates = None,
    jobs: Jobs = None,
    no_twin: NoTwin = False,
    display: Display = None,
    speed: Speed = None,
    json: Json = False,
    fail_if: FailIf = None,
    junit: JUnit = None,
    prometheus_port: PrometheusPort = None,
    resume: Resume = None,
    out: Out = None,
    while_stdin: WhileStdin = False,
) -> int:
    """Run a scenario: see 'hamstrung list scenarios'."""
    from simulator.flags import Flags
    from simulator.started import end_with_stdin, start

    flags = Flags(
        set=tuple(set_ or ()),
        seed=seed,
        duration=duration,
        attack=attack,
        guard=guard,
        model=model,
        corpus=corpus,
        engine=engine,
        workers=workers,
        replicates=replicates,
        jobs=jobs,
        no_twin=no_twin or None,
        display=display,
        speed=speed,
        json=json or None,
        fail_if=tuple(fail_if or ()),
        junit=junit,
        prometheus_port=prometheus_port,
        resume=resume,
        out=out,
    )
    if while_stdin:
        end_with_stdin()
    return start(scenario, flags, a_child=while_stdin)


@app.command()
def config(
    scenario: Name,
    set_: Set = None,
    seed: Seed = None,
    duration: Duration = None,
    attack: Attack = None,
    guard: Guard = None,
    model: Model = None,
    corpus: Corpus = None,
    no_twin: NoTwin = False,
) -> int:
    """Print all settings of a scenario, and where each comes from, as a file that can be run."""
    from simulator import stdout
    from simulator.flags import Flags
    from simulator.layers import resolve
    from simulator.settings_file import text

    flags = Flags(
        set=tuple(set_ or ()),
        seed=seed,
        duration=duration,
        attack=attack,
        guard=guard,
        model=model,
        corpus=corpus,
        no_twin=no_twin or None,
    )
    stdout.write(text(resolve(scenario, flags, os.environ, Path())))
    return 0


@app.command("list")
def list_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="attacks|checks|models|packs|scenarios|guards",
            autocompletion=completion.one_of(
                "attacks", "checks", "models", "packs", "scenarios", "guards"
            ),
        ),
    ],
) -> int:
    """Print what there is to choose from."""
    from simulator import stdout
    from simulator.catalogue import listed
    from simulator.paint import width

    stdout.write(listed(kind, width()))
    return 0


@app.command()
def runs(json: Json = False) -> int:
    """List the runs in ./runs, the oldest first."""
    from simulator.past import list_runs

    list_runs(json)
    return 0


@app.command()
def watch(
    run: Annotated[
        str,
        typer.Argument(
            metavar="[RUN|latest|kafka]",
            help="Its folder, its name, 'latest'; or the topics.",
            autocompletion=completion.watched,
        ),
    ] = "latest",
    id_: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="With kafka; else the last run.")
    ] = None,
    set_: Set = None,
    web: Annotated[
        bool, typer.Option("--web", help="Serve it to browsers on 127.0.0.1 (extra: web).")
    ] = False,
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="With --web.")] = 8765,
) -> int:
    """Watch a run in the console, live or again; the run does not notice."""
    from simulator.layers import servers
    from simulator.watch import serve, watch_kafka
    from simulator.watch import watch as show

    if run == "kafka":
        if web:
            raise typer.BadParameter("--web shows a run's folder, not topics")
        return watch_kafka(*servers(tuple(set_ or ()), os.environ, Path()), id_)
    return serve(run, port) if web else show(run)


@app.command()
def report(
    run: Run,
    out: Annotated[
        str | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="The page; else report.html in its folder."
        ),
    ] = None,
) -> int:
    """Print the summary of a run again, and write it with charts as a page."""
    from simulator.past import print_report

    print_report(run, out)
    return 0


@app.command()
def compare(
    base: Annotated[
        str,
        typer.Argument(metavar="BASE", help="The run from before.", autocompletion=completion.runs),
    ],
    new: Annotated[
        str,
        typer.Argument(metavar="NEW", help="The other one.", autocompletion=completion.runs),
    ],
    fail_on_regression: Annotated[
        bool, typer.Option("--fail-on-regression", help="Exit 99 when a metric got worse.")
    ] = False,
    json: Json = False,
) -> int:
    """Compare two runs of a scenario with several seeds, metric by metric."""
    from simulator.exits import BROKEN, DONE
    from simulator.past import print_comparison

    found = print_comparison(base, new, json)
    return BROKEN if fail_on_regression and (found.too_few or found.regressions()) else DONE


@app.command()
def reproduce(
    packs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[R12|FILE.py]...",
            help="Else all there are.",
            autocompletion=completion.packs,
        ),
    ] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", min=2, help="Of each pack.")] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", "-j", metavar="M", min=1, help="Seeds at a time.")
    ] = None,
    json: Json = False,
) -> int:
    """Run findings of the field again: what the paper says, what came out, whether it agrees."""
    from simulator.reproduce import reproduce as again

    return again(tuple(packs or ()), seeds, jobs, as_json=json)


@app.command()
def explain(
    run: Run,
    vote: Annotated[str, typer.Argument(metavar="VOTE", help="Its id, or how it begins.")],
) -> int:
    """Print the path of one vote: claim, checks, rulings, lesson, credit."""
    from simulator.past import print_explanation

    print_explanation(run, vote)
    return 0


@app.command()
def show(
    run: Run,
    mail: Annotated[str, typer.Argument(metavar="MAIL", help="Its id, or how it begins.")],
) -> int:
    """Print a mail as text, with its story: what it is, verdict, votes, lessons."""
    from simulator.past import print_mail

    print_mail(run, mail)
    return 0


@app.command()
def new(
    kind: Annotated[
        str,
        typer.Argument(metavar="attack|check", autocompletion=completion.one_of("attack", "check")),
    ],
    name: Annotated[str, typer.Argument(metavar="NAME", help="As my_attack.")],
) -> int:
    """Write NAME.py, an attack or a check of your own that already runs."""
    from simulator import stdout
    from simulator.templates import make

    stdout.write(f"made; run it with: {make(kind, name, Path())}")
    return 0


@app.command()
def worker(
    stage: Annotated[
        str,
        typer.Argument(
            metavar="all",
            help="Every stage: 'all'.",
            autocompletion=completion.one_of("all"),
        ),
    ],
    run: Annotated[str | None, typer.Option(metavar="ID", help="Of one run; else of any.")] = None,
    set_: Set = None,
    while_stdin: WhileStdin = False,
) -> int:
    """Work for runs on Kafka: those with '--engine kafka --workers 0'."""
    from simulator.layers import servers
    from simulator.serving import work

    if stage != "all":
        raise typer.BadParameter(f"expected 'all', got {stage!r}")
    kafka, redis = servers(tuple(set_ or ()), os.environ, Path())
    return work(kafka, redis, run, while_stdin)


@app.command()
def tail(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Its short name, as 'votes'.")],
    run: Annotated[str | None, typer.Option(metavar="ID", help="Of a run; else the last.")] = None,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="End after N.")] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Also what is there already.")
    ] = False,
    set_: Set = None,
    json: Json = False,
) -> int:
    """Print the events of a topic on Kafka as they come; Ctrl-C ends it."""
    from simulator.layers import servers
    from simulator.tail import tail as follow

    kafka, _ = servers(tuple(set_ or ()), os.environ, Path())
    return follow(kafka, topic, run, limit, from_beginning, as_json=json)


@app.command()
def doctor(set_: Set = None, json: Json = False) -> int:
    """Look at this machine: what is here, what is missing, what each is needed for."""
    from simulator.doctor import examine
    from simulator.layers import servers

    kafka, redis = servers(tuple(set_ or ()), os.environ, Path())
    return examine(kafka.broker, redis.url, as_json=json)


def main(args: list[str] | None = None) -> int:
    """Run a command; gives the exit code. No mistake of a user's ends in a traceback."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args, prog_name="hamstrung", standalone_mode=False)
    except SystemExit:  # a Tab was answered: nothing is to be imported for its sake
        raise
    except BaseException as error:  # noqa: BLE001  # the edge: whatever it is, it is told
        return _ended(error)
    return code if isinstance(code, int) else 0


def _ended(error: BaseException) -> int:
    from simulator import exits, stdout

    match error:
        case typer.TyperException():
            exits.say(_misused(error))
            return exits.USAGE
        case typer.Abort() | KeyboardInterrupt():
            exits.say("interrupted")
            return exits.INTERRUPTED
        case BrokenPipeError():
            stdout.turn_off()
            return exits.INTERNAL
        case Exception():
            return exits.of_error(error)
    raise error


def _misused(error: typer.TyperException) -> str:
    """A command that is not written as it should be, in a line with what to do next."""
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "hamstrung"
    message = " ".join(error.format_message().split()).rstrip(".")
    return f"{message}; see: {where} --help"
