"""Errors of a process that runs out of memory, as one kind of RunError."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from flows.errors import OutOfMemoryError, first_line

# How Python, Arrow and its compressors say the same in errors of other types.
_SIGNS = ("can't start new thread", "Failed to launch worker thread", "allocation_failed", "bad_alloc")


@contextmanager
def translate_memory_errors() -> Iterator[None]:
    """Raise OutOfMemoryError where Python, Arrow, DuckDB or the kernel refuses memory, here or in a worker."""
    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise _translated(error) from None
    except (OSError, RuntimeError, pa.ArrowException) as error:
        if getattr(error, "errno", None) != errno.ENOMEM and not any(sign in str(error) for sign in _SIGNS):
            raise
        raise _translated(error) from None


def _translated(error: Exception) -> OutOfMemoryError:
    return OutOfMemoryError(
        f"The process ran out of memory ({first_line(error)})."
        " Set BROADSHEET_PROCESSES=1, end other programs, or provide more memory."
    )
