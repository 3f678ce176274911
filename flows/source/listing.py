"""List the seed files of a source, and read their bytes."""

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

from flows.errors import ConfigurationError, ObjectRefusedError, SourceUnreadableError, StorageRefusedError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath, by_kind
from flows.problems import RejectedError
from flows.schema import SeedFile
from flows.source.links import Allowed, find_target, may_be_folder, open_file

MAX_FILE_BYTES = 2_000_000  # long articles have a hundredth of it, and nothing but brackets takes a second or two
READ_AT_ONCE = 1 << 20  # bytes
EARLIEST, LATEST = -(2**63), 2**63 - 1  # nanoseconds since 1970 that a column holds: the years 1677 to 2262
ROOT = (0, 65534)  # its user, and how a container shows the user of a root that is not its own

Content = bytes | OSError | RejectedError  # of a file, or why it cannot be read
OTHERS_LISTED, OTHERS_TRIED = 10_000, 32  # objects, to find one that can be read where a whole batch is refused

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# In a name, a byte that is not UTF-8 is written as %80 to %FF; a % that would read as one of these as %25.
_AMBIGUOUS_PERCENT = re.compile(r"%(?=25|[89A-F][0-9A-F])")
_ESCAPE = re.compile(r"%(25|[89A-F][0-9A-F])")


def list_seed_files(
    source: Path | ObjectPath,
    extensions: tuple[str, ...],
    link_roots: Sequence[Path] = (),
    warehouses: Sequence[Path | ObjectPath] = (),
) -> Iterator[SeedFile]:
    """Yield the regular, visible files below `source` with one of `extensions` (in any case), in no particular order.

    A link to a file is listed with the target's size and time if it may be followed, else with its own; a link to a
    folder is listed as itself. Files below one of the `warehouses` are skipped.

    Raise SourceUnreadableError if a folder or a prefix cannot be listed, since its articles would look withdrawn.
    """
    skipped = _inside(source, warehouses)
    return by_kind(
        source,
        lambda folder: _list_folder(folder, extensions, Allowed(folder, *link_roots), skipped),
        lambda url: _list_objects(url, extensions, skipped),
    )


def _inside(source: Path | ObjectPath, warehouses: Sequence[Path | ObjectPath]) -> tuple[str, ...]:
    """Return the paths of the warehouses below the source, relative to it, with a trailing /."""
    found = []
    for warehouse in warehouses:
        above, below = _with_slash(source), _with_slash(warehouse)
        if above.startswith(below):
            raise ConfigurationError(
                f"The source {source} is inside the warehouse {warehouse}. Pass a warehouse that"
                " is not above the source with --warehouse."
            )
        if below.startswith(above):
            found.append(below.removeprefix(above))
    return tuple(found)


def _with_slash(place: Path | ObjectPath) -> str:
    return by_kind(place, lambda folder: os.path.join(os.path.realpath(folder), ""), lambda url: f"{url}/")


