"""The people: one population, in columns, who look at their mail and now and then vote."""

from dataclasses import dataclass, field, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filter.columns import Bits, Floats, Folders, Ids, Ints, Ticks
from filter.events import INBOX, JUNK, UNSURE
from filter.hashing import combine, key, uniform
from filter.portable import exp, log

DAY = 24
USUAL, LAZY, SKILLED, CARELESS = range(4)
"""What kind of voter somebody is."""

NEWSLETTERS = "newsletters"


@dataclass(frozen=True)
class Habits:
    """What people do, each habit one number; where no source is named it is assumed.

    Args:
        look_inbox: share of mails in the inbox that their reader looks at.
        look_unsure: the same for mails that are marked unsure.
        look_spam: the same for the spam folder.
        report_spam: share of spam seen, in inbox or unsure, that is voted "spam".
        rescue_ham: share of ham seen, in spam or unsure, that is voted "not spam".
        mistaken_spam: share of ham seen in the inbox that is voted "spam", by genre: mistakes are
            specific to genres (Kolcz and Cormack, KDD 2009).
        mistaken_ham: share of spam seen in the spam folder that is voted "not spam", by genre.
        uniform: whether as many mistakes fall on all genres alike, as laboratories have it.
        lazy: share of people who report newsletters instead of unsubscribing (Taylor, CEAS 2006).
        lazy_reports: share of the newsletters that they see in the inbox.
        skilled: share of people who are never mistaken; at most 2.4 % of a network's users are
            skilled reporters (Freeman, WWW 2017).
        skilled_reports: share of the spam that they see which they report.
        careless: share of people whose mail program says "not spam" of what they delete from the
            spam folder (seen in mail-in-a-box, issue 520).
        emptied: share of their spam folder that they delete, unseen.
        slips: share of mails seen in the inbox that end in the spam folder by a slip of the hand.
        zeal_spread: how unequally people vote: the standard deviation of the log of their zeal.
        delay: ticks from delivery to vote, at the mean.
        kept_after: ticks after which a mail that was seen and left counts as kept.
        earlier_votes: judged votes before the run, at the mean, of an account of a year.
        earlier_right: share of those that were right.
        office: share of people who share an address with some fifty colleagues.
    """

    look_inbox: float = 0.8
    look_unsure: float = 0.5
    look_spam: float = 0.05
    report_spam: float = 0.2
    rescue_ham: float = 0.6
    mistaken_spam: dict[str, float] = field(
        default_factory=lambda: {
            "newsletters": 0.001,
            "receipts": 0.0005,
            "work": 0.0002,
            "personal": 0.0002,
            "ham": 0.0005,
        }
    )
    mistaken_ham: dict[str, float] = field(
        default_factory=lambda: {
            "dating": 0.004,
            "phishing": 0.003,
            "pharmacy": 0.001,
            "spam": 0.002,
        }
    )
    uniform: bool = False
    lazy: float = 0.03
    lazy_reports: float = 0.1
    skilled: float = 0.02
    skilled_reports: float = 0.6
    careless: float = 0.002
    emptied: float = 0.3
    slips: float = 0.00002
    zeal_spread: float = 1.2
    delay: float = 4.0
    kept_after: int = 12
    earlier_votes: float = 4.0
    earlier_right: float = 0.92
    office: float = 0.3


ASSUMED = "assumed"
SOURCES = dict.fromkeys((one.name for one in fields(Habits)), ASSUMED) | {
    "mistaken_spam": "that it differs by genre: Kolcz and Cormack, KDD 2009; the numbers assumed",
    "mistaken_ham": "that it differs by genre: Kolcz and Cormack, KDD 2009; the numbers assumed",
    "lazy": "that there are some: Taylor, CEAS 2006; the number assumed",
    "skilled": "at most 2.4 %: Freeman, WWW 2017",
    "careless": "that it happens: mail-in-a-box, issue 520; the number assumed",
    "slips": "that it happens: roundcube, issue 9100; the number assumed",
}
"""Where each habit's number comes from."""


