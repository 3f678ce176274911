"""Remember files whose time changed but not their content, so that each is read only once more."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.errors import first_line
from flows.schema import FOUND, SOURCES
from flows.warehouse.arrow import arrow_schema
from flows.warehouse.disk import discard
from flows.warehouse.editions import LISTING_CACHE
from flows.warehouse.manifest import read_manifest
from flows.warehouse.parquet import read_table
from flows.warehouse.pointer import STAGING
from flows.warehouse.run_warnings import warn

_MAX_BYTES = 1_000_000_000  # enough for millions of files
_MAX_DIGITS = 20  # of a time in nanoseconds


def read_listing(warehouse: Path, reusable: Path | None) -> tuple[pa.Table, int]:
    """Return the files of the edition `reusable` with their last known sizes and times, and when they were listed.

    The columns are source_path, size, mtime_ns and content_hash, sorted by path; the time is in nanoseconds since 1970.
    """
    names = [*arrow_schema(FOUND).names, "content_hash"]
    listing = read_table(reusable, SOURCES, names)
    if reusable is None:
        return listing, 0
    cache = _read(warehouse / LISTING_CACHE, reusable)
    if cache is None:
        return listing, read_manifest(reusable).listed_at
    cached, listed_at = cache
    rows = cached.take(pc.index_in(listing["source_path"], value_set=cached["source_path"].combine_chunks()))
    # A row counts only for the content that the edition has, and each path once.
    is_known = pc.fill_null(pc.equal(rows["content_hash"], listing["content_hash"]), False)
    for name in ("size", "mtime_ns"):
        index, field = listing.schema.get_field_index(name), listing.schema.field(name)
        listing = listing.set_column(index, field, pc.if_else(is_known, rows[name], listing[name]))
    return listing, listed_at


def _read(file: Path, reusable: Path) -> tuple[pa.Table, int] | None:
    """Return the cache for an edition; None if there is none, if it is for another edition, or unreadable."""
    if not os.path.lexists(file):
        return None
    try:
        if file.is_symlink() or not file.is_file() or file.stat().st_size > _MAX_BYTES:
            raise ValueError("it is not a file of its kind")
        table = pq.ParquetFile(file).read([*arrow_schema(FOUND).names, "content_hash"])
        metadata = table.schema.metadata or {}
        listed_at = int(metadata[b"listed_at"][:_MAX_DIGITS])
        if listed_at > time.time_ns():
            raise ValueError("it is from the future")
        table = table.cast(pa.schema([*arrow_schema(FOUND), arrow_schema(SOURCES).field("content_hash")]))
    except (OSError, pa.ArrowException, ValueError, KeyError) as error:  # without the cache, files are read once more
        warn(f"The last listing of the source cannot be used ({first_line(error)}). Files are read once more.")
        with suppress(OSError):
            discard(file)
        return None
    return (table, listed_at) if metadata.get(b"edition_id") == reusable.name.encode() else None


def update(warehouse: Path, reusable: Path, found: pa.Table, previous: pa.Table, listed_at: int) -> None:
    """Store the sizes and times of files whose content did not change since the edition `reusable`.

    `found` and `previous` list the same paths.
    """
    same = pc.and_(pc.equal(found["size"], previous["size"]), pc.equal(found["mtime_ns"], previous["mtime_ns"]))
    changed = found.append_column("content_hash", previous["content_hash"]).filter(pc.invert(same))
    metadata = {"edition_id": reusable.name, "listed_at": str(listed_at)}
    staged = warehouse / STAGING / LISTING_CACHE
    try:
        staged.parent.mkdir(exist_ok=True)
        pq.write_table(changed.replace_schema_metadata(metadata), staged)
        staged.replace(warehouse / LISTING_CACHE)
    except OSError as error:
        warn(f"The last listing of the source cannot be stored ({first_line(error)}). Files are read once more.")
