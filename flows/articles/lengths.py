"""Limits for the lengths of texts in an article's rows.

| text | characters | longer text |
|---|--:|---|
| identity (`code`, `id`, `uuid`, `guid`) | 1,000 | is kept in `extra`; the next key or the path becomes the identity |
| title | 2,000 | is truncated |
| description | 10,000 | is truncated |
| category, layout | 200 | is truncated |
| address of an image, `origin_url` | 10,000 | is truncated |
| alt text, title attribute, caption | 10,000 | is truncated |
| credit, photographer, agency | 200 | only the last 200 characters of a caption are searched |
| key in `extra` | 200 | is omitted with its value |
| value in `extra`, as JSON | 50,000 | text is truncated, other values are omitted |
| detail of a problem, such as a key | 300 | is truncated |

An article has at most 10,000 images, an image at most 100 captions (MAX_IMAGES, MAX_CAPTIONS), and a file at most 100
problems. The rows of an article have at most 8 bytes for each byte of its file plus 2,000,000 bytes. A row of images or
captions counts as 100 bytes in addition to its text. Images beyond that limit are omitted. Everything that is truncated
or omitted has a row in `problems`.

The limits are ten times the lengths in the longest articles of real newsrooms. Without limits, a text that is repeated
in many rows (the identity, a figure's caption, the URL of a reference) would be multiplied by the number of images.
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
    "layout": 200,
    "origin_url": MAX_TEXT,
    "image url": MAX_TEXT,  # a data: URL is as long as its image, which is of no use in a table
    "image alt": MAX_TEXT,
    "image title": MAX_TEXT,
    "caption": MAX_TEXT,
}
MAX_KEY = 200
MAX_VALUE = 50_000
MAX_PROBLEMS = 100  # per file; editors read only the first few
MAX_GROWTH = 8  # bytes of rows for each byte of the file; typical articles have two or three, one-line articles six
MAX_EXTRA_BYTES = 2_000_000  # additional bytes, since a gallery of small images has more rows than text
MAX_BYTES_PER_BYTE = 3  # bytes of UTF-8 for a byte of the file: U+0000 is read as U+FFFD
ROW = 100  # bytes that a row counts in addition to its text
_MAX_CLUSTER = 32  # code points of a grapheme cluster; a longer one may be split
_JOINER = "\u200d"


def truncate(text: str, name: str, line: int | None, problems: list[Problem]) -> str:
    """Return a text, truncated to its limit in MAX_LENGTHS; truncation is added to `problems`."""
    if len(text) <= MAX_LENGTHS[name]:
        return text
    limit = MAX_LENGTHS[name]
    problems.append(problem("text_cut", line, name=name, size=len(text), limit=limit))
    return shorten(text, limit)


def shorten(text: str, limit: int) -> str:
    """Return the start of a text and …, in at most `limit` characters; letters keep their marks."""
    end = limit - 1
    for place in range(end, max(end - _MAX_CLUSTER, 0), -1):
        if not _continues(text, place):
            end = place
            break
    return f"{text[:end].rstrip()}…"


def _continues(text: str, place: int) -> bool:
    """Return whether a character belongs to the previous one: a mark, an emoji modifier, or either side of a joiner."""
    character = text[place : place + 1]
    is_modifier = "\U0001f3fb" <= character <= "\U0001f3ff"
    is_joined = character == _JOINER or text[place - 1] == _JOINER
    return is_joined or is_modifier or category(character).startswith("M")


def bytes_of(text: str) -> int:
    """Return the length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def limit_problems(problems: list[Problem]) -> list[Problem]:
    """Return the problems of a file; of too many, the first ones and a problem with the number of the others."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    kept = problems[: MAX_PROBLEMS - 1]
    line = problems[MAX_PROBLEMS - 1].line_number
    return [*kept, problem("too_many_problems", line, more=len(problems) - len(kept))]
