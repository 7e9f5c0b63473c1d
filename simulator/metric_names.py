"""The names of the metrics, and of what there is of each: nothing is imported to know them."""

NAMES = (
    "ham_misclassified",
    "spam_misclassified",
    "ham_unsure",
    "spam_unsure",
    "campaign_in_inbox",
    "campaign_unsure",
    "poison_share",
    "attack_success",
    "attack_success_end",
    "attack_success_ref",
    "honest_votes_lost",
    "honest_votes_lost_spam",
    "honest_votes_lost_not_spam",
    "honest_votes_lost_by_few",
    "honest_mistakes_refused",
    "correction_delay",
    "correction_delay_p95",
    "vote_value",
    "one_minus_roca",
    "ticks_to_compromise",
    "ticks_to_detect",
    "ticks_to_recover",
    "twin_alarms_a_day",
)
STATISTICS = ("mean", "min", "max", "p95", "ci_low", "ci_high")
