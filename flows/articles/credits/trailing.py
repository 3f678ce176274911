"""Find the end of a caption: its last bracket, and the places where a credit may start."""

import re
from typing import NamedTuple

from flows.articles.credits.names import MAX_NAMES_LENGTH

MAX_CREDIT_LENGTH = 200  # characters at the end of a caption that may contain a credit

_BRACKET = re.compile(r"[(（\[【]([^()（）\[\]【】]*+)[)）\]】][\s.。]*+\Z")
MIN_BRACKET_LENGTH, MAX_BRACKET_LENGTH = 2, 160  # characters
# A credit may start after a sentence, after a dash, or after a comma that is followed by a word for photo.
_START = re.compile(
    r"[.!?…。！？।”\"»)]+\s*(?:[-–—]{1,2}\s*)?(?=\S)|\s[-–—]{1,2}\s*(?=\w)|＝"
    r"|[,;]\s+(?=(?:photo|picture|image|courtesy)\b)",
    re.IGNORECASE,
)


class Trailing(NamedTuple):
    """The end of a caption: its last bracket, if it ends with one, and the places where a credit may start."""

    text: str
    bracket: str
    bracket_start: int
    starts: list[int]


def read_trailing(text: str) -> Trailing:
    """Read the end of a text of at most MAX_CREDIT_LENGTH characters."""
    start = max(map(text.rfind, "(（[【"))
    bracket = _BRACKET.match(text, start) if start >= 0 else None
    if bracket and MIN_BRACKET_LENGTH <= len(inside := bracket[1].strip()) <= MAX_BRACKET_LENGTH:
        return Trailing(text, inside, start, [])
    starts = [match.end() for match in _START.finditer(text, max(len(text) - MAX_NAMES_LENGTH, 0))]
    return Trailing(text, "", 0, [0, *starts] if len(text) < MAX_CREDIT_LENGTH else starts)
