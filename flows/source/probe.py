"""Check whether two machines see the same source."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.object_store.path import ObjectPath, by_kind
from flows.source.file_names import file_name
from flows.source.listing import MAX_FILE_BYTES, read_seed_files

_MICROSECOND = 1_000  # nanoseconds: network file systems round times, to 100 ns at most


def find_unlike(source: Path | ObjectPath, files: pa.Table, unread: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the paths of listed files that are not as listed on this machine, or that it could not read.

    `files` has the columns source_path, size and mtime_ns; `unread` are the paths of those that could not be read.
    Below a URL, every machine sees the same objects.
    """
    changed = by_kind(source, lambda folder: _changed(folder, files), lambda url: ())
    return tuple(sorted({*changed, *unread.to_pylist()}))


def _changed(folder: Path, files: pa.Table) -> Iterator[str]:
    root = os.fsencode(folder)
    columns = (files[name].to_pylist() for name in ("source_path", "size", "mtime_ns"))
    for path, size, mtime_ns in zip(*columns, strict=True):
        try:
            facts = Path(os.fsdecode(os.path.join(root, file_name(path)))).stat()
        except OSError:
            yield path
            continue
        if facts.st_size != size or facts.st_mtime_ns // _MICROSECOND != mtime_ns // _MICROSECOND:
            yield path


def find_readable(source: Path | ObjectPath, files: pa.Table, link_roots: Sequence[Path]) -> Iterator[str]:
    """Yield the paths of listed files that are as listed on this machine and readable."""
    nothing = pa.chunked_array([pa.array([], pa.string())])
    changed = pa.array(find_unlike(source, files, nothing), pa.string())
    paths = files["source_path"].filter(pc.invert(pc.is_in(files["source_path"], changed))).to_pylist()
    for path, content in zip(paths, read_seed_files(source, paths, link_roots), strict=True):
        if isinstance(content, bytes) and len(content) <= MAX_FILE_BYTES:
            yield path
