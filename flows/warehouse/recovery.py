"""Restore a damaged Parquet file of an edition from the rows in the edition's database."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import duckdb
import pyarrow as pa

from flows.schema import CONTENT, EDITIONS, PROBLEMS, SOURCES, Table
from flows.warehouse import disk
from flows.warehouse.arrow import arrow_schema, sort
from flows.warehouse.database import open_database
from flows.warehouse.database_note import database_facts
from flows.warehouse.manifest import has_file
from flows.warehouse.manifest_model import FileFacts
from flows.warehouse.parquet import TEXT_ROW_GROUP_SIZE, UNDATED, write_parquet
from flows.warehouse.pointer import STAGING


def restore_from_database(edition: Path, facts: FileFacts) -> bool:
    """Write a Parquet file again from the database, and return whether it now has the hash in the manifest.

    Equal rows give equal bytes, except with another release of Arrow, and in the ledger, whose row groups depend on the
    runs that wrote it. A file with another hash is discarded.
    """
    table, database = _table(facts), database_facts(edition)
    if table is None or database is None or not has_file(edition, database):
        return False
    staged = edition.parent / STAGING / "restored"
    try:
        rows = _rows(edition, table, PurePosixPath(facts.path).parent.name)
        write_parquet(staged / facts.path, rows.schema, _groups(table, rows))
    except (duckdb.Error, pa.ArrowException):
        return False
    if not has_file(staged, facts):
        return False
    disk.seal(staged / facts.path)
    (edition / facts.path).parent.mkdir(parents=True, exist_ok=True)
    (staged / facts.path).replace(edition / facts.path)
    return True


def _table(facts: FileFacts) -> Table | None:
    """Return the table of a file, None if it cannot be restored."""
    by_file = {f"{table.name}.parquet": table for table in (PROBLEMS, SOURCES, EDITIONS)}
    by_folder = {table.name: table for table in CONTENT}
    return (by_file | by_folder).get(facts.path.split("/", 1)[0])


def _rows(edition: Path, table: Table, month: str) -> pa.Table:
    """Return the rows of a table, or of one month for a table by month, in the order of its files."""
    where = f"coalesce(published_month, '{UNDATED}') = $month" if table.by_month else "$month = ''"
    with open_database(edition) as connection:
        rows = connection.sql(f"FROM {table.name} WHERE {where}", params={"month": month}).to_arrow_table()
    return sort(table, rows.select(arrow_schema(table).names).cast(arrow_schema(table)))


def _groups(table: Table, rows: pa.Table) -> Iterator[pa.Table]:
    """Yield the rows in row groups of the size with which the table is written."""
    size = TEXT_ROW_GROUP_SIZE if table.by_month else max(rows.num_rows, 1)
    yield from (rows.slice(start, size) for start in range(0, max(rows.num_rows, 1), size))
