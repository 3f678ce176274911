"""Editions in an object store: claim, upload, swap the pointer, retire, and roll back.

`current` is an object with the id of the published edition. It is put on the condition that it has not changed since
the run began: of two runs one wins. A new edition is below editions/<id>/ from the start, since a store cannot rename;
while .claims/<id> exists, that edition is not published.
"""

import json
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from uuid import uuid4

from flows.errors import PublishConflictError, RunError, StorageUnavailableError
from flows.object_store import objects, probe, transfers
from flows.object_store.path import ObjectPath
from flows.warehouse import clock
from flows.warehouse.edition_ids import edition_id_at, is_id, next_id
from flows.warehouse.editions import old_editions, require_kept
from flows.warehouse.manifest import read_manifest
from flows.warehouse.manifest_model import MANIFEST, FileFacts
from flows.warehouse.object_catalog import (
    CLAIMS,
    any_pointer,
    claims,
    folders,
    has_content,
    list_edition,
    list_editions,
    manifest_of,
    read_pointer,
    read_stored,
    require_sound,
    whole,
)
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING
from flows.warehouse.size_limit import read_limited

CLAIMED = ".claimed"  # in the working copy: the claims of this machine
_MAX_NOTE_BYTES = 1_000_000  # bytes of it
TRIES = 5
LEFT = timedelta(hours=24)  # an older claim is of a killed run: a flow ends after six hours


def require_clock(warehouse: ObjectPath, now: datetime) -> None:
    """Raise ClockError if this machine's clock cannot be right, compared with the store's and with the editions.

    What killed runs left is recognized by its age, and editions are ordered by the clock.
    """
    clock.require_same_time(now, objects.time_of(warehouse), warehouse)
    clock.require_clock(now, list_editions(warehouse), warehouse)


def require_abilities(warehouse: ObjectPath) -> None:
    """Raise StorageError if the store or the credentials cannot do everything that publishing needs.

    Called if nothing is published yet. A run that is killed here leaves objects that `sweep` removes.
    """
    probe.require_abilities(warehouse / STAGING / edition_id_at(datetime.now(UTC)))


def claim(warehouse: ObjectPath, local_root: Path, wanted: str) -> str:
    """Claim the wanted id, or a later one if another run has it, and return it."""
    known = (*claims(warehouse), *folders(warehouse, EDITIONS))
    taken = max([wanted, *(next_id(found) for found in known if not clock.is_ahead(found, datetime.now(UTC)))])
    holder = json.dumps({"process": os.getpid(), "host": socket.gethostname(), "claim": uuid4().hex}).encode()
    while not _is_put(warehouse / CLAIMS / taken, holder):
        taken = next_id(taken)
    with (local_root / CLAIMED).open("a") as note:
        note.write(f"{taken}\n")
    return taken


def _is_put(place: ObjectPath, content: bytes) -> bool:
    """Put an object that is not there, and return whether it has this content.

    A response may be lost; the store then refuses the second try, and the object is ours.
    """
    if objects.write_if(place, content, None):
        return True
    with suppress(FileNotFoundError):
        return objects.read(place, len(content) + 1) == content
    return False


def abandon(warehouse: ObjectPath, local_root: Path) -> None:
    """End the claims of this machine's run, and remove what it did not publish."""
    note = local_root / CLAIMED
    if os.path.lexists(note):
        # The pointer first: a run that moved it on from our edition has ended that edition's claim before.
        current, _ = read_pointer(warehouse)
        for edition_id in _noted(note) & set(claims(warehouse)):
            _end_claim(warehouse, edition_id, published=edition_id == current)
        note.unlink(missing_ok=True)


def _noted(note: Path) -> set[str]:
    """Return the ids that this machine claimed; if the note cannot be read, claims end after a day."""
    try:
        lines = read_limited(note, _MAX_NOTE_BYTES).decode(errors="replace").split()
    except (OSError, ValueError):
        return set()
    return {line for line in lines if is_id(line)}


def sweep(warehouse: ObjectPath, current: str | None, now: datetime | None = None) -> None:
    """Remove what killed runs of any machine left: at once for the current edition, after a day for others."""
    now = now or datetime.now(UTC)
    limit = edition_id_at(now - LEFT)
    claimed = claims(warehouse)
    found = folders(warehouse, EDITIONS)
    broken = set(found) - set(whole(warehouse, found))
    for left in {*claimed, *broken, *folders(warehouse, STAGING)}:
        if left == current or left < limit or clock.is_ahead(left, now):
            _end_claim(warehouse, left, published=left not in (*claimed, *broken) or left == current)


def _end_claim(warehouse: ObjectPath, edition_id: str, published: bool) -> None:
    if not published:
        _remove_edition(warehouse, edition_id)
    transfers.remove_all(warehouse / STAGING / edition_id)
    objects.remove_object(warehouse / CLAIMS / edition_id)


