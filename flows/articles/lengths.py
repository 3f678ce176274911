"""How long the texts of an article's rows may be.

| text | characters | what happens to a longer one |
|---|--:|---|
| identity (`code`, `id`, `uuid`, `guid`) | 1,000 | is left in `extra`; the next key is the identity, or the path |
| title | 2,000 | is cut |
| description | 10,000 | is cut |
| category, layout | 200 | is cut |
| language | 100 | is cut |
| address of an image, `origin_url` | 10,000 | is cut |
| alt text, title attribute, caption | 10,000 | is cut |
| credit, photographer, agency | 200 | none is read in more than the last 200 characters of a caption |
| key in `extra` | 200 | is left out with its value |
| value in `extra`, as JSON | 50,000 | text is cut, anything else is left out |
| detail of a problem, such as a key | 300 | is cut |

An article has at most 10,000 images, an image at most 100 captions (MAX_IMAGES, MAX_CAPTIONS), and a file at most 100
problems. The rows of an article have at most 8 bytes for each byte of its file, and 2,000,000 more, where a row of
images or captions counts 100 bytes beside its text; images that would exceed it are left out. Every cut and everything
that is left out is a row in `problems`.

The limits are ten times what the longest articles of real newsrooms have. Without them a text that many rows share (the
identity, a figure's caption, the address of a reference) would be multiplied by the number of images.
"""

from unicodedata import category

from flows.problems import problem
from flows.schema import Problem

MAX_TEXT = 10_000
MAX_LENGTHS = {
    "identity": 1_000,
    "title": 2_000,
    "description": MAX_TEXT,
    "category": 200,
    "language": 100,
    "layout": 200,
    "origin_url": MAX_TEXT,
    "image url": MAX_TEXT,  # a data: address may be as long as its image, which no reader of a table needs
    "image alt": MAX_TEXT,
    "image title": MAX_TEXT,
    "caption": MAX_TEXT,
}
MAX_KEY = 200
MAX_VALUE = 50_000
MAX_PROBLEMS = 100  # per file; an editor reads a few of them
MAX_GROWTH = 8  # bytes of rows for each byte of the file: usual articles have two or three, those of one line six
MAX_EXTRA_BYTES = 2_000_000  # bytes of rows beside these: a gallery of small images has more rows than text
MAX_BYTES_PER_BYTE = 3  # bytes that a byte of the file becomes: U+0000 is read as U+FFFD
ROW = 100  # bytes that a row counts beside its text
_MAX_CLUSTER = 32  # code points that are kept together; a longer cluster may be split
_JOINER = "\u200d"


def fit(text: str, name: str, line: int | None, problems: list[Problem]) -> str:
    """Return a text that is no longer than MAX_LENGTHS allows; a cut is one of the `problems`."""
    if len(text) <= MAX_LENGTHS[name]:
        return text
    limit = MAX_LENGTHS[name]
    problems.append(problem("text_cut", line, name=name, size=len(text), limit=limit))
    return shorten(text, limit)


def shorten(text: str, limit: int) -> str:
    """Return the beginning of a text and …, together `limit` characters or a few less: no mark loses its letter."""
    end = limit - 1
    for place in range(end, max(end - _MAX_CLUSTER, 0), -1):
        if not _continues(text, place):
            end = place
            break
    return f"{text[:end].rstrip()}…"


def _continues(text: str, place: int) -> bool:
    """Return whether a character belongs to the one before: a mark, a modifier of emoji, or either side of a joiner."""
    character = text[place : place + 1]
    is_modifier = "\U0001f3fb" <= character <= "\U0001f3ff"
    is_joined = character == _JOINER or text[place - 1] == _JOINER
    return is_joined or is_modifier or category(character).startswith("M")


def bytes_of(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def few(problems: list[Problem]) -> list[Problem]:
    """Return the problems of a file, or the first of them and one that says that there are more."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    kept = problems[: MAX_PROBLEMS - 1]
    line = problems[MAX_PROBLEMS - 1].line_number
    return [*kept, problem("too_many_problems", line, more=len(problems) - len(kept))]
