"""The names in a credit: a photographer's, and an agency's."""

import re
from typing import NamedTuple

from flows.articles.credits.agencies import NO_PERSONS, agency_of

MAX_NAMES_LENGTH = 100  # characters
MAX_WORDS = 14  # parted by spaces

_MARK = "[/|;,，、／=＝©()（）]"
_PARTS = re.compile(
    rf"{_MARK}\s*+|(?<!\s)\s++(?:{_MARK}\s*+|(?:via|for|on|through)\s++|[-–—]\s++)",
    re.IGNORECASE,
)
_ABBREVIATED = re.compile(r"\w{3}\. ")
_PARTICLES = frozenset(
    {
        *("al", "and", "bin", "da", "das", "de", "del", "den", "der", "di", "do", "dos", "du", "e", "el", "en", "et"),
        *("for", "i", "la", "las", "le", "los", "of", "the", "to", "van", "von", "und", "y", "zu", "&"),
    }
)


class Names(NamedTuple):
    """The first photographer and the first known agency of some names; `alone` where they are nothing but names."""

    photographer: str | None
    agency: str | None
    alone: bool


def read_names(names: str) -> Names:
    """What `Jane Doe/AFP via Getty Images` names: each part is an agency, a person, or says that there is none."""
    photographer = agency = None
    parts = [part for part in _PARTS.split(names.strip(" .。")) if part]
    alone = bool(parts) and len(names) <= MAX_NAMES_LENGTH
    for part in parts:
        known = agency_of(part)
        if known:
            agency = agency or known
        elif part.casefold() in NO_PERSONS:
            continue
        elif _is_name(part):
            photographer = photographer or part
        elif not part.isdigit():
            alone = False
    return Names(photographer, agency, alone)


def may_be_names(text: str) -> bool:
    """A cheap look: whether a text has so few words that it may be names; of `iStock` and `dpa` there are fewer."""
    return len(text) <= MAX_NAMES_LENGTH and text.count(" ") < (3 if text[:1].islower() else MAX_WORDS)


def _is_name(part: str) -> bool:
    """Up to six words, all with a capital, or of a script that has none, but for particles as in Ana de la Cruz."""
    words = part.split()
    return (
        0 < len(words) <= 6
        and _is_capital(words[0])
        and all(_is_capital(word) or word in _PARTICLES for word in words)
        and not any(mark in part for mark in "!?。…:：")
        and _ABBREVIATED.search(part) is None
    )


def _is_capital(word: str) -> bool:
    letter = word.lstrip("\"'“‘@")[:1]
    return letter.isalpha() and not letter.islower()
