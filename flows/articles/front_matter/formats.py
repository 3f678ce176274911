"""The formats of front matter, as handlers of python-frontmatter: YAML, TOML and JSON."""

import json
import re
import tomllib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, time
from functools import partial
from typing import Any

from frontmatter.default_handlers import BaseHandler, JSONHandler, YAMLHandler

from flows.articles.front_matter.syntax_errors import broken
from flows.articles.front_matter.yaml_blocks import (
    MAX_DEPTH,
    MAX_DIGITS,
    MAX_NUMBER_BITS,
    MAX_VALUES,
    Block,
    Written,
    read_plain,
    read_yaml,
    too_complex,
)
from flows.problems import RejectedError, problem

# An escape in a JSON string: a surrogate pair, half of one (`1`), which text cannot contain, or another escape.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)", re.DOTALL
)
_NESTING = re.compile(r'"(?:[^"\\]|\\.)*+"?|([\[{])|([\]}])', re.DOTALL)
_LONG_NUMBER = re.compile(r"(?<![\d_])\d[\d_]{4000}")


_YAML_END = re.compile(r"\n(?:-{3,}|\.{3})[ \t]*(?=\n|\Z)")
_TOML_KEY = re.compile(r"""^[ \t]*+(?:\[++[ \t]*+)?(["']?)([\w-]++)\1[ \t]*+[\].=]""", re.MULTILINE)
_JSON_KEY = re.compile(r'(?<!\\)"((?:[^"\\\n]|\\.){1,200}+)"\s*+:')
_LINE_END = re.compile("\n")
_NUMBER = re.compile(r"\d+")
_DOTTED_KEY = re.compile(r"""[\w"'-]+(?:[ \t]*\.[ \t]*[\w"'-]+)*""")


class Yaml(YAMLHandler):
    """YAML between `---` lines; `...` may close it as well."""

    FM_BOUNDARY = re.compile(r"-{3,}[ \t]*$", re.MULTILINE)

    def split(self, text: str) -> tuple[str, str]:
        """Return the text between the lines; searching for the end of a line before the mark is fastest."""
        end = _YAML_END.search(text)
        if end is None:
            raise ValueError("the block is not closed")
        return text[text.index("\n") : end.start() + 1], text[end.end() :]

    def read(self, block: str) -> Block:
        """Read the block. Plain `key: value` lines have a parser of a fifth of the time."""
        return read_plain(block) or read_yaml(block)


class Toml(BaseHandler):
    """TOML between `+++` lines, read by the standard library."""

    FM_BOUNDARY = re.compile(r"^\+{3,}[ \t]*$", re.MULTILINE)
    START_DELIMITER = END_DELIMITER = "+++"

    def read(self, block: str) -> Block:
        """Read the block; dates become text.

        Since the library is slow, the block is parsed a second time only if it has floats.
        """
        floats: list[str] = []

        def note(text: str) -> float:
            floats.append(text)
            return float(text)

        for key in _DOTTED_KEY.finditer(block):  # the library needs quadratic time for a key with many parts
            if key[0].count(".") > MAX_DEPTH:
                raise RejectedError(too_complex(block.count("\n", 0, key.start())))
        try:
            values = tomllib.loads(block, parse_float=note)
            written = tomllib.loads(block, parse_float=str) if floats else values
        except tomllib.TOMLDecodeError as error:
            reason, _, place = str(error).partition(" (at ")
            line, column = (int(number) for number in (_NUMBER.findall(place) or (1, 1)))
            raise RejectedError(broken("TOML", reason, line - 1, column)) from None
        except RecursionError:
            raise RejectedError(too_complex(0)) from None
        except ValueError:  # Python's int() accepts at most 4,300 digits
            number = _LONG_NUMBER.search(block)
            line = block.count("\n", 0, number.start()) if number else 0
            raise RejectedError(broken("TOML", "a number is too long", line)) from None
        found = list(_TOML_KEY.finditer(block))
        return _block(values, written, block, {match[2]: match.start(2) for match in reversed(found)})


