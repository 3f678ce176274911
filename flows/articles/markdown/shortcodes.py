"""Read the calls of shortcodes: of Hugo, Zola and Liquid, and the attributes of WordPress's."""

import re
from typing import NamedTuple

from flows.articles.markdown.html import unescape
from flows.articles.markdown.masking import Shortcode

# An unclosed quote extends to the end; searching for its end repeatedly would take too long. Text between backquotes is
# a raw string of Hugo.
_ARGUMENT = re.compile(
    r"""(?:([A-Za-z_][\w-]*)(?:\s*=\s*|:\s*(?=["'“])|:\s+))?"""
    r"""(?:"((?:[^"\\]|\\.)*+)(?:"|\Z)|(?<![^\s=])'((?:[^'\\]|\\.)*+)(?:'|\Z)|“([^”]*+)(?:”|\Z)"""
    r"""|(?<![^\s=])`([^`]*+)(?:`|\Z)|([^\s"'“=]+))""",
    re.DOTALL,
)
_OPENING = re.compile(r"\{\{[<%]?-?\s*|\{%-?\s*|\\?\[")
_FUNCTION = re.compile(r"\A(\w+)\((.*)\)\Z", re.DOTALL)  # `{{ image(path="…") }}` of Zola
_VARIABLE = re.compile(r"(?:page|site|post|include|layout)\.")  # of Liquid; only the site knows their values
_ESCAPED = re.compile(r"\\(\W|_)")
_CLOSING = re.compile(r"\{\{[<%]-?\s*/\s*([\w/-]+?)\s*[%>]\}\}|\{%-?\s*end_?(\w+)\s*-?%\}")
_INCLUDES = frozenset({"include", "include_cached", "include_relative", "render"})


class Call(NamedTuple):
    """The call of a shortcode: its name, its named and its positional arguments."""

    name: str
    named: dict[str, str]
    others: list[str]


def read_call(code: Shortcode) -> Call:
    """Return the name and the arguments of a shortcode; for an `include`, those of the included file."""
    inside = _FUNCTION.sub(r"\1 \2", _without_marks(code.source))
    named: dict[str, str] = {}
    others: list[str] = []
    for match in _ARGUMENT.finditer(inside):
        key, double, single, curly, raw, word = match.groups()
        if word is not None and (_VARIABLE.match(word) or word == ","):
            continue
        value = raw if raw is not None else _plain(next(v for v in (double, single, curly, word) if v is not None))
        if key:
            named.setdefault(key.lower(), value)
        else:
            others.append(value)
    if others[0:1] and others[0] in _INCLUDES and others[1:]:
        others = others[1:]
    return Call(others[0] if others else "", named, others[1:])


def closed_name(code: Shortcode) -> str:
    """Return the name of the shortcode that a shortcode closes, empty if it closes none."""
    closing = _CLOSING.fullmatch(code.source)
    return (closing[1] or closing[2]) if closing else ""


def _without_marks(source: str) -> str:
    """Return the text between the marks of a shortcode; searching for the closing marks from the end is fastest."""
    inside = _OPENING.sub("", source, count=1)
    if inside.endswith("]"):
        return inside[:-1].removesuffix("\\")
    if inside.endswith("%}"):
        return inside[:-2].removesuffix("-").rstrip()
    if not inside.endswith("}}"):
        return inside
    inside = inside[:-2]
    return (inside[:-1] if inside.endswith((">", "%")) else inside).removesuffix("-").removesuffix("/").rstrip()


def _plain(value: str) -> str:
    return unescape(_ESCAPED.sub(r"\1", value))
