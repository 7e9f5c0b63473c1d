import json
import os
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simulator import exits
from simulator.cli import app, main
from simulator.durable import FolderError
from simulator.summary import Planned, Rule
from tests.simulator.test_printed import SUMMARY

SMALL = [
    word
    for setting in (
        "synthetic.mails_per_hour=60",
        "world.people=300",
        "synthetic.start_mails=300",
        "synthetic.start_ham=200",
        "synthetic.foreign=0.0",
        "attack.start=8",
        "attack.duration=12",
        "filter.models.naive_bayes.bits=14",
    )
    for word in ("--set", setting)
] + ["--duration", "30", "--no-twin"]
QUICK = ["run", "quickstart", *SMALL]
HAMSTRUNG = [sys.executable, "-c", "from simulator.cli import main; raise SystemExit(main())"]
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, without settings from outside."""
    for name in [name for name in os.environ if name.startswith("HAMSTRUNG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)


class Ended:
    """How a command ended."""

    def __init__(self, capfd: pytest.CaptureFixture[str], *args: str) -> None:
        capfd.readouterr()
        self.code = main(list(args))
        self.out, self.err = capfd.readouterr()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def process(*args: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([*HAMSTRUNG, *args], text=True, **options)


@pytest.mark.parametrize(
    "args",
    [[], ["run"], ["config"], ["list"], ["runs"], ["report"], ["explain"], ["new"]],
)
def test_every_command_has_help(args: list[str]) -> None:
    ended = CliRunner().invoke(app, [*args, "--help"])
    assert ended.exit_code == 0
    assert "Usage:" in ended.stdout


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"]])
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    watch = (
        f"import sys; from simulator.cli import main; code = main({args!r});"
        "heavy = {'numpy', 'river', 'sklearn', 'rich', 'scipy', 'msgspec'} & set(sys.modules);"
        "raise SystemExit(repr(heavy) if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_first_line_comes_before_anything_heavy_is_imported() -> None:
    watch = (
        "import sys; from simulator import exits; from simulator.cli import main\n"
        "def say(text): raise SystemExit(repr({'numpy', 'river', 'sklearn'} & set(sys.modules)))\n"
        "import simulator.started; simulator.started.say = say\n"
        "main(['run', 'quickstart'])"
    )
    done = subprocess.run([sys.executable, "-c", watch], capture_output=True, text=True)
    assert done.stderr == "set()\n"


def test_the_version_is_that_of_the_package(capfd: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capfd, "--version")
    assert (ended.code, ended.out) == (0, f"hamstrung {metadata.version('hamstrung')}\n")


def test_a_run_tells_its_story_on_stderr_alone(capfd: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capfd, *QUICK, "--display", "plain")
    assert (ended.code, ended.out) == (0, "")
    first, *_ = ended.err.splitlines()
    assert first.startswith("hamstrung: version")
    for said in ("THRESHOLDS", "not-spam-campaign  ran", "under attack", "after the attack"):
        assert said in ended.err
    assert "again      hamstrung run quickstart --set synthetic.mails_per_hour=60" in ended.err


def test_json_lines_end_with_the_summary(capfd: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capfd, *QUICK, "--json", "--display", "none")
    *frames, summary = ended.lines()
    assert ended.err == ""
    assert len(frames) == 2 * 30
    assert {frame["type"] for frame in frames} == {"frame"}
    assert {frame["arm"] for frame in frames} == {"attacked", "unguarded"}
    assert {line["schema_version"] for line in ended.lines()} == {1}
    assert (summary["type"], summary["hash"]) == (
        "summary",
        summary["arms"]["attacked"]["hash"],
    )
    assert "ci_low" in summary["metrics"]["attack_success"]


def test_a_broken_rule_gives_99(capfd: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capfd, *QUICK, "--fail-if", "campaign_in_inbox.mean >= 0")
    assert ended.code == 99
    assert "✗ BROKEN  campaign_in_inbox.mean < 0" in ended.err


def test_a_rule_without_data_gives_99(capfd: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capfd, *QUICK, "--fail-if", "attack_success.mean > 0.05")
    assert ended.code == 99
    assert "has no data" in ended.err


def test_a_run_that_ends_before_its_attack_has_measured_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    ended = Ended(capfd, *QUICK, "--duration", "5")
    assert ended.code == 99
    assert "nothing was measured: the run ended before its start" in ended.err


def test_an_attack_that_raises_gives_1_and_its_run_is_saved(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["new", "attack", "bad_one"]) == 0
    path = tmp_path / "bad_one.py"
    path.write_text(path.read_text().replace("yield from view.rescues()", "yield from view.tick"))
    ended = Ended(capfd, *QUICK, "--attack", "./bad_one.py")
    assert ended.code == 1
    assert "bad-one  error" in ended.err
    assert "TypeError: 'int' object is not iterable" in ended.err
    assert Ended(capfd, "report", "latest").code == 0


def test_a_file_of_ones_own_that_was_made_runs_as_it_is(
    capfd: pytest.CaptureFixture[str],
) -> None:
    made = Ended(capfd, "new", "attack", "my-attack")
    assert made.out == "made; run it with: hamstrung run quickstart --attack ./my_attack.py\n"
    assert Ended(capfd, *QUICK, "--attack", "./my_attack.py").code == 0
    assert "--guard near_duplicates,./my_check.py" in Ended(capfd, "new", "check", "my_check").out
    ended = Ended(
        capfd,
        *QUICK,
        *("--guard", "near_duplicates,./my_check.py", "--set", "filter.checks.my_check.pause=9"),
    )
    assert ended.code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["attack", "1st"], "new: expected a name such as my_attack, got '1st'"),
        (["check", "../x"], "new: expected a name such as my_check"),
        (["attack", "class"], "new: expected a name"),
        (["attack", "MyAttack"], "new: expected a name"),
        (["guard", "mine"], "new: unknown 'guard'"),
        (["attack", "there"], "new: there.py is there already"),
    ],
)
def test_new_refuses_what_cannot_be(
    args: list[str], said: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "there.py").write_text("mine")
    ended = Ended(capfd, "new", *args)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert (tmp_path / "there.py").read_text() == "mine"


CORPUS_FILES = {
    "empty.jsonl": b"",
    "binary.jsonl": b"\x7fELF\x00\xff",
    "cut.jsonl.gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab",
    "ham.jsonl": b'{"id": "1", "label": "ham", "date": null, "subject": "a", "text": "b"}\n',
}


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["run"], "which scenario? try: hamstrung run quickstart"),
        (["rnu"], "No such command 'rnu'. Did you mean 'run'?; see: hamstrung --help"),
        (["run", "--sed", "3"], "--seed, --set, --speed); see: hamstrung run --help"),
        (["run", "quikstart"], "scenario: unknown 'quikstart'; did you mean 'quickstart'?"),
        ([*QUICK, "--attack", "not-spam"], "did you mean 'not-spam-campaign'?"),
        ([*QUICK, "--set", "wrold.people=3"], "unknown 'wrold'; did you mean 'world'?"),
        ([*QUICK, "--fail-if", "atack_success.max>1"], "did you mean 'attack_success'?"),
        ([*QUICK, "--model", "naive-bays"], "did you mean 'naive-bayes'?"),
        ([*QUICK, "--guard", "defualt"], "default"),
        ([*QUICK, "--display", "plane"], "--display: unknown 'plane'; did you mean 'plain'?"),
        ([*QUICK, "--corpus", "nope.jsonl"], "corpus.path: there is no file nope.jsonl"),
        ([*QUICK, "--corpus", "empty.jsonl"], "empty.jsonl: expected JSON Lines"),
        ([*QUICK, "--corpus", "binary.jsonl"], "binary.jsonl, line 1: expected JSON Lines"),
        ([*QUICK, "--corpus", "cut.jsonl.gz"], "cut.jsonl.gz: the file is cut short"),
        ([*QUICK, "--corpus", "ham.jsonl"], "expected spam and ham, got only ham"),
        ([*QUICK, "--corpus", "."], "expected full/index as TREC has it"),
        (["run", "./bad.toml"], "bad.toml: Invalid value (at line 2, column 1)"),
        ([*QUICK, "--resume", "latest"], "there is no run in runs/ yet"),
        (["report", "nope"], "there is no run 'nope'"),
        (["explain", "nope", "12"], "there is no run 'nope'"),
        (["list", "attack"], "list: unknown 'attack'; did you mean 'attacks'?"),
        (["config", "quikstart"], "did you mean 'quickstart'?"),
    ],
)
def test_a_mistake_is_one_line_and_2(
    args: list[str], said: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text("a = [1,\nb = 2")
    for name, content in CORPUS_FILES.items():
        (tmp_path / name).write_bytes(content)
    ended = Ended(capfd, *args)
    last = ended.err.splitlines()[-1]
    assert (ended.code, ended.out) == (2, "")
    assert last.startswith("hamstrung: ")
    assert said in last
    assert "Traceback" not in ended.err
    assert not list(tmp_path.glob("runs/*"))


def test_a_folder_that_holds_a_run_is_refused(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert Ended(capfd, *QUICK, "-o", "mine").code == 0
    assert (tmp_path / "mine" / "summary.json").is_file()
    again = Ended(capfd, *QUICK, "-o", "mine")
    assert again.code == 2
    assert "mine already holds a run" in again.err
    assert (tmp_path / "mine" / "summary.json").is_file()


def test_a_run_of_the_past_is_listed_reported_and_not_run_again(
    capfd: pytest.CaptureFixture[str],
) -> None:
    ran = Ended(capfd, *QUICK, "--display", "plain")
    [listed] = Ended(capfd, "runs", "--json").lines()
    assert (listed["type"], listed["scenario"], listed["status"]) == ("run", "quickstart", "done")
    assert listed["name"] in Ended(capfd, "runs").out
    report = Ended(capfd, "report", listed["name"])
    assert report.out.strip() in ran.err
    page = Path(listed["path"]) / "report.html"
    assert report.err == f"hamstrung: as a page: {page}\n"
    assert page.read_text().startswith("<!doctype html>")
    resumed = Ended(capfd, "run", "--resume", "latest", "--json")
    assert resumed.code == 0
    assert resumed.lines()[-1]["type"] == "summary"
    assert report.out.strip() in resumed.err
    other = Ended(capfd, "run", "--resume", "latest", "--seed", "3")
    assert (other.code, "--seed: a run goes on with its own settings" in other.err) == (2, True)
    other = Ended(capfd, "run", "peace", "--resume", "latest")
    assert (other.code, "is a run of 'quickstart', not of 'peace'" in other.err) == (2, True)


def test_a_page_that_cannot_be_written_is_told_after_the_summary(
    capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main([*QUICK, "-o", "my run"])
    written = Ended(capfd, "report", "my run", "-o", "page.html")
    assert (written.code, written.err) == (0, "hamstrung: as a page: page.html\n")
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert not (tmp_path / "my run" / "report.html").exists()
    nowhere = Ended(capfd, "report", "my run", "-o", "page.html/page.html")
    assert (nowhere.code, nowhere.out) == (2, written.out)
    assert nowhere.err.startswith("hamstrung: page.html/page.html: cannot be written: not a direc")
    for no_file in ("", "my run", "/dev/null"):
        refused = Ended(capfd, "report", "my run", "-o", no_file)
        assert (refused.code, refused.out) == (2, "")
        assert "--out: expected a file such as report.html" in refused.err
    its_own = Ended(capfd, "report", "my run", "-o", "my run/manifest.json")
    assert (its_own.code, its_own.out) == (2, "")
    assert "is in the run's folder: expected report.html there" in its_own.err
    (tmp_path / "link.html").symlink_to(tmp_path / "target.html")
    assert Ended(capfd, "report", "my run", "-o", "link.html").code == 0
    assert (tmp_path / "target.html").read_text().startswith("<!doctype html>")
    (tmp_path / "my run" / "report.html").mkdir()
    refused = Ended(capfd, "report", "my run")
    assert (refused.code, refused.out) == (2, written.out)
    assert refused.err == (
        "hamstrung: my run/report.html: cannot be written: is a directory; put the page"
        " elsewhere: hamstrung report 'my run' -o FILE.html\n"
    )


def test_a_vote_is_explained_and_an_unknown_one_refused(
    capfd: pytest.CaptureFixture[str],
) -> None:
    main(QUICK)
    refused = Ended(capfd, "explain", "latest", "zz")
    assert refused.code == 2
    vote = refused.err.split("for example: ")[1].split()[0]
    assert "in truth" in Ended(capfd, "explain", "latest", vote).out


def test_no_runs_yet_says_how_to_make_one(capfd: pytest.CaptureFixture[str]) -> None:
    ended = Ended(capfd, "runs")
    assert (ended.code, ended.out) == (0, "")
    assert "hamstrung run quickstart" in ended.err


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("attacks", "not-spam-campaign"),
        ("checks", "rate-limit"),
        ("models", "linear_model.LogisticRegression"),
        ("scenarios", "quickstart"),
        ("guards", "reject-all"),
    ],
)
def test_what_there_is_can_be_listed(
    kind: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    ended = Ended(capfd, "list", kind)
    assert (ended.code, ended.err) == (0, "")
    assert said in ended.out


def test_the_settings_are_printed_with_their_sources(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HAMSTRUNG_GUARD", "none")
    ended = Ended(capfd, "config", "quickstart", "--seed", "4")
    said = [line.split() for line in ended.out.splitlines()]
    assert ["seed", "=", "4", "#", "--seed"] in said
    assert ["guard", "=", '"none"', "#", "HAMSTRUNG_GUARD"] in said
    assert ["delay", "=", "4.0", "#", "default"] in said


def test_a_reader_who_leaves_causes_no_traceback() -> None:
    run = process(
        *QUICK, "--json", "--display", "none", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert run.stdout is not None
    assert run.stderr is not None
    assert '"frame"' in run.stdout.readline()
    run.stdout.close()
    assert run.stderr.read() == ""
    run.stderr.close()
    assert run.wait() == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_gives_130_and_goes_on(
    how: signal.Signals, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = Ended(capfd, *QUICK, "--json", "--display", "none").lines()[-1]
    run = process(
        *QUICK, "--json", "--display", "none", "-o", "mine", stdout=subprocess.PIPE, stderr=-1
    )
    assert run.stdout is not None
    run.stdout.readline()
    run.send_signal(how)
    out, err = run.communicate()
    assert (run.returncode, err) == (130, "")
    assert json.loads(out.splitlines()[-1])["status"] == "interrupted"
    resumed = Ended(capfd, "run", "--resume", "mine", "--json", "--display", "none")
    assert resumed.code == 0
    assert resumed.lines()[-1]["hash"] == whole["hash"]


def test_an_error_of_the_programs_own_is_a_line_and_a_traceback_in_a_file(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> str:
        raise RuntimeError("oh \x1b[2J")

    monkeypatch.setattr("simulator.catalogue.listed", fail)
    ended = Ended(capfd, "list", "guards")
    assert ended.code == 1
    [line] = ended.err.splitlines()
    assert line.startswith("hamstrung: internal error: RuntimeError: oh ␛[2J; its traceback is in ")
    path = Path(line.split("is in ")[1].split()[0])
    assert "RuntimeError" in path.read_text()
    path.unlink()
    monkeypatch.setenv("HAMSTRUNG_DEBUG", "1")
    assert "Traceback" in Ended(capfd, "list", "guards").err


def test_interrupting_anything_else_gives_130(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.catalogue.listed", interrupt)
    ended = Ended(capfd, "list", "guards")
    assert (ended.code, ended.out + ended.err) == (130, "")


def test_interrupting_a_run_before_its_first_tick_says_how_to_go_on(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.session.prepare", interrupt)
    ended = Ended(capfd, *QUICK)
    assert ended.code == 130
    assert ended.err.splitlines()[-1].endswith("go on with: hamstrung run --resume latest")


def test_a_full_disk_is_nobodys_mistake(capfd: pytest.CaptureFixture[str]) -> None:
    error = FolderError("runs/x: cannot be written: no space left on device")
    error.__cause__ = OSError(28, "No space left on device")
    assert exits.of_error(error) == 1
    assert exits.of_error(FolderError("there is no run")) == 2
    assert capfd.readouterr().err.splitlines()[0] == f"hamstrung: {error}"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"thresholds": []}, 0),
        ({"thresholds": [Rule("x", None, False)]}, 99),
        ({"thresholds": [Rule("x", None, False)], "status": "error"}, 1),
        ({"thresholds": [Rule("x", None, False)], "status": "interrupted"}, 130),
        ({"thresholds": [], "ticks": 0}, 99),
        ({"thresholds": [], "attacks": [Planned("x", 1, 2, "skipped", "", 0, 0, 0, 0)]}, 99),
    ],
)
def test_a_summary_gives_an_exit_code(changes: dict[str, Any], code: int) -> None:
    import msgspec

    assert exits.of_summary(msgspec.structs.replace(SUMMARY, **changes)) == code
