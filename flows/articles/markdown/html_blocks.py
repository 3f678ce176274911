"""Split a block of HTML into the blocks that a browser shows: paragraphs, headings, items and cells."""

import re
from collections.abc import Iterable, Iterator

from flows.articles.markdown.html import Tag, Words, read_html
from flows.articles.markdown.masking import Shortcode, part, unmask

# Elements that start on a new line: <https://html.spec.whatwg.org/multipage/rendering.html#flow-content-3>
BLOCK_TAGS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "dir", "div", "dl"),
        *("dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
        *("hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "table"),
        *("tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
    }
)
# Elements whose text readers do not see as text: drawings, fallbacks of players, choices of forms.
_SILENT = frozenset(
    {
        *("audio", "canvas", "datalist", "head", "iframe", "math", "noscript", "object", "select", "svg", "textarea"),
        *("title", "video"),
    }
)
_HEADING = re.compile(r"h([1-6])\Z")
# Markdown in HTML is not read by CommonMark, but by kramdown and many editors.
_IMAGE = re.compile(r"(!\[(?:[^\[\]\n\\]|\\[^\n])*+\]\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)*+\))")

HtmlPart = str | Tag | Shortcode


def html_parts(markup: str, line: int, codes: list[Shortcode]) -> Iterator[HtmlPart]:
    """Yield the tags, texts and shortcodes of a piece of HTML that starts on `line`."""
    for item in read_html(markup, line):
        if isinstance(item, Words):
            yield from part(item.text, codes)
        else:
            yield _unmasked(item, codes)


def _unmasked(tag: Tag, codes: list[Shortcode]) -> Tag:
    if not codes:
        return tag
    return tag._replace(attributes={name: unmask(value, codes) for name, value in tag.attributes.items()})


def html_blocks(markup: str, line: int, codes: list[Shortcode]) -> Iterator[tuple[int, list[HtmlPart]]]:
    """Yield the heading level (0: no heading) and the parts of each block in a piece of HTML."""
    level, parts, silent, preformatted, code = 0, list[HtmlPart](), "", False, False
    for item in read_html(markup, line):
        if isinstance(item, Words):
            if not silent and not code:
                parts += _texts(item, codes)
            continue
        tag = _unmasked(item, codes)
        if silent:
            silent = "" if tag.closing and tag.name == silent else silent
        elif tag.name in _SILENT and not tag.closing and not tag.empty:
            silent = tag.name
        if tag.name == "pre":
            preformatted, code = not tag.closing, False
        elif tag.name == "code" and preformatted:
            code = not tag.closing
        if tag.name in BLOCK_TAGS:
            if parts:
                yield level, parts
            heading = None if tag.closing else _HEADING.match(tag.name)
            level, parts = int(heading[1]) if heading else 0, []
        parts.append(tag)
    if parts:
        yield level, parts


def _texts(item: Words, codes: list[Shortcode]) -> Iterable[HtmlPart]:
    """Return the texts, shortcodes and images of Markdown in a text of HTML, where a line break is a space."""
    if "![" not in item.text:
        return part(item.text.replace("\n", " "), codes)
    found: list[HtmlPart] = []
    line = item.line
    for number, piece in enumerate(_IMAGE.split(item.text)):
        found += [Shortcode(unmask(piece, codes), line)] if number % 2 else part(piece.replace("\n", " "), codes)
        line += piece.count("\n")
    return [piece for piece in found if piece]
