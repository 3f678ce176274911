"""Find the title, the dateline and the prose in the blocks of a body."""

import re
from calendar import day_abbr, day_name
from typing import NamedTuple

from flows.articles.credits.agencies import agency_of
from flows.articles.markdown.blocks import Block

# Scripts without spaces between words: each ideograph or kana counts as one word.
_SPACELESS = re.compile("[\u3040-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_BEYOND = re.compile("[\u3040-\U0003ffff]")  # a cheap check for any of them
MAX_DATELINE_LENGTH = 80  # characters before the dash
_DASH = re.compile(r" [-‐‑‒–—―−]{1,3} (\S)")
_AGENCY = re.compile(r"(?<!\s)\s*+\([^()]{1,40}\)\Z")
_OPENINGS = "\"'“”‘’«»„‹›「『$€£¥₹"  # of a quotation or an amount
# Words before a dash that are not a place.
_NO_PLACES = frozenset(
    {
        *("ADVISORY", "ANALYSIS", "BREAKING", "COLUMN", "COMMENTARY", "CORRECTED", "CORRECTION", "EDITORIAL"),
        *("EXCLUSIVE", "EXPLAINER", "FACTBOX", "FEATURE", "INSIGHT", "INTERVIEW", "LIVE", "NEWS", "OPINION", "PHOTOS"),
        *("REVIEW", "TIMELINE", "UPDATE", "UPDATED", "URGENT", "VIDEO", "WATCH"),
    }
)
_WEEKDAYS = frozenset({*day_name, *day_abbr})


class Prose(NamedTuple):
    """The readable text: its title (None without one), its blocks, and the first paragraph (`opening`)."""

    title: str | None
    title_source: str | None
    texts: list[str]
    opening: str


def read_prose(blocks: list[Block], texts: list[str], given_title: str | None) -> Prose:
    """Return title and prose; `texts` are the prose of each block, "" if it has none.

    The title is that of the front matter, else the first level-1 heading with text, else the first paragraph below an
    empty heading that opens the body. The block with the title is not prose.
    """
    title, source, place = _find_title(blocks, texts, given_title)
    prose = [text for number, text in enumerate(texts) if text and number != place]
    paragraphs = (n for n, text in enumerate(texts) if text and n != place and blocks[n].kind == "text")
    first = next(paragraphs, None)
    return Prose(title, source, prose, "" if first is None else texts[first])


def _find_title(
    blocks: list[Block], texts: list[str], given_title: str | None
) -> tuple[str | None, str | None, int | None]:
    """Return the title, where it was found, and the number of the block that repeats it or is it."""
    heading = next((number for number, block in enumerate(blocks) if block.level == 1 and texts[number]), None)
    opening = _under_empty_heading(blocks, texts)
    if given_title:
        for place in (heading, opening):
            if place is not None and texts[place] == given_title:
                return given_title, "front_matter", place
        return given_title, "front_matter", None
    if heading is not None:
        return texts[heading], "heading", heading
    if opening is not None:
        return texts[opening], "first_paragraph", opening
    return None, None, None


def _under_empty_heading(blocks: list[Block], texts: list[str]) -> int | None:
    if not blocks or blocks[0].kind != "heading" or texts[0]:
        return None
    return next((number for number, block in enumerate(blocks) if block.kind == "text" and texts[number]), None)


def read_dateline(text: str) -> str | None:
    """Return the place at the start of a paragraph (LYON for `LYON, 4 déc (AFP) - Le…`), None if it has none."""
    dash = _DASH.search(text, 2, MAX_DATELINE_LENGTH + 6) if text[:2].isupper() else None
    if dash is None or not (dash[1].isdigit() or dash[1] in _OPENINGS or _is_capital(dash[1])):
        return None
    place, *regions = (part.strip() for part in _AGENCY.sub("", text[: dash.start()]).split(","))
    if not place.isupper() or len(place) < 2 or _has_digit(place) or place in _NO_PLACES:
        return None
    return ", ".join([place, *filter(_is_region, regions)])


def _is_region(part: str) -> bool:
    """Return whether a part after the place is a region: not a date, weekday or agency."""
    return part[:1].isupper() and not _has_digit(part) and part.strip(".") not in _WEEKDAYS and not agency_of(part)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_capital(letter: str) -> bool:
    return letter.isalpha() and not letter.islower()


def count_words(text: str) -> int:
    """Count the words: parts between white space and dashes that have a letter or digit.

    In scripts without spaces between words, each ideograph or kana counts as one.
    """
    text = text.replace("—", " ").replace("–", " ").replace("œ", "o")
    plain = text.encode("latin-1", "ignore")
    if len(plain) == len(text) or _are_quotes(text, len(text) - len(plain)):
        plain = plain.translate(_LATIN_WORDS, _LATIN_MARKS)
        return plain.startswith(b"a") + plain.count(b" a")
    ideographs = 0
    if _BEYOND.search(text):
        text, ideographs = _SPACELESS.subn(" ", text)
    parts = text.split()
    return ideographs + len(parts) - sum(not any(map(str.isalnum, part)) for part in parts if not part.isalnum())


def _are_quotes(text: str, others: int) -> bool:
    """Return whether all `others` characters outside Latin-1 are quotation marks."""
    for mark in "’“”‘…":
        others = others and others - text.count(mark)
    return not others


_LATIN = [chr(code) for code in range(256)]
_LATIN_MARKS = "".join(c for c in _LATIN if not c.isalnum() and not c.isspace()).encode("latin-1")
_LATIN_WORDS = bytes(ord("a" if c.isalnum() else " " if c.isspace() else c) for c in _LATIN)
