"""A file that another process is writing is followed line by line."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.console.following import LONG, Lines, sound
from simulator.durable import FolderError


def test_lines_come_once_and_a_cut_one_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    lines = Lines(path)
    assert lines.new() == []
    path.write_bytes(b'{"a":1}\n{"a":')
    assert lines.new() == [{"a": 1}]
    assert lines.new() == []
    with path.open("ab") as file:
        file.write(b'2}\n{"a":3}\n')
    assert lines.new() == [{"a": 2}, {"a": 3}]


def test_a_file_that_became_shorter_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "frames.jsonl"
    lines = Lines(path)
    path.write_bytes(b'{"a":1}\n{"a":2}\n')
    assert len(lines.new()) == 2
    assert not lines.begun_anew()
    path.write_bytes(b"")
    assert lines.new() == []
    path.write_bytes(b'{"a":7}\n')
    assert (lines.new(), lines.begun_anew()) == ([{"a": 7}], True)
    assert not lines.begun_anew()


def test_a_line_that_is_no_json_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"nonsense\n")
    with pytest.raises(FolderError, match=r"events\.jsonl: cannot be read"):
        Lines(path).new()


@given(st.text())
def test_whatever_a_text_holds_nothing_of_it_acts(text: str) -> None:
    ((key, value),) = sound(json.loads(json.dumps({text: [text]}))).items()
    for shown in (key, value[0]):
        assert len(shown) <= LONG
        assert "\x1b" not in shown
        assert not any(one in shown for one in "\r\n\t\u202e\u2066")
