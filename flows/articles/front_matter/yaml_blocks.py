"""Read a block of YAML front matter: plain lines by a fast path, everything else by PyYAML's C loader."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import yaml

from flows.articles.front_matter.syntax_errors import broken, broken_yaml, unreadable_value
from flows.problems import RejectedError, problem, quoted
from flows.schema import Problem

MAX_DEPTH = 50  # levels of lists and mappings
MAX_DIGITS = 3_500  # of an integer; Python writes at most 4,300, and the digits may be hexadecimal
MAX_NUMBER_BITS = 10_000  # of an integer that is written in decimal
MAX_VALUES = 10_000  # values; each alias counts with everything that it refers to
MAX_SCALAR_TEXT = 400_000  # characters of these values

Written = str | list["Written"] | dict[str, "Written"] | None


class Block(NamedTuple):
    """A block of front matter. Lines count from 0, which is the line of the opening delimiter.

    `values` and `written` are as in FrontMatter.
    """

    values: dict[str, Any]
    written: dict[str, Written]
    lines: dict[str, int]
    problems: list[Problem]


# A line that every YAML parser reads alike: a plain key, then quoted text without escapes, a time, or one word.
# Text that the C parser rejects or folds inside quotes (control characters, other line ends) is left to it.
_PLAIN_LINE = re.compile(
    r'\n([A-Za-z_][A-Za-z0-9_-]{0,59}): (?:"([^"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*)"'
    r"|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z|[a-z]{1,60}))(?=\n)"
)
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null"})


def read_plain(block: str) -> Block | None:
    """Read a YAML block of plain lines without repeated keys as `read_yaml` does; return None for any other."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    found = _PLAIN_LINE.findall(block)
    if len(found) != block.count("\n") - 1:
        return None
    for number, (key, text, bare) in enumerate(found, 1):
        if key in values or key.lower() in _RESERVED or bare in _RESERVED:
            return None
        values[key] = text or bare
        lines[key] = number
    return Block(values, dict(values), lines, [])


class _Loader(yaml.CSafeLoader):
    """PyYAML's C loader, except that dates and = stay as written: dates.py parses every spelling and reports errors."""


_STANDARD = "tag:yaml.org,2002:"
_NULL, _MERGE, _TEXT = f"{_STANDARD}null", f"{_STANDARD}merge", f"{_STANDARD}str"
_NULLS = frozenset({"", "~", "null"})
_AS_WRITTEN = (f"{_STANDARD}timestamp", f"{_STANDARD}value")
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _AS_WRITTEN]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def _checked(kind: str) -> Callable[[_Loader, yaml.Node], Any]:
    """Return PyYAML's constructor of a scalar, with lookup errors, which it does not catch, as ConstructorError."""
    construct = getattr(yaml.CSafeLoader, f"construct_yaml_{kind}")

    def construct_checked(loader: _Loader, node: yaml.Node) -> Any:
        text = loader.construct_scalar(node)  # type: ignore[arg-type]
        try:
            if (kind == "int" and len(text) > MAX_DIGITS) or (kind == "null" and text.lower() not in _NULLS):
                raise ValueError
            return construct(loader, node)
        except (ValueError, LookupError, ArithmeticError, AttributeError):
            reason = f"{quoted(text)} is not a valid !!{kind}"
            raise yaml.constructor.ConstructorError(None, None, reason, node.start_mark) from None

    return construct_checked


for _kind in ("bool", "int", "float", "null", "timestamp"):
    _Loader.add_constructor(f"{_STANDARD}{_kind}", _checked(_kind))


def read_yaml(block: str) -> Block:
    """Read a YAML block with PyYAML's C loader, node by node, so that each key has its line and its text as written."""
    loader = _Loader(block)
    try:
        _require_shallow(block)
        node = loader.get_single_node()
        if node is None:
            return Block({}, {}, {}, [])
        if not isinstance(node, yaml.MappingNode):
            raise RejectedError(problem("no_mapping", node.start_mark.line))
        problems = [_unmergeable(key) for key in _walk(node)] if _needs_walk(block) else []
        return _read_mapping(loader, node, problems)
    except yaml.YAMLError as error:
        raise RejectedError(broken_yaml(block, error)) from None
    finally:
        loader.dispose()


