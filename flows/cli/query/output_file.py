"""Open the output file of a query: a file is replaced when it is complete, a device or pipe is written directly."""

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import BinaryIO, cast

from flows.errors import QueryError
from flows.warehouse.manifest_model import MANIFEST
from flows.warehouse.pointer import CURRENT, EDITIONS

TEMPORARY_PREFIX = ".broadsheet-"  # of the file name until the result is complete


@contextmanager
def open_output(output: Path, warehouse: Path, temporary_paths: list[Path]) -> Iterator[BinaryIO]:
    """Open a file for the result: it is replaced atomically at the end of the block, and unchanged if the block fails.

    Devices and pipes, such as /dev/stdout and /dev/fd/63, are written directly. The temporary file is added to
    `temporary_paths`. Raise QueryError if the path is not allowed, and OSError.
    """
    if (number := _file_descriptor(output)) is not None:
        with os.fdopen(os.dup(number), "wb") as file:
            yield file
    elif _is_direct(output, warehouse):
        with output.open("wb") as file:
            yield file
    else:
        with _replace_file(output, temporary_paths) as file:
            yield file


def _is_direct(output: Path, warehouse: Path) -> bool:
    """Return whether a path is a device or pipe; raise QueryError if it cannot be written."""
    _require_folder(output)
    if output.is_symlink():
        raise QueryError(
            f"{output} is a symbolic link. Pass the file itself with --output: {os.path.realpath(output)}."
        )
    mode = _mode(output)
    if mode and stat.S_ISDIR(mode):
        raise QueryError(f"{output} is a folder. Pass a file with --output, such as {output / 'result.csv'}.")
    if mode and (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
        return True
    if mode and not stat.S_ISREG(mode):
        raise QueryError(f"{output} is not a regular file. Pass another file with --output.")
    _require_outside_warehouse(output, warehouse)
    return False


def _require_folder(output: Path) -> None:
    try:
        is_folder = stat.S_ISDIR(output.parent.stat().st_mode)
    except FileNotFoundError:
        is_folder = False
    if not is_folder:
        raise QueryError(
            f"{output} cannot be written: folder not found: {output.parent}."
            " Create it, or pass another file with --output."
        )


def _mode(output: Path) -> int | None:
    """Return the type and permissions of a file; None if it does not exist."""
    try:
        mode = output.stat().st_mode
    except FileNotFoundError:
        return None
    if not os.access(output, os.W_OK):  # a rename would replace a write-protected file
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return mode


def _require_outside_warehouse(output: Path, warehouse: Path) -> None:
    folder = output.parent.resolve()
    reserved = {warehouse.resolve(), (warehouse / EDITIONS).resolve()}
    for parent in (folder, *folder.parents):
        if parent in reserved or (parent / MANIFEST).is_file() or (parent / CURRENT / MANIFEST).is_file():
            raise QueryError(
                f"{output} is inside the warehouse {parent}, which only runs may change."
                " Pass a file elsewhere with --output."
            )


def _file_descriptor(output: Path) -> int | None:
    """Return the number of /dev/stdout, /dev/fd/63 and similar: the shell has already opened the file."""
    folder = os.path.realpath(output.parent)
    if folder == "/dev" and output.is_symlink():
        return _file_descriptor(Path("/dev", output.readlink()))
    return int(output.name) if folder == f"/proc/{os.getpid()}/fd" and re.fullmatch(r"[0-9]+", output.name) else None


@contextmanager
def _replace_file(output: Path, temporary_paths: list[Path]) -> Iterator[BinaryIO]:
    with NamedTemporaryFile(dir=output.parent, prefix=TEMPORARY_PREFIX, delete=False) as file:
        temporary = Path(file.name)
        temporary_paths.append(temporary)
        try:
            yield cast(BinaryIO, file)
            _copy_permissions(output, file.fileno())
            file.close()  # a network disk may report a failed write only now
            temporary.replace(output)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def _copy_permissions(output: Path, descriptor: int) -> None:
    """Set the owner and permissions of the file that is replaced, or the defaults of a new file."""
    umask = os.umask(0)
    os.umask(umask)
    with suppress(OSError):  # some disks have no permissions, and only root can change the owner
        os.fchmod(descriptor, 0o666 & ~umask)
        before = output.stat()
        os.fchmod(descriptor, before.st_mode & 0o777)
        os.fchown(descriptor, before.st_uid, before.st_gid)
