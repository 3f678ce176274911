"""Mask what is not Markdown before it is parsed, so that neither affects the other: shortcodes, and what tools add.

| what | tools |
|---|---|
| `{{< … >}}`, `{{% … %}}`, `{{ … }}`, `{% … %}`, with or without braces in quotes | Hugo, Zola, Liquid, Nunjucks |
| `[caption …]`, `[/caption]`, `[gallery …]`, also with backslashes before the brackets | WordPress and its converters |
| `{: …}`, `{…}` after a link or image, `{#…}` after a heading | kramdown, Pandoc |
| `![…](… =250x)`, `![…](… align="center")`, `![…](a name.jpg)`, which CommonMark refuses | HackMD, Hashnode, Obsidian |
| `![[file.jpg|…]]` | Obsidian, Gollum |
| lines that begin with `:::` | Docusaurus, Pandoc, VuePress |
| `import … from '…'`, `export const …`, `{/* … */}` | MDX |
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

# A search for an end stops at the next opening, even in quotes or after a backslash: otherwise thousands of openings
# would each search the same text.
_INSIDE = r"""(?:[^{}"]|"(?:[^"\\{]|\\[^{\n]|\\(?=\{)|\{(?!\{))*+")*+"""
_ALT = r"(?:[^\[\]\n\\]|\\[^\n])*+"
_IN_TARGET = r"(?:[^()\n!]|!(?!\[))*+"
_TARGET = rf"{_IN_TARGET}(?:\({_IN_TARGET}\){_IN_TARGET})*+"
# After the address and white space comes something other than a title, or something after the title.
_TITLE = r"""(?:"(?:[^"\\\n]|\\.)*+"|'(?:[^'\\\n]|\\.)*+')"""
_MORE = rf"""(?=[ \t]*+[^\s<>(){{]++[ \t]++(?:[^\s"'()]|{_TITLE}[ \t]*+[^\s)]))"""
_REFUSED_IMAGE = rf"!\[{_ALT}\]\({_MORE}{_TARGET}\)"
_MDX = (
    r"(?:^import\s++(?:[\w*{$][^\n'\"]*?\sfrom\s++)?(?:'[^'\n]++'|\"[^\"\n]++\");?[ \t]*+$"
    r"|^export\s++(?:(?:default|const|let|var|function|async|class)\b[^\n]*?[=({;]|\{|\*\s)[^\n]*+(?:\n(?!\s*+(?:```|~~~))[^\n]++)*+)"
)
_SHORTCODE = (
    r"\{%-?\s*(comment|highlight|codeblock)\b[^{}]*%\}|\{\{[<%]-?\s*(highlight)\b[^{}]*\}\}"
    rf"|\{{\{{{_INSIDE}\}}\}}|\{{\{{[^{{}}]*\}}\}}|\{{%[^{{}}]*%\}}"
    r"|\\?\[caption\s[^\[\]\n]*\]|\\?\[/caption\\?\]"
    r"|\{:[^{}\n]*\}|(?<=\))\{(?:[.#][\w-]+|[\w-]+=[^{}\s]+)(?:\s[^{}\n]*)?\}"
    r"|(?<=[ \t])\{#[\w-]+\}(?=[ \t]*(?:\n|\Z))"
)
_CODES = re.compile(_SHORTCODE)
# The rarer forms apart, since each alternative slows the search.
_ALL_CODES = re.compile(
    rf"<\{{\{{[^{{}}<>]*\}}\}}>|{_SHORTCODE}"
    rf"|\\?\[gallery\b[^\[\]\n]*\]|{_REFUSED_IMAGE}|!\[\[[^\[\]\n]+\]\]"
    r"|^[ \t]{0,3}:{3,}+[ \t]*+(?:\{[\w-]*\}|[\w-]++)?|\{/\*(?:[^*{]|\*(?!/)|\{(?!/\*))*+\*/\}"
    rf"|{_MDX}",
    re.MULTILINE,
)
_REFUSED = re.compile(_REFUSED_IMAGE)
_FIRST = ("import ", "export ", ":::")
_RARE = ("<{{", "{/*", "\nimport ", "\nexport ")
_ENDS = {
    name: re.compile(rf"\{{%-?\s*end{name}\s*-?%\}}|\{{\{{[<%]-?\s*/\s*{name}\b[^{{}}]*\}}\}}")
    for name in ("comment", "highlight", "codeblock")
}
# A masked shortcode is its number between two noncharacters of Unicode.
OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_WRITTEN_OPEN = re.compile(r"&#(?:0{0,2}64976|[xX]0{0,2}[fF][dD][dD]0);")  # Markdown decodes it to that character
_HIDDEN = re.compile(f"{OPEN}(\\d+){_CLOSE}")


class Shortcode(NamedTuple):
    """A piece of text as written in the source; `line` counts from 1 in the body."""

    source: str
    line: int


class Masked(NamedTuple):
    """A body with masked shortcodes. `removed` has pairs of a line and the number of lines removed after it.

    `images` is the number of `![` in the text.
    """

    text: str
    codes: list[Shortcode]
    removed: list[tuple[int, int]]
    images: int


def mask(body: str) -> Masked:
    """Replace each shortcode with a mask on one line."""
    if "&#" in body:
        body = _WRITTEN_OPEN.sub("\ufffd", body)
    brackets, images = _read_brackets(body)
    search = _search_for(body, brackets)
    if search is None:
        return Masked(body, [], [], images)
    body = body.replace(OPEN, "\ufffd")
    parts: list[str] = []
    codes: list[Shortcode] = []
    removed: list[tuple[int, int]] = []
    place, line, gone = 0, 1, 0
    for start, end in _places(search, body):
        line += body.count("\n", place, start)
        parts += [body[place:start], f"{OPEN}{len(codes)}{_CLOSE}"]
        codes.append(Shortcode(body[start:end], line))
        if lines := body.count("\n", start, end):
            removed.append((line - gone, lines))
            gone += lines
            line += lines
        place = end
    masked = "".join([*parts, body[place:]])
    return Masked(masked, codes, removed, masked.count("!["))


def _search_for(body: str, brackets: str) -> Callable[[str, int], re.Match[str] | None] | None:
    """Return the search for what a body may have, None if nothing: cheap checks, since most have nothing."""
    has_braces = "{" in body
    if brackets == "rare" or "\n:::" in body or body.startswith(_FIRST):
        return _ALL_CODES.search
    if (has_braces or "<" in body) and any(map(body.__contains__, _RARE)):
        return _ALL_CODES.search
    return _CODES.search if has_braces or brackets or OPEN in body else None


def _read_brackets(body: str) -> tuple[str, int]:
    """Return what brackets have, and the number of images of Markdown.

    The first is `rare` (the number then stops there), `caption` of WordPress, or "" for nothing but Markdown.
    """
    found, images, target = "", 0, 0
    place = body.find("[")
    while place >= 0:
        following = body[place + 1 : place + 2]
        if place and body[place - 1] == "!":
            images += 1
            target = body.find("](", place) if target >= 0 else -1  # once none follows, none does later
            end = body.find(")", target) if target >= 0 else -1
            has_space = end >= 0 and (" " in body[target:end] or "\t" in body[target:end])
            if following == "[" or (has_space and _REFUSED.match(body, place - 1)):
                return "rare", images
        elif following == "g" and body.startswith("[gallery", place):
            return "rare", images
        elif following == "c" and body.startswith("[caption", place):
            found = "caption"
        place = body.find("[", place + 1)
    return found, images


def _places(search: Callable[[str, int], re.Match[str] | None], body: str) -> Iterator[tuple[int, int]]:
    """Yield where each shortcode starts and ends; a comment that is never closed is a shortcode by itself."""
    unended: set[str] = set()
    place = 0
    while match := search(body, place):
        place = match.end()
        if (name := match[1] or match[2]) and name not in unended:
            end = _ENDS[name].search(body, place)
            if end is None:
                unended.add(name)
            else:
                place = end.end()
        yield match.start(), place


def unmask(text: str, codes: list[Shortcode]) -> str:
    """Return the text with its shortcodes as written in the source."""
    return _HIDDEN.sub(lambda match: codes[int(match[1])].source, text) if OPEN in text else text


def part(text: str, codes: list[Shortcode]) -> list[str | Shortcode]:
    """Return the text as parts: shortcodes, and the texts between them."""
    if OPEN not in text:
        return [text]
    parts = _HIDDEN.split(text)
    return [codes[int(item)] if number % 2 else item for number, item in enumerate(parts) if item]


def masked_places(text: str) -> Iterator[int]:
    """Yield the offset in bytes of each mask in a masked text, in the order of the shortcodes."""
    offset = place = 0
    for match in _HIDDEN.finditer(text):
        offset += len(text[place : match.start()].encode())
        place = match.start()
        yield offset
