"""The names of what lies in an object store: s3://bucket/prefix."""

from __future__ import annotations

from dataclasses import dataclass

SCHEME = "s3://"


@dataclass(frozen=True)
class Prefix:
    """A prefix of a bucket, or the name of one object: joined with / as a path is."""

    bucket: str
    key: str

    def __truediv__(self, name: object) -> Prefix:
        return Prefix(self.bucket, f"{self.key}/{name}" if self.key else str(name))

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}".rstrip("/")

    @property
    def below(self) -> str:
        """What the keys below begin with."""
        return f"{self.key}/" if self.key else ""


def parse(text: str) -> Prefix:
    """The prefix that s3://bucket/prefix names; raises ValueError."""
    bucket, _, key = text.removeprefix(SCHEME).partition("/")
    if not text.startswith(SCHEME) or not bucket:
        raise ValueError(f"{text} names no bucket; write it as s3://bucket/prefix")
    if any("\udc80" <= c <= "\udcff" for c in text):
        shown = text.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise ValueError(f"{shown} has a byte that is not UTF-8; names in a store are UTF-8")
    return Prefix(bucket, key.strip("/"))
