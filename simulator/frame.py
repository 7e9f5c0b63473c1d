"""A frame: what happened at a tick, in numbers; the truth in aggregate."""

import msgspec
import numpy as np

from filter.columns import Bits
from filter.events import INBOX, JUNK, UNIT, UNSURE
from filter.stage import Flow
from simulator.mail import CAMPAIGN, COPY, PEOPLE
from simulator.truth import Known, Truth


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tick of one arm. Mail is people's: copies to bots are counted apart, as a cost.

    ``lessons_people`` and ``lessons_bots`` are weights in lessons; ``*_rulings`` count what was
    ruled at this tick, second rulings on held votes among them.
    """

    tick: int
    mails: int
    ham: int
    ham_in_spam: int
    ham_unsure: int
    spam: int
    spam_in_inbox: int
    spam_unsure: int
    campaign: int
    campaign_in_inbox: int
    campaign_unsure: int
    copies: int
    votes_people: int
    votes_bots: int
    rulings_people: dict[str, int]
    rulings_bots: dict[str, int]
    lessons_people: float
    lessons_bots: float
    kept: int
    judged: int
    asked: int
    held: int
    release: str
    alarms: int
    alarms_true: int
    decoys: int
    """Copies that bots were shown in another folder than they were filed in."""
    harmed: int
    """The same of people's mail: what decoys cost the honest."""


def frame(tick: int, flow: Flow, known: Known, truth: Truth, held: int) -> Frame:
    """Count a tick.

    Args:
        tick: the tick.
        flow: all that flowed at it.
        known: what is true of its mail.
        truth: who is a bot.
        held: votes that are held after it.
    """
    people = known.kind == PEOPLE
    ham, spam = people & ~known.spam, people & known.spam
    campaign = known.kind == CAMPAIGN

    def put(of: Bits, folder: int) -> int:
        return int(np.count_nonzero(of & (known.shown == folder)))

    votes = flow.votes or ()
    by_bots = sum(vote.account in truth.bots for vote in votes)
    rulings = [*(flow.stopped or ()), *(flow.rulings or ())]
    counted: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for ruling in rulings:
        of = counted[ruling.account in truth.bots]
        of[ruling.ruling] = of.get(ruling.ruling, 0) + 1
    weight = [0, 0]
    for lesson in flow.lessons or ():
        for account, part in lesson.shares:
            weight[account in truth.bots] += part
    named = {(response.scope, response.source) for response in flow.responses or ()}
    alarmed = [source in truth.sources[scope] for scope, source in named]
    lies = known.shown != known.folder
    release = (flow.releases or (None,))[-1]
    refused = release is not None and release.action != "promote"
    assert flow.believed is not None
    assert flow.judgements is not None
    return Frame(
        tick=tick,
        mails=len(known.mail),
        ham=int(ham.sum()),
        ham_in_spam=put(ham, JUNK),
        ham_unsure=put(ham, UNSURE),
        spam=int(spam.sum()),
        spam_in_inbox=put(spam, INBOX),
        spam_unsure=put(spam, UNSURE),
        campaign=int(campaign.sum()),
        campaign_in_inbox=put(campaign, INBOX),
        campaign_unsure=put(campaign, UNSURE),
        copies=len(known.mail) - int(people.sum()) - int(campaign.sum()),
        votes_people=len(votes) - by_bots,
        votes_bots=by_bots,
        rulings_people=dict(sorted(counted[0].items())),
        rulings_bots=dict(sorted(counted[1].items())),
        lessons_people=weight[0] / UNIT,
        lessons_bots=weight[1] / UNIT,
        kept=len(flow.believed.mail),
        judged=len(flow.judgements.mail),
        asked=int(flow.judgements.asked.sum()),
        held=held,
        release=release.action if release else "",
        alarms=len(alarmed) + refused,
        alarms_true=sum(alarmed),
        decoys=int(np.count_nonzero(lies & (known.kind == COPY))),
        harmed=int(np.count_nonzero(lies & (known.kind != COPY))),
    )