class Json(JSONHandler):
    """A JSON object at the start of the file."""

    END_DELIMITER = "}"

    def detect(self, text: str) -> bool:
        return text.startswith("{") and not text.startswith(("{{", "{%"))

    def split(self, text: str) -> tuple[str, str]:
        try:
            _, end = json.JSONDecoder(strict=False, parse_int=str, parse_float=str).raw_decode(text)
        except json.JSONDecodeError as error:
            # The depth of Python's stack depends on the caller, so the limit is checked before parsing.
            if _is_deep(text[: error.pos]):
                raise RejectedError(too_complex(0)) from None
            if error.pos >= len(text.rstrip()):
                raise ValueError("the object is not closed") from None
            end = len(text)
        except RecursionError:
            raise RejectedError(too_complex(0)) from None
        return text[:end], text[end:]

    def read(self, block: str) -> Block:
        """Read the block. Numbers are text in `written`; in `values`, only those that Python cannot write."""
        block = _ESCAPE.sub(lambda escape: "\\ufffd" if escape[1] else escape[0], block)
        try:
            values, repeated, long = _read_json(block)
            written = json.loads(block, strict=False, parse_int=str, parse_float=str)
        except json.JSONDecodeError as error:
            raise RejectedError(broken("JSON", error.msg, error.lineno - 1, error.colno)) from None
        except RecursionError:
            raise RejectedError(too_complex(0)) from None
        found = list(_JSON_KEY.finditer(block))
        places = {match[1]: match.start(1) for match in reversed(found)}
        last, line_at = {match[1]: match.start(1) for match in found}, _line_counter(block)
        problems = [problem("key_twice", line_at(last.get(key, 0)), key=key) for key in repeated]
        read = _block(values, written, block, places)
        for key, value in read.written.items() if long else ():
            if not long.isdisjoint(_scalars(value)):
                reason = "a number is too long"
                problems.append(problem("unreadable_value", read.lines.get(key, 0), key=key, reason=reason))
        return read._replace(problems=problems)


def _is_deep(text: str) -> bool:
    """Return whether lists and objects of JSON are nested deeper than front matter may be."""
    depth = 0
    for match in _NESTING.finditer(text):
        depth += bool(match[1]) - bool(match[2])
        if depth > MAX_DEPTH + 1:
            return True
    return False


def _scalars(value: Written) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in _items(value):
            yield from _scalars(item)
    elif value is not None:
        yield value


FORMATS = (Yaml(), Toml(), Json())


def _block(values: dict[str, Any], written: dict[str, Any], source: str, places: dict[str, int]) -> Block:
    """Return a block of a format without nodes; `places` are the offsets of its keys, the first of each name."""
    _require_simple(values)
    line_at = _line_counter(source)
    lines = {key: line_at(place) for key, place in places.items() if key in values}
    return Block(values, {key: _as_text(value) for key, value in written.items()}, lines, [])


def _line_counter(text: str) -> Callable[[int], int]:
    """Return a function that returns the line of an offset in the text, counted from 0."""
    ends = [match.start() for match in _LINE_END.finditer(text)]
    return partial(bisect_left, ends)


def _require_simple(values: dict[str, Any]) -> None:
    """Raise RejectedError beyond YAML's limits: deeper values would overflow recursive functions."""
    level: list[Any] = [values]
    seen = depth = 0
    while level:
        level = [item for value in level if isinstance(value, dict | list) for item in _items(value)]
        seen, depth = seen + len(level), depth + 1
        if seen > MAX_VALUES or depth > MAX_DEPTH + 1:
            raise RejectedError(too_complex(0))


def _items(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _as_text(value: Any) -> Written:
    if isinstance(value, list):
        return [_as_text(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _as_text(item) for key, item in value.items()}
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
        return hex(value)
    return None if value is None else str(value)


def _read_json(block: str) -> tuple[dict[str, Any], list[str], set[str]]:
    """Return the object, its repeated keys, and its numbers that are too long, as text."""
    outermost: list[str] = []
    long: set[str] = set()

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        outermost[:] = [key for key, _ in pairs]  # the last object to be closed is the outermost
        return dict(pairs)

    def integer(text: str) -> int | str:
        if len(text) <= MAX_DIGITS:
            return int(text)
        long.add(text)
        return text

    values = json.loads(block, strict=False, object_pairs_hook=note, parse_int=integer)
    return values, [key for key, times in Counter(outermost).items() if times > 1], long
