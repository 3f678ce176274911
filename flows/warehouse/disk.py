"""Features of a disk that publishing uses where they exist: modes, hard links, symbolic links, fsync."""

import errno
import os
import shutil
from pathlib import Path

from flows.warehouse.run_warnings import warn

# Errors of a file system that lacks an operation. A full or broken disk has other errors, and the run fails.
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
        _warn_unsupported("chmod", error, "files of editions stay writable; make sure that nothing changes them")
    sync(file)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        _require_unsupported(error)
        _warn_unsupported("fsync", error, "a power cut may damage the newest edition; run broadsheet verify after one")
    finally:
        os.close(descriptor)


def link_or_copy(file: Path, target: Path) -> None:
    """Share an immutable file with a new edition; copy it if the disk has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # shared by an earlier try
    try:
        target.hardlink_to(file)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            _warn_unsupported("hard links", error, "unchanged months are copied, and each edition takes its full size")
        shutil.copyfile(file, target)


def symlink_or_file(link: Path, target: Path) -> None:
    """Create a symbolic link; without links, a file with the last part of the target."""
    try:
        link.symlink_to(target)
    except OSError as error:
        _require_unsupported(error)
        _warn_unsupported("symbolic links", error, "current is a file with the edition's id, see docs/reading.md")
        link.write_text(f"{target.name}\n")
        sync(link)


def discard(path: Path) -> None:
    """Remove a file, a link or a folder, also from a folder that is read-only."""
    if path.is_dir() and not path.is_symlink():
        for folder, folders, _ in os.walk(path):
            for name in ("", *folders):
                if not Path(folder, name).is_symlink():
                    Path(folder, name).chmod(0o700)
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _require_unsupported(error: OSError, *accepted: int) -> None:
    """Raise the error again unless it means that the disk lacks the operation."""
    if error.errno not in (*_UNSUPPORTED, *accepted):
        raise error


def _warn_unsupported(operation: str, error: OSError, consequence: str) -> None:
    warn(f"The disk of the warehouse refuses {operation} ({error.strerror}): {consequence}.")
