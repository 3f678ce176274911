"""Identify the code that shapes rows: all machines that work on an edition must run the same."""

import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import xxhash

from flows.articles.article import PARSER_VERSION
from flows.schema import SCHEMA_VERSION
from flows.warehouse.ddl import SQL

_FLOWS = Path(__file__).parents[1]
_LIBRARIES = ("pyarrow", "pyromark", "python-frontmatter", "pyyaml", "tzdata")  # those that shape rows and files


class Code(NamedTuple):
    """The versions of the parser, the schema, Python and the libraries, and a hash of Broadsheet's own files."""

    parser: int
    schema: int
    python: str
    libraries: tuple[str, ...]
    files: str

    def difference(self, other: object) -> str | None:
        """Return how other code differs, as a clause, or None if it is the same."""
        if not isinstance(other, Code):
            return "it is an older release"
        for name, (ours, theirs) in zip(self._fields, zip(self, other, strict=True), strict=True):
            if ours != theirs:
                return f"its {name} is {_shown(theirs, ours)} instead of {_shown(ours, theirs)}"
        return None


def _shown(value: object, other: object) -> str:
    """Return a value as text; of a tuple, only the items that the other one lacks."""
    if isinstance(value, tuple) and isinstance(other, tuple):
        return ", ".join(sorted(set(value) - set(other))) or "nothing"
    return str(value)


def _read_code() -> Code:
    return Code(
        PARSER_VERSION,
        SCHEMA_VERSION,
        f"{sys.version_info.major}.{sys.version_info.minor}",
        tuple(f"{name} {_version(name)}" for name in _LIBRARIES),
        _hash_of_files(),
    )


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "without a version"


def _hash_of_files() -> str:
    found = xxhash.xxh3_64()
    for root, pattern in ((_FLOWS, "*.py"), (SQL, "*.sql")):
        for file in sorted(root.rglob(pattern)):
            found.update(file.relative_to(root).as_posix().encode())
            found.update(file.read_bytes())
    return found.hexdigest()


CODE = _read_code()  # at import: files may be replaced while a worker runs
