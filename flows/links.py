"""Symbolic links to seed files: where they lead, and whether that may be read."""

import errno
import os
import stat
from pathlib import Path

from flows.problems import RejectedError, problem, quoted

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_MISSING = (errno.ENOENT, errno.ENOTDIR)
LONGEST_TARGET = 300  # characters of a message; names of git-annex have about 200


class Allowed:
    """The folders below which files may be read, through links too.

    Such a folder may itself be a link that moves while files are read, as to a new release of the articles: each is
    resolved again before a file is refused.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._resolved: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Return whether a resolved path is below one of the folders."""
        if not path.startswith(self._resolved):
            self._resolved = tuple(os.path.join(_resolve(folder), "") for folder in self._folders)
        return path.startswith(self._resolved)


def open_file(name: bytes, allowed: Allowed) -> int:
    """Open a regular file for reading, through a link where that is allowed; return the descriptor.

    The file that was opened is checked, not its name: whoever swaps a link or a folder for another one after the source
    was listed does not get another file published. Raises OSError, and RejectedError where a link is not followed.
    """
    try:
        return _open_checked(name, allowed)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    path, _ = find_target(name, allowed)
    return _open_checked(os.fsencode(path), allowed)


def _open_checked(name: bytes, allowed: Allowed) -> int:
    descriptor = os.open(name, _READ)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if not allowed.holds(_path_of(descriptor, name)):
            raise OSError(errno.EXDEV, "it was moved, or a folder above it was replaced by a link")
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def find_target(name: bytes | str, allowed: Allowed) -> tuple[str, os.stat_result]:
    """Return the resolved path and the facts of the regular file that a link leads to.

    Raises RejectedError where the link is not followed, OSError where the file cannot be looked at.
    """
    try:
        # A path descriptor names what it found and has no effect on it: a device or a pipe is not opened.
        descriptor = os.open(name, os.O_PATH | os.O_CLOEXEC)
    except OSError as error:
        raise _reason(name, error, allowed) from None
    try:
        path, facts = _path_of(descriptor, name), os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if stat.S_ISDIR(facts.st_mode):
        raise _refusal("link_to_folder", name)
    if not allowed.holds(path):
        raise _refusal("link_outside", name)
    if not stat.S_ISREG(facts.st_mode):
        raise _refusal("link_to_special_file", name)
    return path, facts


def may_be_folder(link: os.DirEntry[str]) -> bool:
    """Return whether a link leads to a folder, or to nothing that can be seen and has a name without an extension."""
    try:
        return stat.S_ISDIR(link.stat().st_mode)
    except OSError:
        return "." not in link.name


def _reason(name: bytes | str, error: OSError, allowed: Allowed) -> Exception:
    """Return why a link leads to nothing; what exists outside of the allowed folders is not told."""
    if error.errno == errno.ELOOP:
        return _refusal("link_loop", name)
    if not allowed.holds(os.path.realpath(os.fsdecode(name))):
        return _refusal("link_outside", name)
    return _refusal("link_dangling", name) if error.errno in _MISSING else error


def _refusal(code: str, name: bytes | str) -> RejectedError:
    target = os.readlink(os.fsencode(name)).decode(errors="backslashreplace")
    return RejectedError(problem(code, target=quoted(target, LONGEST_TARGET)))


def _resolve(folder: Path) -> str:
    try:
        descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return os.path.realpath(folder)
    try:
        return _path_of(descriptor, str(folder))
    finally:
        os.close(descriptor)


def _path_of(descriptor: int, name: bytes | str) -> str:
    """Return the path of an open file as the kernel spells it, also on a disk that ignores case."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:  # /proc is not mounted, as in some jails
        return os.path.realpath(os.fsdecode(name))
