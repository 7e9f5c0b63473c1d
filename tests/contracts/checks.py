"""What any check has to keep, as functions: for ours, and for a file of a user's own."""

from collections.abc import Sequence
from dataclasses import fields
from types import GenericAlias
from typing import Any

import numpy as np

from filter import codec
from filter.checks import HOLD, Case, Heard, History, Suspicion, remembered
from filter.columns import Bits, Judgements, no_judgements
from filter.delivery import sign_one
from filter.events import HAM, JUNK, QUARANTINED, RULINGS, SPAM, UNIT, Claim, Credit, Vote
from filter.plugins import Plugin
from filter.ragged import Ragged, ragged
from filter.stage import Provider

PROVIDER = Provider(bytes(range(16)), 48)
TICKS = range(69, 75)
ACCOUNTS = range(1, 6)


def hold_contract(plugin: Plugin) -> None:
    """All of it.

    Raises:
        AssertionError: what is not kept.
    """
    is_described(plugin)
    check = plugin.settings()
    assert hasattr(check, "credited") != hasattr(check, "learn"), "of an account or of a crowd"
    (examine_account if hasattr(check, "credited") else examine_crowd)(check)


def is_described(plugin: Plugin) -> None:
    """It says what it is for, where it is from, and what each setting means."""
    said = plugin.settings.__doc__ or ""
    first = said.strip().split("\n")[0]
    assert first.endswith("."), "the first line is a sentence"
    assert not first.startswith(f"{plugin.settings.__name__}("), "a docstring of its own"
    for field in fields(plugin.settings):
        assert f"{field.name}: " in said, f"the setting {field.name} is not explained"
    assert plugin.settings() == plugin.settings()
    assert hash(plugin.settings()) == hash(plugin.settings())


def names_its_source(plugin: Plugin) -> bool:
    """Whether it names a defence or baseline (D1, D27)."""
    said = plugin.settings.__doc__ or ""
    return any(f"D{number}" in said for number in range(1, 100))


def votes(tick: int) -> list[Vote]:
    """Good votes, repeated ones, and every kind of bad one."""
    cast = []
    for account in ACCOUNTS:
        mail = tick * 10 + account // 2
        token = sign_one(PROVIDER.secret, account, mail, tick - 2)
        good = Vote(account, account, mail, tick - 2, HAM, tick, 9, 9, -900, token)
        cast += [good, good]
    label = Vote(7, 2, 5, tick, "maybe", tick, 0, 0, 0, 0)
    future = Vote(8, 3, 5, tick, SPAM, tick + 2**40, 0, 0, 0, 0)
    old = Vote(9, 4, 5, -(2**40), SPAM, tick, 2**64 - 1, 2**64 - 1, 2**40, 2**64 - 1)
    return [*cast, label, future, old]


def examine_account(check: Any) -> None:
    """Pure, honest about its types, and its memory travels."""
    kind = remembered(check)
    for history in (History(0, 0, 0), History(-900, 7, 1), History(-9, 0, 10**6)):
        past = check.fresh(history)
        assert codec.pack(past) == codec.pack(check.fresh(history))
        for tick in TICKS:
            for vote in votes(tick):
                past = _examined(check, tick, past, vote, kind)
            for outcome in (1, -1):
                credit = Credit(vote.account, vote.mail, vote.id, outcome, vote.subnet)
                before = codec.pack(past)
                after = check.credited(tick, past, credit)
                assert codec.pack(past) == before, "credited changes the past it is given"
                past = again(kind, after)
            assert isinstance(check.stale(tick, past, PROVIDER), bool)
    assert check.stale(10**9, past, PROVIDER), "every past is forgotten some day"


def _examined(check: Any, tick: int, past: Any, vote: Vote, kind: Any) -> Any:
    before = codec.pack(past)
    suspicion, after = check.examine(tick, past, vote, PROVIDER)
    assert codec.pack(past) == before, "examine changes the past it is given"
    other, twice = check.examine(tick, again(kind, past), vote, PROVIDER)
    assert other == suspicion, "the same input gives the same suspicion, frozen or not"
    assert codec.pack(twice) == codec.pack(after)
    is_suspicion(suspicion, (*RULINGS, HOLD, ""))
    return after


def again(kind: Any, past: Any) -> Any:
    """A past frozen and thawed, by the type that `fresh` says it returns."""
    packed = codec.pack({1: past})
    thawed = codec.unpack(GenericAlias(dict, (int, kind)), packed)[1]
    assert codec.pack({1: thawed}) == packed, "what is remembered does not survive freezing"
    return thawed


