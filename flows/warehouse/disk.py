"""Optional features of a disk, each with a fallback: modes, hard links, symbolic links, fsync."""

import errno
import os
import shutil
from pathlib import Path

import xxhash

from flows.warehouse.run_warnings import warn

# Errors of a file system that does not support an operation. Other errors, as of a full disk, fail the run.
_UNSUPPORTED = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}
READ_ONLY = 0o444


def seal(file: Path) -> None:
    """Make a file read-only and durable, unless it is shared with an older edition: then it already is."""
    if file.stat().st_nlink > 1:
        return
    try:
        file.chmod(READ_ONLY)
    except OSError as error:
        _require_unsupported(error, errno.EACCES)
        _warn_unsupported("chmod", error, "files of editions stay writable; make sure that nothing changes them")
    sync(file)


def sync(path: Path) -> None:
    """Flush a file, or the entries of a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        _require_unsupported(error)
        _warn_unsupported(
            "fsync", error, "a power failure may damage the newest edition; run broadsheet verify after one"
        )
    finally:
        os.close(descriptor)


def digest(file: Path) -> str:
    """Return the XXH3 hash of a file."""
    found = xxhash.xxh3_128()
    with file.open("rb") as opened:
        while part := opened.read(1 << 20):
            found.update(part)
    return found.hexdigest()


def link_or_copy(file: Path, target: Path) -> None:
    """Hard-link an immutable file into a new edition; copy it if the disk does not support hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)  # left by an earlier attempt
    try:
        target.hardlink_to(file)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            _warn_unsupported("hard links", error, "unchanged months are copied, so each edition needs its full size")
        shutil.copyfile(file, target)


def symlink_or_file(link: Path, target: Path) -> None:
    """Create a symbolic link; if the disk does not support links, a file with the last part of the target."""
    try:
        link.symlink_to(target)
    except OSError as error:
        _require_unsupported(error)
        _warn_unsupported("symbolic links", error, "current is a file with the edition's id, see docs/reading.md")
        link.write_text(f"{target.name}\n")
        sync(link)


def discard(path: Path) -> None:
    """Remove a file, a link or a folder, even if the folder is read-only."""
    if path.is_dir() and not path.is_symlink():
        for folder, folders, _ in os.walk(path):
            for name in ("", *folders):
                if not Path(folder, name).is_symlink():
                    Path(folder, name).chmod(0o700)
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()


def _require_unsupported(error: OSError, *accepted: int) -> None:
    """Raise the error again unless it means that the disk does not support the operation."""
    if error.errno not in (*_UNSUPPORTED, *accepted):
        raise error


def _warn_unsupported(operation: str, error: OSError, consequence: str) -> None:
    warn(f"The disk of the warehouse does not support {operation} ({error.strerror}): {consequence}.")
