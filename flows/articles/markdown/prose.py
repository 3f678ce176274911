"""Find the title and the prose in the blocks of a body, and count the words."""

import re
from typing import NamedTuple

from flows.articles.markdown.blocks import Block

# Scripts without spaces between words: each ideograph or kana counts as one word.
_SPACELESS = re.compile(
    "[\u3040-\u30fa\u30fc-\u30ff\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_BEYOND = re.compile("[\u3040-\U0003ffff]")  # a cheap check for any of them
# Scripts without spaces whose words are longer: Thai, Lao, Burmese, Khmer. Five characters a word, with vowel signs and
# tone marks, are a rule of thumb: only a dictionary finds the words.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uaa60-\uaa7f]+")
_UNSPACED_LENGTH = 5


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


def count_words(text: str) -> int:
    """Count the words: parts between white space and dashes that have a letter or digit.

    In scripts without spaces between words, each ideograph or kana counts as one, and five characters of Thai, Lao,
    Burmese or Khmer count as one.
    """
    text = text.replace("—", " ").replace("–", " ").replace("œ", "o")
    plain = text.encode("latin-1", "ignore")
    if len(plain) == len(text) or _are_quotes(text, len(text) - len(plain)):
        plain = plain.translate(_LATIN_WORDS, _LATIN_MARKS)
        return plain.startswith(b"a") + plain.count(b" a")
    ideographs = 0
    if _BEYOND.search(text):
        text, ideographs = _SPACELESS.subn(" ", text)
    if _UNSPACED.search(text):
        ideographs += sum(-(-len(run) // _UNSPACED_LENGTH) for run in _UNSPACED.findall(text))
        text = _UNSPACED.sub(" ", text)
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
