import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.safe import UNSHOWN, safe

ANYTHING = st.text(st.characters(), max_size=300)


@given(ANYTHING)
def test_nothing_that_acts_is_left(text: str) -> None:
    assert not [one for one in safe(text) if unicodedata.category(one) in UNSHOWN]


@given(ANYTHING, st.integers(1, 50))
def test_no_more_is_shown_than_the_limit(text: str, limit: int) -> None:
    assert len(safe(text, limit)) <= limit


@given(ANYTHING, st.integers(1, 400))
def test_what_is_safe_stays_as_it_is(text: str, limit: int) -> None:
    once = safe(text, limit)
    assert safe(once, limit) == once


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200))
def test_plain_text_is_left_alone(text: str) -> None:
    assert safe(text) == text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("a\r\nb\tc\x7f", "a␍␊b␉c␡"),
        ("\x9b31m", "<009B>31m"),
        ("\u202egnp.exe\u2066", "<202E>gnp.exe<2066>"),
        ("pay\u200bpal\ufeff", "pay<200B>pal<FEFF>"),
        ("one\u2028two\u2029", "one<2028>two<2029>"),
        ("\ud800", "<D800>"),
        ("\u3164\ufe0f", "<3164><FE0F>"),
        ("Zwölf 日本 ✓", "Zwölf 日本 ✓"),
    ],
)
def test_hidden_characters_are_made_visible(given: str, shown: str) -> None:
    assert safe(given) == shown


def test_a_tower_of_marks_cannot_cover_other_lines() -> None:
    assert safe("e" + "\u0301" * 5) == "e\u0301\u0301\u0301<0301><0301>"


def test_a_long_text_is_cut_without_being_read_to_its_end() -> None:
    assert safe("x" * 10_000_000, 5) == "xxxx…"
