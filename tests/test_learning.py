"""What the filter learns from, at a reduced size: `python -m benchmarks.learning` has it whole."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.learning import RATE, Mail, Scale, courses, flagship

SMALL: dict[str, Any] = {
    "world": {"people": 1000},
    "synthetic": {"mails_per_hour": 200, "foreign": 0.0, "campaigns": 12},
}
SYNTHETIC = Mail("synthetic", {})


def success(mail: Mail, scale: Scale, source: str, votes: int = 20) -> float:
    found = flagship(
        mail,
        scale,
        duration=120,
        filter={"learner": {"learns_from": source}},
        attack={"start": 48, "duration": 72, "settings": {"votes_per_hour": votes}},
    )
    value = found.metrics["attack_success"].mean
    assert value is not None
    return value


@pytest.mark.parametrize("source", ["votes", "votes+kept", "votes+kept+judgements"])
def test_bots_take_over_whoever_learns_from_votes(source: str) -> None:
    assert success(SYNTHETIC, Scale(1, 1, SMALL), source) > 0.3


def test_they_do_not_take_over_who_learns_every_true_label() -> None:
    assert success(SYNTHETIC, Scale(1, 1, SMALL), "all") < 0.05


def test_on_real_mail_votes_are_taken_over_too_and_true_labels_are_not(corpora: Path) -> None:
    path = str(corpora / "enron-spam.jsonl.gz")
    enron = Mail("enron", {"corpus": {"path": path, "mails_per_hour": RATE}})
    scale = Scale(1, 1, {"world": {"people": 1000}})
    assert success(enron, scale, "votes+kept") > 0.3
    assert success(enron, scale, "all") < 0.05


def test_a_filter_that_was_taken_over_confirms_itself_or_heals_by_what_is_reported() -> None:
    scale = Scale(2, 1, SMALL)
    below, above = (courses(SYNTHETIC, scale, reported) for reported in (0.03, 0.2))
    assert all(taken[0] > 0.9 for taken in below + above)
    assert all(stuck[-1] > 0.9 for stuck in below)  # 300 hours after the last bot
    assert all(healed[2] < 0.05 for healed in above)  # 200 hours after
