"""Read small files that other programs may have written: only regular files, up to a size limit."""

import os
import stat
from pathlib import Path


def read_limited(file: Path, max_bytes: int) -> bytes:
    """Return the content of a file; raise OSError, or ValueError if it is too large or not a regular file."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # without O_NONBLOCK, opening a pipe waits for a writer
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        return require_max_bytes(opened.read(max_bytes + 1), max_bytes)


def require_max_bytes(content: bytes, max_bytes: int) -> bytes:
    """Return the content; raise ValueError if it has more than `max_bytes` bytes."""
    if len(content) > max_bytes:
        raise ValueError(f"it has more than {max_bytes:,} bytes")
    return content
