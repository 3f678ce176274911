"""Tokenize the HTML in Markdown: tags with attributes and lines, and text; comments, scripts and styles are skipped."""

import re
from collections.abc import Iterator
from html import unescape as unescape_references
from typing import NamedTuple

_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9-]*)")
_ATTRIBUTE = re.compile(r"[\s/]*([^\s\"'<>/=]+)(?:\s*=\s*(\"|'|[^\s\"'<>=`]+))?")
_END = re.compile(r"[\s/]*>?")
_LONG_REFERENCE = re.compile(r"&#[0-9]{1000,}+;?")  # of more digits than Python converts
_UNREAD = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "template")}


class Tag(NamedTuple):
    """A tag; its name and attribute names are lower case, `line` counts from the line of the markup.

    `empty` is whether it ends with a slash, as tags of components do that have no content.
    """

    name: str
    closing: bool
    attributes: dict[str, str]
    line: int
    empty: bool = False


class Words(NamedTuple):
    """A text between tags, and the line on which it starts."""

    text: str
    line: int


def read_html(markup: str, line: int = 1) -> Iterator[Tag | Words]:
    """Yield the tags and texts of markup that starts on `line`, in linear time for any input."""
    place, counted = 0, 0
    while True:
        start = markup.find("<", place)
        if start < 0:
            break
        if start > place:
            line += markup.count("\n", counted, place)
            counted = place
            yield Words(unescape(markup[place:start]), line)
        line += markup.count("\n", counted, start)
        counted = start
        if markup.startswith(("<!", "<?"), start):
            place = _end_of_comment(markup, start)
            continue
        name = _NAME.match(markup, start + 1)
        if name is None:
            yield Words("<", line)
            place = start + 1
            continue
        attributes, place = _read_attributes(markup, name.end())
        if markup[place - 1] != ">":
            return  # HTML drops a tag that is never closed
        tag = Tag(name[1].lower(), markup[start + 1] == "/", attributes, line, markup[place - 2] == "/")
        yield tag
        if tag.name in _UNREAD and not tag.closing:
            end = _UNREAD[tag.name].search(markup, place)
            place = end.start() if end else len(markup)
    if place < len(markup):
        yield Words(unescape(markup[place:]), line + markup.count("\n", counted, place))


def unescape(text: str) -> str:
    """Return a text with its character references replaced; a reference to no character becomes U+FFFD."""
    try:
        return unescape_references(text)
    except ValueError:
        return unescape_references(_LONG_REFERENCE.sub("\ufffd", text))


def _end_of_comment(markup: str, start: int) -> int:
    mark = "-->" if markup.startswith("<!--", start) else ">"
    return _found(markup.find(mark, start), markup, len(mark))


def _found(place: int, markup: str, length: int = 0) -> int:
    return len(markup) if place < 0 else place + length


def _read_attributes(markup: str, place: int) -> tuple[dict[str, str], int]:
    """Return the attributes from `place` on, the first of each name, and where the tag ends."""
    attributes: dict[str, str] = {}
    while match := _ATTRIBUTE.match(markup, place):
        name, value = match[1].lower(), match[2] or ""
        place = match.end()
        if value in ("'", '"'):
            end = _found(markup.find(value, place), markup)
            value, place = markup[place:end], end + 1
        attributes.setdefault(name, unescape(value))
    following = _END.match(markup, place)
    return attributes, following.end() if following else place
