"""Articles whose bodies and front matter are written against the parser: `content(kind, size)` for each of KINDS.

A body is a piece that is repeated until the file has its size, perhaps between an opening and an ending; what needs
more than that has its own function.
"""

from collections.abc import Callable
from itertools import count

from tests.hostile_pieces import PIECES, WRAPPED

FRONT = "---\ntitle: x\n---\n\n"


# Keys of YAML front matter whose value is one long text.
KEYS = (
    "title",
    "description",
    "category",
    "language",
    "layout",
    "code",
    "image",
    "origin_url",
    "date",
    "draft",
    "other",
)


# The same for front matter, in at most MAX_FRONT_LENGTH characters.
FRONT_MATTER = {
    "YAML keys": ("---\n", "k{0}: v\n", "---\n"),
    "YAML keys that are one": ("---\n", "k: v\n", "---\n"),
    "YAML lists in lines": ("---\na: [", "b, ", "]\n---\n"),
    "YAML lists opened": ("---\na: ", "[", "\n---\n"),
    "YAML items": ("---\na:\n", "- b\n", "---\n"),
    "YAML comments": ("---\na: b\n", "# c\n", "---\n"),
    "YAML comments on a line": ("---\na: b ", "# ", "\n---\n"),
    "YAML text in lines": ("---\na: |\n", "  b\n", "---\n"),
    "YAML text that is folded": ("---\na: >\n", "  b\n\n", "---\n"),
    "YAML text in quotes": ('---\na: "', "b\n  ", '"\n---\n'),
    "YAML escapes": ('---\na: "', "\\u00e9", '"\n---\n'),
    "YAML keys with question marks": ("---\na: b\n", "? ", "\n---\n"),
    "YAML anchors": ("---\n", "k{0}: &a{0} v\n", "---\n"),
    "YAML tags": ("---\na: ", "!!str ", "b\n---\n"),
    "YAML spaces": ("---\na:", " ", "b\n---\n"),
    "YAML colons": ("---\na", ":", "\n---\n"),
    "YAML of many marks": ("---\na: b\n", "--- \n", ""),
    "TOML keys": ("+++\n", "k{0} = 1\n", "+++\n"),
    "TOML tables": ("+++\n", "[t{0}]\n", "+++\n"),
    "TOML tables in tables": ("+++\n", "[a.t{0}]\n", "+++\n"),
    "TOML lists of tables": ("+++\n", "[[a]]\n", "+++\n"),
    "TOML spaces in text": ("+++\na = '''", " ", "'''\n+++\n"),
    "TOML brackets in text": ("+++\na = '''\n", " [", "'''\n+++\n"),
    "TOML spaces and brackets in text": ("+++\na = '''\n   ", "[", "   '''\n+++\n"),
    "TOML lines of spaces in text": ("+++\na = '''\n", " " * 99 + "[\n", "'''\n+++\n"),
    "TOML quotes in text": ('+++\na = """', '""a', '"""\n+++\n'),
    "TOML escapes": ('+++\na = "', "\\u00e9", '"\n+++\n'),
    "TOML lists": ("+++\na = [", "1,", "]\n+++\n"),
    "TOML comments": ("+++\na = 1\n", "# c\n", "+++\n"),
    "TOML keys with dots and spaces": ("+++\na ", ". ", "b = 1\n+++\n"),
    "JSON keys": ('{{"k": 1', ', "k{0}": 1', "}}\n"),
    "JSON keys that are one": ('{{"k": 1', ', "k": 1', "}}\n"),
    "JSON keys on lines": ('{{"k": 1', ',\n"k{0}": 1', "}}\n"),
    "JSON quotes": ('{{"k": "', '\\"', '"}}\n'),
    "JSON escapes": ('{{"k": "', "\\ud800", '"}}\n'),
    "JSON control characters": ('{{"k": "', "\x01", '"}}\n'),
    "JSON spaces": ('{{"k"', " ", ": 1}}\n"),
    "JSON lists opened": ('{{"k": ', "[", "}}\n"),
    "JSON text in a list": ('{{"k": ["a"', ', "a" ', "]}}\n"),
}  # fmt: skip
MAX_FRONT_LENGTH = 190_000


