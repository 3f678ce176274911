"""Read the names in a credit: the photographer and the agency."""

import re
from typing import NamedTuple

from flows.articles.credits.agencies import NO_PERSONS, agency_of
from flows.articles.credits.labels import is_label

MAX_NAMES_LENGTH = 100  # characters
MAX_WORDS = 14  # separated by spaces

_MARK = "[/|;,，、／=＝©()（）]"
_PARTS = re.compile(
    rf"{_MARK}\s*+|(?<!\s)\s++(?:{_MARK}\s*+|(?:via|for|on|through)\s++|[-–—]\s++)",
    re.IGNORECASE,
)
_PREPOSITIONS = ("via ", "Via ", "on ", "from ", "through ")  # before the source, after a comma
_ABBREVIATED = re.compile(r"\w{3}\. ")
_PARTICLES = frozenset(
    {
        *("al", "and", "bin", "da", "das", "de", "del", "den", "der", "di", "do", "dos", "du", "e", "el", "en", "et"),
        *("for", "i", "la", "las", "le", "los", "of", "the", "to", "van", "von", "und", "y", "zu", "&"),
    }
)


class Names(NamedTuple):
    """The first photographer and the first known agency; `alone` is whether the text has nothing but names."""

    photographer: str | None
    agency: str | None
    alone: bool


def read_names(names: str) -> Names:
    """Read text such as `Jane Doe/AFP via Getty Images`. A part is an agency, a person, or neither."""
    photographer = agency = None
    parts = [part for part in _PARTS.split(names.strip(" .。")) if part]
    alone = bool(parts) and len(names) <= MAX_NAMES_LENGTH
    for part in parts:
        if part.startswith(_PREPOSITIONS):
            part = part.partition(" ")[2].strip()
        known = agency_of(part)
        if known:
            agency = agency or known
        elif part.casefold() in NO_PERSONS or is_label(part):
            continue
        elif _is_name(part):
            photographer = photographer or part
        elif not part.isdigit():
            alone = False
    return Names(photographer, agency, alone)


def may_be_names(text: str) -> bool:
    """Return whether a text is short enough to be names: a cheap check before `read_names`."""
    return len(text) <= MAX_NAMES_LENGTH and text.count(" ") < (3 if text[:1].islower() else MAX_WORDS)


def _is_name(part: str) -> bool:
    """Return whether a text is at most six capitalized words, apart from particles as in Ana de la Cruz."""
    parts = part.split()
    return (
        0 < len(parts) <= 6
        and _is_capital(parts[0])
        and all(_is_capital(word) or word in _PARTICLES for word in parts)
        and not any(mark in part for mark in "!?。…:：")
        and _ABBREVIATED.search(part) is None
    )


def _is_capital(word: str) -> bool:
    letter = word.lstrip("\"'“‘@")[:1]
    return letter.isalpha() and not letter.islower()
