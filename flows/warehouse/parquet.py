"""Read and write the Parquet files of an edition: one per month for tables by month, else one per table.

The folder of a month is named after it, such as `2026-11`, and rows also have the month as a column, so readers can
ignore the folders. Editions of schema 1 used Hive partitioning: `published_month=2026-11` (`noticed_month=2026-11` for
the ledger), without that column in the files. They can still be read.
"""

import errno
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.errors import EditionDamagedError, first_line
from flows.schema import CONTENT, DROPPED, DUPLICATES, PROBLEMS, Table
from flows.warehouse import staging
from flows.warehouse.arrow import arrow_schema, sort, sort_order
from flows.warehouse.disk import link_or_copy
from flows.warehouse.source_diff import rows_without
from flows.warehouse.staging import StagedFile

UNDATED = "undated"  # the folder of rows without a month
ROW_GROUP_SIZE = 20_000  # rows
TEXT_ROW_GROUP_SIZE = 4_096  # rows of tables with article texts, since a whole row group is in memory


def write_months(
    folder: Path, work: Path, staged: Sequence[StagedFile], reused: Collection[Path], months: Sequence[str | None]
) -> list[str]:
    """Write some months of each content table into a folder, and return the paths of the files below it.

    A month has the staged rows, except those of duplicates, and the rows of the `reused` files of the previous edition,
    except those of dropped articles. A month without rows has no file.
    """
    duplicates = staging.read_rows(work, staged, DUPLICATES)["source_path"]
    dropped = staging.read_rows(work, staged, DROPPED)["article_id"]
    written = []
    for table in CONTENT:
        read_staged = staging.month_reader(work, staged, table)
        for month in months:
            file = month_file(Path(), table, month)
            known = [path for path in reused if path.parts[-len(file.parts) :] == file.parts]
            # Nested calls, so that the rows of a month are freed before the next month is read.
            if _write_month(folder / file, _merge(table, _read_reused(known, dropped), read_staged(month), duplicates)):
                written.append(file.as_posix())
    return written


def _write_month(file: Path, merged: tuple[pa.Table, pa.Array]) -> bool:
    """Write the rows of a month, and return whether there are any."""
    rows, indices = merged
    groups = (indices[start : start + TEXT_ROW_GROUP_SIZE] for start in range(0, len(indices), TEXT_ROW_GROUP_SIZE))
    if len(indices):
        write_parquet(file, rows.schema, map(rows.take, groups))
    return len(indices) > 0


def _merge(
    table: Table, reused: list[pa.Table], staged: pa.Table | None, duplicates: pa.ChunkedArray
) -> tuple[pa.Table, pa.Array]:
    """Return the rows of a month, and the indices of the rows to write, in order.

    Rows have long texts, so they are neither copied for sorting nor for filtering.
    """
    empty = arrow_schema(table).empty_table()
    parts = [part.cast(empty.schema) for part in reused]
    if not staged:
        rows = _combine(empty, parts)
        return rows, sort_order(table, rows)
    rows = _combine(empty, [*parts, staged.select(empty.schema.names).cast(empty.schema)])
    excluded = pc.indices_nonzero(pc.is_in(staged["source_path"], duplicates.combine_chunks()))
    first_staged = pa.scalar(rows.num_rows - staged.num_rows, excluded.type)
    order = sort_order(table, rows)
    return rows, order.filter(pc.invert(pc.is_in(order, pc.add(excluded, first_staged))))


def _combine(empty: pa.Table, parts: list[pa.Table]) -> pa.Table:
    """Concatenate the parts into one table, without a copy if there is only one."""
    return parts[0] if len(parts) == 1 else pa.concat_tables([empty, *parts]).combine_chunks()


