"""The Parquet files of an edition: one per month for the tables that have months, else one per table.

A month's folder is named by the month alone, and rows have their month as a column: readers need not know anything
about folders. Editions of schema 1 named folders as Hive does, `published_month=2026-11`, without that column in their
files; the ledger was in `noticed_month=2026-11`. They are still read.
"""

import errno
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.errors import EditionDamagedError, first_line
from flows.schema import CHANGES, CONTENT, DROPPED, EDITIONS, LOST, PROBLEMS, Table
from flows.warehouse import staging
from flows.warehouse.arrow import in_order, schema, sort
from flows.warehouse.disk import link_or_copy
from flows.warehouse.source_diff import rows_without

UNDATED = "undated"  # the folder of rows without a month
ROW_GROUP = 20_000  # rows
GROUP_OF_TEXTS = 4_096  # rows of a table that has articles' texts, which are in memory at once


def write_months(work: Path, edition: Path, base: Path | None, months: Sequence[str | None]) -> None:
    """Write some months of each content table.

    A month has the staged rows, without those of duplicates, and the rows of `base`, without the dropped articles.
    """
    lost = staging.read(work, LOST)["source_path"]
    dropped = staging.read(work, DROPPED)["article_id"]
    for table in CONTENT:
        waiting = staging.by_month(work, table)
        for month in months:
            # Nothing of a month outlives its call: the next one needs the memory.
            _write_month(
                edition, table, month, _merged(table, _kept(base, table, month, dropped), waiting(month), lost)
            )


def _write_month(edition: Path, table: Table, month: str | None, merged: tuple[pa.Table, pa.Array]) -> None:
    rows, places = merged
    groups = (places[start : start + GROUP_OF_TEXTS] for start in range(0, len(places), GROUP_OF_TEXTS))
    if len(places):
        _write(month_file(edition, table, month), rows.schema, map(rows.take, groups))


def _merged(
    table: Table, kept: list[pa.Table], waiting: pa.Table | None, lost: pa.ChunkedArray
) -> tuple[pa.Table, pa.Array]:
    """Return the rows of a month, and the indices of those to write, in order.

    Texts are long: rows are not copied to be sorted, or to leave out a few of them.
    """
    shape = schema(table)
    new = [waiting.select(shape.names)] if waiting else []
    parts = [part.cast(shape) for part in (*kept, *new)]
    rows = parts[0] if len(parts) == 1 else pa.concat_tables([shape.empty_table(), *parts]).combine_chunks()
    order = in_order(table, rows)
    if not waiting:
        return rows, order
    first = rows.num_rows - waiting.num_rows
    gone = pc.indices_nonzero(pc.is_in(waiting["source_path"], lost.combine_chunks()))
    return rows, order.filter(pc.invert(pc.is_in(order, pc.add(gone, pa.scalar(first, gone.type)))))


def share_others(edition: Path, base: Path | None, months: Sequence[str | None]) -> None:
    """Share all months of each content table but some with the edition `base`."""
    for table in CONTENT:
        rewritten = {month_file(edition, table, month) for month in months}
        for file in month_files(base, table) if base else []:
            to = edition / table.name / file.parent.name / file.name
            if to not in rewritten and row_count(file):
                link_or_copy(file, to)
        if not month_files(edition, table):  # so that readers find the columns
            _write(month_file(edition, table, None), schema(table), [schema(table).empty_table()])


def _kept(base: Path | None, table: Table, month: str | None, dropped: pa.ChunkedArray) -> list[pa.Table]:
    """Return the rows of a month that stay unchanged."""
    files = month_files(base, table, [month]) if base else []
    return [rows_without(read_file(file), "article_id", dropped) for file in files]


def month_file(edition: Path, table: Table, month: str | None) -> Path:
    """Return the file of a table's month."""
    return edition / table.name / (month or UNDATED) / f"{table.name}.parquet"


def month_files(edition: Path, table: Table, months: Sequence[str | None] | None = None) -> list[Path]:
    """Return the files of a table's months, or of some of them, in order; also for an edition of schema 1."""
    if months is None:
        return sorted((edition / table.name).glob(f"*/{table.name}.parquet"))
    return [file for month in months if (file := month_file(edition, table, month)).exists()]


def write_table(edition: Path, table: Table, rows: pa.Table) -> None:
    """Write a table that is one file."""
    _write(edition / f"{table.name}.parquet", rows.schema, [sort(table, rows)])


def read_table(edition: Path | None, table: Table, names: list[str] | None = None) -> pa.Table:
    """Read a table that is one file, or some of its columns; without an edition it has no rows."""
    if edition is None:
        return schema(table).empty_table().select(names or schema(table).names)
    return read_file(edition / f"{table.name}.parquet", names)


def count_internal_errors(edition: Path) -> int:
    """Return the number of seed files of an edition that made the parser fail."""
    return int(pc.sum(pc.equal(read_table(edition, PROBLEMS, ["code"])["code"], "internal_error")).as_py() or 0)


def write_ledger(edition: Path, before: Path | None, gained: Iterator[pa.RecordBatch], noticed_at: datetime) -> None:
    """Append rows to the ledger in the order given; months before this one are shared with `before`."""
    rows = (batch for batch in gained if batch.num_rows)
    first = next(rows, None)
    this_month = month_file(edition, CHANGES, f"{noticed_at:%Y-%m}")
    written = []
    for file in month_files(before, CHANGES) if before else []:
        to = month_file(edition, CHANGES, file.parent.name.rpartition("=")[2])  # "noticed_month=2026-11" in schema 1
        if to == this_month and first is not None:
            written.append(read_file(file))
        else:
            link_or_copy(file, to)
    if first is not None or not month_files(edition, CHANGES):
        shape = schema(CHANGES)
        known = pa.concat_tables([shape.empty_table(), *written], promote_options="default").select(shape.names)
        new = (pa.Table.from_batches([batch]).cast(shape) for batch in chain([] if first is None else [first], rows))
        _write(this_month, shape, chain([known] if written else [], new))


def write_editions(edition: Path, before: Path | None, row: pa.Table) -> None:
    """Write the list of editions: those of the previous edition, and this one."""
    write_table(edition, EDITIONS, pa.concat_tables([read_table(before, EDITIONS), row], promote_options="default"))


def row_count(file: Path) -> int:
    """Return the number of rows of a Parquet file, from its footer; raise EditionDamagedError."""
    with _undamaged(file):
        return int(pq.read_metadata(file).num_rows)


def read_file(file: Path, names: list[str] | None = None) -> pa.Table:
    """Read a Parquet file of an edition, or some of its columns; raise EditionDamagedError."""
    with _undamaged(file):
        return pq.ParquetFile(file).read(names)


@contextmanager
def _undamaged(file: Path) -> Iterator[None]:
    """Raise EditionDamagedError if a file is missing or damaged; a failing disk raise OSError, as elsewhere."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else first_line(error)
        raise EditionDamagedError(
            f"{file} cannot be read ({reason}). Restore the edition, or choose another one with broadsheet"
            " rollback EDITION."
        ) from None


def _write(file: Path, shape: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """Write Parquet with Zstandard, the same bytes for the same rows, one part in memory at a time.

    A group of rows is combined into one chunk, since pages end where chunks do.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(file, shape, compression="zstd", compression_level=1) as writer:
        for part in parts:
            for start in range(0, max(part.num_rows, 1), ROW_GROUP):
                writer.write_table(part.slice(start, ROW_GROUP).combine_chunks(), ROW_GROUP)
