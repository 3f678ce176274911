"""Check the free disk space before an edition is built."""

import shutil
from pathlib import Path

from flows.errors import NoSpaceError
from flows.warehouse.database import DATABASE
from flows.warehouse.manifest import read_manifest
from flows.warehouse.pointer import EDITIONS

MIN_FREE_BYTES = 10_000_000  # even a small edition needs them


def require_disk_space(warehouse: Path, previous: Path | None, to_read: int) -> None:
    """Raise NoSpaceError if the disk cannot hold an edition that reads `to_read` bytes of seed files.

    An edition needs a copy of the database, and three times the bytes to read: for staged rows, Parquet and DuckDB.
    """
    copied = 2 * _database_bytes(previous) if previous else 0
    needed = max(MIN_FREE_BYTES, copied + 3 * to_read)
    free = shutil.disk_usage(warehouse / EDITIONS if (warehouse / EDITIONS).is_dir() else warehouse).free
    if free < needed:
        raise NoSpaceError(
            f"The disk of {warehouse} has {_megabytes(free)} MB free, and an edition may need {_megabytes(needed)} MB."
            " Free some disk space, or pass a folder on another disk with --warehouse."
        )


def _database_bytes(edition: Path) -> int:
    return sum(file.bytes for file in read_manifest(edition).files if file.path == DATABASE)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}"
