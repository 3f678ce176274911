"""Paths in an object store: s3://bucket/prefix."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

SCHEME = "s3://"
MAX_KEY = 800  # bytes; a store allows 1,024 for the full name of an object
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_FORM = "write it as s3://bucket/prefix"


T = TypeVar("T")


@dataclass(frozen=True)
class ObjectPath:
    """A prefix in a bucket, or the name of an object. Parts are joined with `/`, as in pathlib."""

    bucket: str
    key: str

    def __truediv__(self, name: object) -> ObjectPath:
        return ObjectPath(self.bucket, f"{self.key}/{name}" if self.key else str(name))

    def __rtruediv__(self, folder: object) -> ObjectPath:
        return self  # like an absolute path

    def absolute(self) -> ObjectPath:
        """Return the path itself, which is always absolute."""
        return self

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}".rstrip("/")

    @property
    def below(self) -> str:
        """Return the common start of all keys below this prefix."""
        return f"{self.key}/" if self.key else ""


def parse(text: str) -> ObjectPath:
    """Parse s3://bucket/prefix; raise ValueError."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME):
        raise ValueError(f"{text!r} is not a supported URL; {_FORM}, or pass a folder")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"{text!r} does not have a valid bucket name (letters, digits, dots and hyphens); {_FORM}")
    key = key.removesuffix("/")
    if key and {"", ".", ".."} & set(key.split("/")):
        raise ValueError(f"{text!r} has an empty part, . or .. in its prefix; {_FORM}")
    if key != key.strip() or not all(character.isprintable() for character in key):
        raise ValueError(f"{text!r} starts or ends with a space, or contains a control character; {_FORM}")
    if len(key.encode(errors="replace")) > MAX_KEY:
        raise ValueError(f"{text!r} has a prefix of more than {MAX_KEY} bytes, too long for object names; {_FORM}")
    return ObjectPath(bucket, key)


def has_scheme(text: str) -> bool:
    """Return whether a text is a URL, not a folder. One slash is enough, since a Path made from a URL has only one."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", text))


def by_kind(location: Path | ObjectPath, local: Callable[[Path], T], remote: Callable[[ObjectPath], T]) -> T:
    """Call the function for the kind of location, and return its result. No other code checks the kind."""
    return remote(location) if isinstance(location, ObjectPath) else local(location)
