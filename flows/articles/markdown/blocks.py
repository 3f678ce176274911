"""Parse Markdown into blocks: each paragraph, heading, item, cell or piece of HTML with its text and parts."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

import pyromark

from flows.articles.markdown.html import Tag
from flows.articles.markdown.html_blocks import html_blocks, html_parts
from flows.articles.markdown.lines import Lines
from flows.articles.markdown.masking import Masked, Shortcode, mask, part, unmask

_OPTIONS = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH | pyromark.Options.ENABLE_FOOTNOTES
_ELEMENT = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
# The elements that an alternative text may have; <see note 3> is none, and belongs to the text.
_ELEMENTS = frozenset(
    {
        *("a", "abbr", "b", "br", "cite", "code", "em", "font", "i", "img", "kbd", "mark", "p", "q", "s", "small"),
        *("span", "strong", "sub", "sup", "u"),
    }
)
_INLINE = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})
_ITALIC_TAGS = {"<em>": 1, "<i>": 1, "</em>": -1, "</i>": -1}
_KINDS = {"Heading": "heading", "HtmlBlock": "html", "CodeBlock": "code"}
_ROWS = frozenset({"Table", "TableHead", "TableRow"})


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

    `kind` is text (a paragraph, item or cell), heading or code; `level` is the heading's level, else 0. `text` is
    plain. `parts` are texts, images, tags and shortcodes in order, empty for a block of nothing but text. `italic` is
    whether all of the text is emphasized, `quoted` whether the block is inside a quotation. `cell` is the row and the
    column of a cell; rows are counted over all tables.
    """

    kind: str
    level: int
    start: int
    text: str
    parts: tuple[Part, ...] = ()
    italic: bool = False
    quoted: bool = False
    cell: tuple[int, int] | None = None


class Document(NamedTuple):
    """A Markdown text as blocks."""

    blocks: list[Block]
    lines: Lines
    masked: Masked


def read_document(body: str) -> Document:
    """Return the blocks of a Markdown text in order (CommonMark; GFM tables, strikethrough, footnotes)."""
    masked = mask(body)
    events = pyromark.events_with_range(masked.text, options=_OPTIONS)
    lines = Lines(masked)  # after the parser, so that Python's cached UTF-8 form of the text is reused
    return Document(list(_read(events, masked.codes, lines)), lines, masked)


def code_ranges(text: str, spans: bool = True) -> list[tuple[int, int]]:
    """Return the ranges of bytes of code blocks, and perhaps of code spans, in a masked text, sorted."""
    found = []
    events: Iterator[Any] = pyromark.events_with_range(text, options=_OPTIONS)
    for event, place in events:
        if type(event) is dict:
            name, value = event.popitem()
            if (name == "Code" and spans) or (name == "Start" and type(value) is dict and "CodeBlock" in value):
                found.append((place["start"], place["end"]))
    return found


def _is_element(markup: str) -> bool:
    """Return whether a tag between an image's brackets is one of HTML, and not words in angle brackets."""
    name = _ELEMENT.match(markup)
    return name is None or name[1].lower() in _ELEMENTS


def plain_text(markdown: str) -> str:
    """Return the text of a piece of Markdown without its markup."""
    return " ".join(block.text for block in read_document(markdown).blocks if block.text)


def _read(events: Iterator[Any], codes: list[Shortcode], lines: Lines) -> Iterator[Block]:
    """Walk over the parser's events once; parts of a block are collected only if it is more than text."""
    kind, level, start, emphasis = "text", 0, 0, 0
    texts: list[str] = []
    roman = False  # some text is not emphasized
    inside, where = cast("_BlockParts | None", None), _Where()
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
                if inside:
                    yield inside.block(kind, level, start, not roman, where)
                elif kind == "html":
                    yield from _html(start, "".join(texts), lines, codes, where)
                elif where.quotes or where.cell or kind == "code":
                    text = "" if kind == "code" else "".join(texts)
                    yield Block(kind, level, start, text, (), not roman, where.quotes > 0, where.cell)
                else:  # as most are
                    yield Block(kind, level, start, "".join(texts), (), not roman)
                texts, inside, emphasis, roman = [], None, 0, False
            kind, level = ("text", 0) if tag == "Paragraph" else where.turn(tag, value, name == "Start")
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
            emphasis += inside.add_html(value, lines.at(place["start"]))


class _Where:
    """The quotations and the cell of a table around a block."""

    def __init__(self) -> None:
        self.quotes, self.row, self.column = 0, 0, 0
        self.cell: tuple[int, int] | None = None

    def turn(self, tag: str, value: Any, begins: bool) -> tuple[str, int]:
        """Start or end a quotation, a table, a row, a cell or another block; return the kind and level of its text."""
        if begins and tag in _KINDS:  # none of these contains blocks
            return _KINDS[tag], int(value["Heading"]["level"][1:]) if tag == "Heading" else 0
        if tag == "BlockQuote":
            self.quotes += 1 if begins else -1
        elif tag == "TableCell":
            self.column += begins
            self.cell = (self.row, self.column) if begins else None
        elif begins and tag in _ROWS:  # tables are a row apart, so that no cell is below one of another table
            self.row, self.column = self.row + 1, 0
        return "text", 0


def _html(start: int, markup: str, lines: Lines, codes: list[Shortcode], where: _Where) -> Iterator[Block]:
    """Yield the blocks of a piece of HTML."""
    quotes = where.quotes
    for level, parts in html_blocks(markup, lines.at(start), codes):
        tags = [item for item in parts if isinstance(item, Tag) and item.name in ("blockquote", "aside")]
        quotes += sum([-1 if tag.closing else 1 for tag in tags])
        text = "".join([item for item in parts if isinstance(item, str)])
        kind, italic = "heading" if level else "text", _is_italic(parts)
        yield Block(kind, level, start, text, tuple(parts), italic, quotes > 0)


def _is_italic(parts: Sequence[Part]) -> bool:
    """Return whether all words of HTML are emphasized."""
    depth, found = 0, False
    for item in parts:
        if isinstance(item, Tag) and item.name in ("em", "i"):
            depth += -1 if item.closing else 1
        elif isinstance(item, str) and not item.isspace():
            if depth <= 0:
                return False
            found = True
    return found


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

    def add_html(self, markup: str, line: int) -> int:
        """Add a tag; return by how much it changes the depth of emphasis."""
        if self.alt is None:
            self.special = True
            self.parts += html_parts(markup, line, self.codes)
        elif not _is_element(markup):
            self.alt.append(markup)
        return _ITALIC_TAGS.get(markup.lower(), 0)

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

    def block(self, kind: str, level: int, start: int, italic: bool, where: _Where) -> Block:
        if kind == "code":
            return Block(kind, 0, start, "")
        text = "".join([item for item in self.parts if isinstance(item, str)])
        parts = tuple(self.parts) if self.special else ()
        return Block(kind, level, start, text, parts, italic, where.quotes > 0, where.cell)
