"""List the seed files of a source, and read their bytes."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path

import xxhash

from flows.errors import ConfigurationError, ObjectRefusedError, SourceUnreadableError, StorageRefusedError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath, by_kind
from flows.problems import RejectedError
from flows.schema import SeedFile
from flows.source.file_names import file_name, printable
from flows.source.links import AllowedRoots, find_target, may_be_folder, open_file

MAX_FILE_BYTES = 2_000_000  # 100 times a long article; the worst input of this size takes two seconds to parse
READ_BYTES = 1 << 20  # of one read
MIN_MTIME_NS, MAX_MTIME_NS = -(2**63), 2**63 - 1  # the range of an int64 column: the years 1677 to 2262
ROOT_UIDS = (0, 65534)  # root, and root of the host as it appears in a container with user namespaces

Content = bytes | OSError | RejectedError  # the bytes of a file, or the reason why it cannot be read
# If all objects of a batch are refused, up to this many others are listed and tried, to find one that can be read.
MAX_OTHERS_LISTED, MAX_OTHERS_TRIED = 10_000, 32

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def list_seed_files(
    source: Path | ObjectPath,
    extensions: tuple[str, ...],
    link_roots: Sequence[Path] = (),
    warehouses: Sequence[Path | ObjectPath] = (),
) -> Iterator[SeedFile]:
    """Yield the regular, visible files below `source` with one of `extensions` (in any case), in no particular order.

    A link to a file is listed with the size and time of its target if it may be followed, else with its own. A link to
    a folder is listed with its own, and rejected when it is read. Files below one of the `warehouses` are skipped.

    Raise SourceUnreadableError if a folder cannot be listed, since its articles would count as withdrawn.
    """
    skipped = _inside(source, warehouses)
    return by_kind(
        source,
        lambda folder: _list_folder(folder, extensions, AllowedRoots(folder, *link_roots), skipped),
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
    """Yield the objects below a URL. A store reports modification times to the second, so that the ETag counts."""
    for name, size, modified, etag in objects.list_objects(source):
        if name.lower().endswith(extensions) and "/." not in f"/{name}" and not name.startswith(skipped):
            mtime_ns = (modified - _EPOCH) // timedelta(microseconds=1) * 1000
            yield SeedFile(printable(name), size, mtime_ns, _etag_hash(etag))


def _etag_hash(etag: str | None) -> int | None:
    return None if etag is None else int.from_bytes(xxhash.xxh3_64_digest(etag.encode()), "big", signed=True)


def _list_folder(
    source: Path, extensions: tuple[str, ...], allowed: AllowedRoots, skipped: tuple[str, ...]
) -> Iterator[SeedFile]:
    waiting = [""]  # relative paths of folders to list, each with a trailing /
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
                if not MIN_MTIME_NS <= mtime_ns <= MAX_MTIME_NS:
                    mtime_ns = MIN_MTIME_NS if mtime_ns < 0 else MAX_MTIME_NS
                yield SeedFile(printable(below + name), facts.st_size, mtime_ns)


def _link_facts(link: os.DirEntry[str], is_seed: bool, allowed: AllowedRoots) -> os.stat_result | None:
    """Return the stat result of a link's target, or of the link if it is not followed; None if it is not a seed file.

    Whether the link is followed is checked again when the file is read.
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
    """Return whether a folder is the lost+found of a file system, which belongs to root."""
    path = Path(folder)
    return path.name == "lost+found" and path.lstat().st_uid in ROOT_UIDS


def _unreadable(what: str, path: str, error: OSError) -> SourceUnreadableError:
    name = printable(path.rstrip("/"))
    return SourceUnreadableError(
        f"The {what} {name} cannot be listed ({error.strerror}), so its articles"
        " would count as withdrawn. Give this user permission to list and enter the folder."
    )


def read_seed_files(
    source: Path | ObjectPath, paths: Sequence[str], link_roots: Sequence[Path] = ()
) -> Iterator[Content]:
    """Yield the content of listed files in order, or the error for a file that cannot be read.

    Only a few files are in memory at the same time.

    Raise RunError if the object store fails or refuses all objects. A single object that is missing, archived or
    forbidden only counts as an unreadable file.
    """
    return by_kind(
        source, lambda folder: _read_folder(folder, paths, link_roots), lambda url: _read_objects(url, paths)
    )


def _read_folder(source: Path, paths: Sequence[str], link_roots: Sequence[Path]) -> Iterator[Content]:
    with closing(AllowedRoots(source, *link_roots)) as allowed:
        yield from map(partial(_or_error, partial(read_seed_file, source, allowed=allowed)), paths)


def _or_error(read: Callable[[str], bytes], source_path: str) -> Content:
    try:
        return read(source_path)
    except (OSError, RejectedError) as error:
        return error


def _read_objects(source: ObjectPath, paths: Sequence[str]) -> Iterator[Content]:
    refused = 0
    for content in transfers.map_concurrently(partial(_or_error, partial(_read_object, source)), paths):
        refused += isinstance(content, PermissionError)
        yield content
    if refused and refused == len(paths):
        _require_some_readable(source, set(paths))


def _read_object(source: ObjectPath, source_path: str) -> bytes:
    try:
        return objects.read(source / file_name(source_path).decode(), MAX_FILE_BYTES + 1)
    except ObjectRefusedError as error:
        raise PermissionError(None, error.reason) from None


def _require_some_readable(source: ObjectPath, refused: set[str]) -> None:
    """Raise StorageRefusedError unless at least one of some other objects can be read.

    Without this check, a run with credentials that only permit listing would withdraw all articles.
    """
    listed = [found.name for found in islice(objects.list_objects(source), MAX_OTHERS_LISTED)]
    others = [name for name in listed if printable(name) not in refused]
    tried = others[:: max(1, len(others) // MAX_OTHERS_TRIED)]
    if not any(
        isinstance(content, bytes) for content in transfers.map_concurrently(partial(_first_byte, source), tried)
    ):
        raise StorageRefusedError(
            f"Access to all {len(refused) + len(tried):,} objects that were tried below {source} was refused: they are"
            f" archived or forbidden. Grant these credentials {objects.permission_to_read(source)}, or restore the"
            " objects from the archive."
        )


def _first_byte(source: ObjectPath, name: str) -> bytes | None:
    try:
        return objects.read(source / name, 1)
    except (ObjectRefusedError, FileNotFoundError):
        return None


def read_seed_file(source: Path, source_path: str, allowed: AllowedRoots | None = None) -> bytes:
    """Return the bytes of a listed file, reading little more than MAX_FILE_BYTES; raise OSError or RejectedError.

    A link is followed to a file below one of the `allowed` roots, by default the source. Pipes are not read.
    """
    if allowed is None:
        with closing(AllowedRoots(source)) as source_only:
            return read_seed_file(source, source_path, source_only)
    descriptor = open_file(os.path.join(os.fsencode(source), file_name(source_path)), allowed)
    try:
        content = b""
        while len(content) <= MAX_FILE_BYTES and (part := os.read(descriptor, READ_BYTES)):
            content += part
        return content
    finally:
        os.close(descriptor)
