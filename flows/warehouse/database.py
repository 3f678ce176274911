"""The DuckDB file of an edition: tables filled from its Parquet, views, comments."""

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from flows.problems import RunError
from flows.tables import CONTENT, PROBLEMS, SOURCES, TABLES, Table, columns
from flows.warehouse.manifest import read_manifest
from flows.warehouse.parquet import month_files

SQL = Path(__file__).parents[2] / "sql"
DATABASE = "broadsheet.duckdb"
MOST_GROWTH = 1.5  # of the file, until it is built anew
_TYPES = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}
_ZSTD = ("body", "text", "old_value", "new_value")  # long texts load in half the time and half the bytes
# Nothing reaches out.
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextmanager
def building(edition: Path, copied: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database in the folder of an edition, open for one transaction that is committed at the end.

    It is a copy of that of the edition `copied`, or a new one with empty tables.
    """
    file = edition / DATABASE
    file.unlink(missing_ok=True)
    if copied:
        shutil.copyfile(copied / DATABASE, file)
    with closing(duckdb.connect(config=CONFIG)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # v1.4.0: readable by every DuckDB since 1.4.
        connection.execute(f"ATTACH {_literal(file)} AS edition (STORAGE_VERSION 'v1.4.0')")
        connection.execute("USE edition")
        connection.execute("BEGIN")
        if not copied:
            create_tables(connection)
        yield connection
        create_views(connection)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT edition")
    if file.with_name(file.name + ".wal").exists():  # it would be replayed into whatever file takes the name
        raise RunError(f"DuckDB left a write-ahead log beside {file}; run again.")


def worth_copying(edition: Path, base: Path | None, months: Sequence[str | None] | None) -> Path | None:
    """`base` where changing a copy of its database costs less than building a new one, else None.

    It does not where most of the content changes, nor where the file has grown by half through such changes.
    """
    if base is None or months is None:
        return None
    changed = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table, months))
    total = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table))
    built = read_manifest(base)["database_bytes_when_built"]
    grown = (base / DATABASE).stat().st_size > built * MOST_GROWTH
    return None if changed * 2 > total or grown else base


def bytes_when_built(edition: Path, base: Path | None, months: Sequence[str | None] | None) -> int:
    """The size of an edition's database when it was last built anew, from which its growth is counted."""
    copied = worth_copying(edition, base, months)
    return int(read_manifest(copied)["database_bytes_when_built"]) if copied else (edition / DATABASE).stat().st_size


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create every table, with its comments."""
    for table in TABLES:
        shape = ", ".join(_ddl(column.name, column.type, column.nullable) for column in columns(table))
        connection.execute(f"CREATE TABLE {table.name} ({shape})")
        _comment(connection, "TABLE", table.name, table.description)
        for column in columns(table):
            _comment(connection, "COLUMN", f"{table.name}.{column.name}", column.description)


def _ddl(name: str, kind: str, nullable: bool) -> str:
    compression = " USING COMPRESSION zstd" if name in _ZSTD else ""
    return f"{name} {_TYPES[kind]}{'' if nullable else ' NOT NULL'}{compression}"


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, name: str, text: str) -> None:
    connection.execute(f"COMMENT ON {kind} {name} IS {_literal(text)}")


def _literal(text: object) -> str:
    quoted = str(text).replace("'", "''")
    return f"'{quoted}'"


def exact(path: Path) -> str:
    """A path as DuckDB takes it, which reads names as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def view_parquet(connection: duckdb.DuckDBPyConnection, name: str, table: Table, files: Sequence[Path]) -> None:
    """A temporary view of Parquet files with the columns of a table, also where a file of an older one lacks some."""
    names = ", ".join(column.name for column in columns(table))
    listed = ", ".join(_literal(exact(file)) for file in files)
    rows = f"UNION ALL BY NAME FROM read_parquet([{listed}], hive_partitioning = true, hive_types_autocast = false)"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS"
        f" SELECT {names} FROM (FROM (FROM edition.{table.name} LIMIT 0) {rows if files else ''})"
    )


def fill(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    """Add the rows of Parquet files to a table."""
    view_parquet(connection, "rows_of_files", table, files)
    connection.execute(f"INSERT INTO {table.name} FROM rows_of_files")


def fill_months(connection: duckdb.DuckDBPyConnection, edition: Path) -> None:
    """Fill the empty tables with what an edition has in Parquet, its history aside."""
    for table in CONTENT:
        fill(connection, table, month_files(edition, table))
    for table in (PROBLEMS, SOURCES):
        fill(connection, table, [edition / f"{table.name}.parquet"])


def replace_months(connection: duckdb.DuckDBPyConnection, edition: Path, months: Sequence[str | None]) -> None:
    """Bring the tables of the edition before to those of this one, in which only these months differ."""
    wanted = {"months": [month or "" for month in months]}
    for table in CONTENT:
        connection.execute(f"DELETE FROM {table.name} WHERE coalesce(published_month, '') IN $months", wanted)
        fill(connection, table, month_files(edition, table, months))
    for table in (PROBLEMS, SOURCES):
        view_parquet(connection, f"{table.name}_now", table, [edition / f"{table.name}.parquet"])
    connection.execute((SQL / "load" / "replace_problems_and_sources.sql").read_text())


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the views of sql/views; each file's first comment lines describe the view and its columns."""
    for file in sorted((SQL / "views").glob("*.sql")):
        text = file.read_text()
        connection.execute(text)
        description, notes = read_comments(text)
        _comment(connection, "VIEW", file.stem, description)
        for column, note in notes.items():
            _comment(connection, "COLUMN", f"{file.stem}.{column}", note)


def read_comments(text: str) -> tuple[str, dict[str, str]]:
    """The description of a view, and those of its columns, from the comment that opens its file."""
    lines = [line.removeprefix("-- ") for line in text.splitlines() if line.startswith("-- ")]
    notes = dict(line.split(": ", 1) for line in lines[1:])
    return lines[0], notes


@contextmanager
def reading(edition: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of an edition, read-only."""
    with closing(duckdb.connect(edition / DATABASE, read_only=True, config=CONFIG)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