def _list_objects(source: ObjectPath, extensions: tuple[str, ...], skipped: tuple[str, ...]) -> Iterator[SeedFile]:
    """Yield the objects below a URL; a store reports modification times to the second."""
    for name, size, modified, _ in objects.list_objects(source):
        if name.lower().endswith(extensions) and "/." not in f"/{name}" and not name.startswith(skipped):
            yield SeedFile(printable(name), size, (modified - _EPOCH) // timedelta(microseconds=1) * 1000)


def _list_folder(
    source: Path, extensions: tuple[str, ...], allowed: Allowed, skipped: tuple[str, ...]
) -> Iterator[SeedFile]:
    waiting = [""]  # folders below the source, each with a / behind it
    while waiting:
        below = waiting.pop()
        for entry in _entries(os.path.join(source, below)):
            name = entry.name
            if name.startswith("."):
                continue
            is_seed = name.lower().endswith(extensions)
            try:
                if is_seed and entry.is_file(follow_symlinks=False):
                    facts: os.stat_result | None = entry.stat(follow_symlinks=False)
                elif entry.is_dir(follow_symlinks=False):
                    if (folder := f"{below}{name}/") not in skipped:
                        waiting.append(folder)
                    continue
                elif entry.is_symlink():
                    facts = _link_facts(entry, is_seed, allowed)
                else:
                    continue
            except FileNotFoundError:
                continue  # deleted since the folder was listed
            except OSError as error:
                raise _unreadable("file", entry.path, error) from None
            if facts:
                mtime_ns = facts.st_mtime_ns
                if not EARLIEST <= mtime_ns <= LATEST:
                    mtime_ns = EARLIEST if mtime_ns < 0 else LATEST
                yield SeedFile(printable(below + name), facts.st_size, mtime_ns)


def _link_facts(link: os.DirEntry[str], is_seed: bool, allowed: Allowed) -> os.stat_result | None:
    """Return the stat result of a link's target, or of the link if it is not followed; None if it is not a seed file.

    Reading the file decides again whether the link is followed.
    """
    if is_seed:
        try:
            return find_target(link.path, allowed)[1]
        except (OSError, RejectedError):
            return link.stat(follow_symlinks=False)
    return link.stat(follow_symlinks=False) if may_be_folder(link) else None


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        if isinstance(error, PermissionError) and _is_lost_and_found(folder):
            return []
        raise _unreadable("folder", folder, error) from None


def _is_lost_and_found(folder: str) -> bool:
    """Return whether a folder is root's lost+found of fsck, which holds no articles."""
    path = Path(folder)
    return path.name == "lost+found" and path.lstat().st_uid in ROOT


def _unreadable(what: str, path: str, error: OSError) -> SourceUnreadableError:
    name = printable(path.rstrip("/"))
    return SourceUnreadableError(
        f"The {what} {name} cannot be listed ({error.strerror}); nothing was published, since its"
        " articles would look withdrawn. Give this user permission to read the folder and to enter it."
    )


def read_seed_files(
    source: Path | ObjectPath, paths: Sequence[str], link_roots: Sequence[Path] = ()
) -> Iterator[Content]:
    """Yield the bytes of listed files in order, or why a file cannot be read; few are in memory at once.

    A store that fails fails the run, and so does one that refuses every object; a single object that is gone, archived
    or forbidden is a file that cannot be read.
    """
    return by_kind(
        source, lambda folder: _read_folder(folder, paths, link_roots), lambda url: _read_objects(url, paths)
    )


def _read_folder(source: Path, paths: Sequence[str], link_roots: Sequence[Path]) -> Iterator[Content]:
    with closing(Allowed(source, *link_roots)) as allowed:
        yield from map(partial(_or_error, partial(read_seed_file, source, allowed=allowed)), paths)


def _or_error(read: Callable[[str], bytes], source_path: str) -> Content:
    try:
        return read(source_path)
    except (OSError, RejectedError) as error:
        return error


def _read_objects(source: ObjectPath, paths: Sequence[str]) -> Iterator[Content]:
    refused = 0
    for content in transfers.at_once(partial(_or_error, partial(_read_object, source)), paths):
        refused += isinstance(content, PermissionError)
        yield content
    if refused and refused == len(paths):
        _require_some_readable(source, set(paths))


def _read_object(source: ObjectPath, source_path: str) -> bytes:
    try:
        return objects.read(source / _file_name(source_path).decode(), MAX_FILE_BYTES + 1)
    except ObjectRefusedError as error:
        raise PermissionError(None, error.reason) from None


def _require_some_readable(source: ObjectPath, refused: set[str]) -> None:
    """Raise StorageRefusedError unless one of some other objects can be read: then these objects are at fault.

    Without this, credentials that may only list would withdraw every article.
    """
    listed = [found.name for found in islice(objects.list_objects(source), OTHERS_LISTED)]
    others = [name for name in listed if printable(name) not in refused]
    tried = others[:: max(1, len(others) // OTHERS_TRIED)]
    if not any(isinstance(content, bytes) for content in transfers.at_once(partial(_first_byte, source), tried)):
        raise StorageRefusedError(
            f"None of the {len(refused) + len(tried):,} objects that were tried below {source} can be read: each is"
            " archived or forbidden. Grant these credentials s3:GetObject, or restore the objects from the archive."
        )


def _first_byte(source: ObjectPath, name: str) -> bytes | None:
    try:
        return objects.read(source / name, 1)
    except (ObjectRefusedError, FileNotFoundError):
        return None


def read_seed_file(source: Path, source_path: str, allowed: Allowed | None = None) -> bytes:
    """Return the bytes of a listed file, at most slightly more than MAX_FILE_BYTES; raise OSError or RejectedError.

    A link is followed to a file below one of the `allowed` folders or the source. Pipes are not read.
    """
    if allowed is None:
        with closing(Allowed(source)) as alone:
            return read_seed_file(source, source_path, alone)
    descriptor = open_file(os.path.join(os.fsencode(source), _file_name(source_path)), allowed)
    try:
        content = b""
        while len(content) <= MAX_FILE_BYTES and (part := os.read(descriptor, READ_AT_ONCE)):
            content += part
        return content
    finally:
        os.close(descriptor)


def printable(path: str) -> str:
    """Return a path as the tables store it: bytes that are not UTF-8 as %FF."""
    path = _AMBIGUOUS_PERCENT.sub("%25", path) if "%" in path else path
    if path.isascii():
        return path
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in path)


def _file_name(source_path: str) -> bytes:
    """Return the bytes of the file name that `printable` encoded."""
    plain, *rest = _ESCAPE.split(source_path)
    name = plain.encode()
    for code, text in zip(rest[::2], rest[1::2], strict=True):
        name += bytes([int(code, 16)]) + text.encode()
    return name
