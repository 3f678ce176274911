"""Manage the editions in a folder: publish by an atomic swap, retire, and roll back."""

import os
import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from flows.errors import EditionNotChosenError, EditionNotFoundError
from flows.object_store.path import ObjectPath
from flows.warehouse import disk, pointer
from flows.warehouse.clock import require_clock
from flows.warehouse.edition_ids import edition_id_at, edition_time, is_id, next_id
from flows.warehouse.manifest import is_edition, require_intact
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING, editions_folder
from flows.warehouse.run_warnings import after_publishing, warn

LISTING_CACHE = ".touched.parquet"
_DISCARDED = "discarded-"


def current_edition(warehouse: Path) -> Path | None:
    """Return the resolved folder of the published edition, None if nothing is published.

    Raise RunError if `current` is missing or does not point to an edition, since a run would start a new history.
    """
    try:
        if not os.path.lexists(warehouse / CURRENT):
            _require_no_editions(warehouse)
            return None
        edition = editions_folder(warehouse) / pointer.read(warehouse)
        exists = edition.is_dir()
    except EditionNotChosenError as error:
        kept = [folder.name for folder in list_editions(warehouse)]
        raise EditionNotChosenError(f"{error} {how_to_choose(kept)}") from None
    except OSError as error:
        raise EditionNotChosenError(
            f"{warehouse / CURRENT} cannot be read ({error.strerror}). Give this user permission to read it."
        ) from None
    if not exists:
        raise EditionNotFoundError(
            f"The edition {edition.name} is missing from {warehouse / EDITIONS}."
            " Restore its folder, or choose another edition with broadsheet rollback EDITION."
        )
    return edition


def _require_no_editions(warehouse: Path) -> None:
    """Raise EditionNotChosenError if there are editions, complete or not, but none is current.

    Another process may be publishing the first edition at the same time: its pointer is staged before the edition is
    moved, and swapped in afterwards.
    """
    found = [folder.name for folder in folders(warehouse)]
    unpublished = pointer.unpublished(warehouse)
    found = [name for name in found if name != unpublished]
    if found and not os.path.lexists(warehouse / CURRENT):
        raise EditionNotChosenError(
            f"{warehouse / CURRENT} is missing, but {warehouse / EDITIONS} has editions, such as {found[-1]}."
        )


def how_to_choose(kept: list[str]) -> str:
    """Return the remedy if no edition is current, given the ids of the kept editions, oldest first."""
    if kept:
        return f"Choose one with broadsheet rollback EDITION; the newest is {kept[-1]}."
    return "None of the editions has a readable edition.json: restore one, or move them away to begin a new history."


def list_editions(warehouse: Path) -> list[Path]:
    """Return the resolved folders of all editions with a readable manifest, oldest first.

    Other entries of the folder are ignored.
    """
    found = folders(warehouse)
    unpublished = pointer.unpublished(warehouse)
    return [folder for folder in found if folder.name != unpublished and is_edition(folder)]


def folders(warehouse: Path) -> list[Path]:
    """Return the folders whose names are edition ids, sorted; raise EditionNotFoundError if they cannot be listed."""
    editions = editions_folder(warehouse)
    try:
        if not editions.is_dir():
            return []
        return sorted(entry for entry in editions.iterdir() if is_id(entry.name) and entry.is_dir())
    except OSError as error:
        raise EditionNotFoundError(
            f"The editions in {editions} cannot be listed ({error.strerror}). Give this user permission to read them."
        ) from None


def next_edition_id(warehouse: Path, now: datetime) -> str:
    """Return the id of an edition at `now` (UTC), or the next free second if that id is taken or not the newest.

    Raise ClockError if `now` is implausible.
    """
    kept = [edition.name for edition in list_editions(warehouse)]
    require_clock(now, kept, warehouse)
    edition_id = max([edition_id_at(now), *(next_id(last) for last in kept[-1:])])
    while os.path.lexists(warehouse / EDITIONS / edition_id):
        edition_id = next_id(edition_id)
    return edition_id


def staged_folder(warehouse: Path, edition_id: str) -> Path:
    """Return the folder in which an edition is built, on the same file system as the published editions.

    Links are not resolved: the path must also be valid for workers on other machines.
    """
    return (warehouse / EDITIONS / STAGING / edition_id).absolute()


