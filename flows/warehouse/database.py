"""The DuckDB file of an edition: tables loaded from its Parquet, views, comments, and the checks of sql/checks."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.problems import RunError
from flows.tables import TABLES, Table, columns

SQL = Path(__file__).parents[2] / "sql"
DATABASE = "broadsheet.duckdb"
_TYPES = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}
_ZSTD = ("body", "text")  # long texts load in half the time and half the bytes
# Nothing reaches out.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@contextmanager
def building(edition: Path, before: Path | None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A new database in the folder of an edition, open for one transaction that is committed at the end.

    The edition before is attached as `before`; without one, `before` has the same tables, empty.
    """
    file = edition / DATABASE
    file.unlink(missing_ok=True)
    with closing(duckdb.connect(config=_CONFIG)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        # v1.4.0: readable by every DuckDB since 1.4.
        connection.execute(f"ATTACH {_literal(file)} AS edition (STORAGE_VERSION 'v1.4.0')")
        if before:
            connection.execute(f"ATTACH {_literal(before / DATABASE)} AS before (READ_ONLY)")
        else:
            connection.execute("ATTACH ':memory:' AS before")
            create_tables(connection, "before")
        connection.execute("USE edition")
        connection.execute("BEGIN")
        create_tables(connection, "edition")
        yield connection
        create_views(connection)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT edition")
    if file.with_name(file.name + ".wal").exists():  # it would be replayed into whatever file takes the name
        raise RunError(f"DuckDB left a write-ahead log beside {file}; run again.")


def create_tables(connection: duckdb.DuckDBPyConnection, database: str) -> None:
    """Create every table, with its comments."""
    for table in TABLES:
        shape = ", ".join(_ddl(column.name, column.type, column.nullable) for column in columns(table))
        connection.execute(f"CREATE TABLE {database}.{table.name} ({shape})")
        _comment(connection, "TABLE", f"{database}.{table.name}", table.description)
        for column in columns(table):
            _comment(connection, "COLUMN", f"{database}.{table.name}.{column.name}", column.description)


def _ddl(name: str, kind: str, nullable: bool) -> str:
    compression = " USING COMPRESSION zstd" if name in _ZSTD else ""
    return f"{name} {_TYPES[kind]}{'' if nullable else ' NOT NULL'}{compression}"


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, name: str, text: str) -> None:
    connection.execute(f"COMMENT ON {kind} {name} IS {_literal(text)}")


def _literal(text: object) -> str:
    quoted = str(text).replace("'", "''")
    return f"'{quoted}'"


def load(connection: duckdb.DuckDBPyConnection, edition: Path, tables: tuple[Table, ...]) -> None:
    """Fill tables from the Parquet of an edition."""
    for table in tables:
        names = ", ".join(column.name for column in columns(table))
        files = f"{edition}/{table.name}/*/*.parquet" if table.partition else f"{edition}/{table.name}.parquet"
        connection.execute(
            f"INSERT INTO {table.name} ({names}) SELECT {names} FROM read_parquet($files, hive_partitioning = true,"
            " hive_types_autocast = false)",
            {"files": files},
        )


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


def find_changes(connection: duckdb.DuckDBPyConnection, edition_id: str, noticed_at: datetime) -> pa.Table:
    """The rows that the ledger gains, in the columns of `changes`."""
    query = (SQL / "ledger" / "changes.sql").read_text()
    return connection.sql(query, params={"edition_id": edition_id, "noticed_at": noticed_at}).to_arrow_table()


def count_edition(connection: duckdb.DuckDBPyConnection, edition_id: str) -> dict[str, int]:
    """The counts of the edition that is being built, by their column in `editions`."""
    result = connection.execute((SQL / "ledger" / "edition_counts.sql").read_text(), {"edition_id": edition_id})
    names = [column[0] for column in result.description or ()]
    return dict(zip(names, result.fetchone() or (), strict=True))


@contextmanager
def reading(edition: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of an edition, read-only."""
    with closing(duckdb.connect(edition / DATABASE, read_only=True, config=_CONFIG)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def run_checks(edition: Path, files: int) -> None:
    """Run sql/checks on an edition for a source of so many files; raises RunError where one returns a row."""
    with reading(edition) as connection:
        connection.execute("SET VARIABLE edition = $edition", {"edition": str(edition)})
        connection.execute("SET VARIABLE files = $files", {"files": files})
        for file in sorted((SQL / "checks").glob("*.sql")):
            row = connection.execute(file.read_text()).fetchone()
            if row is not None:
                raise RunError(
                    f"The check {file.stem} failed, first with {row}; nothing was published."
                    " Please report this with the seed files that it names."
                )
