"""Read and write edition.json, the manifest of an edition, and check the edition's files against it."""

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from flows.errors import EditionDamagedError
from flows.warehouse.disk import digest
from flows.warehouse.manifest_model import DATABASE, MANIFEST, MAX_MANIFEST_BYTES, FileFacts, Manifest, parse_manifest
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
    """Return whether a folder has a readable manifest with its id: a copy under another name is not an edition."""
    try:
        return read_manifest(folder).edition_id == folder.name
    except EditionDamagedError:
        return False


def write_manifest(edition: Path, previous: Path | None, facts: dict[str, Any], omitted: Collection[str] = ()) -> None:
    """Write edition.json with the given facts and all files except the omitted ones.

    Files shared with `previous` are not hashed again.
    """
    known = read_manifest(previous).by_path if previous else {}
    files = []
    for file in sorted(_walk(edition)):
        name = file.relative_to(edition).as_posix()
        if file.is_file() and name not in omitted:
            shared = previous is not None and name in known and _is_shared(file, previous / name)
            files.append(known[name] if shared else file_facts(edition, name))
    (edition / MANIFEST).write_text(Manifest(**facts, files=files).as_json())


def _is_shared(file: Path, other: Path) -> bool:
    return other.exists() and file.samefile(other)


def file_facts(edition: Path, name: str) -> FileFacts:
    """Return the number of rows (for Parquet), size and XXH3 hash of a file."""
    file = edition / name
    rows = row_count(file) if file.suffix == ".parquet" else None
    return FileFacts(path=name, rows=rows, bytes=file.stat().st_size, xxh3=digest(file))


def has_file(edition: Path, facts: FileFacts) -> bool:
    """Return whether a file is readable and has the size and hash of the manifest."""
    file = edition / facts.path
    try:
        has_size = file.is_file() and file.stat().st_size == facts.bytes
        return has_size and digest(file) == facts.xxh3
    except OSError:
        return False


def wrong_files(edition: Path) -> list[str]:
    """Return a sentence for each file of an edition that differs from edition.json."""
    manifest = read_manifest(edition)
    known, entries = manifest.by_path, _entries(edition, manifest)
    wrong = _wrong_entries(known, entries)
    for name, facts in known.items():
        if name not in entries:
            wrong.append(f"The file {name} is missing.")
        elif stat.S_ISREG(entries[name].st_mode) and digest(edition / name) != facts.xxh3:
            wrong.append(f"The file {name} has a different hash than {MANIFEST} states.")
    return wrong


def unexpected(edition: Path) -> list[str]:
    """Return the paths in an edition's folder that edition.json does not list, or that have another kind or size.

    Files are not read. An unexpected folder is listed without its contents.
    """
    manifest = read_manifest(edition)
    known, entries = manifest.by_path, _entries(edition, manifest)
    folders = {parent.as_posix() for name in known for parent in Path(name).parents}
    wrong: list[str] = []
    for name, found in sorted(entries.items()):
        kind, facts = _kind(found), known.get(name)
        is_known = name == MANIFEST or (facts is not None and found.st_size == facts.bytes)
        is_expected = name in folders if kind == "folder" else kind == "file" and is_known
        if not is_expected and not any(name.startswith(f"{folder}/") for folder in wrong[-1:]):
            wrong.append(name)
    return wrong


def require_intact(edition: Path, complete: bool = False) -> None:
    """Raise EditionDamagedError if an edition has a file that edition.json does not list, or of another size.

    Additional files could change query results: DuckDB replays a write-ahead log, and tools read whole folders. A
    missing file is only an error if `complete` is set, since a working copy lacks some files. Files are not read.
    """
    manifest = read_manifest(edition)
    known, entries = manifest.by_path, _entries(edition, manifest)
    wrong = _wrong_entries(known, entries)
    if wrong:
        raise EditionDamagedError(
            f"The edition in {edition} was changed: {wrong[0]} Move the unlisted entries elsewhere, or choose"
            " another edition with broadsheet rollback EDITION."
        )
    for name, facts in known.items():
        if name not in entries:
            if complete:
                raise EditionDamagedError(f"The file {edition / name} is missing. {REMEDY}")
        elif entries[name].st_size != facts.bytes:
            raise EditionDamagedError(
                f"The file {edition / name} has a different size than {MANIFEST} states. {REMEDY}"
            )


def _wrong_entries(known: dict[str, FileFacts], entries: dict[str, os.stat_result]) -> list[str]:
    """Return a sentence for each entry of an edition's folder that is unlisted or not a regular file."""
    folders = {parent.as_posix() for name in known for parent in Path(name).parents}
    wrong = []
    for name, found in sorted(entries.items()):
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


def _entries(edition: Path, manifest: Manifest) -> dict[str, os.stat_result]:
    """Return the stat result of each entry below an edition's folder, by relative path; links are not followed.

    A derived database is left out.
    """
    try:
        found = {file.relative_to(edition).as_posix(): file.lstat() for file in _walk(edition)}
        if manifest.has_derived_database and DATABASE in found and stat.S_ISREG(found[DATABASE].st_mode):
            del found[DATABASE]
        return found
    except OSError as error:
        raise EditionDamagedError(f"The files in {edition} cannot be listed ({error.strerror}). {REMEDY}") from None


def _walk(edition: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(edition, onerror=_raise):
        folders[:] = [name for name in folders if not is_system_file(name)]
        yield from (Path(folder, name) for name in (*folders, *files) if not is_system_file(name))


def _raise(error: OSError) -> None:
    raise error
