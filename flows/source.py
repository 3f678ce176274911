"""The source: which seed files there are, and their bytes."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from flows.errors import SourceNotFoundError, SourceUnreadableError
from flows.objects import many, store
from flows.objects.prefix import Prefix
from flows.tables import SeedFile

LARGEST_FILE = 2_000_000  # bytes; long articles have a hundredth of it, and nothing but brackets takes a second or two
READ_AT_ONCE = 1 << 20  # bytes

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In a name, a byte that is no UTF-8 stands as %80 to %FF; a % that would read as one of these stands as %25.
_AMBIGUOUS_PERCENT = re.compile(r"%(?=25|[89A-F][0-9A-F])")
_ESCAPE = re.compile(r"%(25|[89A-F][0-9A-F])")


def require_folder(source: Path | Prefix) -> None:
    """Raise RunError where the source is no folder, or a prefix below which there is nothing."""
    if isinstance(source, Prefix):
        if next(store.list_objects(source), None) is None:
            raise SourceNotFoundError(f"There is nothing below {source}; name an existing prefix with --source.")
    elif not source.is_dir():
        raise SourceNotFoundError(f"The source {source} is no folder; name an existing one with --source.")


def list_seed_files(source: Path | Prefix, endings: tuple[str, ...]) -> Iterator[SeedFile]:
    """The regular, unhidden files below `source` that end in one of `endings` (any case), in no particular order.

    Raises RunError where a folder or a prefix cannot be listed, for its articles would look withdrawn.
    """
    return _list_prefix(source, endings) if isinstance(source, Prefix) else _list_folder(source, endings)


def _list_prefix(source: Prefix, endings: tuple[str, ...]) -> Iterator[SeedFile]:
    """A store tells the second of an object's last change."""
    for name, size, modified in store.list_objects(source):
        if name.lower().endswith(endings) and "/." not in f"/{name}":
            yield SeedFile(printable(name), size, (modified - _EPOCH) // timedelta(microseconds=1) * 1000)


def _list_folder(source: Path, endings: tuple[str, ...]) -> Iterator[SeedFile]:
    """Links are not followed: what they lead to is listed where it lies, or is no part of the source."""
    waiting = [""]  # folders below the source, each with a / behind it
    while waiting:
        below = waiting.pop()
        for entry in _entries(os.path.join(source, below)):
            name = entry.name
            if name.startswith("."):
                continue
            if name.lower().endswith(endings) and entry.is_file(follow_symlinks=False):
                try:
                    facts = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue  # deleted since the folder was listed
                yield SeedFile(printable(below + name), facts.st_size, facts.st_mtime_ns)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{name}/")


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise SourceUnreadableError(
            f"The folder {printable(folder)} cannot be listed ({error.strerror}); nothing was published, since its"
            " articles would look withdrawn; make it readable."
        ) from None


def read_seed_files(source: Path | Prefix, paths: Sequence[str]) -> Iterator[bytes | OSError]:
    """The bytes of listed files, in their order, or why a file cannot be read; a few are in memory at once.

    A store that fails fails the run; an object that is gone is one that cannot be read.
    """
    if isinstance(source, Prefix):
        return many.at_once(partial(_or_error, partial(_read_object, source)), paths)
    return map(partial(_or_error, partial(read_seed_file, source)), paths)


def _or_error(read: Callable[[str], bytes], source_path: str) -> bytes | OSError:
    try:
        return read(source_path)
    except OSError as error:
        return error


def _read_object(source: Prefix, source_path: str) -> bytes:
    return store.read(source / _file_name(source_path).decode(), LARGEST_FILE + 1)


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
