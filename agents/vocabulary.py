"""The words of synthetic mail: topics, genres, and tables to draw from.

Text is made only when somebody looks; until then a mail is numbers of words.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from filter.features import hash_words
from filter.portable import exp, log

WORDS = 24_000
TABLE = 1 << 16
ZIPF = 1.3
"""Exponent of the law by which everybody's words fall off with their rank."""
TOPIC = 250
"""Words of a topic, of which the first few are written out below."""
NEWS = 120
"""Words of what everybody speaks of for some days: see `Vocabulary.news`."""

Words = NDArray[np.int32]
Shares = NDArray[np.float64]

TOPICS = {
    "english": {
        "friends": "weekend dinner mum photos birthday kids lovely see you tonight garden train "
        "holiday cake dog football thanks cheers home sorry party wedding school beach coffee",
        "office": "meeting agenda minutes project deadline review budget quarter slides client "
        "draft report schedule team contract proposal call notes attached feedback release ticket",
        "marketing": "offer sale free discount subscribe unsubscribe newsletter deal save today "
        "exclusive limited shop brand new week stories read click online best gift members",
        "money": "invoice order receipt payment total paid delivery shipping tax card amount "
        "number customer refund purchase item qty address date confirm thank account balance",
        "account": "password reset link account verify security login code expire request sign "
        "device email support help team secure update identity bank suspended access",
        "romance": "lonely singles date kiss beautiful woman man love meet chat profile hot "
        "private waiting tonight pictures heart dear webcam attractive passion near",
        "pills": "pills pharmacy viagra cialis cheap meds prescription doctor health weight loss "
        "dose tablets generic order discreet overnight canadian drug enlarge results natural",
        "lure": "urgent immediately suspended unusual activity winner inheritance transfer million "
        "beneficiary confidential attorney warning final notice restore claim prize fund",
    },
    "german": {
        "friends": "wochenende abendessen mama fotos geburtstag kinder garten urlaub kuchen hund",
        "office": "besprechung projekt frist angebot bericht vertrag anhang termin kunde entwurf",
        "marketing": "angebot rabatt kostenlos abmelden gutschein neuheiten sparen heute exklusiv",
        "money": "rechnung bestellung zahlung lieferung betrag kunde adresse datum steuer konto",
        "account": "passwort anmelden konto sicherheit bestaetigen abgelaufen zugang hilfe code",
        "romance": "einsam partnersuche kuss frau mann liebe treffen profil privat bilder herz",
        "pills": "tabletten apotheke rezeptfrei arzt gesundheit abnehmen diskret versand dosis",
        "lure": "dringend gesperrt gewinner erbschaft ueberweisung million vertraulich anwalt",
    },
    "spanish": {
        "friends": "cena fotos familia hijos jardin vacaciones pastel perro gracias casa fiesta",
        "office": "reunion proyecto plazo informe contrato propuesta cliente borrador adjunto",
        "marketing": "oferta descuento gratis suscribir ahorra hoy exclusivo tienda novedades",
        "money": "factura pedido pago envio importe cliente direccion fecha recibo tarjeta cuenta",
        "account": "contrasena cuenta verificar seguridad acceso codigo caduca solicitud ayuda",
        "romance": "soltera cita beso hermosa mujer hombre amor conocer perfil privado corazon",
        "pills": "pastillas farmacia receta medico salud peso barato genericos discreto dosis",
        "lure": "urgente suspendida ganador herencia transferencia millones confidencial abogado",
    },
}
"""The first words of each topic, by language; the rest of them are invented."""


class Genre(NamedTuple):
    """A kind of mail, as a reader tells it.

    Args:
        name: what it is called.
        spam: whether a reader who is not mistaken calls it spam.
        share: of all ordinary mail.
        tokens: how many words at the median.
        topics: what it draws its words from; the rest are everybody's words.
        bulk: whether it is sent to many from a template.
        cover: how much like mail of the other class it can be, 1 for the most: a disguise if it is
            spam, an offer that a friend passes on, or a newsletter that shouts like a spammer.
        news: share of its words that are of what everybody speaks of for some days.
        lasts: how many times as long as a campaign its templates last: a shop changes its receipts
            less often than its newsletters.
    """

    name: str
    spam: bool
    share: float
    tokens: int
    topics: dict[str, float]
    bulk: bool
    cover: float
    news: float
    lasts: int = 1


GENRES = (
    Genre("personal", False, 0.13, 54, {"friends": 0.26, "office": 0.03}, False, 0.8, 0.05),
    Genre("work", False, 0.17, 72, {"office": 0.32, "money": 0.05}, False, 0.8, 0.05),
    Genre(
        "newsletters",
        False,
        0.14,
        96,
        {"marketing": 0.34, "office": 0.05, "money": 0.05},
        True,
        1.0,
        0.10,
    ),
    Genre(
        "receipts",
        False,
        0.04,
        48,
        {"money": 0.40, "account": 0.08, "marketing": 0.05},
        True,
        0.4,
        0.0,
        20,
    ),
    Genre(
        "password-resets",
        False,
        0.02,
        48,
        {"account": 0.40, "office": 0.06},
        True,
        0.4,
        0.0,
        20,
    ),
    Genre(
        "dating",
        True,
        0.15,
        54,
        {"romance": 0.26, "friends": 0.10, "marketing": 0.12},
        True,
        1.0,
        0.03,
    ),
    Genre("pharmacy", True, 0.20, 60, {"pills": 0.24, "marketing": 0.26}, True, 1.0, 0.03),
    Genre(
        "phishing",
        True,
        0.15,
        48,
        {"account": 0.18, "money": 0.10, "lure": 0.22},
        True,
        1.0,
        0.05,
    ),
)
LANGUAGES = tuple(TOPICS)


