"""Every regular expression of the modules that read articles, and texts on which a bad one takes too long."""

import ast
import importlib
import inspect
import re
import re._constants as codes  # type: ignore[import-not-found]
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterator
from random import Random
from typing import Any

from tests.conftest import ROOT

PARSING = ("artifacts", "problems", "cli/explain", "cli/summary", "pipeline/transform", "source/listing")
FILES = sorted(
    [
        *(ROOT / "flows" / "articles").rglob("*.py"),
        *(ROOT / "flows" / f"{name}.py" for name in PARSING),
    ]
)
MODULES = [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in FILES]
METHODS = ("search", "match", "fullmatch", "finditer", "findall", "sub", "subn", "split")
EVERYWHERE = ("a", "A", "1", " ", "\n", ".", "é", "港")  # characters that most classes tell apart
MAX_TOKENS = 10
PIECES = 60  # random ones a pattern


def patterns() -> dict[str, re.Pattern[str]]:
    """The patterns of module globals, also in their tuples, mappings and classes, by name."""
    found: dict[str, re.Pattern[str]] = {}
    for module in map(importlib.import_module, MODULES):
        for name, value in vars(module).items():
            if inspect.isclass(value) and value.__module__ != module.__name__:
                continue
            for inner, pattern in _held(value):
                found.setdefault(f"{module.__name__}.{name}{inner}", pattern)
    unique = {id(pattern): name for name, pattern in reversed(found.items())}
    return {name: found[name] for name in sorted(unique.values())}


def _held(value: Any) -> Iterator[tuple[str, re.Pattern[str]]]:
    if isinstance(value, re.Pattern):
        yield "", value
    elif isinstance(value, dict):
        yield from ((f"[{key}]", item) for key, item in value.items() if isinstance(item, re.Pattern))
    elif isinstance(value, list | tuple | set | frozenset):
        yield from ((f"[{place}]", item) for place, item in enumerate(value) if isinstance(item, re.Pattern))
    elif inspect.isclass(value):
        yield from ((f".{key}", item) for key, item in vars(value).items() if isinstance(item, re.Pattern))


def methods(pattern: str) -> set[str]:
    """The methods by which the modules use a pattern."""
    name = pattern.rpartition("[")[0] or pattern
    if name.endswith("FM_BOUNDARY"):  # of python-frontmatter
        return {"match"}
    return _USED.get(name.rpartition(".")[2], set())


def _used() -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                for name in _owners(node.value):
                    used.setdefault(name, set()).add(node.attr)
    return used


def _owners(node: ast.expr) -> list[str]:
    """The names of what has the method: `_CODES`, `_ENDS[name]`, `(A if b else C)`."""
    if isinstance(node, ast.Subscript):
        return _owners(node.value)
    if isinstance(node, ast.IfExp):
        return [*_owners(node.body), *_owners(node.orelse)]
    return [node.id] if isinstance(node, ast.Name) else []


def unnamed() -> list[str]:
    """The places where a function of `re` is called, other than compile(), which no list of patterns would show."""
    return [
        f"{file.name}:{node.lineno}"
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        and node.value.id == "re" and node.attr in METHODS
    ]  # fmt: skip


def attacks(pattern: re.Pattern[str], random: Random) -> Iterator[tuple[str, str, str]]:
    """An opening, a piece to be repeated and an ending, of what the pattern itself consists of.

    The ending matches nothing, or is empty. Each token is repeated behind some others; longer pieces are random.
    """
    tokens = _tokens(pattern)
    for piece in tokens:
        for opening in ("", *random.sample(tokens, 2)):
            yield opening, piece, random.choice(("\0", ""))
    for _ in range(PIECES):
        piece = "".join(random.choices(tokens, k=random.randint(2, 5)))
        yield random.choice(("", *tokens)), piece, random.choice(("\0", "", *tokens))


def _tokens(pattern: re.Pattern[str]) -> list[str]:
    """Runs of literals and an example of each class, the shortest first."""
    found: dict[str, None] = {}
    _collect(parser.parse(pattern.pattern, pattern.flags), found)
    own = sorted(found, key=len)
    return list(dict.fromkeys([*own[:MAX_TOKENS], *EVERYWHERE, *(["".join(found)[:20]] if found else [])]))


def _collect(tree: Any, found: dict[str, None]) -> None:
    run = ""
    for code, value in tree:
        if code is codes.LITERAL:
            run += chr(value)
            continue
        if run:
            found[run] = None
            run = ""
        if code is codes.IN:
            for kind, item in value:
                if kind is codes.LITERAL:
                    found[chr(item)] = None
                elif kind is codes.RANGE:
                    found[chr(item[0])] = None
        for part in _parts(value):
            _collect(part, found)
    if run:
        found[run] = None


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _parts(item)


_USED = _used()
