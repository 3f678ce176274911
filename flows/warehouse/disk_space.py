"""Check the free disk space before an edition is built."""

import shutil
from pathlib import Path

from flows.errors import NoSpaceError
from flows.warehouse.database import DATABASE
from flows.warehouse.manifest import read_manifest
from flows.warehouse.manifest_model import Manifest
from flows.warehouse.pointer import EDITIONS

MIN_FREE_BYTES = 10_000_000  # even a small edition needs them


def require_disk_space(root: Path, setting: str, previous: Path | None, reusable: Path | None, to_read: int) -> None:
    """Raise NoSpaceError if the disk cannot hold an edition that reads `to_read` bytes of seed files.

    `setting` names the folder `root`. An edition needs what a working copy lacks of the previous edition, two copies
    of the database of the edition `reusable`, and three times the bytes to read: for staged rows, Parquet and DuckDB.
    """
    files = read_manifest(previous).files if previous else []
    database = sum(file.bytes for file in files if file.path == DATABASE) if reusable else 0
    # Without anything to reuse, the database of the previous edition is not fetched.
    wanted = [file for file in files if reusable or file.path != DATABASE]
    missing = sum(file.bytes for file in wanted if previous and not (previous / file.path).exists())
    _require_free(root, setting, max(MIN_FREE_BYTES, missing + 2 * database + 3 * to_read))


def require_space_for_copy(root: Path, setting: str, manifest: Manifest) -> None:
    """Raise NoSpaceError if the disk cannot hold another copy of an edition."""
    _require_free(root, setting, MIN_FREE_BYTES + sum(file.bytes for file in manifest.files))


def _require_free(root: Path, setting: str, needed: int) -> None:
    free = shutil.disk_usage(root / EDITIONS if (root / EDITIONS).is_dir() else root).free
    if free < needed:
        raise NoSpaceError(
            f"The disk of {root} has {_megabytes(free)} MB free, and an edition may need {_megabytes(needed)} MB."
            f" Free some disk space, or pass a folder on another disk with {setting}."
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f}"
