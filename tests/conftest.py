"""What tests share: the corpora of real mail, and the count of tests that went without them."""

import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("hamstrung", deadline=None)
settings.load_profile("hamstrung")
"""A test of a property takes as long as it takes: a busy machine proves nothing."""

ROOT = Path(__file__).resolve().parent.parent
CORPORA = ROOT.parent / "shared" / "corpora"
ABSENT = "no corpora in ../shared/corpora"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real mail beside the checkout.

    Without it the test is skipped, or fails where HAMSTRUNG_REQUIRE_CORPORA is 1, as in CI.
    """
    if CORPORA.is_dir():
        return CORPORA
    if os.environ.get("HAMSTRUNG_REQUIRE_CORPORA") == "1":
        pytest.fail(f"{ABSENT}, and HAMSTRUNG_REQUIRE_CORPORA is 1", pytrace=False)
    pytest.skip(ABSENT)


@pytest.fixture(scope="session")
def raw_mail(corpora: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of raw messages with an index as TREC has it."""
    folder = tmp_path_factory.mktemp("raw")
    with tarfile.open(corpora / "spamassassin.tar.gz") as packed:
        if hasattr(tarfile, "data_filter"):  # Debian's Python 3.11 is older than it
            packed.extraction_filter = tarfile.data_filter
        packed.extractall(folder)
    return folder / "spamassassin"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    count = sum(ABSENT in str(report.longrepr) for report in skipped)
    if count:
        tests = "test" if count == 1 else "tests"
        terminalreporter.write_line(f"{count} {tests} skipped: {ABSENT}")
