"""The calls to object stores, each done by the client of the store's scheme.

A store's client is imported with the first call, since most runs use none.
"""

from collections.abc import Iterator
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from flows.object_store.listed import Listed
from flows.object_store.path import ObjectPath


class _Calls(Protocol):
    """The functions below, of one client."""

    def list_objects(self, prefix: ObjectPath) -> Iterator[Listed]: ...
    def list_folders(self, prefix: ObjectPath) -> list[str]: ...
    def time_of(self, prefix: ObjectPath) -> datetime: ...
    def read_tagged(self, place: ObjectPath, max_bytes: int | None = None) -> tuple[bytes, str]: ...
    def write(self, place: ObjectPath, content: bytes) -> None: ...
    def write_if(self, place: ObjectPath, content: bytes, tag: str | None) -> bool: ...
    def download(self, place: ObjectPath, file: Path, size: int) -> None: ...
    def upload(self, file: Path, place: ObjectPath, create: bool) -> None: ...
    def copy(self, place: ObjectPath, to: ObjectPath) -> None: ...
    def remove_object(self, place: ObjectPath) -> None: ...
    def exists(self, place: ObjectPath) -> bool: ...
    def begin_upload(self, place: ObjectPath) -> None: ...
    def abort_uploads(self, prefix: ObjectPath) -> None: ...
    def permission_to_read(self, place: ObjectPath) -> str: ...


_CLIENTS = {"s3": "s3", "gs": "azure_google", "az": "azure_google"}


def _calls(place: ObjectPath) -> _Calls:
    return cast(_Calls, import_module(f"flows.object_store.{_CLIENTS[place.scheme]}.calls"))


def list_objects(prefix: ObjectPath) -> Iterator[Listed]:
    """Yield the objects below a prefix, sorted by key."""
    return _calls(prefix).list_objects(prefix)


def list_folders(prefix: ObjectPath) -> list[str]:
    """Return the names between a prefix and the next slash, sorted."""
    return _calls(prefix).list_folders(prefix)


def time_of(prefix: ObjectPath) -> datetime:
    """Return the time (UTC) on the clock of a store, or of this machine if the store does not send it."""
    return _calls(prefix).time_of(prefix)


def read(place: ObjectPath, max_bytes: int | None = None) -> bytes:
    """Return the content of an object, or its first bytes; raise FileNotFoundError."""
    return read_tagged(place, max_bytes)[0]


def read_tagged(place: ObjectPath, max_bytes: int | None = None) -> tuple[bytes, str]:
    """Return the content of an object and the tag for `write_if`, which changes with the content.

    An object is read again if the connection breaks, or, on S3, if the content does not match a checksum that the
    store has. Raise FileNotFoundError, or ObjectRefusedError if it still does not match.
    """
    return _calls(place).read_tagged(place, max_bytes)


def write(place: ObjectPath, content: bytes) -> None:
    """Put an object."""
    _calls(place).write(place, content)


def write_if(place: ObjectPath, content: bytes, tag: str | None) -> bool:
    """Put an object if the existing one has the tag (None: if there is none), and return whether it was put."""
    return _calls(place).write_if(place, content, tag)


def download(place: ObjectPath, file: Path, size: int = 0) -> None:
    """Download an object of about `size` bytes into a file, which exists completely or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    _calls(place).download(place, file, size)


def upload(file: Path, place: ObjectPath, create: bool = False) -> None:
    """Upload a file; raise FileExistsError if the object exists and `create` is set.

    A large file is uploaded in parts, which the clients cannot do conditionally.
    """
    _calls(place).upload(file, place, create)


def copy(place: ObjectPath, to: ObjectPath) -> None:
    """Copy an object on the server, within a bucket; raise FileNotFoundError."""
    _calls(place).copy(place, to)


def remove_object(place: ObjectPath) -> None:
    """Remove an object, if it exists."""
    _calls(place).remove_object(place)


def exists(place: ObjectPath) -> bool:
    """Return whether an object exists."""
    return _calls(place).exists(place)


def begin_upload(place: ObjectPath) -> None:
    """Start a multipart upload, which `abort_uploads` removes, where the client can do both."""
    _calls(place).begin_upload(place)


def abort_uploads(prefix: ObjectPath) -> None:
    """Remove unfinished multipart uploads below a prefix, where the client can list them."""
    _calls(prefix).abort_uploads(prefix)


def permission_to_read(place: ObjectPath) -> str:
    """Return what an administrator grants for reading objects, as the store names it."""
    return _calls(place).permission_to_read(place)
