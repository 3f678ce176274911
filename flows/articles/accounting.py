"""Account for what a body holds: whatever looks like an image or a caption is in a row, or in a problem with its line.

| what | is in a row if |
|---|---|
| `![`, `<img`, `<amp-img`, `![[`, outside code and comments | an image has its line |
| a shortcode or an include that is named after an image, `[gallery …]` | an image has its line |
| `<picture>` | an image has a line inside it |
| `<figcaption`, `[caption …]` | it was read as a tag; then its words are a caption or prose |
| an attribute `caption` of a shortcode or a tag | a caption has its text |
| letters | the article has text, a title from its body, or images |
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from flows.articles.markdown.addresses import is_template
from flows.articles.markdown.blocks import Document, code_ranges
from flows.articles.markdown.html import Tag
from flows.articles.markdown.images import Picture, is_image_name, plain
from flows.articles.markdown.masking import Shortcode, masked_places, unmask
from flows.articles.markdown.shortcodes import closed_name, read_call
from flows.problems import problem, quoted
from flows.schema import Problem

_IMAGE_TAG = r"<(?:img|image|amp-img|amp-anim)(?=[\s/>])"
_IMAGE = re.compile(rf"(?<![\\<])(?:\\\\)*+!\[|{_IMAGE_TAG}", re.IGNORECASE)
_CAPTION = re.compile(r"<figcaption(?=[\s/>])", re.IGNORECASE)
_ENCLOSING = (
    ("<!--", "-->"),
    ("<script", "</script"),
    ("<style", "</style"),
    ("<template", "</template"),
    ("<noscript", "</noscript"),
)
_MAY_BE_IMAGE = re.compile(r"im(?:g|age)|fig|pi[cx]|photo|\[gallery", re.IGNORECASE)
_MAY_HIDE = ("`", "~~~", "    ", "\t", "<")
_LETTER = re.compile(r"[^\W\d_]")


class Token(NamedTuple):
    """What looks like an image or a caption, on a line of the body."""

    line: int
    source: str


def account(document: Document, pictures: list[Picture], texts: list[str]) -> list[Problem]:
    """Return a problem for each token of a document without a row; lines count from 1 in the body."""
    codes = _codes(document)
    problems: list[Problem] = []
    if not _adds_up(document, pictures, codes):
        problems += _unread_images(document, pictures, codes)
    if codes or "<" in document.masked.text:
        problems += _unread_captions(document, pictures, codes)
    for picture in pictures:
        if "{" in picture.url and is_template(picture.url):
            problems.append(problem("template_address", picture.line, value=quoted(picture.url)))
    if not pictures and not any(texts) and _LETTER.search(document.masked.text):
        problems.append(problem("no_text", 1))
    return problems


def _codes(document: Document) -> list[Shortcode]:
    """Return the shortcodes outside code."""
    masked = document.masked
    if not masked.codes:
        return []
    hidden = _hidden_ranges(masked.text) if any(mark in masked.text for mark in _MAY_HIDE) else []
    starts = [start for start, _ in hidden]
    places = masked_places(masked.text)
    return [code for code, place in zip(masked.codes, places, strict=False) if not _is_in(hidden, starts, place)]


def _adds_up(document: Document, pictures: list[Picture], codes: list[Shortcode]) -> bool:
    """Return whether there are as many images as tokens: all that is read is a token."""
    body, of_codes = document.masked.text, 0
    tokens = document.masked.images
    if "<" in body:
        lower = body.lower()
        if "<source" in lower:
            return False
        tokens += lower.count("<img") + lower.count("<image") + lower.count("<amp-")
    if codes:
        tokens += sum([code.source.startswith("![") for code in codes])
        of_codes = sum([_may_be_image(code.source) for code in codes])
    shown = sum([picture.form == "shortcode" for picture in pictures])
    return tokens == len(pictures) - shown and of_codes == shown


def _may_be_image(source: str) -> bool:
    """Return whether a shortcode may be named after an image: a cheap check."""
    return source.startswith(("{{", "{%", "[", "\\[")) and _MAY_BE_IMAGE.search(source, 0, 80) is not None


def _unread_images(document: Document, pictures: list[Picture], codes: list[Shortcode]) -> Iterator[Problem]:
    lines = Counter(picture.line for picture in pictures)
    for token in [*_markup(document, _IMAGE.finditer(document.masked.text)), *_image_codes(codes)]:
        if lines[token.line] > 0:
            lines[token.line] -= 1
        else:
            yield problem("image_not_read", token.line, source=quoted(token.source))


def _markup(document: Document, matches: Iterator[re.Match[str]]) -> Iterator[Token]:
    """Yield the tokens of Markdown and HTML outside code, comments and scripts."""
    body, hidden = document.masked.text, _hidden_ranges(document.masked.text)
    starts = [start for start, _ in hidden]
    place = offset = 0
    for match in matches:
        start = match.end() - 2 if match[0].endswith("![") else match.start()
        offset, place = offset + len(body[place:start].encode()), start
        if not _is_in(hidden, starts, offset):
            yield Token(document.lines.at(offset), unmask(body[start : start + 60], document.masked.codes))


def _is_in(ranges: list[tuple[int, int]], starts: list[int], offset: int) -> bool:
    """Return whether an offset is in one of sorted ranges, which start at `starts`."""
    before = bisect_right(starts, offset) - 1
    return before >= 0 and offset < ranges[before][1]


def _hidden_ranges(body: str) -> list[tuple[int, int]]:
    """Return the ranges of bytes of code, comments, scripts and copies for browsers without scripts, sorted."""
    return _merged(sorted([*code_ranges(body), *_enclosed(body.encode())]))


def _enclosed(source: bytes) -> Iterator[tuple[int, int]]:
    """Yield the ranges of comments, scripts and copies for browsers without scripts in UTF-8 text."""
    lower = source.lower()
    for opening, closing in ((opening.encode(), closing.encode()) for opening, closing in _ENCLOSING):
        place = lower.find(opening)
        while place >= 0:
            end = lower.find(closing, place)
            if end < 0:
                break
            yield place, end
            place = lower.find(opening, end)


def _merged(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return sorted ranges without those that lie in others."""
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _image_codes(codes: list[Shortcode]) -> Iterator[Token]:
    """Yield the shortcodes that look like images; those around images do not count."""
    closed = {name for code in codes if (name := closed_name(code))}
    for code in codes:
        if code.source.startswith("![") or "[gallery" in code.source[:10]:
            yield Token(code.line, code.source)
        elif code.source.startswith(("{{", "{%")) and not closed_name(code):
            call = read_call(code)
            encloses = call.name in closed and not call.others and not call.named.keys() - {"caption", "class", "title"}
            if is_image_name(call.name) and not encloses and not call.name.endswith(".md"):
                yield Token(code.line, code.source)