def publish_folder(warehouse: Path, staged: Path) -> Path:
    """Make a staged edition read-only and durable, move it into `editions`, and point `current` at it."""
    for folder, _, files in os.walk(staged, topdown=False):
        for name in files:
            disk.seal(Path(folder, name))
        disk.sync(Path(folder))
    editions = warehouse / EDITIONS
    editions.mkdir(exist_ok=True)
    published = editions / staged.name
    # The pointer is staged first: if the run dies before the swap, `sweep` finds the unpublished edition by it.
    staged_pointer = pointer.stage(warehouse, published.name)
    staged.rename(published)
    disk.sync(editions)
    pointer.swap(warehouse, staged_pointer)
    with after_publishing("the listing cache was not cleared"):
        (warehouse / LISTING_CACHE).unlink(missing_ok=True)
    return published


def sweep(warehouse: Path) -> None:
    """Remove the leftovers of a killed run: its staging folder, and an edition that was moved but not published."""
    if unpublished := pointer.unpublished(warehouse):
        _discard(warehouse, editions_folder(warehouse) / unpublished)
    remove_staging(warehouse)
    for undeleted in (editions_folder(warehouse) / STAGING).glob(f"{_DISCARDED}*"):
        warn(f"{undeleted} cannot be removed. Delete it as the user who owns it.")


def remove_staging(warehouse: Path) -> None:
    """Remove the staging folders; ignore files that cannot be removed."""
    for folder in (warehouse, editions_folder(warehouse)):
        shutil.rmtree(folder / STAGING, ignore_errors=True)


def _discard(warehouse: Path, edition: Path) -> None:
    """Remove an edition, after moving it out of `editions` in one step."""
    if edition.exists():
        discarded = editions_folder(warehouse) / STAGING / f"{_DISCARDED}{edition.name}"
        discarded.parent.mkdir(exist_ok=True)
        edition.rename(discarded)
        # A network file system may keep a file that is open. The next sweep removes it.
        shutil.rmtree(discarded, ignore_errors=True)


def retire(warehouse: Path, keep: int, hours: float, now: datetime) -> list[str]:
    """Remove old editions and return their ids; warn about one that cannot be removed.

    Keep the newest `keep` editions, the current one, and each one whose successor is younger than `hours`, so that
    readers that resolved `current` before that can finish.
    """
    editions = {folder.name: folder for folder in list_editions(warehouse)}
    current = pointer.named(warehouse, warehouse / CURRENT)
    old = old_editions(list(editions), current, keep, hours, now)
    return [edition_id for edition_id in old if _is_retired(warehouse, editions[edition_id])]


def _is_retired(warehouse: Path, edition: Path) -> bool:
    """Remove an old edition, and return whether that was possible."""
    try:
        _discard(warehouse, edition)
    except OSError as error:
        warn(f"The old edition {edition} cannot be removed ({error.strerror}). Delete it as the user who owns it.")
        return False
    return True


def old_editions(ids: list[str], current: str | None, keep: int, hours: float, now: datetime) -> list[str]:
    """Return the ids that `retire` removes, given all ids in order.

    The age is not checked if `hours` is 0: ids of runs within the same second are ahead of the clock.
    """
    limit = now - timedelta(hours=hours)
    newest = ids[-keep:]
    return [
        edition_id
        for edition_id, successor in pairwise(ids)
        if edition_id not in newest and edition_id != current and (not hours or edition_time(successor) <= limit)
    ]


def roll_back(warehouse: Path, edition_id: str) -> Path:
    """Point `current` at a kept edition, and return its folder; raise EditionNotFoundError."""
    edition = editions_folder(warehouse) / edition_id
    if is_id(edition_id) and edition.is_dir():
        require_intact(edition)
    kept = [folder.name for folder in list_editions(warehouse)]
    require_kept(warehouse, edition_id, kept)
    pointer.require_no_folder(warehouse)
    pointer.swap(warehouse, pointer.stage(warehouse, edition_id, "rollback"))
    with suppress(OSError):  # a cache of another edition is ignored
        (warehouse / LISTING_CACHE).unlink(missing_ok=True)
    return edition


def require_kept(warehouse: Path | ObjectPath, edition_id: str, kept: list[str]) -> None:
    """Raise EditionNotFoundError if an edition is not in the list of kept editions."""
    if edition_id not in kept:
        named = ", ".join(kept) or "none"
        raise EditionNotFoundError(f"Edition not found in {warehouse}: {edition_id}. Pass a kept edition: {named}.")