class Accounts(NamedTuple):
    """Accounts in columns: people's or bots'. ``zeal`` is 1 at the mean of people."""

    id: Ids
    opened: Ticks
    address: Ids
    subnet: Ids
    zeal: Floats
    confirmed: Ticks
    refuted: Ticks


def accounts(seed: int, kind: str, count: int, habits: Habits) -> Accounts:
    """Draw accounts of a kind, each by its own number: one more changes none of the others.

    Ids are opaque (48 bits of a hash): they tell neither the kind nor the number. A person's age,
    outcomes and address are drawn like a bot's.
    """
    number = np.arange(count, dtype=np.uint64)

    def drawn(purpose: str) -> Floats:
        return uniform(combine(key("accounts", seed, kind, purpose), number))

    age = np.floor(24.0 * (1.0 + 1500.0 * drawn("age") ** 2)).astype(np.int64)
    zeal = _zeal(drawn("zeal"), habits.zeal_spread)
    years = age / (365.0 * DAY)
    mean = habits.earlier_votes * zeal * np.minimum(years, 1.0)
    votes = np.floor(-log(1.0 - drawn("votes")) * mean).astype(np.int64)
    wrong = np.floor(votes * (1 - habits.earlier_right) + drawn("right")).astype(np.int64)
    refuted = np.minimum(wrong, votes)
    office = drawn("office") < habits.office
    desk = np.floor(number * (habits.office / 50)).astype(np.uint64)
    home = combine(key("home", seed, kind), number)
    address = np.where(office, combine(key("office", seed), desk), home) >> np.uint64(32)
    net = combine(key("net", seed, kind), number >> np.uint64(3)) >> np.uint64(40)
    subnet = np.where(office, address >> np.uint64(8), net)
    ids = combine(key("account", seed, kind), number) >> np.uint64(16)
    return Accounts(ids, -age, address, subnet, zeal, votes - refuted, refuted)


@dataclass(frozen=True)
class BotSettings:
    """Where the attacker's accounts come from; what is not said of them is as with people.

    Args:
        age: ticks that each account is old when the run begins; -1: as people's.
        addresses: how many they share; 0: as people do.
        subnets: how many they share; 0: as people do.
        right: judged votes before the run that were right, of each; -1: as people's.
        wrong: judged votes before the run that were wrong, of each; -1: as people's.
    """

    age: int = -1
    addresses: int = 0
    subnets: int = 0
    right: int = -1
    wrong: int = -1


def bots(seed: int, count: int, habits: Habits, settings: BotSettings) -> Accounts:
    """The attacker's accounts: like people's, but for what the settings say."""
    made = accounts(seed, "bot", count, habits)
    number = np.arange(count, dtype=np.uint64)
    if settings.age >= 0:
        made = made._replace(opened=np.full(count, -settings.age))
    if settings.addresses:
        shared = number % np.uint64(settings.addresses)
        made = made._replace(address=combine(key("farm", seed), shared) >> np.uint64(32))
    if settings.addresses or settings.subnets:
        place = number % np.uint64(settings.addresses or max(count, 1))
        shared = place % np.uint64(settings.subnets or max(count, 1))
        made = made._replace(subnet=combine(key("farm net", seed), shared) >> np.uint64(40))
    if settings.right >= 0:
        made = made._replace(confirmed=np.full(count, settings.right))
    if settings.wrong >= 0:
        made = made._replace(refuted=np.full(count, settings.wrong))
    return made


def _zeal(drawn: Floats, spread: float) -> Floats:
    """A long tail with mean 1: the log-normal law by a logistic quantile, close enough."""
    marks = (np.arange(1024) + 0.5) / 1024
    share: Floats = _quantile(drawn, spread) / _quantile(marks, spread).mean()
    return share


def _quantile(drawn: Floats, spread: float) -> Floats:
    return exp(log(np.maximum(drawn, 1e-6) / np.maximum(1.0 - drawn, 1e-6)) * (spread / 1.702))