def _unread_captions(document: Document, pictures: list[Picture], codes: list[Shortcode]) -> Iterator[Problem]:
    """Yield a problem for each caption that is in no row."""
    tags = [part for block in document.blocks for part in block.parts if isinstance(part, Tag) and not part.closing]
    lines = Counter([tag.line for tag in tags if tag.name == "figcaption"])
    if document.masked.text.lower().count("<figcaption") != lines.total():
        for token in _markup(document, _CAPTION.finditer(document.masked.text)):
            if lines[token.line] > 0:
                lines[token.line] -= 1
            else:
                yield problem("caption_not_read", token.line, source=quoted(token.source))
    given = [(code.line, code.source, "") for code in codes if "caption" in code.source]
    given += [(tag.line, "", tag.attributes["caption"]) for tag in tags if "caption" in tag.attributes]
    if given:
        said = {(caption.text) for picture in pictures for caption in picture.captions}
        for line, source, caption in given:
            text = caption or read_call(Shortcode(source, line)).named.get("caption", "")
            if text and plain(text) not in said:
                yield problem("caption_not_read", line, source=quoted(source or text))


def left_out(document: Document, pictures: list[Picture]) -> list[Token]:
    """Return the parts of a body that only the column body has: code blocks, comments, shortcodes without images."""
    text, lines = document.masked.text, Counter(picture.line for picture in pictures)
    codes = [Token(code.line, code.source) for code in _codes(document) if not lines[code.line]]
    source, found = text.encode(), []
    for start, end in _merged(sorted([*code_ranges(text, spans=False), *_enclosed(source)])):
        written = unmask(source[start:end].decode(errors="replace"), document.masked.codes)
        found.append(Token(document.lines.at(start), written))
    return sorted([*codes, *found])
