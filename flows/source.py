"""The source: which seed files there are, and their bytes."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from flows.errors import ObjectRefusedError, SourceNotFoundError, SourceUnreadableError, StorageRefusedError
from flows.objects import many, store
from flows.objects.prefix import Prefix
from flows.tables import SeedFile

LARGEST_FILE = 2_000_000  # bytes; long articles have a hundredth of it, and nothing but brackets takes a second or two
READ_AT_ONCE = 1 << 20  # bytes
OTHERS_LISTED, OTHERS_TRIED = 10_000, 32  # objects, to find one that can be read where a whole batch is refused

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

    A store that fails fails the run, and so does one that refuses every object; an object that is gone, archived or
    forbidden is one that cannot be read.
    """
    if isinstance(source, Prefix):
        return _read_objects(source, paths)
    return map(partial(_or_error, partial(read_seed_file, source)), paths)


def _or_error(read: Callable[[str], bytes], source_path: str) -> bytes | OSError:
    try:
        return read(source_path)
    except OSError as error:
        return error


def _read_objects(source: Prefix, paths: Sequence[str]) -> Iterator[bytes | OSError]:
    refused = 0
    for content in many.at_once(partial(_or_error, partial(_read_object, source)), paths):
        refused += isinstance(content, PermissionError)
        yield content
    if refused and refused == len(paths):
        _require_some_readable(source, set(paths))


def _read_object(source: Prefix, source_path: str) -> bytes:
    try:
        return store.read(source / _file_name(source_path).decode(), LARGEST_FILE + 1)
    except ObjectRefusedError as error:
        raise PermissionError(None, error.reason) from None


def _require_some_readable(source: Prefix, refused: set[str]) -> None:
    """Raise StorageRefusedError unless one of some other objects can be read: then it is not these that are at fault.

    Without this, credentials that may only list would have every article withdrawn.
    """
    listed = [found.name for found in islice(store.list_objects(source), OTHERS_LISTED)]
    others = [name for name in listed if printable(name) not in refused]
    tried = others[:: max(1, len(others) // OTHERS_TRIED)]
    if not any(isinstance(content, bytes) for content in many.at_once(partial(_first_byte, source), tried)):
        raise StorageRefusedError(
            f"None of the {len(refused) + len(tried):,} objects that were tried below {source} can be read: each is"
            " archived or forbidden. Grant these credentials s3:GetObject, or restore the objects from the archive."
        )


def _first_byte(source: Prefix, name: str) -> bytes | None:
    try:
        return store.read(source / name, 1)
    except (ObjectRefusedError, FileNotFoundError):
        return None


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
