"""Maintain the working copy of a warehouse in an object store: its current edition on the local disk."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import EditionDamagedError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.schema import CONTENT
from flows.warehouse import object_catalog, object_editions, pointer
from flows.warehouse.database import derive_database
from flows.warehouse.database_note import NOTE, database_facts
from flows.warehouse.disk import discard, link_or_copy
from flows.warehouse.disk_space import require_space_for_copy
from flows.warehouse.editions import LISTING_CACHE
from flows.warehouse.lock import HOLDER, LOCK
from flows.warehouse.manifest import REMEDY, has_file, is_edition, read_manifest, require_intact, unexpected
from flows.warehouse.manifest_model import DATABASE, MANIFEST, FileFacts
from flows.warehouse.object_editions import CLAIMED
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING, named
from flows.warehouse.run_warnings import warn

_HEAVY = (DATABASE, *(f"{table.name}/" for table in CONTENT))  # only needed by a run with changes


def tidy(local_root: Path) -> None:
    """Remove files, folders and links that are not of the expected kind. Everything here can be downloaded again."""
    folders = (EDITIONS, STAGING, f"{EDITIONS}/{STAGING}")
    for name in (*folders, CURRENT, CLAIMED, LISTING_CACHE, LOCK, HOLDER, NOTE):
        entry = local_root / name
        if not os.path.lexists(entry):
            continue
        is_folder = entry.is_dir() and not entry.is_symlink()
        if is_folder != (name in folders) or (entry.is_symlink() and name != CURRENT):
            _discard(entry)


def sync_current(warehouse: ObjectPath, local_root: Path) -> str | None:
    """Update the copy to the manifest of the current edition, and return the ETag of the pointer.

    Return None if nothing is published. Remove leftovers of killed runs in the store and in the copy, and files of the
    edition that its manifest does not list or that have another size. Missing files are downloaded on demand.
    """
    object_editions.require_clock(warehouse, datetime.now(UTC))
    object_catalog.require_chosen(warehouse)
    object_editions.abandon(warehouse, local_root)
    current, etag = object_catalog.read_pointer(warehouse)
    object_editions.sweep(warehouse, current)
    (local_root / EDITIONS).mkdir(exist_ok=True)
    others = [entry for entry in (local_root / EDITIONS).iterdir() if entry.name not in (current, STAGING)]
    if current is None:
        for entry in (*others, local_root / CURRENT):
            discard(entry)
        return None
    edition = local_root / EDITIONS / current
    if not edition.is_dir() or edition.is_symlink():
        discard(edition)
    _sync_manifest(warehouse, edition)
    for name in unexpected(edition):
        _discard(edition / name)
    for entry in others:
        _link_same_files(entry, edition)
        discard(entry)
    if named(local_root, local_root / CURRENT) != current:
        pointer.swap(local_root, pointer.stage(local_root, current, "copied"))
        discard(local_root / LISTING_CACHE)  # it belongs to another edition
    return etag


def _link_same_files(other: Path, edition: Path) -> None:
    """Link the files that another edition of the copy has with the same content, so that they are not downloaded.

    Their hashes are checked when they are used.
    """
    if is_edition(other):
        known = read_manifest(other).by_path
        for facts in read_manifest(edition).files:
            file, target = other / facts.path, edition / facts.path
            if facts.same_content(known.get(facts.path)) and file.is_file() and not target.exists():
                link_or_copy(file, target)


def _discard(entry: Path) -> None:
    warn(f"{entry} in the working copy was changed by another program. It was removed, and is downloaded when needed.")
    discard(entry)


def _sync_manifest(warehouse: ObjectPath, edition: Path) -> None:
    _, content = object_catalog.read_stored(warehouse, edition.name)
    _write_manifest(edition, content)


def _write_manifest(edition: Path, content: bytes) -> None:
    edition.mkdir(parents=True, exist_ok=True)
    discard(edition / MANIFEST)
    (edition / MANIFEST).write_bytes(content)


def is_light(name: str) -> bool:
    """Return whether a file of an edition is needed even by a run without changes."""
    return not name.startswith(_HEAVY)


def fetch(warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Download the files that are missing here or differ from edition.json; raise EditionDamagedError."""
    for error in fetch_intact(warehouse, edition, wanted).values():
        raise error


