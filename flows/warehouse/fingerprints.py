"""Compute fingerprints of all tables in DuckDB and in Parquet, for sql/checks/parquet_equals_duckdb.sql."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from flows.schema import CONTENT, TABLES, Table
from flows.warehouse.database import create_parquet_view, escape_glob
from flows.warehouse.ddl import literal
from flows.warehouse.parquet import month_files, table_file

Months = Sequence[str | None] | None
_IS_COMPARED = "getvariable('months') IS NULL OR list_contains(getvariable('months'), coalesce(published_month, ''))"


def create_fingerprints(connection: duckdb.DuckDBPyConnection, edition: Path, months: Months) -> None:
    """Create the view `fingerprints`: table_name, origin (duckdb or parquet), row_count and fingerprint.

    Content tables have fingerprints of the given months only, so that other files are not read, or of all months if
    `months` is None. Their other months are compared by the number of rows.
    """
    listed = None if months is None else [month or "" for month in months]
    connection.execute("SET VARIABLE months = $months::VARCHAR[]", {"months": listed})
    selects = [select for table in TABLES for select in _selects(connection, table, edition, months)]
    connection.execute(f"CREATE OR REPLACE TEMP VIEW fingerprints AS {' UNION ALL '.join(selects)}")


def _selects(connection: duckdb.DuckDBPyConnection, table: Table, edition: Path, months: Months) -> Iterator[str]:
    """Yield the SELECT statements for a table."""
    name, in_duckdb, in_parquet = table.name, table.name, f"{table.name}_in_parquet"
    if table in CONTENT:
        create_parquet_view(connection, in_parquet, table, month_files(edition, table, months))
        in_duckdb = f"{name} WHERE {_IS_COMPARED}"
        yield _row_count(f"{name}, all months", "duckdb", name)
        yield _row_count(f"{name}, all months", "parquet", _files(f"{escape_glob(edition / name)}/*/*.parquet"))
    elif table.by_month:
        create_parquet_view(connection, in_parquet, table, month_files(edition, table))
    else:
        in_parquet = _files(escape_glob(table_file(edition, table)))
    yield _fingerprint(name, "duckdb", in_duckdb)
    yield _fingerprint(name, "parquet", in_parquet)


def _files(pattern: str) -> str:
    return f"read_parquet({literal(pattern)}, hive_partitioning = false)"


def _fingerprint(name: str, origin: str, rows: str) -> str:
    return _select(name, origin, "bit_xor(hash(*COLUMNS(*)))", rows)


def _row_count(name: str, origin: str, rows: str) -> str:
    return _select(name, origin, "0", rows)


def _select(name: str, origin: str, fingerprint: str, rows: str) -> str:
    values = f"{literal(name)} AS table_name, {literal(origin)} AS origin, count(*) AS row_count"
    return f"SELECT {values}, {fingerprint} AS fingerprint FROM {rows}"
