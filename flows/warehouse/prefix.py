"""Editions below a prefix of an object store: an edition's claim, its way there, the pointer, retention, the way back.

`current` is an object that holds the id of the published edition, and is put on the condition that it is still the one
that the run began with: of two runs one wins. What is new lies below editions/<id>/ from the start, since a store
cannot rename; while .claims/<id> is there, that edition is not published.
"""

import json
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flows.errors import (
    EditionDamagedError,
    EditionNotChosenError,
    PublishConflictError,
    RunError,
    StorageUnavailableError,
)
from flows.objects import many, probe, store
from flows.objects.prefix import Prefix
from flows.warehouse import clock
from flows.warehouse.editions import how_to_choose, old_editions, require_kept
from flows.warehouse.ids import edition_name, is_id, next_id
from flows.warehouse.manifest import MANIFEST, damaged, parse_manifest, read_manifest
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING

CLAIMS, CLAIMED = ".claims", ".claimed"  # the objects; the note in the working copy of which are ours
TRIES = 5
LEFT = timedelta(hours=24)  # a claim so old is that of a killed run: a flow ends after six hours


def read_pointer(warehouse: Prefix) -> tuple[str | None, str | None]:
    """The id of the current edition, and the ETag of the pointer; None and None where nothing is published."""
    current, seen = _pointer(warehouse)
    if seen and current is None:
        kept = list_editions(warehouse)
        remedy = how_to_choose(kept) if kept else "name another prefix with --warehouse."
        raise EditionNotChosenError(f"The object {warehouse / CURRENT} names no edition; {remedy}")
    return current, seen


def _pointer(warehouse: Prefix) -> tuple[str | None, str | None]:
    """The same, and None with the ETag where the pointer names no edition."""
    try:
        content, seen = store.read_tagged(warehouse / CURRENT)
    except FileNotFoundError:
        return None, None
    current = content.decode(errors="replace").strip()
    return current if is_id(current) else None, seen


def require_chosen(warehouse: Prefix) -> str | None:
    """The id of the current edition; None where nothing is published.

    Raises RunError where there are editions and none is current: a run would begin a new history.
    """
    current, _ = read_pointer(warehouse)
    if current:
        return current
    # The first edition may be published meanwhile: its claim is there before it, and ends after the pointer is put.
    folders = _folders(warehouse, EDITIONS)
    claimed = _claims(warehouse)
    found = [name for name in folders if name not in claimed]
    current, _ = read_pointer(warehouse)
    if found and not current:
        raise EditionNotChosenError(
            f"There is no {warehouse / CURRENT}, though {warehouse / EDITIONS} has editions, such as {found[-1]}."
            f" {how_to_choose([facts['edition_id'] for facts in list_facts(warehouse)])}"
        )
    return current


def list_facts(warehouse: Prefix) -> list[dict[str, Any]]:
    """What the manifests that can be read say of the editions that are kept, the oldest first."""
    facts = []
    for edition_id in list_editions(warehouse):
        with suppress(FileNotFoundError, EditionDamagedError):
            facts.append(read_facts(warehouse, edition_id))
    return facts


def require_clock(warehouse: Prefix, now: datetime) -> None:
    """Raise ClockError where the clock of this machine cannot be right, by that of the store or by the editions.

    What killed runs left is known by its age, and editions get their order from the clock.
    """
    clock.require_same_time(now, store.time_of(warehouse), warehouse)
    clock.require_clock(now, list_editions(warehouse), warehouse)


def require_abilities(warehouse: Prefix) -> None:
    """Raise StorageError where the store or the credentials cannot do all that publishing needs.

    Called where nothing is published yet. A run that is killed here leaves what `sweep` removes.
    """
    probe.require_abilities(warehouse / STAGING / edition_name(datetime.now(UTC)))


def claim(warehouse: Prefix, home: Path, wanted: str) -> str:
    """Take the wanted id, or a later one where another run has it; returns it."""
    known = (*_claims(warehouse), *_folders(warehouse, EDITIONS))
    taken = max([wanted, *(next_id(found) for found in known if not clock.is_ahead(found, datetime.now(UTC)))])
    holder = json.dumps({"process": os.getpid(), "host": socket.gethostname()}).encode()
    while not store.write_if(warehouse / CLAIMS / taken, holder, None):
        taken = next_id(taken)
    with (home / CLAIMED).open("a") as note:
        note.write(f"{taken}\n")
    return taken


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
    now = now or datetime.now(UTC)
    limit = edition_name(now - LEFT)
    claimed = _claims(warehouse)
    folders = _folders(warehouse, EDITIONS)
    broken = set(folders) - set(_whole(warehouse, folders))
    for left in {*claimed, *broken, *_folders(warehouse, STAGING)}:
        if left == current or left < limit or clock.is_ahead(left, now):
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
    with suppress(RunError, OSError):  # it is published; the next run ends its claim
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
    """What edition.json says of an edition; raises FileNotFoundError, and RunError where it cannot be read."""
    place = _manifest(warehouse, edition_id)
    try:
        facts = parse_manifest(store.read(place))
        if facts["edition_id"] != edition_id:
            raise ValueError("it is of another edition")
    except ValueError as error:
        raise damaged(place, error) from None
    return facts


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
    now = datetime.now(UTC)
    clock.require_same_time(now, store.time_of(warehouse), warehouse)
    current, seen = _pointer(warehouse)
    sweep(warehouse, current, now)  # else a claim that a kill left on the current edition would say that it never was
    require_kept(warehouse, edition_id, list_editions(warehouse))
    read_facts(warehouse, edition_id)  # which says what is wrong with it
    _point_at(warehouse, edition_id, seen)


def _manifest(warehouse: Prefix, edition_id: str) -> Prefix:
    return warehouse / EDITIONS / edition_id / MANIFEST


def _claims(warehouse: Prefix) -> list[str]:
    return [found.name for found in store.list_objects(warehouse / CLAIMS) if is_id(found.name)]


def _folders(warehouse: Prefix, name: str) -> list[str]:
    return [folder for folder in store.list_folders(warehouse / name) if is_id(folder)]
