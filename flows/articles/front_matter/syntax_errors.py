"""Explain syntax errors of front matter to editors, with the line to fix."""

import re

import yaml

from flows.problems import problem
from flows.schema import Problem

_REASONS = {
    "mapping values are not allowed in this context": "a colon and a space are in text without quotes",
    "could not find expected ':'": "expected a key with a colon on this line",
    "did not find expected key": "expected a key or the end of the line",
    "did not find expected <document start>": "expected a key",
    "did not find expected '-' indicator": "expected a hyphen and an item of the list",
    "did not find expected ',' or ']'": "a list that starts with [ is not closed",
    "did not find expected ',' or '}'": "a mapping that starts with { is not closed",
    "did not find expected node content": "text starts with a character that has another meaning in YAML",
    "did not find expected alphabetic or numeric character": "text starts with * or &",
    "block sequence entries are not allowed in this context": "a list must start on the line after its key",
    "found undefined alias": "text starts with *",
    "found unhashable key": "text starts with {",
    "found unexpected end of stream": "a quote is never closed",
    "found unexpected document indicator": "a quote is never closed",
    "found unknown escape character": "a backslash is followed by a character that cannot be escaped",
    "found character that cannot start any token": "text starts with @, %, ` or a tab",
}
# Reasons for values that PyYAML cannot convert: the start of its message, and what editors read instead.
_VALUE_REASONS = {
    "could not determine a constructor for the tag": "its tag is unknown",
    "failed to ": "it is not valid base64",
    "found unhashable key": "one of its keys is a list or a mapping",
    "expected ": "it does not match its tag",
}
_CONFLICT = re.compile(r"^<{7} .*$", re.MULTILINE)
_FIELD = re.compile(r"""["']?[\w.-]+["']?[ \t]*[:=](?:\s|$)|-(?:\s|$)|[ \t]+\S|\[""")
_MANGLED_MARK = re.compile(r"[ \t]*(?:[-‐‑‒–—―+]{2,}|[–—―]|\.{3})[ \t]*")
_PASSED_OVER = re.compile(r"#|\s*$")


def broken(language: str, reason: str, line: int, column: int | None = None) -> Problem:
    """Return the problem of front matter that its format cannot parse; the line counts from 0."""
    return problem("broken_front_matter", line, column, language=language, reason=reason)


def broken_yaml(block: str, error: yaml.YAMLError) -> Problem:
    """Return the problem of a YAML block, with the place and the reason of the error."""
    if conflict := _CONFLICT.search(block):
        return broken("YAML", "the line is a merge conflict marker", block.count("\n", 0, conflict.start()), 1)
    mark = getattr(error, "problem_mark", None)
    if (getattr(error, "context", None) or "").startswith("while scanning"):
        mark = error.context_mark  # type: ignore[attr-defined]  # where it begins; its end is noticed lines later
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    line, column = (mark.line, mark.column + 1) if mark else (0, None)
    return broken("YAML", _REASONS.get(reason, reason), line, column)


def unreadable_value(key: str, error: yaml.MarkedYAMLError) -> Problem:
    """Return the problem of a key whose value does not match its tag; its line counts from 0."""
    said = error.problem or ""
    reason = next((words for opening, words in _VALUE_REASONS.items() if said.startswith(opening)), said)
    mark = error.problem_mark
    line, column = (mark.line, mark.column + 1) if mark else (0, None)
    return problem("unreadable_value", line, column, key=key, reason=reason)


def missing_end(text: str) -> int:
    """Return the line, from 0, where unclosed front matter seems to end: a damaged mark, or the last field."""
    last = 0
    for number, line in enumerate(text.split("\n")[1:], 1):
        if _MANGLED_MARK.fullmatch(line):
            return number
        if _FIELD.match(line):
            last = number
        elif not _PASSED_OVER.match(line):
            break
    return last
