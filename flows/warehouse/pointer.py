"""Read and swap `current`: a link to the published edition, or a file with its id on disks without symbolic links."""

import os
from pathlib import Path

from flows.errors import EditionNotChosenError
from flows.warehouse import disk
from flows.warehouse.edition_ids import is_id
from flows.warehouse.run_warnings import after_publishing
from flows.warehouse.size_limit import read_limited

CURRENT, EDITIONS, STAGING = "current", "editions", ".staging"
_MAX_ID_BYTES = 64  # of a file that contains an id


def editions_folder(warehouse: Path) -> Path:
    """Return the folder of the editions, resolved: it may be a link to another disk."""
    return Path(os.path.realpath(warehouse / EDITIONS))


def read(warehouse: Path) -> str:
    """Return the id in `current`; raise EditionNotChosenError if it does not contain one."""
    current = warehouse / CURRENT
    edition_id = named(warehouse, current)
    if edition_id:
        return edition_id
    require_no_folder(warehouse)
    if current.is_symlink():
        raise EditionNotChosenError(
            f"The link {current} points to {current.readlink()}, which is not an edition in {warehouse / EDITIONS}."
        )
    raise EditionNotChosenError(f"The file {current} does not contain the id of an edition.")


def require_no_folder(warehouse: Path) -> None:
    """Raise EditionNotChosenError if `current` is a folder, as after a copy that followed links."""
    current = warehouse / CURRENT
    if current.is_dir() and not current.is_symlink():
        raise EditionNotChosenError(f"{current} is a folder, but should be a link to an edition. Move it elsewhere.")


def named(warehouse: Path, pointer: Path) -> str | None:
    """Return the id that a link or a file contains, None if it is not an edition of this warehouse."""
    if pointer.is_symlink():
        target = pointer.parent / pointer.readlink()
        inside = os.path.realpath(target.parent) == str(editions_folder(warehouse))
        return target.name if inside and is_id(target.name) else None
    if not pointer.is_file():
        return None
    try:
        return id_in(read_limited(pointer, _MAX_ID_BYTES))
    except ValueError:
        return None


def id_in(content: bytes) -> str | None:
    """Return the id in a pointer's content, None for any other content."""
    text = content.decode(errors="replace").strip()
    return text if is_id(text) else None


def stage(warehouse: Path, edition_id: str, name: str = CURRENT) -> Path:
    """Write a pointer to an edition into the staging folder, and return its path."""
    pointer = warehouse / STAGING / name
    pointer.parent.mkdir(exist_ok=True)
    pointer.unlink(missing_ok=True)
    disk.symlink_or_file(pointer, Path(EDITIONS, edition_id))
    return pointer


def swap(warehouse: Path, pointer: Path) -> None:
    """Replace `current` with a staged pointer atomically: readers see either the old or the new edition."""
    pointer.replace(warehouse / CURRENT)
    with after_publishing("it may not survive a power failure"):
        disk.sync(warehouse)


def unpublished(warehouse: Path) -> str | None:
    """Return the id of an edition that a killed run moved into `editions` but did not publish.

    Its pointer is still in the staging folder, from where a symbolic link does not resolve.
    """
    staged = warehouse / STAGING / CURRENT
    try:
        edition_id = staged.readlink().name if staged.is_symlink() else named(warehouse, staged)
    except FileNotFoundError:  # it has just been swapped in
        return None
    published = edition_id is not None and edition_id == named(warehouse, warehouse / CURRENT)
    return edition_id if edition_id and is_id(edition_id) and not published else None
