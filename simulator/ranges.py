"""Ranges of settings: what a number may be, so that a run cannot stumble over it later."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from filter.plugins import SettingsError, dot

MOST = 10_000_000
"""Ticks, and other counts that cost nothing."""
MANY = 1_000_000
"""Accounts, and mails of a start set: beyond it a machine's memory ends."""


class Range(NamedTuple):
    """The least and the most that a number may be, both included."""

    low: float
    high: float

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"{self.low:,} or more"
        return f"{self.low:,} to {self.high:,}"


SHARE = Range(0, 1)
COUNT, ANY_COUNT = Range(1, MOST), Range(0, MOST)
CROWD = Range(1, MANY)
HOURLY = Range(1, 200_000)
LITTLE = Range(0, 0.3)
"""Of several shares that add up to one at most."""

POSITIVE, NOT_NEGATIVE = Range(1e-6, math.inf), Range(0, math.inf)

RANGES = {
    "seed": Range(0, 2**63 - 1),
    "duration": Range(1, 100_000),
    "feedback_delay": COUNT,
    "world.people": CROWD,
    "synthetic.mails_per_hour": HOURLY,
    "synthetic.start_mails": CROWD,
    "synthetic.start_ham": CROWD,
    "synthetic.campaigns": COUNT,
    "synthetic.life": COUNT,
    "synthetic.varies": SHARE,
    "synthetic.novel": SHARE,
    "synthetic.cover": SHARE,
    "synthetic.topics": COUNT,
    "synthetic.topic_life": COUNT,
    "synthetic.foreign": SHARE,
    "synthetic.attack_novel": SHARE,
    "corpus.mails_per_hour": HOURLY,
    "corpus.start_mails": CROWD,
    "corpus.start_ham": CROWD,
    "people.look_inbox": SHARE,
    "people.look_unsure": SHARE,
    "people.look_spam": SHARE,
    "people.report_spam": SHARE,
    "people.rescue_ham": SHARE,
    "people.lazy": LITTLE,
    "people.lazy_reports": SHARE,
    "people.skilled": LITTLE,
    "people.skilled_reports": SHARE,
    "people.careless": LITTLE,
    "people.emptied": SHARE,
    "people.slips": SHARE,
    "people.mistaken_spam.*": SHARE,
    "people.mistaken_ham.*": SHARE,
    "people.zeal_spread": Range(0, 10),
    "people.delay": Range(0, MOST),
    "people.kept_after": ANY_COUNT,
    "people.earlier_votes": Range(0, 1e6),
    "people.earlier_right": SHARE,
    "people.office": SHARE,
    "judges.golden": SHARE,
    "judges.errors": SHARE,
    "judges.per_recipient": ANY_COUNT,
    "judges.per_domain": ANY_COUNT,
    "judges.labelled": SHARE,
    "judges.labelled_until": ANY_COUNT,
    "filter.mail_window": COUNT,
    "filter.new_age": ANY_COUNT,
    "filter.alike": Range(1, 8),
    "filter.common": SHARE,
    "filter.watched_from": COUNT,
    "filter.most_stories": COUNT,
    "filter.learner.kept_weight": SHARE,
    "filter.learner.snapshots": COUNT,
    "filter.learner.limits.ham_in_spam": SHARE,
    "filter.learner.limits.ham_unsure": SHARE,
    "filter.learner.limits.step_per_day": SHARE,
    "filter.learner.unlearns": ANY_COUNT,
    "filter.learner.wary": ANY_COUNT,
    "filter.learner.limits.pool": COUNT,
    "filter.learner.gate.significance": SHARE,
    "filter.learner.gate.asked_per_hour": ANY_COUNT,
    "filter.learner.gate.anchor_age": ANY_COUNT,
    "filter.learner.gate.patience": ANY_COUNT,
    "filter.learner.gate.looked_at": ANY_COUNT,
    "filter.learner.gate.most": COUNT,
    "filter.responder.*": COUNT,
    "filter.responder.shadow_after": ANY_COUNT,
    "filter.responder.cluster": ANY_COUNT,
    "filter.responder.probes": ANY_COUNT,
    "filter.models.naive_bayes.bits": Range(1, 22),
    "filter.models.naive_bayes.alpha": POSITIVE,
    "filter.models.naive_bayes.half_life": NOT_NEGATIVE,
    "filter.models.logistic_regression.bits": Range(1, 22),
    "filter.models.logistic_regression.rate": NOT_NEGATIVE,
    "filter.models.logistic_regression.batch": COUNT,
    "filter.models.logistic_regression.half_life": NOT_NEGATIVE,
    "filter.checks.rate_limit.votes_per_day": POSITIVE,
    "filter.checks.rate_limit.burst": Range(1, math.inf),
    "filter.checks.reputation.half_life": POSITIVE,
    "filter.checks.reputation.prior_right": POSITIVE,
    "filter.checks.reputation.prior_wrong": POSITIVE,
    "filter.checks.reputation.hold_below": SHARE,
    "filter.checks.reputation.vetted_from": SHARE,
    "filter.checks.reputation.vetted_outcomes": NOT_NEGATIVE,
    "filter.checks.reputation.vetted_age": ANY_COUNT,
    "filter.checks.near_duplicates.once_per": ANY_COUNT,
    "filter.checks.correction_budget.start": POSITIVE,
    "filter.checks.correction_budget.room": NOT_NEGATIVE,
    "filter.checks.correction_budget.growth_per_day": NOT_NEGATIVE,
    "filter.checks.correction_budget.memory": Range(1, math.inf),
    "filter.checks.correction_budget.saved": COUNT,
    "filter.checks.report_budget.start": POSITIVE,
    "filter.checks.report_budget.room": NOT_NEGATIVE,
    "filter.checks.report_budget.growth_per_day": NOT_NEGATIVE,
    "filter.checks.report_budget.memory": Range(1, math.inf),
    "filter.checks.report_budget.saved": COUNT,
    "filter.checks.corroboration.addresses": COUNT,
    "filter.checks.corroboration.memory": COUNT,
    "filter.checks.lockstep.hours": COUNT,
    "filter.checks.lockstep.meetings": COUNT,
    "filter.checks.lockstep.others": COUNT,
    "filter.checks.lockstep.memory": COUNT,
    "filter.checks.outlying_sources.share": SHARE,
    "filter.checks.outlying_sources.window": COUNT,
    "filter.checks.outlying_sources.trees": Range(1, 1000),
    "filter.checks.outlying_sources.seed": Range(0, 2**32 - 1),
    "filter.checks.share_cap.account": SHARE,
    "filter.checks.share_cap.address": SHARE,
    "filter.checks.share_cap.subnet": SHARE,
    "filter.checks.share_cap.story": SHARE,
    "filter.checks.share_cap.least": ANY_COUNT,
    "filter.checks.share_cap.window": COUNT,
    "filter.checks.source_limits.address_per_day": POSITIVE,
    "filter.checks.source_limits.subnet_per_day": POSITIVE,
    "filter.checks.source_limits.burst": NOT_NEGATIVE,
    "filter.checks.second_opinion.share": SHARE,
    "filter.checks.second_opinion.strict": SHARE,
    "filter.checks.second_opinion.start": NOT_NEGATIVE,
    "filter.checks.second_opinion.room": NOT_NEGATIVE,
    "filter.checks.second_opinion.hours": COUNT,
    "filter.checks.second_opinion.growth_per_day": NOT_NEGATIVE,
    "filter.checks.second_opinion.memory": Range(1, math.inf),
    "filter.checks.second_opinion.enough": COUNT,
    "filter.checks.second_opinion.newest": COUNT,
    "filter.checks.second_opinion.half_life": NOT_NEGATIVE,
    "filter.checks.second_opinion.bits": Range(1, 22),
    "kafka.partitions": Range(1, 1000),
    "kafka.workers": Range(0, 100),
    "kafka.events_per_message": Range(1, 100_000),
    "kafka.snapshot_every": COUNT,
    "kafka.session_timeout": Range(6, 300),
    "kafka.patience": Range(1, 1e6),
    "attack.start": ANY_COUNT,
    "attack.duration": COUNT,
    "attack.bots.age": Range(-1, MOST),
    "attack.bots.addresses": ANY_COUNT,
    "attack.bots.subnets": ANY_COUNT,
    "attack.bots.right": Range(-1, MOST),
    "attack.bots.wrong": Range(-1, MOST),
    "attack.settings.accounts": CROWD,
    "attack.settings.mails_per_hour": Range(0, 200_000),
    "attack.settings.votes_per_hour": Range(0, 200_000),
    "attack.settings.varies": SHARE,
}
"""By dotted place; ``*`` stands for any last name."""


def check_ranges(settings: Any) -> None:
    """Refuse a number that is out of its range, or none at all.

    Raises:
        SettingsError: with the place, what was expected and what was got.
    """
    for place, value in leaves(settings):
        if isinstance(value, float) and not math.isfinite(value):
            raise SettingsError(f"{place}: expected a number, got {value}")
        bounds = within(place)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if number and bounds and not bounds.low <= value <= bounds.high:
            raise SettingsError(f"{place}: expected {bounds}, got {value}")


def within(place: str) -> Range | None:
    """The range of a number at a dotted place, if it has one."""
    return RANGES.get(place) or RANGES.get(f"{place.rpartition('.')[0]}.*")


def leaves(settings: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting that is no table, with its dotted place."""
    if is_dataclass(settings):
        settings = {one.name: getattr(settings, one.name) for one in fields(settings)}
    if not isinstance(settings, Mapping):
        yield place, settings
        return
    for name, value in settings.items():
        yield from leaves(value, dot(place, str(name)))
