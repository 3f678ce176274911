"""Remember files whose time changed but not their content, so that each is read only once more."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.schema import FOUND, SOURCES
from flows.warehouse.arrow import schema
from flows.warehouse.editions import TOUCHED
from flows.warehouse.manifest import read_manifest
from flows.warehouse.parquet import read_table
from flows.warehouse.pointer import STAGING
from flows.warehouse.source_diff import rows_without

_MAX_BYTES = 1_000_000_000  # of millions of files
_DIGITS = 20  # of nanoseconds


def last_listing(warehouse: Path, base: Path | None) -> tuple[pa.Table, int]:
    """Return the files behind the rows of `base`, with their last known sizes and times, and when they were listed.

    Columns source_path, size, mtime_ns and content_hash, sorted by path; the time is in nanoseconds since 1970.
    """
    names = [*schema(FOUND).names, "content_hash"]
    last = read_table(base, SOURCES, names)
    if base is None:
        return last, 0
    known = _read(warehouse / TOUCHED, base)
    if known is None:
        return last, read_manifest(base).listed_at
    touched, listed_at = known
    others = rows_without(last, "source_path", touched["source_path"])
    return pa.concat_tables([others, touched.select(names).cast(others.schema)]).sort_by("source_path"), listed_at


def _read(file: Path, base: Path) -> tuple[pa.Table, int] | None:
    """Return what is remembered for an edition; None if that is nothing, of another edition, or unreadable."""
    try:
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return None
        table = pq.ParquetFile(file).read([*schema(FOUND).names, "content_hash"])
        facts = table.schema.metadata or {}
        listed_at = int(facts[b"listed_at"][:_DIGITS])
        table = table.cast(pa.schema([*schema(FOUND), schema(SOURCES).field("content_hash")]))
    except (OSError, pa.ArrowException, ValueError, KeyError):  # all it saves is that files are read once more
        return None
    return (table, listed_at) if facts.get(b"edition_id") == base.name.encode() else None


def remember(warehouse: Path, base: Path, found: pa.Table, last: pa.Table, listed_at: int) -> None:
    """Remember sizes and times of files whose content is as in `base`; both tables list the same paths."""
    same = pc.and_(pc.equal(found["size"], last["size"]), pc.equal(found["mtime_ns"], last["mtime_ns"]))
    touched = found.append_column("content_hash", last["content_hash"]).filter(pc.invert(same))
    facts = {"edition_id": base.name, "listed_at": str(listed_at)}
    staged = warehouse / STAGING / TOUCHED
    staged.parent.mkdir(exist_ok=True)
    pq.write_table(touched.replace_schema_metadata(facts), staged)
    staged.replace(warehouse / TOUCHED)
