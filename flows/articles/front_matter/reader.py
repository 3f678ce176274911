"""Read the bytes of a seed file into its front matter, as values and as written, and its body."""

import re
from codecs import BOM_UTF8
from typing import Any, NamedTuple

from flows.articles.front_matter.formats import FORMATS
from flows.articles.front_matter.syntax_errors import missing_end
from flows.articles.front_matter.yaml_blocks import Block, Written
from flows.problems import RejectedError, problem
from flows.schema import Problem

MAX_FRONT_MATTER = 200_000  # characters

_BLANK_LINES = re.compile(r"(?:[ \t]*+\n)*+")  # possessive: otherwise the engine remembers each line


class FrontMatter(NamedTuple):
    """The parts of a seed file; lines are lines of the file.

    `values` are the values of the front matter's format, except that dates stay text; `written` has the same values
    with every scalar as its author wrote it (`no` is not False). `lines` has the line of each key, `body_line` that of
    the body's first character.
    """

    values: dict[str, Any]
    written: dict[str, Written]
    lines: dict[str, int]
    body: str
    body_line: int
    problems: list[Problem]


def read_front_matter(content: bytes) -> FrontMatter:
    """Read a seed file's bytes; raise RejectedError if they are not an article."""
    text = decode(content)
    start = _end_of_blank_lines(text)
    line_offset = text.count("\n", 0, start) + 1
    text = text[start:]
    if not text or text.isspace():
        raise RejectedError(problem("empty", 1))
    block, body = _split(text, line_offset)
    if not block.values:
        raise RejectedError(problem("empty_front_matter", line_offset))
    skipped = _end_of_blank_lines(body)
    return FrontMatter(
        values=block.values,
        written=block.written,
        lines={key: line + line_offset for key, line in block.lines.items()},
        body=body[skipped:].rstrip(),
        body_line=text.count("\n", 0, len(text) - len(body) + skipped) + line_offset,
        problems=[_moved(row, line_offset) for row in block.problems],
    )


def decode(content: bytes) -> str:
    """Decode UTF-8 text, remove its byte-order mark, and convert all line ends to LF."""
    content = content.removeprefix(BOM_UTF8)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode().replace("\r\n", "\n").replace("\r", "\n")
        column = len(before) - before.rfind("\n")
        byte = f"0x{content[error.start]:02X}"
        raise RejectedError(
            problem("not_utf8", before.count("\n") + 1, column, byte=byte, guess=_guess(content, error.start))
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _guess(content: bytes, place: int) -> str:
    """Guess the encoding of bytes that are not UTF-8; between Latin-1 letters half a character is rare."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "the file seems to be UTF-16"
    is_half = content[place] in b"\xc2\xc3\xe2" and content[place + 1 : place + 2].isspace()
    if is_half or not content.decode(errors="ignore").isascii():
        return "a character seems to be damaged here"
    return "the file seems to be in another encoding, such as Latin-1"


def _split(text: str, line_offset: int) -> tuple[Block, str]:
    """Return the front matter at the start of the text, parsed, and the text after it."""
    language = next((language for language in FORMATS if language.detect(text)), None)
    if language is None:
        raise RejectedError(problem("no_front_matter", line_offset))
    try:
        written, body = language.split(text)
    except RejectedError as error:
        raise RejectedError(_moved(error.problem, line_offset)) from None
    except ValueError:
        line = line_offset + missing_end(text)
        raise RejectedError(problem("unclosed_front_matter", line, mark=language.END_DELIMITER)) from None
    if len(written) > MAX_FRONT_MATTER:
        raise RejectedError(problem("too_large_front_matter", line_offset, size=len(written), limit=MAX_FRONT_MATTER))
    try:
        return language.read(written), body
    except RejectedError as error:
        raise RejectedError(_moved(error.problem, line_offset)) from None


def _moved(row: Problem, lines: int) -> Problem:
    return row._replace(line_number=(row.line_number or 0) + lines)


def _end_of_blank_lines(text: str) -> int:
    match = _BLANK_LINES.match(text) if text[:1].isspace() else None
    return match.end() if match else 0
