"""Compare the Parquet files of two editions row by row."""

from functools import partial
from pathlib import Path

from flows.schema import Table, columns
from flows.warehouse.database import Config, connect, create_parquet_view, with_retry
from flows.warehouse.ddl import SQL, create_tables
from flows.warehouse.parquet import edition_files

MAX_ROWS = 20  # listed per table
_RUN_COLUMNS = (
    "mtime_ns",
    "etag_hash",
    "first_edition",
    "last_changed_edition",
)  # not derived from the source alone


def differing_rows(table: Table, edition: Path, rebuilt: Path) -> list[str]:
    """Return a sentence for each row of a table that differs between an edition and its rebuild."""
    return _sentences(table, with_retry(rebuilt, partial(_compare, table, edition, rebuilt)))


def _compare(table: Table, edition: Path, rebuilt: Path, config: Config) -> list[tuple[str, str]]:
    with connect(config, rebuilt.parent) as connection:
        connection.execute("ATTACH ':memory:' AS edition")
        connection.execute("USE edition")
        create_tables(connection)
        for name, folder in (("published", edition), ("rebuilt", rebuilt)):
            create_parquet_view(connection, name, table, edition_files(folder, table))
        compared = ", ".join(column.name for column in columns(table) if column.name not in _RUN_COLUMNS)
        for name in ("published", "rebuilt"):
            connection.execute(f"CREATE TEMP VIEW {name}_rows AS SELECT {compared} FROM {name}")
        return connection.execute((SQL / "verify" / "differences.sql").read_text()).fetchall()


def _sentences(table: Table, found: list[tuple[str, str]]) -> list[str]:
    lines = [f"{table.name}: {where}: {row}" for where, row in found[:MAX_ROWS]]
    return [*lines, f"{table.name}: {len(found) - MAX_ROWS:,} more rows differ."] if len(found) > MAX_ROWS else lines
