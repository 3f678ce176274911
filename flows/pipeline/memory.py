"""Translate all out-of-memory errors into OutOfMemoryError."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from flows.errors import out_of_memory

# Texts by which to recognize out-of-memory errors that Python, Arrow and its compressors raise as other types.
_SIGNS = ("can't start new thread", "Failed to launch worker thread", "allocation_failed", "bad_alloc")


@contextmanager
def translate_memory_errors() -> Iterator[None]:
    """Raise OutOfMemoryError if Python, Arrow, DuckDB or the kernel fails to allocate memory, here or in a worker."""
    try:
        yield
    except (MemoryError, duckdb.OutOfMemoryException) as error:
        raise out_of_memory(error) from None
    except (OSError, RuntimeError, pa.ArrowException) as error:
        if getattr(error, "errno", None) != errno.ENOMEM and not any(sign in str(error) for sign in _SIGNS):
            raise
        raise out_of_memory(error) from None
