"""Keep the home of `broadsheet up` private: it has a password, a database and the logs of runs."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.cli.up.processes import writing
from flows.errors import DataExposedError

OTHERS = 0o077  # the permissions of the group and of everyone else


@contextmanager
def private_files(home: Path) -> Iterator[int]:
    """Make the home private, and every file that this process creates in the block; yield the previous umask.

    Raise DataExposedError if the home stays open to others. Folders above it keep the modes that the user chose.
    """
    with writing(home):
        home.parent.mkdir(parents=True, exist_ok=True)
    umask = os.umask(OTHERS)
    try:
        with writing(home):
            home.mkdir(exist_ok=True)
        _require_private(home)
        yield umask
    finally:
        os.umask(umask)


def _require_private(home: Path) -> None:
    """Close the home to others, and what an earlier release left open in it; links in it are left alone."""
    try:
        _close(home.resolve())
    except OSError as error:
        raise _exposed(home, f"its mode cannot be changed: {error.strerror}") from None
    if home.stat().st_mode & OTHERS:
        raise _exposed(home, "its disk has no permissions")
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            with suppress(OSError):  # another user's, or it has just gone; the home is closed to others in any case
                _close(Path(folder, name))


def _close(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & OTHERS and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def _exposed(home: Path, reason: str) -> DataExposedError:
    return DataExposedError(
        f"Other users can open {home} ({reason}). Make this user its owner, or pass a folder of this user with --data."
    )
