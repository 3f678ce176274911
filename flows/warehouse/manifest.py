"""The manifest of an edition, edition.json: what it is, and each file with its rows, bytes and hash."""

import json
from pathlib import Path
from typing import Any

import xxhash

from flows.errors import EditionDamagedError
from flows.warehouse.parquet import row_count

MANIFEST = "edition.json"


def read_manifest(edition: Path) -> dict[str, Any]:
    """What edition.json says of an edition; raises RunError where it cannot be read."""
    try:
        return dict(json.loads((edition / MANIFEST).read_text()))
    except (OSError, ValueError) as error:
        raise EditionDamagedError(
            f"The file {edition / MANIFEST} cannot be read ({error}); restore it, or roll back to another edition."
        ) from None


def write_manifest(edition: Path, base: Path | None, facts: dict[str, Any]) -> None:
    """Write edition.json: the facts given, and each file; what is shared with the edition `base` is not read again."""
    known = {entry["path"]: entry for entry in read_manifest(base)["files"]} if base else {}
    files = []
    for file in sorted(edition.rglob("*")):
        if file.is_file():
            name = file.relative_to(edition).as_posix()
            shared = base is not None and name in known and _is_shared(file, base / name)
            files.append(known[name] if shared else {"path": name, **file_facts(file)})
    (edition / MANIFEST).write_text(json.dumps({**facts, "files": files}, indent=1) + "\n")


def _is_shared(file: Path, other: Path) -> bool:
    return other.exists() and file.samefile(other)


def file_facts(file: Path) -> dict[str, Any]:
    """Rows (of Parquet), bytes and XXH3 hash of a file."""
    rows = row_count(file) if file.suffix == ".parquet" else None
    return {"rows": rows, "bytes": file.stat().st_size, "xxh3": _digest(file)}


def _digest(file: Path) -> str:
    digest = xxhash.xxh3_128()
    with file.open("rb") as opened:
        while part := opened.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def wrong_files(edition: Path) -> list[str]:
    """The files of an edition that are not as edition.json says, one sentence each."""
    entries = {entry["path"]: entry for entry in read_manifest(edition)["files"]}
    there = {file.relative_to(edition).as_posix() for file in edition.rglob("*") if file.is_file()} - {MANIFEST}
    wrong = [f"The file {name} is not in {MANIFEST}." for name in sorted(there - set(entries))]
    for name, entry in entries.items():
        if name not in there:
            wrong.append(f"The file {name} is missing.")
        elif _digest(edition / name) != entry["xxh3"]:
            wrong.append(f"The file {name} has other bytes than {MANIFEST} says.")
    return wrong
