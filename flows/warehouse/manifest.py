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
        return parse_manifest((edition / MANIFEST).read_bytes())
    except (OSError, ValueError) as error:
        raise damaged(edition / MANIFEST, error) from None


def parse_manifest(content: bytes) -> dict[str, Any]:
    """What the bytes of an edition.json say; raises ValueError."""
    facts = json.loads(content)
    if not isinstance(facts, dict) or not isinstance(facts.get("files"), list) or "edition_id" not in facts:
        raise ValueError("it lacks the edition's id or files")
    return facts


def damaged(manifest: object, error: Exception) -> EditionDamagedError:
    """The failure of a manifest that cannot be read."""
    reason = error.strerror if isinstance(error, OSError) else error
    return EditionDamagedError(f"{manifest} cannot be read ({reason}). Restore it, or roll back to another edition.")


def is_edition(folder: Path) -> bool:
    """Return whether a folder has a manifest that can be read and is its own: a copy under another name is none."""
    try:
        return bool(read_manifest(folder)["edition_id"] == folder.name)
    except EditionDamagedError:
        return False


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
