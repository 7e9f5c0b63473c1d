"""The first figures of the page say what they are of."""

import msgspec

from simulator.metrics import Metric
from simulator.page.head import tiles
from tests.simulator.test_printed import SUMMARY


def said(spam: float | None, not_spam: float | None) -> str:
    lost = [share for share in (spam, not_spam) if share is not None]
    shares = {
        "honest_votes_lost": Metric(max(lost)),
        "honest_votes_lost_spam": Metric(spam),
        "honest_votes_lost_not_spam": Metric(not_spam),
    }
    found = msgspec.structs.replace(SUMMARY, metrics=SUMMARY.metrics | shares)
    return str([one for one in tiles(found) if "honest votes lost" in str(one)])


def test_a_label_with_too_few_votes_is_named_beside_the_share_of_lost_votes() -> None:
    assert "the worse" in said(0.0, 0.3)
    assert 'too few "not spam" ones' in said(0.0, None).replace("\\", "")
    assert 'of "not spam" votes alone' in said(None, 0.2).replace("\\", "")
