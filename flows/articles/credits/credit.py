"""The credit of a caption, cut from its end."""

from typing import NamedTuple

from flows.articles.credits.names import Names
from flows.articles.credits.trailing import Trailing


class Credit(NamedTuple):
    """The credit of a caption; `rest` is the caption without it, `licence` the licence that the credit names."""

    credit: str
    photographer: str | None
    agency: str | None
    rest: str
    licence: str | None = None


def in_bracket(end: Trailing, names: Names) -> Credit:
    """Return the credit that is the last bracket of a caption."""
    return Credit(end.bracket, names.photographer, names.agency, _before(end, end.bracket_start))


def from_start(end: Trailing, start: int, names: Names) -> Credit:
    """Return the credit from `start` to the end of a caption."""
    return Credit(end.text[start:].strip(" .。"), names.photographer, names.agency, _before(end, start))


def _before(end: Trailing, start: int) -> str:
    """Return the text before a credit, without the dash or comma that separates them."""
    return end.text[:start].rstrip(" -–—＝=/|,;")
