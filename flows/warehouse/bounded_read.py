"""Read small files that others may have written: up to a limit, and only regular files."""

import os
import stat
from pathlib import Path


def read_bounded(file: Path, most: int) -> bytes:
    """Return the content of a file; raise OSError, or ValueError if it is too large or not a regular file."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe would wait for its writer
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        return require_bounded(opened.read(most + 1), most)


def require_bounded(content: bytes, most: int) -> bytes:
    """Return the content; raise ValueError if it has more than `most` bytes."""
    if len(content) > most:
        raise ValueError(f"it has more than {most:,} bytes")
    return content
