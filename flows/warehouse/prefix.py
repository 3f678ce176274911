"""Editions below a prefix of an object store: an edition's claim, its way there, the pointer, retention, the way back.

`current` is an object that holds the id of the published edition, and is put on the condition that it is still the one
that the run began with: of two runs one wins. What is new lies below editions/<id>/ from the start, since a store
cannot rename; while .claims/<id> is there, that edition is not published.
"""

import json
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.errors import EditionNotChosenError, PublishConflictError, RunError, StorageUnavailableError
from flows.objects import many, probe, store
from flows.objects.prefix import Prefix
from flows.warehouse.editions import CURRENT, EDITIONS, STAGING, edition_name, edition_time, old_editions, require_kept
from flows.warehouse.manifest import MANIFEST, read_manifest

CLAIMS, CLAIMED = ".claims", ".claimed"  # the objects; the note in the working copy of which are ours
TRIES = 5
LEFT = timedelta(hours=24)  # a claim so old is that of a killed run: a flow ends after six hours


def read_pointer(warehouse: Prefix) -> tuple[str | None, str | None]:
    """The id of the current edition, and the ETag of the pointer; None and None where nothing is published."""
    try:
        content, seen = store.read_tagged(warehouse / CURRENT)
    except FileNotFoundError:
        return None, None
    current = content.decode(errors="replace").strip()
    if not _is_id(current):
        raise EditionNotChosenError(
            f"The object {warehouse / CURRENT} names no edition; name another prefix with --warehouse."
        )
    return current, seen


def require_abilities(warehouse: Prefix) -> None:
    """Raise StorageError where the store or the credentials cannot do all that publishing needs.

    Called where nothing is published yet. A run that is killed here leaves what `sweep` removes.
    """
    probe.require_abilities(warehouse / STAGING / edition_name(datetime.now(UTC)))


def claim(warehouse: Prefix, home: Path, wanted: str) -> str:
    """Take the wanted id, or a later one where another run has it; returns it."""
    taken = max([wanted, *(_next(found) for found in (*_claims(warehouse), *_folders(warehouse, EDITIONS)))])
    holder = json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode()
    while not store.write_if(warehouse / CLAIMS / taken, holder, None):
        taken = _next(taken)
    with (home / CLAIMED).open("a") as note:
        note.write(f"{taken}\n")
    return taken


def _next(edition_id: str) -> str:
    return edition_name(edition_time(edition_id) + timedelta(seconds=1))


def abandon(warehouse: Prefix, home: Path) -> None:
    """End the claims of this machine's run, and remove what it did not publish."""
    note = home / CLAIMED
    if note.exists():
        # The pointer first: who moved it on from an edition of ours has ended that one's claim before.
        current, _ = read_pointer(warehouse)
        for edition_id in set(note.read_text().split()) & set(_claims(warehouse)):
            _end_claim(warehouse, edition_id, published=edition_id == current)
        note.unlink()


def sweep(warehouse: Prefix, current: str | None, now: datetime | None = None) -> None:
    """Remove what killed runs of any machine left: at once where it is of the current edition, else a day after."""
    limit = edition_name((now or datetime.now(UTC)) - LEFT)
    claimed = _claims(warehouse)
    folders = _folders(warehouse, EDITIONS)
    broken = set(folders) - set(_whole(warehouse, folders))
    for left in {*claimed, *broken, *_folders(warehouse, STAGING)}:
        if left == current or left < limit:
            _end_claim(warehouse, left, published=left not in (*claimed, *broken) or left == current)


def _end_claim(warehouse: Prefix, edition_id: str, published: bool) -> None:
    if not published:
        _remove_edition(warehouse, edition_id)
    many.remove_all(warehouse / STAGING / edition_id)
    store.remove_object(warehouse / CLAIMS / edition_id)


def publish(warehouse: Prefix, edition: Path, before: Path | None, seen: str | None) -> None:
    """Put an edition below its prefix and point `current` at it; raises RunError where that is no longer as `seen`."""
    _require_seen(warehouse, seen)
    _put_files(warehouse, edition, before)
    _point_at(warehouse, edition.name, seen)
    with suppress(RunError):  # it is published; the next run ends its claim
        _end_claim(warehouse, edition.name, published=True)


