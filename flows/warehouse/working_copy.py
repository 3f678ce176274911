"""The working copy of a warehouse that is a prefix: its current edition on this machine's disk."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flows.errors import EditionDamagedError, EditionNotFoundError
from flows.objects import many, store
from flows.objects.prefix import Prefix
from flows.tables import CONTENT
from flows.warehouse import editions, prefix
from flows.warehouse.database import DATABASE
from flows.warehouse.manifest import MANIFEST, file_facts, read_manifest
from flows.warehouse.pointer import CURRENT, EDITIONS, named

_HEAVY = (DATABASE, *(f"{table.name}/" for table in CONTENT))  # what only a run with news needs
_REMEDY = "restore it, or go back to another edition with broadsheet rollback EDITION"


def take_current(warehouse: Prefix, home: Path) -> str | None:
    """Bring the copy to the edition that is current, its months and database aside; returns the pointer's ETag.

    None where nothing is published. Also removes what killed runs left, there and here.
    """
    prefix.require_clock(warehouse, datetime.now(UTC))
    prefix.require_chosen(warehouse)
    prefix.abandon(warehouse, home)  # what this machine's last run left when it was killed: we hold its lock
    current, seen = prefix.read_pointer(warehouse)
    prefix.sweep(warehouse, current)
    (home / EDITIONS).mkdir(exist_ok=True)
    for folder in editions.folders(home):
        if folder.name != current:
            shutil.rmtree(folder)
    if current is None:
        (home / CURRENT).unlink(missing_ok=True)
        return None
    edition = home / EDITIONS / current
    _take_manifest(warehouse, edition)
    fetch(warehouse, edition, lambda name: not name.startswith(_HEAVY))
    if named(home, home / CURRENT) != current:
        editions.roll_back(home, current)
    return seen


def _take_manifest(warehouse: Prefix, edition: Path) -> None:
    try:
        store.download(_place(warehouse, edition) / MANIFEST, edition / MANIFEST)
    except FileNotFoundError:
        raise _missing(warehouse, edition.name) from None


def _missing(warehouse: Prefix, edition_id: str) -> EditionNotFoundError:
    return EditionNotFoundError(
        f"The edition {edition_id} is missing from {warehouse / EDITIONS};"
        " restore its objects, or go back to another with broadsheet rollback EDITION."
    )


def fetch(warehouse: Prefix, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Get those files of an edition that are not here with the bytes which edition.json says; raises RunError."""

    def get(entry: dict[str, Any]) -> None:
        file, place = many.file_below(edition, entry["path"]), _place(warehouse, edition) / entry["path"]
        if not _is(file, entry):
            file.unlink(missing_ok=True)
            _download(place, file, entry)

    many.do(get, [entry for entry in read_manifest(edition)["files"] if wanted(entry["path"])])


def fetch_some(warehouse: Prefix, edition: Path, wanted: Callable[[str], bool]) -> None:
    """Get some files of an edition of which nothing is here yet; raises RunError."""
    _take_manifest(warehouse, edition)
    fetch(warehouse, edition, wanted)


def _is(file: Path, entry: dict[str, Any]) -> bool:
    return file.exists() and {"path": entry["path"], **file_facts(file)} == entry


def _download(place: Prefix, file: Path, entry: dict[str, Any]) -> None:
    """Get a file of an edition; raises RunError where it is missing, or is not what edition.json says."""
    try:
        store.download(place, file, entry["bytes"])
    except FileNotFoundError:
        raise EditionDamagedError(f"The object {place} is missing; {_REMEDY}.") from None
    if not _is(file, entry):
        raise EditionDamagedError(f"The object {place} has other bytes than {MANIFEST} says; {_REMEDY}.")


def fetch_anew(warehouse: Prefix, home: Path) -> None:
    """Get whatever lies in the current edition, as it lies there."""
    if take_current(warehouse, home) is None:
        return
    (edition,) = editions.folders(home)
    shutil.rmtree(edition)
    many.download_all(_place(warehouse, edition), edition)


@contextmanager
def reading(warehouse: Prefix, home: Path) -> Iterator[Path | None]:
    """A folder with the database of the current edition: that of the working copy, or one that is fetched for a while.

    None where nothing is published.
    """
    current = prefix.require_chosen(warehouse)
    if current is None:
        yield None
        return
    kept = home / EDITIONS / current
    try:
        files = prefix.read_facts(warehouse, current)["files"]
    except FileNotFoundError:
        raise _missing(warehouse, current) from None
    entry = next((entry for entry in files if entry["path"] == DATABASE), None)
    if entry is None:
        raise EditionDamagedError(f"The edition {current} in {warehouse} has no {DATABASE}; {_REMEDY}.")
    if _is(kept / DATABASE, entry):
        yield kept
        return
    with TemporaryDirectory(prefix="broadsheet-") as folder:
        _download(_place(warehouse, kept) / DATABASE, Path(folder, DATABASE), entry)
        yield Path(folder)


def _place(warehouse: Prefix, edition: Path) -> Prefix:
    return warehouse / EDITIONS / edition.name
