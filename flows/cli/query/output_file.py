"""The file for the answer to a query: replaced when the answer is complete; a device or pipe is written directly."""

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

UNFINISHED = ".broadsheet-"  # what the name of an answer begins with until it is complete


@contextmanager
def written(output: Path, warehouse: Path, litter: list[Path]) -> Iterator[BinaryIO]:
    """Write an answer: a file is replaced in one step at the end of the block, and unchanged if that fails.

    Devices and pipes, such as /dev/stdout and /dev/fd/63, are written directly. `litter` has the temporary file's name
    until then. Raise QueryError if a place is refused, and OSError.
    """
    if (number := _descriptor(output)) is not None:
        with os.fdopen(os.dup(number), "wb") as file:
            yield file
    elif _is_direct(output, warehouse):
        with output.open("wb") as file:
            yield file
    else:
        with _replacing(output, litter) as file:
            yield file


def _is_direct(output: Path, warehouse: Path) -> bool:
    """Return whether a place is a device or pipe; raise QueryError if it cannot hold an answer."""
    _require_folder(output)
    if output.is_symlink():
        raise QueryError(
            f"{output} is a symbolic link. Name the file itself with --output, {os.path.realpath(output)}."
        )
    mode = _mode(output)
    if mode and stat.S_ISDIR(mode):
        raise QueryError(f"{output} is a folder. Name a file with --output, such as {output / 'answer.csv'}.")
    if mode and (stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)):
        return True
    if mode and not stat.S_ISREG(mode):
        raise QueryError(f"{output} is not a regular file. Name another file with --output.")
    _refuse_warehouse(output, warehouse)
    return False


def _require_folder(output: Path) -> None:
    try:
        is_folder = stat.S_ISDIR(output.parent.stat().st_mode)
    except FileNotFoundError:
        is_folder = False
    if not is_folder:
        raise QueryError(
            f"{output} cannot be written: folder not found: {output.parent}."
            " Create it, or name another file with --output."
        )


def _mode(output: Path) -> int | None:
    """Return the type and permissions of a file, None if there is none."""
    try:
        mode = output.stat().st_mode
    except FileNotFoundError:
        return None
    if not os.access(output, os.W_OK):  # renaming would replace a file that is protected
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    return mode


def _refuse_warehouse(output: Path, warehouse: Path) -> None:
    folder = output.parent.resolve()
    ours = {warehouse.resolve(), (warehouse / EDITIONS).resolve()}
    for parent in (folder, *folder.parents):
        if parent in ours or (parent / MANIFEST).is_file() or (parent / CURRENT / MANIFEST).is_file():
            raise QueryError(
                f"{output} is inside the warehouse {parent}, which only runs change."
                " Name a file elsewhere with --output."
            )


def _descriptor(output: Path) -> int | None:
    """Return the number of /dev/stdout, /dev/fd/63 and the like: a file that a shell has opened is not opened again."""
    folder = os.path.realpath(output.parent)
    if folder == "/dev" and output.is_symlink():
        return _descriptor(Path("/dev", output.readlink()))
    return int(output.name) if folder == f"/proc/{os.getpid()}/fd" and re.fullmatch(r"[0-9]+", output.name) else None


@contextmanager
def _replacing(output: Path, litter: list[Path]) -> Iterator[BinaryIO]:
    with NamedTemporaryFile(dir=output.parent, prefix=UNFINISHED, delete=False) as file:
        beside = Path(file.name)
        litter.append(beside)
        try:
            yield cast(BinaryIO, file)
            _permit_as(output, file.fileno())
            file.close()  # a network disk may refuse what it has only now received
            beside.replace(output)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise


def _permit_as(output: Path, descriptor: int) -> None:
    """Give a new file the owner and permissions of the one that it replaces, or those of any new file."""
    umask = os.umask(0)
    os.umask(umask)
    with suppress(OSError):  # some disks know no permissions, and only root gives files away
        os.fchmod(descriptor, 0o666 & ~umask)
        before = output.stat()
        os.fchmod(descriptor, before.st_mode & 0o777)
        os.fchown(descriptor, before.st_uid, before.st_gid)
