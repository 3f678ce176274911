"""Features of a disk that publishing uses where they exist: modes, hard links, symbolic links, fsync."""

import errno
import os
import shutil
from pathlib import Path

from flows.warehouse.notices import notice

# How a file system says that it cannot do something. One that is full or broken says something else: the run fails.
_UNSUPPORTED = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
READ_ONLY = 0o444


def seal(file: Path) -> None:
    """Make a file read-only and durable; files shared with an older edition are both already."""
    if file.stat().st_nlink > 1:
        return
    try:
        file.chmod(READ_ONLY)
    except OSError as error:
        _require_unsupported(error, errno.EACCES)
        _lacks("chmod", error, "files of editions stay writable; let nothing write into them")
    sync(file)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        _require_unsupported(error)
        _lacks("fsync", error, "a power cut may damage the newest edition; after one, run broadsheet verify")
    finally:
        os.close(descriptor)


def link_or_copy(file: Path, to: Path) -> None:
    """Share an immutable file with a new edition; copy it if the disk has no hard links."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.unlink(missing_ok=True)  # of an earlier attempt
    try:
        to.hardlink_to(file)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            _lacks("hard links", error, "unchanged months are copied, and each edition takes its full size")
        shutil.copyfile(file, to)


def link_or_note(link: Path, target: Path) -> None:
    """Create a symbolic link; without links, a file with the last part of the target."""
    try:
        link.symlink_to(target)
    except OSError as error:
        _require_unsupported(error)
        _lacks("symbolic links", error, "current is a file that holds the edition's id, see docs/reading.md")
        link.write_text(f"{target.name}\n")
        sync(link)


def _require_unsupported(error: OSError, *others: int) -> None:
    """Raise the error again unless it means that the disk lacks the operation."""
    if error.errno not in (*_UNSUPPORTED, *others):
        raise error


def _lacks(what: str, error: OSError, cost: str) -> None:
    notice(f"The disk of the warehouse refuses {what} ({error.strerror}): {cost}.")
