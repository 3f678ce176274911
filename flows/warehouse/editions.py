"""Editions on disk: where one is built, the swap that publishes it, which are kept, and the way back to one of them."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from flows.errors import EditionNotFoundError
from flows.objects.prefix import Prefix
from flows.warehouse.manifest import read_manifest

CURRENT, EDITIONS, STAGING, TOUCHED = "current", "editions", ".staging", ".touched.parquet"
_ID_FORM = "%Y%m%dT%H%M%SZ"


def current_edition(warehouse: Path) -> Path | None:
    """The folder of the published edition, resolved; None where none is published. Raises RunError where it is gone."""
    current = warehouse / CURRENT
    if not current.is_symlink():
        return None
    if not current.exists():
        raise EditionNotFoundError(
            f"The edition {current.readlink().name} is missing from {warehouse / EDITIONS};"
            f" restore its folder, or point {current} at another with broadsheet rollback EDITION."
        )
    return current.resolve()


def list_editions(warehouse: Path) -> list[Path]:
    """The folders of the editions that are kept, the oldest first."""
    return sorted(folder.resolve() for folder in (warehouse / EDITIONS).glob("*T*Z"))


def next_edition_id(warehouse: Path, now: datetime) -> str:
    """The id of an edition at `now` (UTC): its time to the second, or the first free second after every earlier id."""
    moment = now.replace(microsecond=0)
    if taken := list_editions(warehouse):
        moment = max(moment, edition_time(taken[-1].name) + timedelta(seconds=1))
    return edition_name(moment)


def edition_name(moment: datetime) -> str:
    """The id of an edition at an instant (UTC)."""
    return moment.strftime(_ID_FORM)


def staged_folder(warehouse: Path, edition_id: str) -> Path:
    """Where an edition is built, on the same file system as its place."""
    return (warehouse / STAGING / edition_id).absolute()


def edition_time(edition_id: str) -> datetime:
    """The instant that an edition's id names."""
    return datetime.strptime(edition_id, _ID_FORM).replace(tzinfo=UTC)


def publish_folder(warehouse: Path, staged: Path) -> Path:
    """Make a staged edition immutable and durable, move it to its place, and point `current` at it."""
    for folder, _, files in os.walk(staged, topdown=False):
        for name in files:
            _seal(Path(folder, name))
        _sync(Path(folder))
    editions = warehouse / EDITIONS
    editions.mkdir(exist_ok=True)
    published = editions / staged.name
    # The link comes first: while it waits, `sweep` knows that the edition which it names was never published.
    link = _link(warehouse, published.name)
    staged.rename(published)
    _sync(editions)
    _swap(warehouse, link)
    (warehouse / TOUCHED).unlink(missing_ok=True)
    return published


def _seal(file: Path) -> None:
    if file.stat().st_nlink == 1:  # what is shared with an older edition is sealed
        file.chmod(0o444)
        _sync(file)


def _link(warehouse: Path, edition_id: str, name: str = CURRENT) -> Path:
    link = warehouse / STAGING / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(Path(EDITIONS, edition_id))
    return link


def _swap(warehouse: Path, link: Path) -> None:
    """Put a link in the place of `current`, in one step: readers see the old edition or the new one."""
    link.replace(warehouse / CURRENT)
    _sync(warehouse)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(warehouse: Path) -> None:
    """Remove what a killed run left: its staging folder, and an edition that it moved to its place and no further."""
    link = warehouse / STAGING / CURRENT
    if link.is_symlink() and (edition := (warehouse / link.readlink()).resolve()) != current_edition(warehouse):
        _discard(warehouse, edition)
    shutil.rmtree(warehouse / STAGING, ignore_errors=True)


def _discard(warehouse: Path, edition: Path) -> None:
    """Remove an edition; it leaves `editions` whole, in one step."""
    if edition.exists():
        doomed = warehouse / STAGING / f"discarded-{edition.name}"
        doomed.parent.mkdir(exist_ok=True)
        edition.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)  # on a network disk a reader keeps a file: the next sweep has it


def retire(warehouse: Path, keep: int, hours: float, now: datetime) -> list[str]:
    """Remove old editions; returns their ids.

    The newest `keep` stay, and the current one, and each whose successor is younger than `hours`: who resolved
    `current` before the successor came reads on in peace.
    """
    editions = {folder.name: folder for folder in list_editions(warehouse)}
    current = current_edition(warehouse)
    old = old_editions(list(editions), current.name if current else None, keep, hours, now)
    for edition_id in old:
        _discard(warehouse, editions[edition_id])
    return old


def old_editions(ids: list[str], current: str | None, keep: int, hours: float, now: datetime) -> list[str]:
    """Those of some editions, sorted by id, that `retire` removes."""
    limit = now - timedelta(hours=hours)
    newest = ids[-keep:]
    return [
        edition_id
        for edition_id, successor in pairwise(ids)
        if edition_id not in newest and edition_id != current and edition_time(successor) <= limit
    ]


def roll_back(warehouse: Path, edition_id: str) -> Path:
    """Point `current` at an edition that is kept; returns its folder. Raises RunError where there is none."""
    kept = {folder.name: folder for folder in list_editions(warehouse)}
    require_kept(warehouse, edition_id, list(kept))
    edition = kept[edition_id]
    read_manifest(edition)
    _swap(warehouse, _link(warehouse, edition_id, "rollback"))
    (warehouse / TOUCHED).unlink(missing_ok=True)
    return edition


def require_kept(warehouse: Path | Prefix, edition_id: str, kept: list[str]) -> None:
    """Raise RunError where an edition is none of those that are kept."""
    if edition_id not in kept:
        named = ", ".join(kept) or "none"
        raise EditionNotFoundError(f"There is no edition {edition_id} in {warehouse}; name one that is kept: {named}.")
