"""What a listing tells of an object."""

from datetime import datetime
from typing import NamedTuple

MULTIPART_THRESHOLD = 64_000_000  # bytes; larger files are transferred in several parts concurrently


class Listed(NamedTuple):
    """An object below a prefix."""

    name: str  # relative to the prefix
    size: int  # bytes
    modified: datetime
    etag: str | None = None  # as the store lists it; changes with the content
