"""Test the required operations of a store with two small objects, before the first edition is published.

Some operations are only needed by the second run, and conditional puts only if two runs publish at the same time. A
store that ignores the conditions could therefore lose an edition months later.
"""

from contextlib import suppress
from uuid import uuid4

from flows.errors import RunError, StorageUnsupportedError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath


def require_abilities(prefix: ObjectPath) -> None:
    """Put, read, copy, list and delete two objects below a prefix; raise StorageError if an operation fails."""
    place = prefix / f"probe-{uuid4().hex}"
    try:
        _require_conditions(place / "object")
        _require_copies(place)
        objects.begin_upload(place / "upload")
    except RunError:
        with suppress(RunError):
            transfers.remove_all(place)
        raise
    transfers.remove_all(place)
    if list(objects.list_objects(place)):
        raise _unsupported(place, "keeps objects that were deleted")


def _require_conditions(place: ObjectPath) -> None:
    if not objects.write_if(place, b"first", None):
        raise _unsupported(place, "refuses a put with If-None-Match for an object that does not exist")
    content, etag = objects.read_tagged(place)
    if objects.write_if(place, b"second", None):
        raise _unsupported(place, "ignores If-None-Match")
    if content != b"first" or not objects.write_if(place, b"second", etag):
        raise _unsupported(place, "refuses a put with If-Match for an object that did not change")
    if objects.write_if(place, b"third", etag):
        raise _unsupported(place, "ignores If-Match")


def _require_copies(place: ObjectPath) -> None:
    objects.copy(place / "object", place / "copy")
    found = {listed.name: listed.size for listed in objects.list_objects(place)}
    if found != {"object": len(b"second"), "copy": len(b"second")}:
        raise _unsupported(place, "does not list objects immediately after they were put or copied")


def _unsupported(place: ObjectPath, defect: str) -> StorageUnsupportedError:
    return StorageUnsupportedError(
        f"The store of {place.bucket} {defect}, so concurrent runs could damage an edition; nothing was published."
        " Use a store with conditional puts, such as S3 or MinIO, or a folder."
    )
