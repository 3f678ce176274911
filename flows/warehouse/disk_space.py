"""Check the free disk space before an edition is built."""

import shutil
from pathlib import Path

from flows.errors import NoSpaceError
from flows.warehouse.database_note import database_facts
from flows.warehouse.manifest import read_manifest
from flows.warehouse.manifest_model import DATABASE, Manifest
from flows.warehouse.pointer import EDITIONS

MIN_FREE_BYTES = 10_000_000  # required even for a small edition


def require_disk_space(root: Path, setting: str, previous: Path | None, reusable: Path | None, to_read: int) -> None:
    """Raise NoSpaceError if the disk cannot hold an edition that reads `to_read` bytes of seed files.

    `setting` is the setting for the folder `root`. An edition needs space for files of the previous edition that are
    not downloaded yet, for two copies of the database of the edition `reusable`, and for three times the bytes to
    read: staged rows, Parquet and DuckDB.
    """
    files = read_manifest(previous).files if previous else []
    database = _database_bytes(reusable) if reusable else 0
    # The database of the previous edition is only downloaded if its rows are reused.
    wanted = [file for file in files if reusable or file.path != DATABASE]
    missing = sum(file.bytes for file in wanted if previous and not (previous / file.path).exists())
    _require_free(root, setting, max(MIN_FREE_BYTES, missing + 2 * database + 3 * to_read))


def require_space_for_copy(root: Path, setting: str, manifest: Manifest) -> None:
    """Raise NoSpaceError if the disk cannot hold another copy of an edition."""
    derived = manifest.database_bytes_when_built if manifest.has_derived_database else 0
    _require_free(root, setting, MIN_FREE_BYTES + derived + sum(file.bytes for file in manifest.files))


def _database_bytes(edition: Path) -> int:
    """Return the size of an edition's database, also if this machine has to build it."""
    known = database_facts(edition)
    return known.bytes if known else read_manifest(edition).database_bytes_when_built


def _require_free(root: Path, setting: str, needed: int) -> None:
    free = shutil.disk_usage(root / EDITIONS if (root / EDITIONS).is_dir() else root).free
    if free < needed:
        raise NoSpaceError(
            f"The disk of {root} has {_megabytes(free)} MB free, but an edition may need {_megabytes(needed)} MB."
            f" Free some disk space, or pass a folder on another disk with {setting}."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}"
