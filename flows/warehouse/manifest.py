"""Read and write the manifest of an edition, edition.json, and compare the edition's files with it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xxhash

from flows.errors import EditionDamagedError
from flows.warehouse.manifest_model import MANIFEST, MAX_MANIFEST_BYTES, FileFacts, Manifest, parse_manifest
from flows.warehouse.parquet import row_count
from flows.warehouse.size_limit import read_limited
from flows.warehouse.system_files import is_system_file

REMEDY = "Restore the edition, or choose another one with broadsheet rollback EDITION."


def read_manifest(edition: Path) -> Manifest:
    """Return the manifest of an edition; raise EditionDamagedError if it cannot be read."""
    try:
        return parse_manifest(read_limited(edition / MANIFEST, MAX_MANIFEST_BYTES))
    except (OSError, ValueError) as error:
        raise damaged(edition / MANIFEST, error) from None


def damaged(manifest: object, error: Exception) -> EditionDamagedError:
    """Return the error for a manifest that cannot be read."""
    reason = error.strerror if isinstance(error, OSError) else error
    return EditionDamagedError(f"{manifest} cannot be read ({reason}). {REMEDY}")


def is_edition(folder: Path) -> bool:
    """Return whether a folder has its own readable manifest: a copy under another name does not count."""
    try:
        return read_manifest(folder).edition_id == folder.name
    except EditionDamagedError:
        return False


def write_manifest(edition: Path, base: Path | None, facts: dict[str, Any]) -> None:
    """Write edition.json with the given facts and all files; files shared with `base` are not read again."""
    known = read_manifest(base).by_path if base else {}
    files = []
    for file in sorted(_walk(edition)):
        if file.is_file():
            name = file.relative_to(edition).as_posix()
            shared = base is not None and name in known and _is_shared(file, base / name)
            files.append(known[name] if shared else file_facts(edition, name))
    (edition / MANIFEST).write_text(Manifest(**facts, files=files).as_json())


def _is_shared(file: Path, other: Path) -> bool:
    return other.exists() and file.samefile(other)


def file_facts(edition: Path, name: str) -> FileFacts:
    """Return the rows (of Parquet), bytes and XXH3 hash of a file."""
    file = edition / name
    rows = row_count(file) if file.suffix == ".parquet" else None
    return FileFacts(path=name, rows=rows, bytes=file.stat().st_size, xxh3=digest(file))


def has_file(edition: Path, facts: FileFacts) -> bool:
    """Return whether a readable file is there with the bytes of the manifest, so that a damaged one is never opened."""
    file = edition / facts.path
    try:
        is_there = file.is_file() and file.stat().st_size == facts.bytes
        return is_there and digest(file) == facts.xxh3
    except OSError:
        return False


def digest(file: Path) -> str:
    """Return the XXH3 hash of a file."""
    found = xxhash.xxh3_128()
    with file.open("rb") as opened:
        while part := opened.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def wrong_files(edition: Path) -> list[str]:
    """Return the files of an edition that differ from edition.json, a sentence each."""
    known = read_manifest(edition).by_path
    there = _found(edition)
    wrong = _wrong_names(known, there)
    for name, facts in known.items():
        if name not in there:
            wrong.append(f"The file {name} is missing.")
        elif stat.S_ISREG(there[name].st_mode) and digest(edition / name) != facts.xxh3:
            wrong.append(f"The file {name} has a different hash than {MANIFEST} states.")
    return wrong


def unexpected(edition: Path) -> list[str]:
    """Return the paths in an edition's folder that edition.json does not list, or with another kind or size.

    No file is read. A folder comes without what is in it.
    """
    known, there = read_manifest(edition).by_path, _found(edition)
    folders = {parent.as_posix() for name in known for parent in Path(name).parents}
    wrong: list[str] = []
    for name, found in sorted(there.items()):
        kind, facts = _kind(found), known.get(name)
        is_known = name == MANIFEST or (facts is not None and found.st_size == facts.bytes)
        is_right = name in folders if kind == "folder" else kind == "file" and is_known
        if not is_right and not any(name.startswith(f"{above}/") for above in wrong[-1:]):
            wrong.append(name)
    return wrong


def require_intact(edition: Path, complete: bool = False) -> None:
    """Raise EditionDamagedError if an edition has a file that edition.json does not list, or one of another size.

    Such a file may change what readers find: DuckDB replays a write-ahead log, and tools read whole folders. A missing
    file is an error if the edition must be `complete`: a working copy lacks some. No file is read.
    """
    known, there = read_manifest(edition).by_path, _found(edition)
    wrong = _wrong_names(known, there)
    if wrong:
        raise EditionDamagedError(
            f"The edition in {edition} was changed: {wrong[0]} Move what is not listed elsewhere, or choose another"
            " edition with broadsheet rollback EDITION."
        )
    for name, facts in known.items():
        if name not in there:
            if complete:
                raise EditionDamagedError(f"The file {edition / name} is missing. {REMEDY}")
        elif there[name].st_size != facts.bytes:
            raise EditionDamagedError(
                f"The file {edition / name} has a different size than {MANIFEST} states. {REMEDY}"
            )


def _wrong_names(known: dict[str, FileFacts], there: dict[str, os.stat_result]) -> list[str]:
    """Return a sentence for each entry of an edition's folder that is not listed, or not a regular file."""
    folders = {parent.as_posix() for name in known for parent in Path(name).parents}
    wrong = []
    for name, found in sorted(there.items()):
        kind = _kind(found)
        if name not in (folders if kind == "folder" else {MANIFEST, *known}):
            wrong.append(f"The {kind} {name} is not in {MANIFEST}.")
        elif kind in ("link", "special file"):
            wrong.append(f"The file {name} is a {kind}, not the file that {MANIFEST} lists.")
    return wrong


def _kind(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "link"
    if stat.S_ISDIR(found.st_mode):
        return "folder"
    return "file" if stat.S_ISREG(found.st_mode) else "special file"


def _found(edition: Path) -> dict[str, os.stat_result]:
    """Return every entry below an edition's folder by its relative path; links are not followed."""
    try:
        return {file.relative_to(edition).as_posix(): file.lstat() for file in _walk(edition)}
    except OSError as error:
        raise EditionDamagedError(f"The files in {edition} cannot be listed ({error.strerror}). {REMEDY}") from None


def _walk(edition: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(edition, onerror=_raise):
        folders[:] = [name for name in folders if not is_system_file(name)]
        yield from (Path(folder, name) for name in (*folders, *files) if not is_system_file(name))


def _raise(error: OSError) -> None:
    raise error
