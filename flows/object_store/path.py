"""Paths in an object store: s3://bucket/prefix, and the same with gs:// and az://."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

SCHEMES = ("s3", "gs", "az")  # Amazon S3, Google Cloud Storage, Azure Blob Storage
MAX_KEY = 800  # bytes; a store allows 1,024 for the full name of an object
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")


T = TypeVar("T")


@dataclass(frozen=True)
class ObjectPath:
    """A prefix in a bucket, or the name of an object. Parts are joined with `/`, as in pathlib."""

    bucket: str  # on Azure, a container
    key: str
    scheme: str = "s3"

    def __truediv__(self, name: object) -> ObjectPath:
        return replace(self, key=f"{self.key}/{name}" if self.key else str(name))

    def __rtruediv__(self, folder: object) -> ObjectPath:
        return self  # like an absolute path

    def absolute(self) -> ObjectPath:
        """Return the path itself, which is always absolute."""
        return self

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}".rstrip("/")

    @property
    def below(self) -> str:
        """Return the common start of all keys below this prefix."""
        return f"{self.key}/" if self.key else ""


def parse(text: str) -> ObjectPath:
    """Parse s3://bucket/prefix, or the same with gs:// or az://; raise ValueError."""
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"{text!r} is not a supported URL; {_form('s3')} (or gs://, az://), or pass a folder")
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(
            f"{text!r} does not have a valid bucket name (letters, digits, dots and hyphens); {_form(scheme)}"
        )
    key = key.removesuffix("/")
    if key and {"", ".", ".."} & set(key.split("/")):
        raise ValueError(f"{text!r} has an empty part, . or .. in its prefix; {_form(scheme)}")
    if key != key.strip() or not all(character.isprintable() for character in key):
        raise ValueError(f"{text!r} starts or ends with a space, or contains a control character; {_form(scheme)}")
    if len(key.encode(errors="replace")) > MAX_KEY:
        raise ValueError(
            f"{text!r} has a prefix of more than {MAX_KEY} bytes, too long for object names; {_form(scheme)}"
        )
    return ObjectPath(bucket, key, scheme)


def _form(scheme: str) -> str:
    return f"write it as {scheme}://bucket/prefix"


def has_scheme(text: str) -> bool:
    """Return whether a text is a URL, not a folder. One slash is enough, since a Path made from a URL has only one."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", text))


def by_kind(location: Path | ObjectPath, local: Callable[[Path], T], remote: Callable[[ObjectPath], T]) -> T:
    """Call the function for the kind of location, and return its result. No other code checks the kind."""
    return remote(location) if isinstance(location, ObjectPath) else local(location)