def is_suspicion(suspicion: Any, rulings: Sequence[str]) -> None:
    """A known ruling, with a reason wherever something is held or stopped."""
    assert isinstance(suspicion, Suspicion)
    assert suspicion.ruling in rulings, f"there is no ruling {suspicion.ruling!r}"
    assert not suspicion.ruling or suspicion.reason, "a ruling has a reason"
    assert suspicion.trust is None or 0 <= suspicion.trust <= 1


def claim(number: int, tick: int) -> Claim:
    return Claim(
        vote=number,
        account=number % 7,
        mail=tick * 100 + number,
        sent=tick - 1,
        spam=number % 3 == 0,
        tick=tick,
        address=number % 5,
        subnet=number % 2,
        reputation=1 - number / 100,
        vetted=number % 2 == 0,
        weight=UNIT,
        hold="",
    )


def cases(tick: int) -> list[Case]:
    judged = (None, True, False, None)
    tokens = words(tick, np.arange(40) % 3 > 0)
    return [Case(claim(n, tick), n % 4, judged[n % 4], tick, tokens.row(n)) for n in range(40)]


def words(seed: int, spam: Bits) -> Ragged:
    """Twenty tokens of each mail, most of them its label's own."""
    rng = np.random.default_rng(seed + 1000)
    tokens = rng.integers(0, 300, (len(spam), 20)) + 200 * spam[:, np.newaxis]
    return ragged(tokens.tolist())


def started(check: Any, kind: Any) -> Any:
    """What it remembers when it was told what the filter starts from."""
    past = check.fresh()
    for tick, spam in enumerate((np.arange(400) % 2 == 0, np.arange(401) % 2 > 0), -3):
        past = _learned(check, kind, tick, past, told(tick, spam))
    return _learned(check, kind, -1, past, told(-1, np.zeros(300, np.bool_)))


def told(tick: int, spam: Bits) -> Heard:
    """A part of the start set."""
    said = judgements(tick, len(spam))._replace(spam=spam)
    return Heard([], [], said, 0, words(tick, spam))


def judgements(tick: int, count: int = 6) -> Judgements:
    return Judgements(
        np.arange(count, dtype=np.uint64),
        np.full(count, tick - 1),
        np.arange(count) % 2 == 0,
        np.full(count, JUNK, np.int8),
        np.arange(count, dtype=np.uint64) % np.uint64(4),
        np.arange(count) == 5,
        np.full(count, 3),
    )


def examine_crowd(check: Any) -> None:
    """Pure, one suspicion a claim, and its memory travels."""
    kind = remembered(check)
    assert codec.pack(check.fresh()) == codec.pack(check.fresh())
    past = started(check, kind)
    begun = len(codec.pack(past))
    assert check.examine(1, past, []) == []
    for tick in (*TICKS, 96, 97):
        given = cases(tick)
        before = codec.pack((past, given))
        suspicions = check.examine(tick, past, given)
        assert codec.pack((past, given)) == before, "examine changes its input"
        assert suspicions == check.examine(tick, again(kind, past), given)
        assert len(suspicions) == len(given), "one suspicion for each claim"
        for one in suspicions:
            is_suspicion(one, (*RULINGS, ""))
        passed = [c for c, s in zip(given, suspicions, strict=True) if not s.ruling]
        said = judgements(tick) if tick % 2 else no_judgements()
        heard = Heard(given, passed, said, 400, words(tick, said.spam))
        past = _learned(check, kind, tick, past, heard)
    for tick in range(98, 400):
        past = check.learn(tick, past, Heard([], [], no_judgements(), 400))
    assert len(codec.pack(past)) < begun + 2000, "what is remembered of quiet times stays small"
    flood = [c._replace(judged=None) for c in cases(400) * 25]
    held = check.examine(400, past, flood)
    assert {s.ruling for s in held} <= {*RULINGS, ""}
    assert len(held) == 1000
    assert sum(s.ruling == QUARANTINED for s in held) <= 1000


def _learned(check: Any, kind: Any, tick: int, past: Any, heard: Heard) -> Any:
    before = codec.pack(past)
    after = check.learn(tick, past, heard)
    assert codec.pack(past) == before, "learn changes the past it is given"
    assert codec.pack(check.learn(tick, again(kind, past), heard)) == codec.pack(after)
    return again(kind, after)
