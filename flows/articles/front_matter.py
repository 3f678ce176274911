"""The text of a seed file becomes its front matter, as values and as written, and its body."""

import re
from typing import Any, NamedTuple

import yaml
from frontmatter.default_handlers import YAMLHandler

from flows.problems import RejectedError, problem
from flows.tables import Problem

Written = str | list["Written"] | dict[str, "Written"] | None

_DASHES = re.compile(r"^(?:-{3,}|\.{3})[ \t]*$", re.MULTILINE)
# A line that every YAML reader takes alike: a plain key, then quoted text without escapes, a time, or one word.
# What the C reader refuses or folds inside quotes (control characters, other line ends) is left to it.
_PLAIN_LINE = re.compile(
    r'([A-Za-z_][A-Za-z0-9_-]{0,59}): (?:"([^"\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]*)"'
    r"|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z|[a-z]{1,60}))"
)
_RESERVED = re.compile(r"(?:true|false|yes|no|on|off|null)\Z", re.IGNORECASE)


class FrontMatter(NamedTuple):
    """A seed file in its parts; lines are those of the file.

    `values` are what the front matter's language makes of them (dates stay text), `written` the same with every
    scalar as its author wrote it (`no` is not False), `lines` the line of each key, `body_line` that of the body's
    first character.
    """

    values: dict[str, Any]
    written: dict[str, Written]
    lines: dict[str, int]
    body: str
    body_line: int
    problems: list[Problem]


class Parsed(NamedTuple):
    """What a handler makes of a block; lines count from 0, the opening mark's own."""

    values: dict[str, Any]
    written: dict[str, Written]
    lines: dict[str, int]
    problems: list[Problem]


class _Loader(yaml.CSafeLoader):
    """PyYAML's C loader, but dates stay as written: dates.py reads every spelling, and says what is wrong."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


class YamlHandler(YAMLHandler):
    """YAML between `---` lines, also closed by `...`; blocks of plain lines are read at a fifth of the cost."""

    FM_BOUNDARY = _DASHES

    def detect(self, text: str) -> bool:
        return text.startswith("---") and bool(super().detect(text))

    def load(self, fm: str, **_: object) -> dict[str, Any]:
        return self.read(fm).values

    def read(self, block: str) -> Parsed:
        """The block with its lines and its text as written."""
        return load_plain(block) or load_yaml(block)


def read_front_matter(content: bytes) -> FrontMatter:
    """Split and read a seed file's bytes; raises RejectedError where they are no article."""
    text = decode(content)
    stripped = text.lstrip(" \t\n") if text.lstrip(" \t")[:1] == "\n" else text
    above = text.count("\n", 0, len(text) - len(stripped)) + 1
    if not stripped:
        raise RejectedError(problem("empty", 1))
    handler = YamlHandler()
    if not handler.detect(stripped):
        raise RejectedError(problem("no_front_matter", above))
    try:
        block, body = handler.split(stripped)
    except ValueError:
        raise RejectedError(problem("unclosed_front_matter", above, mark="---")) from None
    try:
        parsed = handler.read(block)
    except RejectedError as error:
        raise RejectedError(_moved(error.problem, above)) from None
    if not parsed.values:
        raise RejectedError(problem("empty_front_matter", above))
    lines = {key: line + above for key, line in parsed.lines.items()}
    return FrontMatter(
        parsed.values, parsed.written, lines, *_trimmed(text, body), [_moved(row, above) for row in parsed.problems]
    )


def decode(content: bytes) -> str:
    """UTF-8 text without byte-order mark, its lines ended by \\n alone."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        guess = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "in another encoding, such as Latin-1"
        column = len(before) - before.rfind("\n")
        byte = f"0x{content[error.start]:02X}"
        raise RejectedError(problem("not_utf8", before.count("\n") + 1, column, byte=byte, guess=guess)) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def load_plain(block: str) -> Parsed | None:
    """The block where each line is plain and no key comes twice; None hands it to `load_yaml`, with equal results."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(block.split("\n")):
        if not line:
            continue
        match = _PLAIN_LINE.fullmatch(line)
        if match is None:
            return None
        key, quoted, bare = match.groups()
        if key in values or _RESERVED.match(key) or (bare and _RESERVED.match(bare)):
            return None
        values[key] = bare if quoted is None else quoted
        lines[key] = number
    return Parsed(values, dict(values), lines, [])


def load_yaml(block: str) -> Parsed:
    """The block by PyYAML's C loader, node by node, so that each key has its line and its text as written."""
    loader = _Loader(block)
    try:
        node = loader.get_single_node()
        if node is None:
            return Parsed({}, {}, {}, [])
        if not isinstance(node, yaml.MappingNode):
            raise RejectedError(problem("no_mapping", node.start_mark.line))
        return _read_mapping(loader, node)
    except yaml.YAMLError as error:
        raise RejectedError(_broken_yaml(error)) from None
    finally:
        loader.dispose()


def _read_mapping(loader: _Loader, node: yaml.MappingNode) -> Parsed:
    values: dict[str, Any] = {}
    written: dict[str, Written] = {}
    lines: dict[str, int] = {}
    problems = []
    loader.flatten_mapping(node)
    for key_node, value_node in node.value:
        key, line = str(key_node.value), key_node.start_mark.line
        if key in lines:
            problems.append(problem("key_twice", line, key_node.start_mark.column + 1, key=key))
        values[key] = loader.construct_object(value_node, deep=True)
        written[key] = _as_written(value_node)
        lines[key] = line
    return Parsed(values, written, lines, problems)


def _as_written(node: yaml.Node) -> Written:
    if isinstance(node, yaml.SequenceNode):
        return [_as_written(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _as_written(value) for key, value in node.value}
    return None if node.tag == "tag:yaml.org,2002:null" else str(node.value)


def _broken_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line, column = (mark.line, mark.column + 1) if mark else (0, None)
    return problem("broken_front_matter", line, column, language="YAML", reason=reason)


def _moved(row: Problem, lines: int) -> Problem:
    return row._replace(line_number=(row.line_number or 0) + lines)


def _trimmed(text: str, body: str) -> tuple[str, int]:
    """The body without blank lines around it, and the line of the file on which it begins."""
    start = re.match(r"(?:[ \t]*\n)*", body)
    skipped = start.end() if start else 0
    line = text.count("\n", 0, len(text) - len(body) + skipped) + 1
    return body[skipped:].rstrip(), line
