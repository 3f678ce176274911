"""The working copy of a warehouse in an object store: its current edition on this machine's disk."""

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
from flows.warehouse.database import DATABASE
from flows.warehouse.disk import discard
from flows.warehouse.disk_space import require_space_for_copy
from flows.warehouse.editions import LISTING_CACHE
from flows.warehouse.lock import HOLDER, LOCK
from flows.warehouse.manifest import REMEDY, has_file, read_manifest, require_intact, unexpected
from flows.warehouse.manifest_model import MANIFEST, FileFacts
from flows.warehouse.object_editions import CLAIMED
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING, named
from flows.warehouse.run_warnings import warn

_HEAVY = (DATABASE, *(f"{table.name}/" for table in CONTENT))  # needed only by a run with changes


def tidy(local_root: Path) -> None:
    """Remove what is not of the kind that the working copy has by that name: it is only a copy, and made again."""
    folders = (EDITIONS, STAGING, f"{EDITIONS}/{STAGING}")
    for name in (*folders, CURRENT, CLAIMED, LISTING_CACHE, LOCK, HOLDER):
        entry = local_root / name
        if not os.path.lexists(entry):
            continue
        is_folder = entry.is_dir() and not entry.is_symlink()
        if is_folder != (name in folders) or (entry.is_symlink() and name != CURRENT):
            _discard(entry)


def take_current(warehouse: ObjectPath, local_root: Path) -> str | None:
    """Bring the copy to the manifest of the current edition, and return the pointer's ETag.

    Return None if nothing is published. Remove what killed runs left, in the store and here, and whatever in the copy
    of the edition is not as its manifest states; its other files are fetched on demand.
    """
    object_editions.require_clock(warehouse, datetime.now(UTC))
    object_catalog.require_chosen(warehouse)
    object_editions.abandon(warehouse, local_root)
    current, seen = object_catalog.read_pointer(warehouse)
    object_editions.sweep(warehouse, current)
    (local_root / EDITIONS).mkdir(exist_ok=True)
    for entry in (local_root / EDITIONS).iterdir():
        if entry.name != current and entry.name != STAGING:
            discard(entry)
    if current is None:
        discard(local_root / CURRENT)
        return None
    edition = local_root / EDITIONS / current
    if not edition.is_dir() or edition.is_symlink():
        discard(edition)
    _take_manifest(warehouse, edition)
    for name in unexpected(edition):
        _discard(edition / name)
    if named(local_root, local_root / CURRENT) != current:
        pointer.swap(local_root, pointer.stage(local_root, current, "copied"))
        discard(local_root / LISTING_CACHE)  # it says of which edition it is
    return seen


def _discard(entry: Path) -> None:
    warn(f"{entry} in the working copy was changed by others. It was removed, and is fetched again where needed.")
    discard(entry)


def _take_manifest(warehouse: ObjectPath, edition: Path) -> None:
    _, content = object_catalog.read_stored(warehouse, edition.name)
    edition.mkdir(parents=True, exist_ok=True)
    discard(edition / MANIFEST)
    (edition / MANIFEST).write_bytes(content)


def is_light(name: str) -> bool:
    """Return whether a file of an edition is needed also by a run without changes."""
    return not name.startswith(_HEAVY)


def fetch(warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Download the files of an edition that are missing here or differ from edition.json; raise EditionDamagedError."""
    for error in fetch_whole(warehouse, edition, wanted).values():
        raise error


def fetch_whole(
    warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]
) -> dict[FileFacts, EditionDamagedError]:
    """Do the same, and return the errors of files whose object is missing or damaged."""

    def get(facts: FileFacts) -> EditionDamagedError | None:
        if has_file(edition, facts):
            return None
        return download(_place(warehouse, edition) / facts.path, edition, facts)

    files = [facts for facts in read_manifest(edition).files if wanted(facts.path)]
    found = zip(files, transfers.at_once(get, files), strict=True)
    return {facts: error for facts, error in found if error}


def fetch_some(warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Download some files of an edition of which nothing is here yet; raise EditionDamagedError."""
    _take_manifest(warehouse, edition)
    fetch(warehouse, edition, wanted)


def download(place: ObjectPath, edition: Path, facts: FileFacts) -> EditionDamagedError | None:
    """Download a file of an edition, and return None; the error if the object is missing or differs from edition.json.

    Without the object's bytes, there is no file.
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


def fetch_beside(warehouse: ObjectPath, local_root: Path) -> Path | None:
    """Download every object of the current edition, unchecked, beside the working copy.

    Return its folder, which ends with the lock; None without an edition.
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
    """Yield a folder with the database of the current edition: the working copy, or a temporary folder.

    Yield None if nothing is published.
    """
    current = object_catalog.require_chosen(warehouse)
    if current is None:
        yield None
        return
    kept = local_root / EDITIONS / current
    manifest, _ = object_catalog.read_stored(warehouse, current)
    object_catalog.require_listed(warehouse, manifest)
    facts = manifest.by_path.get(DATABASE)
    if facts is None:
        raise EditionDamagedError(f"The edition {current} in {warehouse} has no {DATABASE}. {REMEDY}")
    if _is_kept(kept, facts):
        yield kept
        return
    with TemporaryDirectory(prefix="broadsheet-") as folder:
        if error := download(_place(warehouse, kept) / DATABASE, Path(folder), facts):
            raise error
        yield Path(folder)


def _is_kept(edition: Path, database: FileFacts) -> bool:
    """Return whether the working copy has the database; it is not read, which would take longer than most queries."""
    is_there = (edition / DATABASE).exists() and _is_intact(edition)
    return is_there and read_manifest(edition).by_path.get(DATABASE) == database


def _is_intact(edition: Path) -> bool:
    try:
        require_intact(edition)
    except EditionDamagedError:
        return False
    return True


def _place(warehouse: ObjectPath, edition: Path) -> ObjectPath:
    return warehouse / EDITIONS / edition.name
