"""Paths in an object store: s3://bucket/prefix."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

SCHEME = "s3://"
MAX_KEY = 800  # bytes; a store takes 1,024 for the whole name of an object
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}")
_FORM = "write it as s3://bucket/prefix"


T = TypeVar("T")


@dataclass(frozen=True)
class ObjectPath:
    """A prefix of a bucket, or the name of one object, joined with / as paths are."""

    bucket: str
    key: str

    def __truediv__(self, name: object) -> ObjectPath:
        return ObjectPath(self.bucket, f"{self.key}/{name}" if self.key else str(name))

    def __rtruediv__(self, folder: object) -> ObjectPath:
        return self  # as an absolute path

    def absolute(self) -> ObjectPath:
        """Return the path itself, which is always absolute."""
        return self

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}".rstrip("/")

    @property
    def below(self) -> str:
        """The start of the keys below this prefix."""
        return f"{self.key}/" if self.key else ""


def parse(text: str) -> ObjectPath:
    """Parse s3://bucket/prefix; raise ValueError."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME):
        raise ValueError(f"{text!r} is a URL of a kind that is not supported; {_FORM}, or name a folder")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"{text!r} does not name a bucket of letters, digits, dots and hyphens; {_FORM}")
    key = key.removesuffix("/")
    if key and {"", ".", ".."} & set(key.split("/")):
        raise ValueError(f"{text!r} has an empty part, . or .. in its prefix; {_FORM}")
    if key != key.strip() or not all(character.isprintable() for character in key):
        raise ValueError(f"{text!r} starts or ends with a space, or contains a control character; {_FORM}")
    if len(key.encode(errors="replace")) > MAX_KEY:
        raise ValueError(f"{text!r} is longer than {MAX_KEY} bytes, too long for an edition's names; {_FORM}")
    return ObjectPath(bucket, key)


def has_scheme(text: str) -> bool:
    """Return whether a text is a URL and not the name of a folder; a Path made from a URL has only one slash."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:/", text))


def by_kind(location: Path | ObjectPath, local: Callable[[Path], T], remote: Callable[[ObjectPath], T]) -> T:
    """Return what the function for the kind of a location returns; nothing else asks for the kind."""
    return remote(location) if isinstance(location, ObjectPath) else local(location)
