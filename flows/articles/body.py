"""The blocks of a body become its title, its dateline and its prose."""

import re
from typing import NamedTuple

from flows.articles.blocks import Block
from flows.articles.images import fold

# Scripts that put no space between words: each of their ideographs and kana counts as one word.
_SPACELESS = re.compile("[\u3040-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_DATELINE = re.compile(r"([^\n]{2,80}?)\s+[-‐‑‒–—―]{1,2}\s+(?=(\S))")
_AGENCY = re.compile(r"\s*\([^()]{1,40}\)\Z")
_QUOTES = "\"'“”‘’«»„‹›「『"


class Prose(NamedTuple):
    """What readers read: `title` is None where the body gives none; `texts` are the blocks of prose."""

    title: str | None
    title_source: str | None
    texts: list[str]


def read_prose(blocks: list[Block], captions: set[int], given_title: str | None) -> Prose:
    """Title and prose; `captions` are the indexes of blocks that are no prose.

    The title is the one given, else the first level-1 heading with text, else the first paragraph under an empty
    heading that opens the body. The block that holds the title is no prose.
    """
    readable = [
        (index, block)
        for index, block in enumerate(blocks)
        if block.kind not in ("html", "code") and index not in captions
    ]
    texts = {index: fold(block.text) for index, block in readable}
    heading = next((index for index, block in readable if block.level == 1 and texts[index]), None)
    opening = _under_empty_heading(readable, texts)
    if given_title:
        title, source = given_title, "front_matter"
        spoken = next((i for i in (heading, opening) if i is not None and texts[i] == given_title), None)
    elif heading is not None:
        title, source, spoken = texts[heading], "heading", heading
    elif opening is not None:
        title, source, spoken = texts[opening], "first_paragraph", opening
    else:
        title, source, spoken = None, None, None
    return Prose(title, source, [text for index, text in texts.items() if text and index != spoken])


def _under_empty_heading(readable: list[tuple[int, Block]], texts: dict[int, str]) -> int | None:
    if not readable or readable[0][1].kind != "heading" or texts[readable[0][0]]:
        return None
    return next((index for index, block in readable[1:] if block.kind == "paragraph" and texts[index]), None)


def read_dateline(text: str) -> str | None:
    """The place with which a paragraph opens: `LYON, 4 déc (AFP) - Le…` gives LYON; None where it is none."""
    match = _DATELINE.match(text)
    if match is None or not (match[2].isdigit() or match[2] in _QUOTES or _is_capital(match[2])):
        return None
    place, *regions = (part.strip() for part in _AGENCY.sub("", match[1]).split(","))
    if not place.isupper() or len(place) < 2 or any(character.isdigit() for character in place):
        return None
    kept = [part for part in regions if part[:1].isupper() and not any(character.isdigit() for character in part)]
    return ", ".join([place, *kept])


def _is_capital(letter: str) -> bool:
    return letter.isalpha() and not letter.islower()


def count_words(text: str) -> int:
    """The parts between white space and dashes that hold a letter or digit.

    Where a script puts no space between words, each ideograph or kana counts as one.
    """
    ideographs = 0
    if not text.isascii():
        text, ideographs = _SPACELESS.subn(" ", text.replace("—", " ").replace("–", " "))
    parts = text.split()
    unsure = [part for part in parts if not part.isalnum()]
    return ideographs + len(parts) - sum(not any(map(str.isalnum, part)) for part in unsure)
