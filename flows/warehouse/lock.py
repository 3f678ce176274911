"""Lock a warehouse for one writer at a time, and note which process holds the lock."""

import json
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from filelock import FileLock, Timeout

from flows.errors import (
    BuildError,
    EditionNotFoundError,
    RunError,
    WarehouseForeignError,
    WarehouseLockedError,
    WarehouseUnwritableError,
    first_line,
)
from flows.warehouse.database_note import NOTE
from flows.warehouse.editions import LISTING_CACHE, sweep
from flows.warehouse.paths import require_path
from flows.warehouse.pointer import CURRENT, EDITIONS, STAGING
from flows.warehouse.run_warnings import warn
from flows.warehouse.size_limit import read_limited
from flows.warehouse.system_files import is_system_file

LOCK, HOLDER = ".lock", ".writer.json"
_MAX_NOTE_BYTES, _MAX_VALUE_LENGTH = 4_096, 255  # of the note about the holder; of a value in it, in characters


@contextmanager
def writer_lock(warehouse: Path, lock_timeout: float = 0, named_by: str = "--warehouse") -> Iterator[None]:
    """Hold the lock of the warehouse, and create its folder if needed.

    Wait up to `lock_timeout` seconds for another writer, then raise WarehouseLockedError with the process and host.
    """
    require_path(warehouse, named_by)
    try:
        _require_ours(warehouse, named_by)
        warehouse.mkdir(parents=True, exist_ok=True)
        with _locked(warehouse / LOCK, lock_timeout):
            _note_holder(warehouse)
            sweep(warehouse)  # leftovers of a killed run
            try:
                yield
            finally:
                # This also removes an edition that was moved into `editions`, but whose pointer was not swapped in. The
                # next run removes leftovers that cannot be removed now.
                with suppress(OSError, RunError):
                    sweep(warehouse)
                with suppress(OSError):
                    (warehouse / HOLDER).unlink(missing_ok=True)
    except Timeout:
        raise WarehouseLockedError(
            f"Another run is publishing into {warehouse}: {_holder(warehouse)}. Wait until it ends."
        ) from None
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        raise WarehouseUnwritableError(
            f"The warehouse {warehouse} cannot be written ({error.strerror or first_line(error)}{place})."
            f" Free disk space, give this user permission, or pass another folder with {named_by}."
        ) from error
    except duckdb.Error as error:
        raise BuildError(
            f"The database of {warehouse} cannot be built ({first_line(error)})."
            " Free disk space or memory, then run again."
        ) from error


@contextmanager
def _locked(file: Path, lock_timeout: float) -> Iterator[None]:
    """Hold a lock file; raise Timeout."""
    lock = FileLock(file, timeout=lock_timeout)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lock.acquire()
    if any(
        "flock" in str(warning.message) for warning in caught
    ):  # without flock, the library uses the existence of the file as the lock
        warn(
            "The disk of the warehouse does not support flock (Function not implemented), so the existence of"
            f" {file} is the lock. Delete that file if it remains after a run was killed."
        )
    try:
        yield
    finally:
        with suppress(OSError):  # the lock is released when this process ends
            lock.release()


def _require_ours(warehouse: Path, named_by: str) -> None:
    ours = {CURRENT, EDITIONS, STAGING, LISTING_CACHE, LOCK, HOLDER, NOTE}
    if warehouse.exists() and not warehouse.is_dir():
        raise WarehouseForeignError(f"The warehouse {warehouse} is a file. Pass a folder with {named_by}.")
    if not warehouse.is_dir() or (warehouse / EDITIONS).is_dir():
        return
    link = warehouse / EDITIONS
    if link.is_symlink():
        raise EditionNotFoundError(
            f"The folder of the editions is missing: {link} points to {link.readlink()}."
            " Mount the disk or create the folder, then run again."
        )
    names = (entry.name for entry in warehouse.iterdir())
    foreign = sorted(name for name in names if name not in ours and not is_system_file(name))
    if foreign:
        raise WarehouseForeignError(
            f"The folder {warehouse} is not a Broadsheet warehouse (it contains {foreign[0]})."
            f" Pass an empty or new folder with {named_by}."
        )


def _note_holder(warehouse: Path) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat("T", "seconds"),
    }
    (warehouse / HOLDER).write_text(json.dumps(holder))


def _holder(warehouse: Path) -> str:
    try:
        holder = json.loads(read_limited(warehouse / HOLDER, _MAX_NOTE_BYTES))
        values = [str(holder[name])[:_MAX_VALUE_LENGTH] for name in ("process", "host", "since")]
        if not all(value.isprintable() for value in values):
            raise ValueError("its values contain control characters")
        return "process {} on {} since {}".format(*values)
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return "a process that has just started"
