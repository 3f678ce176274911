"""Markdown becomes blocks: each paragraph, heading, item, cell or HTML block with its plain text and its images."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pyromark

_OPTIONS = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH
_INLINE = frozenset({"Emphasis", "Strong", "Strikethrough", "Link", "Image"})
_KINDS = {"Heading": "heading", "Item": "item", "TableCell": "cell", "HtmlBlock": "html", "CodeBlock": "code"}
_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


class MarkdownImage(NamedTuple):
    """An image as CommonMark reads it; `line` counts from 1 in the body."""

    url: str
    alt: str
    title: str
    form: str
    line: int


class Block(NamedTuple):
    """A leaf of the document; `line` counts from 1 in the body.

    `kind` is paragraph, heading, item, cell, html or code; `level` that of a heading, else 0. `text` is plain,
    without images and tags, except in html and code, where it is the source. `html` are a paragraph's own tags.
    """

    kind: str
    level: int
    line: int
    text: str
    images: tuple[MarkdownImage, ...]
    html: tuple[str, ...]


def read_blocks(body: str) -> list[Block]:
    """The blocks of a Markdown text in the order of the document (CommonMark, with GFM's tables)."""
    return list(_Reader(body).blocks())


class _Reader:
    """One walk over the parser's events; it holds what is open at the moment."""

    def __init__(self, body: str) -> None:
        self.events: Iterator[Any] = pyromark.events_with_range(body, options=_OPTIONS)
        self.source = body.encode()
        self.offset, self.line = 0, 1
        self.open: list[tuple[str, int]] = []
        self.clear(1)

    def clear(self, line: int) -> None:
        self.start = line
        self.pieces: list[str] = []
        self.images: list[MarkdownImage] = []
        self.html: list[str] = []
        self.image: tuple[Any, int, int] | None = None
        self.depth = 0

    def line_at(self, offset: int) -> int:
        """Line of a byte; events come in the order of the source, so each byte is counted once."""
        if offset > self.offset:
            self.line += self.source.count(b"\n", self.offset, offset)
            self.offset = offset
        return self.line

    def blocks(self) -> Iterator[Block]:
        for event, place in self.events:
            if isinstance(event, str):
                self.read_mark(event)
                continue
            ((name, value),) = event.items()
            if name == "Start" or name == "End":
                tag = value if isinstance(value, str) else next(iter(value))
                if tag in _INLINE:
                    self.read_inline(name, tag, value, place["start"])
                else:
                    yield from self.flush(self.line_at(place["start"]))
                    self.turn(name, tag, value)
            else:
                self.read_text(name, value)

    def read_mark(self, mark: str) -> None:
        if mark == "SoftBreak":
            self.pieces.append(" ")
        elif mark == "HardBreak":
            self.pieces.append("\n")

    def read_text(self, name: str, value: str) -> None:
        if name in ("Text", "Code", "Html"):
            self.pieces.append(value)
        elif name == "InlineHtml" and self.image is None:
            self.html.append(value)
            if _BREAK_TAG.fullmatch(value):
                self.pieces.append("\n")

    def read_inline(self, name: str, tag: str, value: Any, start: int) -> None:
        """Only the outermost image is one; what stands between its brackets is its alt text."""
        if tag != "Image":
            return
        if name == "Start":
            self.depth += 1
            if self.depth == 1:
                self.image = (value["Image"], self.line_at(start), len(self.pieces))
            return
        self.depth -= 1
        if self.depth == 0 and self.image is not None:
            found, line, mark = self.image
            alt = "".join(self.pieces[mark:])
            del self.pieces[mark:]
            form = "inline" if found["link_type"] == "Inline" else "reference"
            self.images.append(MarkdownImage(found["dest_url"], alt, found["title"], form, line))
            self.image = None

    def turn(self, name: str, tag: str, value: Any) -> None:
        if name == "Start":
            level = int(value["Heading"]["level"][1:]) if tag == "Heading" else 0
            self.open.append((_KINDS.get(tag, "paragraph"), level))
        else:
            self.open.pop()

    def flush(self, line: int) -> Iterator[Block]:
        kind, level = self.open[-1] if self.open else ("paragraph", 0)
        raw = "".join(self.pieces)
        text = raw if kind in ("html", "code") else raw.strip()
        if text or self.images or self.html or kind == "heading":
            yield Block(kind, level, self.start, text, tuple(self.images), tuple(self.html))
        self.clear(line)