def _front(size: int, opening: str, piece: str, ending: str) -> bytes:
    times = max(min(size, MAX_FRONT_LENGTH) // len(piece.encode()), 1)
    text = "".join([opening.format(), *(piece.format(number) for number in range(times)), ending.format()])
    return (text[:MAX_FRONT_LENGTH] if len(text) > MAX_FRONT_LENGTH + 500 else text).encode() + b"Text.\n"


def _repeated(size: int, opening: str, piece: str, ending: str) -> bytes:
    room = size - len((opening + ending).encode())
    return (opening + piece * max(room // len(piece.encode()), 1) + ending).encode()


def _numbered(size: int, line: str) -> bytes:
    """Lines that each hold their number."""
    lines, length = [FRONT], len(FRONT)
    for number in count():
        lines.append(line.format(number))
        length += len(lines[-1].encode())
        if length >= size:
            return "".join(lines).encode()
    raise AssertionError


def _key(size: int, key: str) -> bytes:
    """A key of as many characters as front matter may have, and a body for the rest."""
    value = "a b-" * (min(size, 190_000) // 4)
    return _repeated(size, f'---\ntitle: x\n{key}: "{value}"\n---\n\n', "a\n", "")


def _shared_caption(size: int, images: str, opening: str, ending: str) -> bytes:
    """A figure of which half are images and half the caption that each of them has."""
    return f"{FRONT}{opening}{images * (size // 2 // len(images))}{ending.format('a ' * (size // 4))}".encode()


def _nested_lists(size: int) -> bytes:
    """Lines that indent deeper and deeper, as far as the size allows."""
    depth = int((size / 1) ** 0.5)
    return (FRONT + "".join(" " * number * 2 + "- a\n" for number in range(depth))).encode()


def _backticks(size: int) -> bytes:
    """Runs of backticks, each longer than the one before: none closes another."""
    return (FRONT + " ".join("`" * number for number in range(1, int((2 * size) ** 0.5)))).encode()


OTHERS: dict[str, Callable[[int], bytes]] = {
    "definitions of references": lambda size: _numbered(
        size, "[r{0}]: https://images.example.com/{0}.jpg\n![r{0}]\n\n"
    ),
    "definitions of footnotes": lambda size: _numbered(size, "[^f{0}]: Note {0}.\n\nText[^f{0}].\n\n"),
    "references to one long address": lambda size: (
        f"{FRONT}[r]: /{'u' * (size // 2)}\n\n" + "![r] " * (size // 2 // 5)
    ).encode(),
    "references to one long title": lambda size: (
        f"{FRONT}[r]: /u '{'t ' * (size // 4)}'\n\n" + "![r] " * (size // 2 // 5)
    ).encode(),
    "a figure with a long caption": lambda size: _shared_caption(
        size, "<img src=x>", "<figure>", "<figcaption>{}</figcaption></figure>"
    ),
    "a figure with a long caption in lines": lambda size: _shared_caption(
        size, "![](x)\n\n", "<figure>\n\n", "<figcaption>{}</figcaption></figure>"
    ),
    "images with captions without end": lambda size: _numbered(size, "<figcaption>c {0}</figcaption><img src=x>\n\n"),
    "many captions of an image": lambda size: (
        FRONT
        + "<figure><img src=x>"
        + "".join(f"<figcaption>c{n}</figcaption>" for n in range(size // 34))
        + "</figure>"
    ).encode(),
    "a long code and many images": lambda size: _repeated(
        size, f"---\ncode: {'c' * (size // 3)}\ntitle: x\n---\n\n", "![a](b)\n\n", ""
    ),
    "a code of 60 KB and many images": lambda size: _repeated(
        size, f"---\ncode: {'c' * min(60_000, size // 2)}\ntitle: x\n---\n\n", "![a](b)\n\n", ""
    ),
    "a title of 1 MB": lambda size: f'---\ntitle: "{"t " * (size // 4)}"\n---\n\n{"a " * (size // 4)}'.encode(),
    "a heading that is the title": lambda size: f"---\ncode: x\n---\n\n# {'t ' * (size // 2)}\n".encode(),
    "a first paragraph that is the title": lambda size: f"---\ncode: x\n---\n\n#\n\n{'t ' * (size // 2)}\n".encode(),
    "lists that nest": _nested_lists,
    "backticks that close nothing": _backticks,
    "front matter that is never closed": lambda size: _repeated(size, "---\n", "a: b\n", ""),
    "front matter of spaces": lambda size: _repeated(size, "---\n", " \n", ""),
    "a mark of front matter that goes on": lambda size: _repeated(size, "---", "-", ""),
    "blank lines before front matter": lambda size: _repeated(size, "", " \n", FRONT),
    "spaces before front matter": lambda size: _repeated(size, "", " ", FRONT),
    "bytes that are not UTF-8": lambda size: FRONT.encode() + b"\xff" * size,
    "nothing": lambda size: b"\n" * size,
    **{f"{key} of many characters": lambda size, key=key: _key(size, key) for key in KEYS},
}

KINDS: dict[str, Callable[[int], bytes]] = {
    **{name: lambda size, piece=piece: _repeated(size, FRONT, piece, "\n") for name, piece in PIECES.items()},
    **{
        name: lambda size, opening=opening, piece=piece, ending=ending: _repeated(
            size, FRONT + opening, piece, f"{ending}\n"
        )
        for name, (opening, piece, ending) in WRAPPED.items()
    },
    **{name: lambda size, parts=parts: _front(size, *parts) for name, parts in FRONT_MATTER.items()},
    **OTHERS,
}


def content(kind: str, size: int) -> bytes:
    """Return a file of about `size` bytes."""
    return KINDS[kind](size)
