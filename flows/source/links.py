"""Follow symbolic links to seed files, but only to files that may be read."""

import errno
import os
import stat
from pathlib import Path

from flows.problems import RejectedError, problem, quoted

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LOOK = os.O_PATH | os.O_CLOEXEC  # does not open the file, which would affect a device or a pipe
_MISSING = (errno.ENOENT, errno.ENOTDIR)
MAX_TARGET_LENGTH = 300  # characters in a message; targets of git-annex have about 200


class AllowedRoots:
    """The folders below which files may be read, directly or through links.

    A root may itself be a link that is changed during a run, for example to a new release of the articles. Roots are
    therefore resolved again before a file is rejected. The folder of the last file stays open for the next file, until
    `close` is called.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._resolved: tuple[str, ...] = ()
        self._last = b""
        self._descriptor = -1

    def contains(self, path: str) -> bool:
        """Return whether a resolved path is one of the roots or below one."""
        if not f"{path}/".startswith(self._resolved):
            self._resolved = tuple(os.path.join(_resolve(folder), "") for folder in self._folders)
        return f"{path}/".startswith(self._resolved)

    def enter(self, folder: bytes) -> int:
        """Open a folder and return its descriptor; raise OSError if it is not below the roots."""
        if folder != self._last:
            self.close()
            self._descriptor = os.open(folder, _LOOK | os.O_DIRECTORY)
            path = _path_of(self._descriptor, folder)
            # For a folder in another mount namespace, /proc shows a path that may be a different folder here.
            if not self.contains(path) or not os.path.samestat(os.fstat(self._descriptor), Path(path).stat()):
                raise OSError(errno.EXDEV, "a parent folder was replaced by a link")
            self._last = folder
        return self._descriptor

    def close(self) -> None:
        """Close the folder of the last file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._last, self._descriptor = b"", -1


def open_file(name: bytes, allowed: AllowedRoots) -> int:
    """Open a file for reading, through a link if that is allowed, and return the descriptor.

    The check applies to the opened folder, not to its name: replacing a link or a folder after the listing cannot
    publish a file outside of the roots. Raise OSError, or RejectedError if a link is not followed.
    """
    try:
        return _open_in_its_folder(name, allowed)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    path, _ = find_target(name, allowed)
    return _open_in_its_folder(os.fsencode(path), allowed)


def _open_in_its_folder(name: bytes, allowed: AllowedRoots) -> int:
    folder, _, file = name.rpartition(b"/")
    return os.open(file, _READ, dir_fd=allowed.enter(folder or b"/"))


def find_target(name: bytes | str, allowed: AllowedRoots) -> tuple[str, os.stat_result]:
    """Return the resolved path and the stat result of the regular file that a link points to.

    Raise RejectedError if the link is not followed, OSError if its target cannot be examined.
    """
    try:
        descriptor = os.open(name, _LOOK)
    except OSError as error:
        raise _explain(name, error, allowed) from None
    try:
        path, facts = _path_of(descriptor, name), os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if stat.S_ISDIR(facts.st_mode):
        raise _refusal("link_to_folder", name)
    if not allowed.contains(path):
        raise _refusal("link_outside", name)
    if not stat.S_ISREG(facts.st_mode):
        raise _refusal("link_to_special_file", name)
    return path, facts


def may_be_folder(link: os.DirEntry[str]) -> bool:
    """Return whether a link points to a folder, or has an inaccessible target and a name without an extension."""
    try:
        return stat.S_ISDIR(link.stat().st_mode)
    except OSError:
        return "." not in link.name


def _explain(name: bytes | str, error: OSError, allowed: AllowedRoots) -> Exception:
    """Return the error for a link that cannot be opened, without revealing files outside of the roots."""
    if error.errno == errno.ELOOP:
        return _refusal("link_loop", name)
    if not allowed.contains(os.path.realpath(os.fsdecode(name))):
        return _refusal("link_outside", name)
    return _refusal("link_dangling", name) if error.errno in _MISSING else error


def _refusal(code: str, name: bytes | str) -> RejectedError:
    target = os.readlink(os.fsencode(name)).decode(errors="backslashreplace")
    return RejectedError(problem(code, target=quoted(target, MAX_TARGET_LENGTH)))


def _resolve(folder: Path) -> str:
    try:
        descriptor = os.open(folder, _LOOK)
    except OSError:
        return os.path.realpath(folder)
    try:
        return _path_of(descriptor, str(folder))
    finally:
        os.close(descriptor)


def _path_of(descriptor: int, name: bytes | str) -> str:
    """Return the path of an open file as the kernel reports it, with its actual case on a case-insensitive disk."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:  # /proc is not mounted, as in some jails
        return os.path.realpath(os.fsdecode(name))
