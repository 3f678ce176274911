"""The calls of `flows.object_store.objects` to Azure Blob Storage and Google Cloud Storage.

obstore finds the account and the credentials in the environment: AZURE_STORAGE_ACCOUNT_NAME,
GOOGLE_APPLICATION_CREDENTIALS, a managed identity, ...
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from flows.errors import StorageUnsupportedError
from flows.object_store.azure_google.connection import connect
from flows.object_store.azure_google.failures import ROLES, is_stale, translate
from flows.object_store.listed import MULTIPART_THRESHOLD, Listed
from flows.object_store.path import ObjectPath

_TAGS = {"az": "e_tag", "gs": "version"}  # which fact of an object its store compares before a put
_CLOCK = ".clock"  # object that is written to learn the time of the store
_PAGE = 1_000  # objects of a listing that become Python objects at once


@contextmanager
def _calls(place: ObjectPath) -> Iterator[Any]:
    """Yield the connection; raise RunError if the store fails, FileNotFoundError if there is no such object."""
    store = connect(place.scheme, place.bucket)
    from obstore.exceptions import BaseError

    try:
        yield store
    except (BaseError, FileNotFoundError, ValueError) as error:  # ValueError: of a key that obstore cannot name
        raise translate(place, error) from None


def list_objects(prefix: ObjectPath) -> Iterator[Listed]:
    """Yield the objects below a prefix, sorted by key."""
    with _calls(prefix) as store:
        for page in store.list(prefix.key or None, chunk_size=_PAGE):
            for found in page:
                if found["path"].startswith(prefix.below):  # the key "prefix/" is listed as "prefix"
                    name = found["path"][len(prefix.below) :]
                    yield Listed(name, found["size"], found["last_modified"], found["e_tag"])


def list_folders(prefix: ObjectPath) -> list[str]:
    """Return the names between a prefix and the next slash, sorted."""
    with _calls(prefix) as store:
        found = store.list_with_delimiter(prefix.key or None)["common_prefixes"]
    return sorted(path[len(prefix.below) :] for path in found)


def time_of(prefix: ObjectPath) -> datetime:
    """Return the time of the store at which it puts an object, since obstore shows no Date of a response."""
    key = (prefix / _CLOCK).key
    with _calls(prefix) as store:
        store.put(key, b"")
        modified: datetime = store.head(key)["last_modified"]
    return modified.astimezone(UTC)


def read_tagged(place: ObjectPath, max_bytes: int | None = None) -> tuple[bytes, str]:
    """Return the content of an object, or its first bytes, and its tag."""
    with _calls(place) as store:
        answer = store.get(place.key)
        return _first_bytes(answer, max_bytes), _tag(place, answer.meta)


def _first_bytes(answer: Any, max_bytes: int | None) -> bytes:
    if max_bytes is None or answer.meta["size"] <= max_bytes:
        return bytes(answer.bytes())
    content = bytearray()
    for part in answer.stream(max_bytes):
        content += part
        if len(content) >= max_bytes:
            break
    return bytes(content[:max_bytes])


def _tag(place: ObjectPath, meta: Any) -> str:
    tag = meta[_TAGS[place.scheme]]
    if not tag:
        raise StorageUnsupportedError(
            f"The store of {place} returns no {_TAGS[place.scheme]}, by which a run sees that another one published."
            " Use another store, or a folder."
        )
    return str(tag)


def write(place: ObjectPath, content: bytes) -> None:
    """Put an object."""
    with _calls(place) as store:
        store.put(place.key, content, use_multipart=False)


def write_if(place: ObjectPath, content: bytes, tag: str | None) -> bool:
    """Put an object if the existing one has the tag, None if there is none, and return whether it was put."""
    with _calls(place) as store:
        return _is_put(store, place, content, {_TAGS[place.scheme]: tag} if tag else "create")


def _is_put(store: Any, place: ObjectPath, content: Any, mode: Any) -> bool:
    from obstore.exceptions import AlreadyExistsError, PreconditionError

    try:
        store.put(place.key, content, mode=mode)
    except (AlreadyExistsError, PreconditionError) as error:
        if is_stale(error):
            return False
        raise
    return True


def download(place: ObjectPath, file: Path, size: int) -> None:
    """Download an object into a file."""
    incomplete = file.with_name(f"{file.name}.{uuid4().hex}")
    try:
        with _calls(place) as store, incomplete.open("wb") as target:
            for part in store.get(place.key).stream():
                target.write(part)
        incomplete.replace(file)
    finally:
        incomplete.unlink(missing_ok=True)


def upload(file: Path, place: ObjectPath, create: bool) -> None:
    """Upload a file; raise FileExistsError if the object exists and `create` is set."""
    with _calls(place) as store:
        if not create or file.stat().st_size >= MULTIPART_THRESHOLD:
            store.put(place.key, file)
        elif not _create(store, file, place):
            raise FileExistsError(None, "The object exists", str(place))


def _create(store: Any, file: Path, place: ObjectPath) -> bool:
    """Put a file from its pages in the system's cache; obstore would read it into memory."""
    with file.open("rb") as source:
        if not file.stat().st_size:
            return _is_put(store, place, b"", "create")
        with mmap.mmap(source.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _is_put(store, place, content, "create")


def copy(place: ObjectPath, to: ObjectPath) -> None:
    """Copy an object on the server."""
    with _calls(place) as store:
        store.copy(place.key, to.key)


def remove_object(place: ObjectPath) -> None:
    """Remove an object, if it exists."""
    with suppress(FileNotFoundError), _calls(place) as store:
        store.delete(place.key)


def exists(place: ObjectPath) -> bool:
    """Return whether an object exists."""
    with suppress(FileNotFoundError), _calls(place) as store:
        store.head(place.key)
        return True
    return False


def begin_upload(place: ObjectPath) -> None:
    """Do nothing: obstore removes the parts of an upload that fails, and cannot list those of a killed run."""


def abort_uploads(prefix: ObjectPath) -> None:
    """Do nothing: Azure removes parts after a week, and Google by a rule of the bucket."""


def permission_to_read(place: ObjectPath) -> str:
    """Return the role that includes it."""
    return ROLES[place.scheme]