def publish(
    warehouse: ObjectPath,
    edition: Path,
    previous: Path | None,
    seen: str | None,
    staged: Mapping[str, ObjectPath] = MappingProxyType({}),
) -> None:
    """Put an edition and point `current` at it; raise PublishConflictError if its ETag is no longer `seen`.

    Files of the edition `previous` are copied on the server where that has them, and so are the `staged` ones, given
    by the path that they have in the edition.
    """
    _require_seen(warehouse, seen)
    _put_files(warehouse, edition, previous, staged)
    _point_at(warehouse, edition.name, seen)
    with suppress(RunError, OSError):  # it is published; the next run ends its claim
        _end_claim(warehouse, edition.name, published=True)


def _point_at(warehouse: ObjectPath, edition_id: str, seen: str | None) -> None:
    for _ in range(TRIES):
        with suppress(StorageUnavailableError):  # the pointer says below whether it was put
            if objects.write_if(warehouse / CURRENT, edition_id.encode(), seen):
                return
        if read_pointer(warehouse)[0] == edition_id:  # it was put, and the response was lost
            return
        _require_seen(warehouse, seen)  # otherwise two were put at once, and the store accepted neither
    raise StorageUnavailableError(f"The store did not accept the pointer to {edition_id} in {warehouse}. Run again.")


def _require_seen(warehouse: ObjectPath, seen: str | None) -> None:
    current, now = read_pointer(warehouse)
    if now != seen:
        raise PublishConflictError(
            f"Another run has published into {warehouse} since this one began (the current edition is {current}),"
            " so this one published nothing. Run again."
        )


def _put_files(
    warehouse: ObjectPath,
    edition: Path,
    previous: Path | None,
    staged: Mapping[str, ObjectPath] = MappingProxyType({}),
) -> None:
    """Put each file of an edition once, and then its manifest with the ETags of all objects.

    Whatever can be copied on the server is copied; other files are uploaded.
    """
    place = warehouse / EDITIONS / edition.name
    manifest = read_manifest(edition)
    known = _copyable(warehouse, previous) if previous else {}

    def put(file: FileFacts) -> None:
        source = staged.get(file.path)
        if source is None and previous and file.same_content(known.get(file.path)):
            source = warehouse / EDITIONS / previous.name / file.path
        _put_file(edition, file, place, source)

    transfers.do(put, manifest.files)
    there = {found.name: found for found in objects.list_objects(place)}
    if {name: found.size for name, found in there.items()} != {file.path: file.bytes for file in manifest.files}:
        raise StorageUnavailableError(f"The store lost objects below {place}; nothing was published. Run again.")
    content = manifest.with_etags({name: found.etag for name, found in there.items()}).as_json()
    (edition / MANIFEST).write_text(content)
    if not _is_put(place / MANIFEST, content.encode()):
        raise _occupied(place / MANIFEST)


def _put_file(edition: Path, file: FileFacts, place: ObjectPath, source: ObjectPath | None) -> None:
    """Copy an object on the server, or upload the file."""
    target = place / file.path
    try:
        if source:
            with suppress(FileNotFoundError):  # another run has retired it, and this one will fail
                objects.copy(source, target)
                return
        objects.upload(edition / file.path, target, create=True)
    except FileExistsError:  # perhaps by an earlier try, whose response was lost
        if not has_content(target, file):
            raise _occupied(target) from None


def _occupied(place: ObjectPath) -> PublishConflictError:
    return PublishConflictError(
        f"Another process has put {place} with other content, so this run published nothing. Run again."
    )


def _copyable(warehouse: ObjectPath, previous: Path) -> dict[str, FileFacts]:
    """Return the files of the previous edition whose objects have the sizes and ETags of its manifest."""
    known = read_manifest(previous)
    found = list_edition(warehouse, known).items()
    same = {name for name, listed in found if listed.etag and listed.etag == known.by_path[name].etag}
    return {facts.path: facts for facts in known.files if facts.path in same}


def retire(warehouse: ObjectPath, keep: int, hours: float, now: datetime) -> list[str]:
    """Remove old editions as `editions.retire` does, and return their ids."""
    old = old_editions(list_editions(warehouse), read_pointer(warehouse)[0], keep, hours, now)
    for edition_id in old:
        _remove_edition(warehouse, edition_id)
    return old


def _remove_edition(warehouse: ObjectPath, edition_id: str) -> None:
    """Remove an edition, its manifest first: without it, an edition does not count."""
    objects.remove_object(manifest_of(warehouse, edition_id))
    transfers.remove_all(warehouse / EDITIONS / edition_id)


def roll_back(warehouse: ObjectPath, edition_id: str) -> None:
    """Point `current` at an edition that is kept; raise EditionNotFoundError."""
    now = datetime.now(UTC)
    clock.require_same_time(now, objects.time_of(warehouse), warehouse)
    current, seen = any_pointer(warehouse)
    sweep(warehouse, current, now)  # else a claim left by a kill would mark the current edition as unpublished
    require_kept(warehouse, edition_id, list_editions(warehouse))
    require_sound(warehouse, read_stored(warehouse, edition_id)[0])
    _point_at(warehouse, edition_id, seen)
