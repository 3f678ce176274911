"""Shortcodes of Hugo and tags of Liquid: masked before Markdown is parsed, so that neither affects the other."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from flows.articles.markdown.html import unescape

# `{{< … >}}`, `{{% … %}}`, `{{ … }}` and `{% … %}`, with or without braces in quotes; `[caption …]` of
# WordPress; the attributes `{: …}` of kramdown, `{…}` after a link or image, `{#…}` after a heading. Comments and
# highlighted code are masked together with their content. A search for an end stops at the next `{{`, even in quotes or
# after a backslash: otherwise thousands of openings would each search the same text.
_INSIDE = r"""(?:[^{}"]|"(?:[^"\\{]|\\[^{\n]|\\(?=\{)|\{(?!\{))*+")*+"""
_CODES = re.compile(
    r"\{%-?\s*(comment|highlight)\b[^{}]*%\}"
    rf"|\{{\{{{_INSIDE}\}}\}}|\{{\{{[^{{}}]*\}}\}}|\{{%[^{{}}]*%\}}"
    r"|\[caption\s[^\[\]\n]*\]|\[/caption\]|\{:[^{}\n]*\}|(?<=\))\{(?:[.#][\w-]+|[\w-]+=[^{}\s]+)(?:\s[^{}\n]*)?\}"
    r"|(?<=[ \t])\{#[\w-]+\}(?=[ \t]*(?:\n|\Z))"
)
_ENDS = {name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}") for name in ("comment", "highlight")}
# A masked shortcode is its number between two noncharacters of Unicode.
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_WRITTEN_OPEN = re.compile(r"&#(?:0{0,2}64976|[xX]0{0,2}[fF][dD][dD]0);")  # Markdown decodes it to that character
_HIDDEN = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
# An unclosed quote extends to the end; searching for its end repeatedly would take too long.
_ARGUMENT = re.compile(
    r"""(?:([A-Za-z_][\w-]*)(?:\s*=\s*|:\s*(?=["'“])|:\s+))?"""
    r"""(?:"((?:[^"\\]|\\.)*+)(?:"|\Z)|(?<![^\s=])'((?:[^'\\]|\\.)*+)(?:'|\Z)|“([^”]*+)(?:”|\Z)|([^\s"'“=]+))""",
    re.DOTALL,
)
_OPENING = re.compile(r"\{\{[<%]?-?\s*|\{%-?\s*")
_FUNCTION = re.compile(r"\A(\w+)\((.*)\)\Z", re.DOTALL)  # `{{ image(path="…") }}` of Zola
_VARIABLE = re.compile(r"(?:page|site|post|include|layout)\.")  # of Liquid; only the site knows their values
_ESCAPED = re.compile(r"\\(\W|_)")
_INCLUDES = frozenset({"include", "include_cached", "include_relative", "render"})


class Shortcode(NamedTuple):
    """A shortcode as written in the source; `line` counts from 1 in the body."""

    source: str
    line: int


class Masked(NamedTuple):
    """A body with masked shortcodes. `removed` has pairs of a line and the number of lines removed after it."""

    text: str
    codes: list[Shortcode]
    removed: list[tuple[int, int]]


class Call(NamedTuple):
    """The call of a shortcode: its name, its named and its positional arguments."""

    name: str
    named: dict[str, str]
    others: list[str]


def mask(body: str) -> Masked:
    """Replace each shortcode with a mask on one line."""
    if "&#" in body:
        body = _WRITTEN_OPEN.sub("\ufffd", body)
    if "{" not in body and "[caption" not in body and _OPEN not in body:
        return Masked(body, [], [])
    body = body.replace(_OPEN, "\ufffd")
    parts: list[str] = []
    codes: list[Shortcode] = []
    removed: list[tuple[int, int]] = []
    place, line, gone = 0, 1, 0
    for start, end in _places(body):
        line += body.count("\n", place, start)
        parts += [body[place:start], f"{_OPEN}{len(codes)}{_CLOSE}"]
        codes.append(Shortcode(body[start:end], line))
        if lines := body.count("\n", start, end):
            removed.append((line - gone, lines))
            gone += lines
            line += lines
        place = end
    return Masked("".join([*parts, body[place:]]), codes, removed)


def _places(body: str) -> Iterator[tuple[int, int]]:
    """Yield where each shortcode starts and ends; a comment that is never closed is a shortcode by itself."""
    unended: set[str] = set()
    place = 0
    while match := _CODES.search(body, place):
        place = match.end()
        if (name := match[1]) and name not in unended:
            end = _ENDS[name].search(body, place)
            if end is None:
                unended.add(name)
            else:
                place = end.end()
        yield match.start(), place


def unmask(text: str, codes: list[Shortcode]) -> str:
    """Return the text with its shortcodes as written in the source."""
    return _HIDDEN.sub(lambda match: codes[int(match[1])].source, text) if _OPEN in text else text


def part(text: str, codes: list[Shortcode]) -> list[str | Shortcode]:
    """Return the text as parts: shortcodes, and the texts between them."""
    if _OPEN not in text:
        return [text]
    parts = _HIDDEN.split(text)
    return [codes[int(item)] if number % 2 else item for number, item in enumerate(parts) if item]


def read_call(code: Shortcode) -> Call:
    """Return the name and the arguments of a shortcode; for an `include`, those of the included file."""
    inside = _FUNCTION.sub(r"\1 \2", _without_marks(code.source))
    named: dict[str, str] = {}
    others: list[str] = []
    for match in _ARGUMENT.finditer(inside):
        key, *values, word = match.groups()
        if word is not None and (_VARIABLE.match(word) or word == ","):
            continue
        value = _plain(next(value for value in (*values, word) if value is not None))
        if key:
            named.setdefault(key.lower(), value)
        else:
            others.append(value)
    if others[0:1] and others[0] in _INCLUDES and others[1:]:
        others = others[1:]
    return Call(others[0] if others else "", named, others[1:])


def _without_marks(source: str) -> str:
    """Return the text between the marks of a shortcode; searching for the closing marks from the end is fastest."""
    inside = _OPENING.sub("", source, count=1)
    if inside.endswith("%}"):
        return inside[:-2].removesuffix("-").rstrip()
    if not inside.endswith("}}"):
        return inside
    inside = inside[:-2]
    return (inside[:-1] if inside.endswith((">", "%")) else inside).removesuffix("-").removesuffix("/").rstrip()


def _plain(value: str) -> str:
    return unescape(_ESCAPED.sub(r"\1", value))
