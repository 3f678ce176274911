"""Keep the home of `broadsheet up` private: it contains a password, a database and logs of runs."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.cli.up.processes import translate_write_errors
from flows.errors import DataExposedError

OTHERS = 0o077  # permissions of the group and of all other users


@contextmanager
def private_home(home: Path) -> Iterator[int]:
    """Make the home private, and every file that this process creates in the block; yield the previous umask.

    Raise DataExposedError if other users can still open the home. Its parent folders keep their modes.
    """
    with translate_write_errors(home):
        home.parent.mkdir(parents=True, exist_ok=True)
    umask = os.umask(OTHERS)
    try:
        with translate_write_errors(home):
            home.mkdir(exist_ok=True)
        _require_private(home)
        yield umask
    finally:
        os.umask(umask)


def _require_private(home: Path) -> None:
    """Remove the permissions of other users from the home and its files, without following links.

    Earlier releases left them open.
    """
    try:
        _remove_permissions(home.resolve())
    except OSError as error:
        raise _exposed_error(home, f"its mode cannot be changed: {error.strerror}") from None
    if home.stat().st_mode & OTHERS:
        raise _exposed_error(home, "its disk does not support permissions")
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files):
            with suppress(OSError):  # it belongs to another user, or was just deleted; the home itself is private
                _remove_permissions(Path(folder, name))


def _remove_permissions(path: Path) -> None:
    mode = path.lstat().st_mode
    if mode & OTHERS and not stat.S_ISLNK(mode):
        path.chmod(stat.S_IMODE(mode) & ~OTHERS)


def _exposed_error(home: Path, reason: str) -> DataExposedError:
    return DataExposedError(
        f"Other users can open {home} ({reason}). Make this user its owner, or pass a folder of this user with --data."
    )
