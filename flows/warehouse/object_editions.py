"""Manage the editions in an object store: claim an id, upload, swap the pointer, retire, and roll back.

`current` is an object with the id of the published edition. A run replaces it only if its ETag is the same as at the
start, so that only one of two concurrent runs publishes. A new edition is uploaded to editions/<id>/ directly, since a
store cannot rename objects; while .claims/<id> exists, that edition is not published.
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
    with_manifest,
)
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING
from flows.warehouse.size_limit import read_limited

CLAIMED = ".claimed"  # file in the working copy that lists the claims of this machine
_MAX_NOTE_BYTES = 1_000_000  # of that file
MAX_ATTEMPTS = 5
MAX_CLAIM_AGE = timedelta(hours=24)  # an older claim belongs to a killed run: a flow times out after six hours


def require_clock(warehouse: ObjectPath, now: datetime) -> None:
    """Raise ClockError if the clock of this machine contradicts the clock of the store or the ids of the editions.

    The order of editions depends on the clock, and leftovers of killed runs are recognized by their age.
    """
    clock.require_same_time(now, objects.time_of(warehouse), warehouse)
    clock.require_clock(now, list_editions(warehouse), warehouse)


def require_abilities(warehouse: ObjectPath) -> None:
    """Raise StorageError if the store or the credentials cannot do everything that publishing needs.

    Only called while nothing is published. If the run is killed here, `sweep` removes the leftover objects.
    """
    probe.require_abilities(warehouse / STAGING / edition_id_at(datetime.now(UTC)))


def claim(warehouse: ObjectPath, local_root: Path, wanted: str) -> str:
    """Claim the wanted id, or a later one if another run has claimed it, and return it."""
    known = (*claims(warehouse), *folders(warehouse, EDITIONS))
    taken = max([wanted, *(next_id(found) for found in known if not clock.is_ahead(found, datetime.now(UTC)))])
    holder = json.dumps({"process": os.getpid(), "host": socket.gethostname(), "claim": uuid4().hex}).encode()
    while not _is_put(warehouse / CLAIMS / taken, holder):
        taken = next_id(taken)
    with (local_root / CLAIMED).open("a") as note:
        note.write(f"{taken}\n")
    return taken


def _is_put(place: ObjectPath, content: bytes) -> bool:
    """Put an object that does not exist, and return whether the object now has this content.

    If a response is lost, the store rejects the retry, although the first attempt wrote the object.
    """
    if objects.write_if(place, content, None):
        return True
    with suppress(FileNotFoundError):
        return objects.read(place, len(content) + 1) == content
    return False


def abandon(warehouse: ObjectPath, local_root: Path) -> None:
    """Release the claims of this machine, and remove its unpublished editions."""
    note = local_root / CLAIMED
    if os.path.lexists(note):
        # Read the pointer first: a run that replaced our edition as the current one has released our claim before.
        current, _ = read_pointer(warehouse)
        for edition_id in _noted(note) & set(claims(warehouse)):
            _release_claim(warehouse, edition_id, is_published=edition_id == current)
        note.unlink(missing_ok=True)


def _noted(note: Path) -> set[str]:
    """Return the ids that this machine has claimed. If the note cannot be read, `sweep` removes them after a day."""
    try:
        lines = read_limited(note, _MAX_NOTE_BYTES).decode(errors="replace").split()
    except (OSError, ValueError):
        return set()
    return {line for line in lines if is_id(line)}


def sweep(warehouse: ObjectPath, current: str | None, now: datetime | None = None) -> None:
    """Remove the leftovers of killed runs on all machines: at once for the current edition, else after a day."""
    now = now or datetime.now(UTC)
    limit = edition_id_at(now - MAX_CLAIM_AGE)
    claimed = claims(warehouse)
    found = folders(warehouse, EDITIONS)
    incomplete = set(found) - set(with_manifest(warehouse, found))
    for edition_id in {*claimed, *incomplete, *folders(warehouse, STAGING)}:
        if edition_id == current or edition_id < limit or clock.is_ahead(edition_id, now):
            is_published = edition_id == current or edition_id not in (*claimed, *incomplete)
            _release_claim(warehouse, edition_id, is_published)


def _release_claim(warehouse: ObjectPath, edition_id: str, is_published: bool) -> None:
    if not is_published:
        _remove_edition(warehouse, edition_id)
    transfers.remove_all(warehouse / STAGING / edition_id)
    objects.remove_object(warehouse / CLAIMS / edition_id)


def publish(
    warehouse: ObjectPath,
    edition: Path,
    previous: Path | None,
    etag: str | None,
    staged: Mapping[str, ObjectPath] = MappingProxyType({}),
) -> None:
    """Upload an edition and point `current` at it; raise PublishConflictError if its ETag is no longer `etag`.

    Files that are the same in the edition `previous` are copied on the server. So are `staged` objects, a mapping from
    their path in the edition to their place in the store.
    """
    _require_same_pointer(warehouse, etag)
    _put_files(warehouse, edition, previous, staged)
    _point_at(warehouse, edition.name, etag)
    with suppress(RunError, OSError):  # the edition is published, and the next run releases the claim
        _release_claim(warehouse, edition.name, is_published=True)


def _point_at(warehouse: ObjectPath, edition_id: str, etag: str | None) -> None:
    for _ in range(MAX_ATTEMPTS):
        with suppress(StorageUnavailableError):  # read the pointer below to find out whether it was put
            if objects.write_if(warehouse / CURRENT, edition_id.encode(), etag):
                return
        if read_pointer(warehouse)[0] == edition_id:  # it was put, and the response was lost
            return
        _require_same_pointer(warehouse, etag)  # if it is unchanged, the store rejected two concurrent puts
    raise StorageUnavailableError(f"The store did not accept the pointer to {edition_id} in {warehouse}. Run again.")


def _require_same_pointer(warehouse: ObjectPath, etag: str | None) -> None:
    current, current_etag = read_pointer(warehouse)
    if current_etag != etag:
        raise PublishConflictError(
            f"Another run has published into {warehouse} since this run started (the current edition is {current}),"
            " so this run published nothing. Run again."
        )


def _put_files(
    warehouse: ObjectPath,
    edition: Path,
    previous: Path | None,
    staged: Mapping[str, ObjectPath] = MappingProxyType({}),
) -> None:
    """Put all files of an edition, and then its manifest with the ETags of all objects.

    Files are copied on the server if possible, and uploaded otherwise.
    """
    place = warehouse / EDITIONS / edition.name
    manifest = read_manifest(edition)
    known = _copyable(warehouse, previous) if previous else {}

    def put(file: FileFacts) -> None:
        source = staged.get(file.path)
        if source is None and previous and file.same_content(known.get(file.path)):
            source = warehouse / EDITIONS / previous.name / file.path
        _put_file(edition, file, place, source)

    transfers.run_concurrently(put, manifest.files)
    listed = {found.name: found for found in objects.list_objects(place)}
    if {name: found.size for name, found in listed.items()} != {file.path: file.bytes for file in manifest.files}:
        raise StorageUnavailableError(f"Uploaded objects are missing below {place}; nothing was published. Run again.")
    content = manifest.with_etags({name: found.etag for name, found in listed.items()}).as_json()
    (edition / MANIFEST).write_text(content)
    if not _is_put(place / MANIFEST, content.encode()):
        raise _occupied(place / MANIFEST)


def _put_file(edition: Path, file: FileFacts, place: ObjectPath, source: ObjectPath | None) -> None:
    """Copy an object on the server, or upload the file."""
    target = place / file.path
    try:
        if source:
            with suppress(FileNotFoundError):  # another run has retired the source, and this run will fail
                objects.copy(source, target)
                return
        objects.upload(edition / file.path, target, create=True)
    except FileExistsError:  # possibly put by an earlier attempt whose response was lost
        if not has_content(target, file):
            raise _occupied(target) from None


def _occupied(place: ObjectPath) -> PublishConflictError:
    return PublishConflictError(
        f"Another process has put different content at {place}, so this run published nothing. Run again."
    )


def _copyable(warehouse: ObjectPath, previous: Path) -> dict[str, FileFacts]:
    """Return the files of the previous edition whose objects have the ETags of its manifest, by path."""
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
    """Remove an edition, starting with its manifest: without a manifest, an edition is ignored."""
    objects.remove_object(manifest_of(warehouse, edition_id))
    transfers.remove_all(warehouse / EDITIONS / edition_id)


def roll_back(warehouse: ObjectPath, edition_id: str) -> None:
    """Point `current` at a kept edition; raise EditionNotFoundError."""
    now = datetime.now(UTC)
    clock.require_same_time(now, objects.time_of(warehouse), warehouse)
    current, etag = any_pointer(warehouse)
    sweep(warehouse, current, now)  # otherwise the claim of a killed run could hide the current edition
    require_kept(warehouse, edition_id, list_editions(warehouse))
    require_sound(warehouse, read_stored(warehouse, edition_id)[0])
    _point_at(warehouse, edition_id, etag)
