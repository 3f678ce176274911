"""A block of YAML front matter becomes values: plain lines fast, everything else by PyYAML's C loader."""

import re
from typing import Any, NamedTuple

import yaml

from flows.problems import RejectedError, problem
from flows.tables import Problem

DEEPEST = 50  # levels of lists and mappings
MOST_DIGITS = 4_000  # of a number; Python writes no longer ones
MOST_VALUES = 10_000  # values, each alias counted with all that it stands for

Written = str | list["Written"] | dict[str, "Written"] | None


class Block(NamedTuple):
    """A block of front matter; its lines count from 0, which is the opening mark's own.

    `values` and `written` are those of FrontMatter.
    """

    values: dict[str, Any]
    written: dict[str, Written]
    lines: dict[str, int]
    problems: list[Problem]


# A line that every YAML reader takes alike: a plain key, then quoted text without escapes, a time, or one word.
# What the C reader refuses or folds inside quotes (control characters, other line ends) is left to it.
_PLAIN_LINE = re.compile(
    r'\n([A-Za-z_][A-Za-z0-9_-]{0,59}): (?:"([^"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*)"'
    r"|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z|[a-z]{1,60}))(?=\n)"
)
_RESERVED = frozenset({"true", "false", "yes", "no", "on", "off", "null"})


def read_plain(block: str) -> Block | None:
    """A YAML block of plain lines, no key twice; None hands any other to `read_yaml`, which gives the same."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    found = _PLAIN_LINE.findall(block)
    if len(found) != block.count("\n") - 1:
        return None
    for number, (key, quoted, bare) in enumerate(found, 1):
        if key in values or key.lower() in _RESERVED or bare in _RESERVED:
            return None
        values[key] = quoted or bare
        lines[key] = number
    return Block(values, dict(values), lines, [])


class _Loader(yaml.CSafeLoader):
    """PyYAML's C loader, but dates stay as written: dates.py reads every spelling, and says what is wrong."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(block: str) -> Block:
    """A YAML block by PyYAML's C loader, node by node, so that each key has its line and its text as written."""
    loader = _Loader(block)
    try:
        _require_shallow(block)
        node = loader.get_single_node()
        if node is None:
            return Block({}, {}, {}, [])
        if not isinstance(node, yaml.MappingNode):
            raise RejectedError(problem("no_mapping", node.start_mark.line))
        _require_few(node)
        return _read_mapping(loader, node)
    except yaml.YAMLError as error:
        raise RejectedError(_broken_yaml(error)) from None
    finally:
        loader.dispose()


def _require_shallow(block: str) -> None:
    """Deep nesting would overflow the C loader's stack; the events that are counted here need none."""
    if sum(map(block.count, "[{-?:")) <= DEEPEST:
        return
    depth = 0
    for event in yaml.parse(block, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise RejectedError(too_complex(event.start_mark.line if event.start_mark else 0))


def _require_few(node: yaml.Node) -> None:
    """An alias stands for all that its anchor holds, and a few lines of them for billions of values."""
    values, waiting = 0, [node]
    while waiting:
        node = waiting.pop()
        values += 1
        if values > MOST_VALUES:
            raise RejectedError(too_complex(node.start_mark.line))
        if node.tag == "tag:yaml.org,2002:int" and len(node.value) > MOST_DIGITS:
            raise RejectedError(broken("YAML", "a number is too long", node.start_mark.line))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]


def _read_mapping(loader: _Loader, node: yaml.MappingNode) -> Block:
    values: dict[str, Any] = {}
    written: dict[str, Written] = {}
    lines: dict[str, int] = {}
    problems = []
    loader.flatten_mapping(node)
    for key_node, value_node in node.value:
        key, line = _written(key_node), key_node.start_mark.line
        if not isinstance(key, str):
            raise RejectedError(broken("YAML", "a key is no text", line, key_node.start_mark.column + 1))
        if key in lines:
            problems.append(problem("key_twice", line, key_node.start_mark.column + 1, key=key))
        try:
            values[key] = loader.construct_object(value_node, deep=True)
        except (ValueError, OverflowError) as error:
            raise RejectedError(broken("YAML", str(error), line)) from None
        written[key] = _written(value_node)
        lines[key] = line
    return Block(values, written, lines, problems)


def _written(node: yaml.Node) -> Written:
    if isinstance(node, yaml.SequenceNode):
        return [_written(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _written(value) for key, value in node.value}
    return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _broken_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    if (getattr(error, "context", None) or "").startswith("while scanning"):
        mark = error.context_mark  # type: ignore[attr-defined]  # where it begins; its end is noticed lines later
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line, column = (mark.line, mark.column + 1) if mark else (0, None)
    return broken("YAML", reason, line, column)


def too_complex(line: int) -> Problem:
    """The problem of front matter beyond the limits; its line counts from 0."""
    return problem("too_complex", line, depth=DEEPEST, values=MOST_VALUES)


def broken(language: str, reason: str, line: int, column: int | None = None) -> Problem:
    return problem("broken_front_matter", line, column, language=language, reason=reason)
