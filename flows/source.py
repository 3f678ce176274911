"""The source: which seed files there are, and their bytes."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from flows.problems import RunError
from flows.tables import SeedFile

LARGEST_FILE = 2_000_000  # bytes; long articles have a hundredth of it, and nothing but brackets takes a second or two
READ_AT_ONCE = 1 << 20  # bytes

# In a name, a byte that is no UTF-8 stands as %80 to %FF; a % that would read as one of these stands as %25.
_AMBIGUOUS_PERCENT = re.compile(r"%(?=25|[89A-F][0-9A-F])")
_ESCAPE = re.compile(r"%(25|[89A-F][0-9A-F])")


def require_folder(source: Path) -> None:
    """Raise RunError where the source is no folder."""
    if not source.is_dir():
        raise RunError(f"The source {source} is no folder; name an existing one with --source.")


def list_seed_files(source: Path, endings: tuple[str, ...]) -> Iterator[SeedFile]:
    """The regular, unhidden files below `source` that end in one of `endings` (any case), in no particular order.

    Links are not followed: what they lead to is listed where it lies, or is no part of the source.
    Raises RunError where a folder cannot be listed, for its articles would look withdrawn.
    """
    folders, root = [os.fspath(source)], os.path.join(source, "")
    while folders:
        folder = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            raise RunError(
                f"The folder {printable(folder)} cannot be listed ({error.strerror}); nothing was published, since its"
                " articles would look withdrawn; make it readable."
            ) from None
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.path)
            elif entry.name.lower().endswith(endings) and entry.is_file(follow_symlinks=False):
                yield from _listed(root, entry)


def _listed(root: str, entry: os.DirEntry[str]) -> Iterator[SeedFile]:
    try:
        facts = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return  # deleted since the folder was listed
    yield SeedFile(printable(entry.path.removeprefix(root)), facts.st_size, facts.st_mtime_ns)


def read_seed_file(source: Path, source_path: str) -> bytes:
    """The bytes of a listed file, at most a few more than LARGEST_FILE; raises OSError.

    A link that has taken its place is not followed, and a pipe is not waited for.
    """
    name = os.path.join(os.fsencode(source), _file_name(source_path))
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = b""
        while len(content) <= LARGEST_FILE and (part := os.read(descriptor, READ_AT_ONCE)):
            content += part
        return content
    finally:
        os.close(descriptor)


def printable(path: str) -> str:
    """A path as the tables hold it: bytes that are no UTF-8 as %FF."""
    path = _AMBIGUOUS_PERCENT.sub("%25", path) if "%" in path else path
    if path.isascii():
        return path
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in path)


def _file_name(source_path: str) -> bytes:
    """The bytes of the name that `printable` was given."""
    plain, *rest = _ESCAPE.split(source_path)
    name = plain.encode()
    for code, text in zip(rest[::2], rest[1::2], strict=True):
        name += bytes([int(code, 16)]) + text.encode()
    return name
