"""Vetted only: the baseline of a trusted set."""

from filter.checks import Case
from filter.checks.vetted_only import VettedOnly
from filter.events import REJECTED, UNIT, Claim


def test_only_who_has_a_record_teaches() -> None:
    claims = [Claim(n, n, n, 0, True, 1, 0, 0, 0.9, n == 2, UNIT, "") for n in (1, 2, 3)]
    cases = [Case(claim, 1, None, 1) for claim in claims]
    said = VettedOnly().examine(1, None, cases)
    assert [one.ruling for one in said] == [REJECTED, "", REJECTED]
