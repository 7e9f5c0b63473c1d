import pytest

from filter.plugins import PluginError, names, nearest, unknown
from filter.settings import guard, guard_names

SETTINGS = ["accounts", "mails_per_hour", "votes_per_hour", "varies"]
LOST = ["honest_votes_lost_spam", "honest_votes_lost", "attack_success_end", "attack_success"]


@pytest.mark.parametrize(
    ("got", "known", "meant"),
    [
        ("votes", SETTINGS, "votes_per_hour"),
        ("Votes", SETTINGS, "votes_per_hour"),
        ("account", SETTINGS, "accounts"),
        ("acounts", SETTINGS, "accounts"),
        ("vareis", SETTINGS, "varies"),
        ("votes_per_day", SETTINGS, "votes_per_hour"),
        ("lost", LOST, "honest_votes_lost"),
        ("success", LOST, "attack_success"),
        ("atack_success", LOST, "attack_success"),
        ("drip", names("agents.attacks"), "slow-drip"),
        ("not_spam", names("agents.attacks"), "not-spam-campaign"),
        ("rate", names("filter.checks"), "rate-limit"),
        ("ratelimit", names("filter.checks"), "rate-limit"),
        ("neighbours", names("filter.checks"), "golden-neighbours"),
        ("reputatoin", names("filter.checks"), "reputation"),
        ("hour", ["hours_a_day", "per_hour"], "hours_a_day"),
        ("v", SETTINGS, ""),
        ("", SETTINGS, ""),
        ("zzz", SETTINGS, ""),
    ],
)
def test_the_name_that_was_meant_is_found(got: str, known: list[str], meant: str) -> None:
    assert nearest(got, known) == meant


def test_a_name_that_is_a_guard_and_a_check_is_listed_once() -> None:
    assert "reject-all" in {*guard_names()} & {*names("filter.checks")}
    with pytest.raises(PluginError, match="unknown 'xyzzy'") as caught:
        guard("xyzzy")
    listed = str(caught.value).partition("There are: ")[2].split(", ")
    assert set(listed) == {*guard_names(), *names("filter.checks")}
    assert len(listed) == len(set(listed))
    assert unknown("x", ["a", "b", "a"]) == "unknown 'x'. There are: a, b"
