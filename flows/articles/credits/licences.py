"""Read the licence in a credit, such as CC BY-SA 4.0, as a short name like those of SPDX.

Creative Commons asks for the author, the source and the licence: <https://creativecommons.org/licenses/>. A licence is
neither a photographer nor an agency, and the names in a credit stand on either side of it.
"""

import re
from typing import NamedTuple

_ATTRIBUTION = r"(?:Attribution|BY)"
_PARTS = r"(?:[- ]?(?:NC|SA|ND|Non-?Commercial|Share-?Alike|No-?Deriv(?:ative)?s))*+"
_VERSION = r"(?:[ ,v]*+([1-4]\.\d)\b(?: (?:International|Unported|Generic|[A-Z]{2})\b)?)?"
_LICENCE = re.compile(
    rf"\b(?:(?:under|licensed under|licen[cs]e:?)\s++(?:a\s++)?)?"
    rf"(?:(?:CC|Creative Commons)[- ]?(?:(0|Zero)\b{_VERSION}|({_ATTRIBUTION}{_PARTS})\b{_VERSION})"
    r"|(?:https?://)?creativecommons\.org/(?:licenses/([a-z-]+)/(\d\.\d)|publicdomain/(zero|mark)/\d\.\d)\S*"
    r"|(public domain)\b(?: mark)?)(?:\s++licen[cs]e)?",
    re.IGNORECASE,
)
_WORD = re.compile(r"Non-?Commercial|Share-?Alike|No-?Deriv(?:ative)?s|[A-Z]+", re.IGNORECASE)
_WORDS = {"noncommercial": "NC", "sharealike": "SA", "noderivatives": "ND", "noderivs": "ND", "attribution": "BY"}


# What is left around a licence that was cut out: empty brackets, words and marks that led to it.
_LEFT = (
    (re.compile(r"(?<!\s)\s*+[<(\[（][\s,;]*+[>)\]）]"), ""),
    (re.compile(r"(?<!\s)\s++(?:via|under)\s*+(?=[)\]）]|\Z)"), ""),
    (re.compile(r"(?<![\s,;/|])[\s,;/|]++(?=[)\]）]|\Z)"), ""),
    (re.compile(r"(?<![\s,;/|])\s*+[,;/|]\s*+[,;/|]\s*+"), ", "),
)


class Licensed(NamedTuple):
    """A text without its licence: `licence` is the short name, `start` where it stood."""

    text: str
    licence: str
    start: int


def read_licence(text: str) -> Licensed | None:
    """Return a text without the licence in it and its separators, None if it names no licence."""
    if not ("CC" in text or "cc" in text or "ommons" in text or "omain" in text or "OMAIN" in text):  # as in most
        return None
    found = _LICENCE.search(text)
    if found is None:
        return None
    rest = _LICENCE.sub("", text).rstrip(" .")
    for pattern, instead in _LEFT:
        rest = pattern.sub(instead, rest)
    start = len(text[: found.start()].rstrip(" ,;/|-–—·<([（"))
    return Licensed(rest.strip(" -–—·"), _short_name(found), start)


def _short_name(found: re.Match[str]) -> str:
    zero, zero_version, parts, version, path, path_version, domain, public = found.groups()
    if zero or domain == "zero":
        return f"CC0-{zero_version or '1.0'}"
    if public or domain:
        return "PD"
    found_words = _WORD.findall(parts or path)
    names = [_WORDS.get(word.casefold().replace("-", ""), word.upper()) for word in found_words]
    return "-".join(["CC", *names, *filter(None, [version or path_version])])
