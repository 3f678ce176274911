"""Write the history of a warehouse: the ledger of changes, and the list of editions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.schema import ARTICLES, CHANGES, EDITIONS, IMAGES
from flows.warehouse.arrow import arrow_schema
from flows.warehouse.database import create_parquet_view, fetch_dicts, insert_parquet
from flows.warehouse.ddl import SQL
from flows.warehouse.disk import link_or_copy
from flows.warehouse.parquet import (
    month_file,
    month_files,
    read_file,
    read_table,
    table_file,
    write_parquet,
    write_table,
)

BATCH_ROWS = 4_096  # a row may contain both the old and the new text of an article


def find_changes(
    connection: duckdb.DuckDBPyConnection,
    edition: Path,
    previous: Path | None,
    months: Sequence[str | None] | None,
    noticed_at: datetime,
) -> Iterator[pa.RecordBatch]:
    """Yield the new rows of the ledger, with the columns and the order of `changes`.

    Only articles of the given months are compared, or all articles if `months` is None.
    """
    _create_views(connection, edition, previous, months)
    connection.execute((SQL / "ledger" / "differing.sql").read_text())
    query = (SQL / "ledger" / "changes.sql").read_text()
    found = connection.sql(query, params={"edition_id": edition.name, "noticed_at": noticed_at})
    yield from found.to_arrow_reader(BATCH_ROWS)


def _create_views(
    connection: duckdb.DuckDBPyConnection, edition: Path, previous: Path | None, months: Sequence[str | None] | None
) -> None:
    """Create the views that differing.sql and changes.sql compare."""
    for table in (ARTICLES, IMAGES):
        files = month_files(previous, table, months) if previous else []
        create_parquet_view(connection, f"previous_{table.name}", table, files)
        create_parquet_view(connection, f"new_{table.name}", table, month_files(edition, table, months))
    files = month_files(previous, CHANGES) if previous else []
    create_parquet_view(connection, "previous_changes", CHANGES, files)


def write_changes(
    edition: Path, previous: Path | None, changes: Iterator[pa.RecordBatch], noticed_at: datetime
) -> None:
    """Append changes to the ledger in the given order; link the files of earlier months from `previous`."""
    batches = (batch for batch in changes if batch.num_rows)
    first = next(batches, None)
    this_month = month_file(edition, CHANGES, f"{noticed_at:%Y-%m}")
    earlier = _ledger_files(edition, previous)
    extended = earlier.pop(this_month, None) if first is not None else None
    for target, file in earlier.items():
        link_or_copy(file, target)
    if first is not None:
        _write_month(this_month, extended, chain([first], batches))
    elif not earlier:  # an empty file lets readers find the columns
        write_parquet(this_month, arrow_schema(CHANGES), [])


def _ledger_files(edition: Path, previous: Path | None) -> dict[Path, Path]:
    """Return the files of the previous ledger, keyed by their path in the new edition.

    An edition of schema 1 has folders such as noticed_month=2026-11.
    """
    files = month_files(previous, CHANGES) if previous else []
    return {month_file(edition, CHANGES, file.parent.name.rpartition("=")[2]): file for file in files}


def _write_month(file: Path, extended: Path | None, batches: Iterator[pa.RecordBatch]) -> None:
    """Write a month of the ledger: the rows of the existing file, then the new rows."""
    schema = arrow_schema(CHANGES)
    known = [_read_month(extended)] if extended else []
    write_parquet(file, schema, chain(known, (pa.Table.from_batches([batch]).cast(schema) for batch in batches)))


def _read_month(file: Path) -> pa.Table:
    """Return the rows of a ledger file, also of one with the columns of an older schema."""
    empty = arrow_schema(CHANGES).empty_table()
    return pa.concat_tables([empty, read_file(file)], promote_options="default").select(empty.schema.names)


def write_editions(edition: Path, previous: Path | None, row: pa.Table) -> None:
    """Write the list of editions: the previous list, and the new row."""
    write_table(edition, EDITIONS, pa.concat_tables([read_table(previous, EDITIONS), row], promote_options="default"))


def insert_changes(connection: duckdb.DuckDBPyConnection, edition: Path, copied: bool) -> None:
    """Insert the ledger from its Parquet, or only the changes of this edition if the database was copied."""
    files = month_files(edition, CHANGES)
    if not copied:
        insert_parquet(connection, CHANGES, files)
        return
    create_parquet_view(connection, "new_changes", CHANGES, files[-1:])
    connection.execute(f"INSERT INTO {CHANGES.name} FROM new_changes WHERE edition_id = $id", {"id": edition.name})


def replace_editions(connection: duckdb.DuckDBPyConnection, edition: Path) -> None:
    """Replace the list of editions with the one in Parquet."""
    connection.execute(f"DELETE FROM {EDITIONS.name}")
    insert_parquet(connection, EDITIONS, [table_file(edition, EDITIONS)])


def count_edition(connection: duckdb.DuckDBPyConnection, edition_id: str) -> dict[str, int]:
    """Return the counts of the edition that is being built, by column of `editions`."""
    query = (SQL / "ledger" / "edition_counts.sql").read_text()
    (counts,) = fetch_dicts(connection.execute(query, {"edition_id": edition_id}))
    return counts