def _require_shallow(block: str) -> None:
    """Raise RejectedError for deep nesting, which would overflow the C loader's stack; parsing events does not."""
    if sum(map(block.count, "[{-?:")) <= MAX_DEPTH and block.count(",") <= MAX_VALUES:
        return
    depth = 0
    for number, event in enumerate(yaml.parse(block, Loader=_Loader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH or number > 2 * MAX_VALUES + 4:  # two events for a list, four for the block itself
            raise RejectedError(too_complex(event.start_mark.line if event.start_mark else 0))


def _needs_walk(block: str) -> bool:
    """Return whether a block may have an alias, a merge key, a tag or too many values, which is rare."""
    return "*" in block or "<<" in block or "!" in block or 4 * sum(map(block.count, "\n,:")) > MAX_VALUES


def _walk(node: yaml.Node) -> list[yaml.Node]:
    """Limit the number of values, and return the << keys that have nothing to merge; they become text.

    An alias counts as all values of its anchor: a few lines of aliases can expand to billions of values.
    """
    values, characters, waiting, unmergeable = 0, 0, [node], []
    while waiting:
        node = waiting.pop()
        values += 1
        if type(node) is yaml.ScalarNode:  # as nearly all are
            if node.tag == _MERGE:  # << is special only as a key
                node.tag = _TEXT
            characters += len(node.value)
        elif type(node) is yaml.SequenceNode:
            waiting += node.value
        else:
            for key, value in node.value:
                if key.tag == _MERGE:
                    if _can_merge(key, value):
                        waiting.append(value)
                        continue
                    key.tag = _TEXT
                    unmergeable.append(key)
                waiting += (key, value)
        if values > MAX_VALUES or characters > MAX_SCALAR_TEXT:
            raise RejectedError(too_complex(node.start_mark.line))
    return unmergeable


def _can_merge(key: yaml.Node, value: yaml.Node) -> bool:
    parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
    return key.value == "<<" and all(isinstance(part, yaml.MappingNode) for part in parts)


def _unmergeable(key: yaml.Node) -> Problem:
    place = key.start_mark
    return problem("unreadable_value", place.line, place.column + 1, key=key.value, reason="it is not a mapping")


def _read_mapping(loader: _Loader, node: yaml.MappingNode, problems: list[Problem]) -> Block:
    values: dict[str, Any] = {}
    written: dict[str, Written] = {}
    lines: dict[str, int] = {}
    loader.flatten_mapping(node)
    for key_node, value_node in node.value:
        key, line = _written(key_node), key_node.start_mark.line
        if not isinstance(key, str):
            raise RejectedError(broken("YAML", "a key is not text", line, key_node.start_mark.column + 1))
        if key in lines:
            problems.append(problem("key_twice", line, key_node.start_mark.column + 1, key=key))
        written[key] = _written(value_node)
        try:
            values[key] = loader.construct_object(value_node, deep=True)
        except yaml.constructor.ConstructorError as error:
            loader.recursive_objects.clear()  # the value that failed
            values[key] = written[key] = _written(value_node)
            problems.append(unreadable_value(key, error))
        lines[key] = line
    return Block(values, written, lines, problems)


def _written(node: yaml.Node) -> Written:
    if isinstance(node, yaml.SequenceNode):
        return [_written(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {_written_key(key): _written(value) for key, value in node.value}
    return None if node.tag == _NULL and node.value.lower() in _NULLS else str(node.value)


def _written_key(node: yaml.Node) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else json.dumps(_written(node), ensure_ascii=False)


def too_complex(line: int) -> Problem:
    """Return the problem of front matter beyond the limits; its line counts from 0."""
    return problem("too_complex", line, depth=MAX_DEPTH, values=MAX_VALUES, characters=MAX_SCALAR_TEXT)
