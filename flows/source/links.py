"""Symbolic links to seed files: where they lead, and whether that may be read."""

import errno
import os
import stat
from pathlib import Path

from flows.problems import RejectedError, problem, quoted

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LOOK = os.O_PATH | os.O_CLOEXEC  # names what it finds, and has no effect on it: a device or a pipe is not opened
_MISSING = (errno.ENOENT, errno.ENOTDIR)
MAX_TARGET_LENGTH = 300  # characters of a message; git-annex's names have about 200


class Allowed:
    """The folders below which files may be read, also through links.

    Such a folder may itself be a link that moves while files are read, as to a new release of the articles: each is
    resolved again before a file is refused. The folder of the last file stays open for the next one, until `close`.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._resolved: tuple[str, ...] = ()
        self._last = b""
        self._descriptor = -1

    def holds(self, path: str) -> bool:
        """Return whether a resolved path is one of the folders or below one."""
        if not f"{path}/".startswith(self._resolved):
            self._resolved = tuple(os.path.join(_resolve(folder), "") for folder in self._folders)
        return f"{path}/".startswith(self._resolved)

    def enter(self, folder: bytes) -> int:
        """Return a descriptor of a folder that was found to be below the allowed ones; raise OSError."""
        if folder != self._last:
            self.close()
            self._descriptor = os.open(folder, _LOOK | os.O_DIRECTORY)
            path = _path_of(self._descriptor, folder)
            # Through /proc, a folder of another mount namespace has a path that is another folder here.
            if not self.holds(path) or not os.path.samestat(os.fstat(self._descriptor), Path(path).stat()):
                raise OSError(errno.EXDEV, "a folder above it was replaced by a link")
            self._last = folder
        return self._descriptor

    def close(self) -> None:
        """Close the folder of the last file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._last, self._descriptor = b"", -1


def open_file(name: bytes, allowed: Allowed) -> int:
    """Open a file for reading, through a link if that is allowed, and return the descriptor.

    The opened folder is checked, not its name, so that a link or a folder that is swapped after the listing does not
    publish another file. Raise OSError, or RejectedError if a link is not followed.
    """
    try:
        return _open_in_its_folder(name, allowed)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    path, _ = find_target(name, allowed)
    return _open_in_its_folder(os.fsencode(path), allowed)


def _open_in_its_folder(name: bytes, allowed: Allowed) -> int:
    folder, _, file = name.rpartition(b"/")
    return os.open(file, _READ, dir_fd=allowed.enter(folder or b"/"))


def find_target(name: bytes | str, allowed: Allowed) -> tuple[str, os.stat_result]:
    """Return the resolved path and the stat result of the regular file that a link points to.

    Raise RejectedError if the link is not followed, OSError if the file cannot be examined.
    """
    try:
        descriptor = os.open(name, _LOOK)
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
    """Return whether a link points to a folder, or to nothing visible and has a name without an extension."""
    try:
        return stat.S_ISDIR(link.stat().st_mode)
    except OSError:
        return "." not in link.name


def _reason(name: bytes | str, error: OSError, allowed: Allowed) -> Exception:
    """Return why a link has no target; files outside of the allowed folders are not revealed."""
    if error.errno == errno.ELOOP:
        return _refusal("link_loop", name)
    if not allowed.holds(os.path.realpath(os.fsdecode(name))):
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
    """Return the path of an open file as the kernel spells it, also on a disk that ignores case."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:  # /proc is not mounted, as in some jails
        return os.path.realpath(os.fsdecode(name))