def link_unchanged_months(edition: Path, reusable: Path | None, rewritten: Sequence[str | None]) -> None:
    """Link all months of each content table from the edition `reusable`, except for rewritten ones."""
    for table in CONTENT:
        written = {month_file(edition, table, month) for month in rewritten}
        for file in month_files(reusable, table) if reusable else []:
            target = edition / table.name / file.parent.name / file.name
            if target not in written and row_count(file):
                link_or_copy(file, target)
        if not month_files(edition, table):  # an empty file lets readers find the columns
            schema = arrow_schema(table)
            write_parquet(month_file(edition, table, None), schema, [schema.empty_table()])


def _read_reused(files: list[Path], dropped: pa.ChunkedArray) -> list[pa.Table]:
    """Return the rows of a month that are reused from the previous edition."""
    return [rows_without(read_file(file), "article_id", dropped) for file in files]


def month_file(edition: Path, table: Table, month: str | None) -> Path:
    """Return the file of one month of a table."""
    return edition / table.name / (month or UNDATED) / f"{table.name}.parquet"


def month_files(edition: Path, table: Table, months: Sequence[str | None] | None = None) -> list[Path]:
    """Return the existing files of the given months of a table, or of all months, in order.

    Only all months include the files of an edition of schema 1.
    """
    if months is None:
        return sorted((edition / table.name).glob(f"*/{table.name}.parquet"))
    return [file for month in months if (file := month_file(edition, table, month)).exists()]


def edition_files(edition: Path, table: Table) -> list[Path]:
    """Return all files of a table."""
    return month_files(edition, table) if table.by_month else [table_file(edition, table)]


def table_file(edition: Path, table: Table) -> Path:
    """Return the file of a table that is stored in one file."""
    return edition / f"{table.name}.parquet"


def write_table(edition: Path, table: Table, rows: pa.Table) -> None:
    """Write a table that is stored in one file."""
    write_parquet(table_file(edition, table), rows.schema, [sort(table, rows)])


def read_table(edition: Path | None, table: Table, names: list[str] | None = None) -> pa.Table:
    """Read a table that is stored in one file, or some of its columns; return no rows if `edition` is None."""
    if edition is None:
        return arrow_schema(table).empty_table().select(names or arrow_schema(table).names)
    return read_file(table_file(edition, table), names)


def count_internal_errors(edition: Path) -> int:
    """Return the number of seed files of an edition on which the parser failed."""
    return int(pc.sum(pc.equal(read_table(edition, PROBLEMS, ["code"])["code"], "internal_error")).as_py() or 0)


def row_count(file: Path) -> int:
    """Return the number of rows of a Parquet file, from its footer; raise EditionDamagedError."""
    with _translate_read_errors(file):
        return int(pq.read_metadata(file).num_rows)


def read_file(file: Path, names: list[str] | None = None) -> pa.Table:
    """Read a Parquet file of an edition, or some of its columns; raise EditionDamagedError."""
    with _translate_read_errors(file):
        return pq.ParquetFile(file).read(names)


@contextmanager
def _translate_read_errors(file: Path) -> Iterator[None]:
    """Raise EditionDamagedError if a file is missing or damaged; raise other disk errors unchanged."""
    try:
        yield
    except (pa.ArrowInvalid, OSError) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise
        reason = "it does not exist" if isinstance(error, FileNotFoundError) else first_line(error)
        raise EditionDamagedError(
            f"{file} cannot be read ({reason}). Restore it, or choose another edition with broadsheet rollback EDITION."
        ) from None


def write_parquet(file: Path, schema: pa.Schema, parts: Iterable[pa.Table]) -> None:
    """Write a file with Zstandard compression, with one part in memory at a time. Equal rows give equal bytes.

    Each row group is combined into one chunk, since the boundaries of chunks affect those of Parquet pages.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer:
        for part in parts:
            for start in range(0, max(part.num_rows, 1), ROW_GROUP_SIZE):
                writer.write_table(part.slice(start, ROW_GROUP_SIZE).combine_chunks(), ROW_GROUP_SIZE)