def fetch_intact(
    warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]
) -> dict[FileFacts, EditionDamagedError]:
    """Do the same as `fetch`, but return the errors of files whose object is missing or damaged."""

    def fetch_file(facts: FileFacts) -> EditionDamagedError | None:
        if has_file(edition, facts):
            return None
        return download(_place(warehouse, edition) / facts.path, edition, facts)

    files = [facts for facts in read_manifest(edition).files if wanted(facts.path)]
    found = zip(files, transfers.map_concurrently(fetch_file, files), strict=True)
    return {facts: error for facts, error in found if error}


def download(place: ObjectPath, edition: Path, facts: FileFacts) -> EditionDamagedError | None:
    """Download a file of an edition. Return the error if its object is missing or differs from edition.json, else None.

    The file only exists afterwards if its content is correct.
    """
    file = edition / facts.path
    discard(file)
    try:
        objects.download(place, file, facts.bytes)
    except FileNotFoundError:
        return EditionDamagedError(f"The object {place} is missing. {REMEDY}")
    if has_file(edition, facts):
        return None
    discard(file)
    return EditionDamagedError(f"The object {place} has a different hash than {MANIFEST} states. {REMEDY}")


def fetch_published(warehouse: ObjectPath, local_root: Path) -> Path | None:
    """Download all objects of the current edition, unchecked, into a staging folder, and return it.

    The folder is removed when the lock is released. Return None if nothing is published.
    """
    object_editions.require_clock(warehouse, datetime.now(UTC))
    current = object_catalog.require_chosen(warehouse)
    if current is None:
        return None
    manifest, _ = object_catalog.read_stored(warehouse, current)
    require_space_for_copy(local_root, "BROADSHEET_DATA", manifest)
    edition = local_root / EDITIONS / STAGING / "published" / current
    transfers.download_all(_place(warehouse, edition), edition)
    return edition


@contextmanager
def reading(warehouse: ObjectPath, local_root: Path) -> Iterator[Path | None]:
    """Yield a folder with the database of the current edition, from the working copy or a temporary download.

    Yield None if nothing is published.
    """
    current = object_catalog.require_chosen(warehouse)
    if current is None:
        yield None
        return
    kept = local_root / EDITIONS / current
    manifest, content = object_catalog.read_stored(warehouse, current)
    object_catalog.require_listed(warehouse, manifest)
    if _is_kept(kept, content):
        yield kept
        return
    with TemporaryDirectory(prefix="broadsheet-") as folder:
        edition = Path(folder) / EDITIONS / current
        _write_manifest(edition, content)
        needed = ".parquet" if manifest.has_derived_database else DATABASE
        fetch(warehouse, edition, lambda name: name.endswith(needed))
        derive_database(edition)
        yield edition


def check_database(edition: Path) -> None:
    """Remove a derived database that is not the one of the note: the run builds another one from the Parquet files."""
    facts = database_facts(edition)
    if read_manifest(edition).has_derived_database and not (facts and has_file(edition, facts)):
        discard(edition / DATABASE)


def _is_kept(edition: Path, manifest: bytes) -> bool:
    """Return whether the working copy has the database, without hashing it: most queries take less time than that."""
    if not (edition / DATABASE).exists() or not _is_intact(edition):
        return False
    facts = database_facts(edition)
    is_same = (edition / MANIFEST).read_bytes() == manifest
    return is_same and facts is not None and (edition / DATABASE).stat().st_size == facts.bytes


def _is_intact(edition: Path) -> bool:
    try:
        require_intact(edition)
    except EditionDamagedError:
        return False
    return True


def _place(warehouse: ObjectPath, edition: Path) -> ObjectPath:
    return warehouse / EDITIONS / edition.name
