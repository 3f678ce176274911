"""The working copy of a warehouse in an object store: its current edition on this machine's disk."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import EditionDamagedError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.schema import CONTENT
from flows.warehouse import editions, object_catalog, object_editions
from flows.warehouse.database import DATABASE
from flows.warehouse.manifest import REMEDY, digest, read_manifest, require_intact
from flows.warehouse.manifest_model import MANIFEST, FileFacts
from flows.warehouse.pointer import CURRENT, EDITIONS, named

_HEAVY = (DATABASE, *(f"{table.name}/" for table in CONTENT))  # needed only by a run with changes


def take_current(warehouse: ObjectPath, local_root: Path) -> str | None:
    """Bring the copy to the current edition, except its months and database, and return the pointer's ETag.

    Return None if nothing is published. Remove what killed runs left, in the store and here.
    """
    object_editions.require_clock(warehouse, datetime.now(UTC))
    object_catalog.require_chosen(warehouse)
    object_editions.abandon(warehouse, local_root)
    current, seen = object_catalog.read_pointer(warehouse)
    object_editions.sweep(warehouse, current)
    (local_root / EDITIONS).mkdir(exist_ok=True)
    for folder in editions.folders(local_root):
        if folder.name != current:
            shutil.rmtree(folder)
    if current is None:
        (local_root / CURRENT).unlink(missing_ok=True)
        return None
    edition = local_root / EDITIONS / current
    _take_manifest(warehouse, edition)
    if not _is_intact(edition):  # the copy was changed, and what it copies is in the store
        shutil.rmtree(edition)
        _take_manifest(warehouse, edition)
    fetch(warehouse, edition, lambda name: not name.startswith(_HEAVY))
    if named(local_root, local_root / CURRENT) != current:
        editions.roll_back(local_root, current)
    return seen


def _take_manifest(warehouse: ObjectPath, edition: Path) -> None:
    _, content = object_catalog.read_stored(warehouse, edition.name)
    edition.mkdir(parents=True, exist_ok=True)
    (edition / MANIFEST).unlink(missing_ok=True)
    (edition / MANIFEST).write_bytes(content)


def fetch(warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Download the files of an edition that are missing here or differ from edition.json; raise EditionDamagedError."""

    def get(facts: FileFacts) -> None:
        if not _is(edition, facts):
            (edition / facts.path).unlink(missing_ok=True)
            _download(_place(warehouse, edition) / facts.path, edition, facts)

    transfers.do(get, [facts for facts in read_manifest(edition).files if wanted(facts.path)])


def fetch_some(warehouse: ObjectPath, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Download some files of an edition of which nothing is here yet; raise EditionDamagedError."""
    _take_manifest(warehouse, edition)
    fetch(warehouse, edition, wanted)


def _is(edition: Path, facts: FileFacts) -> bool:
    """Return whether a file is here with the bytes of the manifest, so that a damaged one is never opened."""
    file = edition / facts.path
    return file.is_file() and file.stat().st_size == facts.bytes and digest(file) == facts.xxh3


def _download(place: ObjectPath, edition: Path, facts: FileFacts) -> None:
    """Download a file of an edition; raise EditionDamagedError if it is missing or differs from edition.json."""
    try:
        objects.download(place, edition / facts.path, facts.bytes)
    except FileNotFoundError:
        raise EditionDamagedError(f"The object {place} is missing. {REMEDY}") from None
    if not _is(edition, facts):
        raise EditionDamagedError(f"The object {place} has a different hash than {MANIFEST} states. {REMEDY}")


def fetch_anew(warehouse: ObjectPath, local_root: Path) -> None:
    """Download every object of the current edition, unchecked."""
    if take_current(warehouse, local_root) is None:
        return
    (edition,) = editions.folders(local_root)
    shutil.rmtree(edition)
    transfers.download_all(_place(warehouse, edition), edition)


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
        _download(_place(warehouse, kept) / DATABASE, Path(folder), facts)
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