def _point_at(warehouse: Prefix, edition_id: str, seen: str | None) -> None:
    for _ in range(TRIES):
        if store.write_if(warehouse / CURRENT, edition_id.encode(), seen):
            return
        if read_pointer(warehouse)[0] == edition_id:  # it was put, and the answer lost
            return
        _require_seen(warehouse, seen)  # else two were put at once, and the store took neither
    raise StorageUnavailableError(f"The store takes no pointer to {edition_id} in {warehouse}; run again.")


def _require_seen(warehouse: Prefix, seen: str | None) -> None:
    current, now = read_pointer(warehouse)
    if now != seen:
        raise PublishConflictError(
            f"Another run has published into {warehouse} since this one began (its current edition is {current});"
            " nothing of this one was published: run again."
        )


def _put_files(warehouse: Prefix, edition: Path, before: Path | None) -> None:
    """Upload what is new, and copy on the server's side what the edition before has."""
    place = warehouse / EDITIONS / edition.name
    entries: list[dict[str, Any]] = read_manifest(edition)["files"]
    known = {entry["path"]: entry for entry in read_manifest(before)["files"]} if before else {}
    there = {found.name: found.size for found in store.list_objects(place)}  # the months that workers put there

    def put(entry: dict[str, Any]) -> None:
        name = entry["path"]
        if there.get(name) == entry["bytes"]:
            return
        if before and known.get(name) == entry:
            with suppress(FileNotFoundError):  # another run has retired it, and this one will be told
                store.copy(warehouse / EDITIONS / before.name / name, place / name)
                return
        store.upload(edition / name, place / name)

    many.do(put, entries)
    there = {found.name: found.size for found in store.list_objects(place)}
    if there != {entry["path"]: entry["bytes"] for entry in entries}:
        raise StorageUnavailableError(
            f"The store did not keep what was put below {place}; nothing was published: run again."
        )
    store.upload(edition / MANIFEST, place / MANIFEST)


def list_editions(warehouse: Prefix) -> list[str]:
    """The ids of the editions that are kept, the oldest first."""
    claimed = _claims(warehouse)
    found = [edition_id for edition_id in _folders(warehouse, EDITIONS) if edition_id not in claimed]
    return _whole(warehouse, found)


def _whole(warehouse: Prefix, ids: list[str]) -> list[str]:
    """Those editions that have a manifest, which is put last."""
    there = many.at_once(store.exists, [_manifest(warehouse, edition_id) for edition_id in ids])
    return [edition_id for edition_id, whole in zip(ids, there, strict=True) if whole]


def read_facts(warehouse: Prefix, edition_id: str) -> dict[str, Any]:
    """What edition.json says of an edition."""
    return dict(json.loads(store.read(_manifest(warehouse, edition_id))))


def retire(warehouse: Prefix, keep: int, hours: float, now: datetime) -> list[str]:
    """Remove old editions, as `editions.retire` does on a disk; returns their ids."""
    old = old_editions(list_editions(warehouse), read_pointer(warehouse)[0], keep, hours, now)
    for edition_id in old:
        _remove_edition(warehouse, edition_id)
    return old


def _remove_edition(warehouse: Prefix, edition_id: str) -> None:
    """Its manifest goes first: without it an edition is none."""
    store.remove_object(_manifest(warehouse, edition_id))
    many.remove_all(warehouse / EDITIONS / edition_id)


def roll_back(warehouse: Prefix, edition_id: str) -> None:
    """Point `current` at an edition that is kept; raises RunError where there is none."""
    current, seen = read_pointer(warehouse)
    sweep(warehouse, current)  # else a claim that a kill left on the current edition would say that it never was
    require_kept(warehouse, edition_id, list_editions(warehouse))
    _point_at(warehouse, edition_id, seen)


def _manifest(warehouse: Prefix, edition_id: str) -> Prefix:
    return warehouse / EDITIONS / edition_id / MANIFEST


def _claims(warehouse: Prefix) -> list[str]:
    return _ids(found.name for found in store.list_objects(warehouse / CLAIMS))


def _folders(warehouse: Prefix, name: str) -> list[str]:
    return _ids(store.list_folders(warehouse / name))


def _ids(names: Iterable[str]) -> list[str]:
    return [name for name in names if _is_id(name)]


def _is_id(name: str) -> bool:
    try:
        return edition_name(edition_time(name)) == name
    except ValueError:
        return False