class Seen(NamedTuple):
    """A tick's deliveries to people, as they see them: which person, folder and genre each has."""

    mail: Ids
    person: Ints
    folder: Folders
    genre: NDArray[np.int8]


class Cast(NamedTuple):
    """Votes to come: on which row of the deliveries, what label, how many ticks from now."""

    row: Ints
    spam: Bits
    delay: Ticks


class People:
    """What each delivery moves its reader to do; draws are by mail, so nobody moves another's.

    Args:
        seed: of the run.
        habits: their habits.
        zeal: each person's.
        genres: names of the genres, as numbered in the deliveries.
        spam: which genres a reader who is not mistaken calls spam.
        share: of all mail, of each genre.
        window: ticks after which nobody votes any more.
    """

    def __init__(
        self,
        seed: int,
        habits: Habits,
        zeal: Floats,
        genres: tuple[str, ...],
        spam: Bits,
        share: Floats,
        window: int,
    ) -> None:
        """Tabulate the habits by trait, folder and genre."""
        self._seed = seed
        self._zeal = zeal
        self._spam = spam
        self._look = np.zeros(3)
        self._look[[INBOX, UNSURE, JUNK]] = habits.look_inbox, habits.look_unsure, habits.look_spam
        mistaken = np.array(
            [
                (habits.mistaken_ham if is_spam else habits.mistaken_spam).get(genre, 0.0)
                for genre, is_spam in zip(genres, spam.tolist(), strict=True)
            ]
        )
        if habits.uniform:
            for label in (False, True):
                of = spam == label
                mistaken[of] = (mistaken[of] * share[of]).sum() / share[of].sum()
        right = np.where(spam, habits.report_spam, habits.rescue_ham)
        usual = np.stack([np.where(spam, right, mistaken), right, np.where(spam, mistaken, right)])
        lazy, skilled = usual.copy(), np.stack([np.zeros(len(genres))] * 3)
        lazy[INBOX, [genre == NEWSLETTERS for genre in genres]] = habits.lazy_reports
        skilled[[INBOX, UNSURE]] = np.where(
            spam, habits.skilled_reports, [[0.0], [habits.rescue_ham]]
        )
        skilled[JUNK] = np.where(spam, 0.0, habits.rescue_ham)
        votes = np.stack([usual, lazy, skilled, usual])
        self._willed = votes * self._look[:, None]
        self._by_accident = np.zeros_like(self._willed)
        self._by_accident[:, INBOX] = habits.look_inbox * habits.slips
        self._by_accident[CARELESS, JUNK] = habits.emptied
        shares = np.cumsum([habits.lazy, habits.skilled, habits.careless])
        drawn = self._draw("trait", np.arange(len(zeal), dtype=np.uint64))
        place = np.searchsorted(shares, drawn, "right")
        self._trait = np.array([LAZY, SKILLED, CARELESS, USUAL])[place]
        marks = (np.arange(1024) + 0.5) / 1024
        ticks = np.floor(-log(1.0 - marks) * habits.delay).astype(np.int64)
        self._delays = np.minimum(ticks, window - 1)

    def votes(self, seen: Seen) -> Cast:
        """Who of those who look will vote, what, and when."""
        place = self._trait[seen.person], seen.folder, seen.genre
        chance = self._willed[place] * self._zeal[seen.person] + self._by_accident[place]
        row = np.flatnonzero(self._draw("vote", seen.mail) < chance)
        folder, genre = seen.folder[row], seen.genre[row]
        spam = np.where(folder == UNSURE, self._spam[genre], folder == INBOX)
        when = self._draw("delay", seen.mail[row])
        return Cast(row, spam, self._delays[(when * len(self._delays)).astype(np.int64)])

    def keeps(self, seen: Seen) -> Bits:
        """Who looks and leaves the mail where it is; mail that is unsure gives no sign."""
        looks = self._draw("look", seen.mail) < self._look[seen.folder]
        looks &= seen.folder != UNSURE
        return looks

    def _draw(self, purpose: str, mail: Ids) -> Floats:
        return uniform(combine(key("people", self._seed, purpose), mail))