@dataclass(frozen=True)
class Vocabulary:
    """All words, and what each genre draws them from.

    Attributes:
        words: the words as text, the most frequent first.
        hashes: their token hashes (uint32), as `filter.features.hash_texts` gives them.
        tables: a row for each genre of each language in turn: 65,536 numbers of words, as often as
            each is drawn.
        lengths: a row for each genre: 256 numbers of words in a mail, as often as each is drawn.
        tail: number of the first word that is rare enough to be new to a filter.
        news: 65,536 ranks of the words of what everybody speaks of, as often as each is drawn.
    """

    words: tuple[str, ...]
    hashes: NDArray[np.uint32]
    tables: Words
    lengths: Words
    tail: int
    news: Words

    def text(self, numbers: Words) -> str:
        """What a reader sees: the first six words as the subject, then the body."""
        said = [self.words[number] for number in numbers.tolist()]
        return " ".join(said[:6]) + "\n" + " ".join(said[6:])


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The vocabulary: the same on every machine, whatever the seed."""
    written = {word for of in TOPICS.values() for words in of.values() for word in words.split()}
    topical = sorted(written)
    words = [*topical, *_invented(WORDS - len(topical), written)]
    number = {word: place for place, word in enumerate(words)}
    tables = []
    for language, of in TOPICS.items():
        topics = {
            name: _topic(len(TOPICS) * place + LANGUAGES.index(language), _numbers(number, said))
            for place, (name, said) in enumerate(of.items())
        }
        everybody = _everybody(len(topical), LANGUAGES.index(language))
        tables += [_table(genre, topics, everybody) for genre in GENRES]
    lengths = np.stack([_lengths(genre.tokens) for genre in GENRES])
    hashes = hash_words(words)
    return Vocabulary(tuple(words), hashes, np.stack(tables), lengths, WORDS // 3, _news())


def _numbers(number: dict[str, int], said: str) -> list[int]:
    return [number[word] for word in said.split()]


def _everybody(topical: int, language: int) -> Shares:
    """Everybody's share of each word: other words are frequent in another language.

    The topics' own words are said by everybody now and then.
    """
    weight = exp(-ZIPF * log(np.arange(4, WORDS - topical + 4, dtype=np.float64)))
    turned = np.roll(weight, language * WORDS // 9)
    share: Shares = np.concatenate((np.full(topical, weight[1000]), turned))
    share /= share.sum()
    return share


def _news() -> Words:
    """Ranks by Zipf's law."""
    upto = np.cumsum(1.0 / (np.arange(NEWS) + 4.0))
    marks = (np.arange(TABLE) + 0.5) / TABLE * upto[-1]
    ranks: Words = np.searchsorted(upto, marks).astype(np.int32)
    return ranks


def _topic(place: int, known: list[int]) -> Shares:
    """A topic's share of each word: the known ones first, then invented ones, by Zipf's law."""
    weight = np.zeros(WORDS)
    invented = 1_000 + place * TOPIC + np.arange(TOPIC - len(known))
    ranked = np.concatenate((known, invented)).astype(np.int64)
    weight[ranked] = 1.0 / (np.arange(len(ranked)) + 8.0)
    share: Shares = weight / weight.sum()
    return share


def _table(genre: Genre, topics: dict[str, Shares], everybody: Shares) -> Words:
    share = everybody * (1 - sum(genre.topics.values()))
    for name, part in genre.topics.items():
        share = share + part * topics[name]
    upto = np.cumsum(share)
    marks = (np.arange(TABLE) + 0.5) / TABLE * upto[-1]
    table: Words = np.searchsorted(upto, marks).astype(np.int32)
    return table


def _lengths(median: int) -> Words:
    """Lengths from half the median to thrice, most of them near it."""
    share = (np.arange(256) + 0.5) / 256
    spread = 0.5 + share * (0.5 + share * share * 1.5)
    lengths: Words = np.maximum(np.rint(median * spread * 1.1), 8).astype(np.int32)
    return lengths


def _invented(count: int, taken: set[str]) -> list[str]:
    """Words that can be said, all different: syllables counted up, the short ones first."""
    onsets = (*"bcdfghjklmnprstvwz", "br", "cl", "dr", "gr", "pl", "st", "tr")
    rhymes = ("a", "e", "i", "o", "u", "an", "en", "il", "or", "us", "ai", "ek")
    syllables = [onset + rhyme for onset in onsets for rhyme in rhymes]
    made = (a + b for b in syllables for a in syllables)
    words: list[str] = []
    for word in made:
        if word not in taken:
            words.append(word)
        if len(words) == count:
            break
    return words
