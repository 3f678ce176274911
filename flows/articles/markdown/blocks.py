"""Parse Markdown into blocks: each paragraph, heading, item, cell or piece of HTML with its text and parts."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, NamedTuple

import pyromark

from flows.articles.markdown.html import Tag, read_html
from flows.articles.markdown.shortcodes import Masked, Shortcode, mask, part, unmask

_OPTIONS = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH | pyromark.Options.ENABLE_FOOTNOTES
_INLINE = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})
_ITALIC_TAGS = {"<em>": 1, "<i>": 1, "</em>": -1, "</i>": -1}
_KINDS = {"Heading": "heading", "HtmlBlock": "html", "CodeBlock": "code"}


class MarkdownImage(NamedTuple):
    """An image as CommonMark parses it; `line` counts from 1 in the body."""

    url: str
    alt: str
    title: str
    form: str
    line: int


Part = str | MarkdownImage | Tag | Shortcode


class Block(NamedTuple):
    """A leaf of the document; `start` is its first byte, whose line Lines returns.

    `kind` is text (a paragraph, item or cell), heading, html or code; `level` is the heading's level, else 0. `text` is
    plain. `parts` are texts, images, tags and shortcodes in order, empty for a block of nothing but text. `italic` is
    whether all of the text is emphasized.
    """

    kind: str
    level: int
    start: int
    text: str
    parts: tuple[Part, ...] = ()
    italic: bool = False


class Document(NamedTuple):
    """A Markdown text as blocks."""

    blocks: list[Block]
    lines: "Lines"


def read_document(body: str) -> Document:
    """Return the blocks of a Markdown text in order (CommonMark; GFM tables, strikethrough, footnotes)."""
    masked = mask(body)
    events = pyromark.events_with_range(masked.text, options=_OPTIONS)
    lines = Lines(masked)  # after the parser, so that Python's cached UTF-8 form of the text is reused
    return Document(list(_read(events, masked.codes, lines)), lines)


def plain_text(markdown: str) -> str:
    """Return the text of a piece of Markdown without its markup."""
    return " ".join(block.text for block in read_document(markdown).blocks if block.text)


def _read(events: Iterator[Any], codes: list[Shortcode], lines: "Lines") -> Iterator[Block]:
    """Walk over the parser's events once; parts of a block are collected only if it is more than text."""
    kind, level, start = "text", 0, 0
    texts: list[str] = []
    emphasis, roman = 0, False  # roman: some text is not emphasized
    inside: _BlockParts | None = None
    empty = 0  # level of the last block if it was an empty heading; only one of consecutive empty headings is kept
    for event, place in events:
        if type(event) is str:
            if event == "SoftBreak" or event == "HardBreak":
                (inside.texts() if inside else texts).append("\n")
            continue
        name, value = event.popitem()
        if inside is None and not texts:
            start = place["start"]
        if name == "Start" or name == "End":
            tag = value if type(value) is str else next(iter(value))
            if tag in _INLINE:
                if tag == "Emphasis":
                    emphasis += 1 if name == "Start" else -1
                elif tag == "Image":
                    inside = inside or _BlockParts(texts, codes)
                    inside.turn_image(value if name == "Start" else None, lines.at(place["start"]))
                continue
            if texts or inside or (kind == "heading" and level != empty):
                empty = 0 if texts or inside else level
                if inside or kind == "html" or kind == "code":
                    yield _block(kind, level, start, inside or texts, roman, lines, codes)
                else:  # as most blocks are
                    yield Block(kind, level, start, "".join(texts), (), not roman)
                texts, inside, emphasis, roman = [], None, 0, False
            kind, level = "text", 0
            if name == "Start" and tag in _KINDS:  # none of these contains blocks
                kind = _KINDS[tag]
                level = int(value["Heading"]["level"][1:]) if tag == "Heading" else 0
        elif name == "Text" or name == "Code":
            if not (emphasis or roman):
                roman = (inside is None or inside.alt is None) and not value.isspace()
            if inside is None and not codes:
                texts.append(value)
            else:
                inside = inside or _BlockParts(texts, codes)
                inside.add_text(value, name == "Code")
        elif name == "Html":
            texts.append(value)
        elif name == "InlineHtml":
            inside = inside or _BlockParts(texts, codes)
            inside.add_html(value, lines.at(place["start"]))
            emphasis += _ITALIC_TAGS.get(value.lower(), 0)


def _block(
    kind: str,
    level: int,
    start: int,
    content: "list[str] | _BlockParts",
    roman: bool,
    lines: "Lines",
    codes: list[Shortcode],
) -> Block:
    """Return the block of some texts or parts; `roman` is whether some text is not emphasized."""
    if isinstance(content, _BlockParts):
        return content.block(kind, level, start, not roman)
    text = "".join(content)
    if kind == "html":
        return Block(kind, 0, start, "", tuple(_html_parts(text, lines.at(start), codes)))
    return Block(kind, level, start, "" if kind == "code" else text, (), not roman)


def _html_parts(markup: str, line: int, codes: list[Shortcode]) -> Iterator[Part]:
    """Yield the tags, texts and shortcodes of a piece of HTML."""
    for item in read_html(markup, line):
        if isinstance(item, str):
            yield from part(item, codes)
        else:
            yield item._replace(attributes={name: unmask(value, codes) for name, value in item.attributes.items()})


class Lines:
    """Convert byte offsets to lines. Offsets come in order, so only the bytes since the previous one are counted."""

    def __init__(self, masked: Masked) -> None:
        self.source = masked.text.encode()
        self.offset, self.line = 0, 1
        self.removed_after = [line for line, _ in masked.removed]
        self.removed = list(accumulate((lines for _, lines in masked.removed), initial=0))

    def at(self, offset: int) -> int:
        """Return the line of the body, from 1, of a byte."""
        if offset > self.offset:
            self.line += self.source.count(b"\n", self.offset, offset)
        elif offset < self.offset:
            self.line -= self.source.count(b"\n", offset, self.offset)
        self.offset = offset
        return self.line + self.removed[bisect_left(self.removed_after, self.line)] if self.removed_after else self.line


class _BlockParts:
    """The parts of a block that is more than text: images, tags, shortcodes."""

    def __init__(self, texts: list[str], codes: list[Shortcode]) -> None:
        self.parts: list[Part] = list(texts)
        self.codes = codes
        self.special = False
        self.alt: list[str] | None = None
        self.image: tuple[Any, int] = ({}, 0)
        self.depth = 0

    def texts(self) -> list[Any]:
        """Return the list to which text belongs: the text between an image's brackets is its alternative text."""
        return self.parts if self.alt is None else self.alt

    def add_text(self, text: str, is_code: bool) -> None:
        if is_code or self.alt is not None:
            self.texts().append(unmask(text, self.codes) if is_code else text)
            return
        found = part(text, self.codes)
        self.special = self.special or found != [text]
        self.parts += found

    def add_html(self, markup: str, line: int) -> None:
        if self.alt is None:
            self.special = True
            self.parts += _html_parts(markup, line, self.codes)

    def turn_image(self, begun: Any, line: int) -> None:
        """Start an image, or end it if `begun` is None; only the outermost image counts."""
        self.depth += -1 if begun is None else 1
        if begun is not None and self.depth == 1:
            self.alt, self.image = [], (begun["Image"], line)
        elif self.depth == 0 and self.alt is not None:
            self.add_image(*self.image, "".join(self.alt))
            self.alt = None

    def add_image(self, found: Any, line: int, alt: str) -> None:
        form = "inline" if found["link_type"] == "Inline" else "reference"
        url, alt, title = (unmask(text, self.codes) for text in (found["dest_url"], alt, found["title"]))
        self.parts.append(MarkdownImage(url, alt, title, form, line))
        self.special = True

    def block(self, kind: str, level: int, start: int, italic: bool) -> Block:
        if kind == "code":
            return Block(kind, 0, start, "")
        texts = [item for item in self.parts if isinstance(item, str)]
        return Block(kind, level, start, "".join(texts), tuple(self.parts) if self.special else (), italic)
