"""Create the tables and views of an edition's DuckDB file, with comments."""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from pathlib import Path

import duckdb

from flows.schema import TABLES, Table, columns

SQL = Path(__file__).parents[2] / "sql"
_TYPES = {
    "string": "VARCHAR",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "double": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}
_ZSTD = ("body", "text", "old_value", "new_value")  # halves the size and load time of long texts


def create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create all tables, with comments on tables and columns."""
    for table in TABLES:
        definitions = ", ".join(_column(column.name, column.type, column.nullable) for column in columns(table))
        connection.execute(f"CREATE TABLE {table.name} ({definitions})")
        connection.execute(comment("TABLE", table.name, table.description))
        for column in columns(table):
            connection.execute(comment("COLUMN", f"{table.name}.{column.name}", column.description))


def _column(name: str, kind: str, nullable: bool) -> str:
    compression = " USING COMPRESSION zstd" if name in _ZSTD else ""
    return f"{name} {_TYPES[kind]}{'' if nullable else ' NOT NULL'}{compression}"


def comment(kind: str, name: str, text: str) -> str:
    """Return the statement that describes a table, a view or a column."""
    return f"COMMENT ON {kind} {name} IS {literal(text)};"


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the views of sql/views."""
    for statement in view_statements():
        connection.execute(statement)


def view_statements() -> Iterator[str]:
    """Yield the statements of sql/views, and their comments.

    The comment at the start of each file describes the view and its columns.
    """
    for file in sorted((SQL / "views").glob("*.sql")):
        text = file.read_text()
        yield text
        description, notes = read_comments(text)
        yield comment("VIEW", file.stem, description)
        yield from (comment("COLUMN", f"{file.stem}.{column}", note) for column, note in notes.items())


def parquet_view_statements(table: Table, files: Sequence[object]) -> Iterator[str]:
    """Yield the statements for a view of Parquet files, or of their URLs, with the name and comments of a table.

    Files of older editions may lack columns.
    """
    names = ", ".join(column.name for column in columns(table))
    typed = ", ".join(f"NULL::{_TYPES[column.type]} AS {column.name}" for column in columns(table))
    listed = ", ".join(map(literal, files))
    yield (
        f"CREATE OR REPLACE VIEW {table.name} AS SELECT {names} FROM (FROM (SELECT {typed} LIMIT 0)"
        f" UNION ALL BY NAME SELECT * FROM read_parquet([{listed}], hive_partitioning = false));"
    )
    yield comment("VIEW", table.name, table.description)
    yield from (comment("COLUMN", f"{table.name}.{column.name}", column.description) for column in columns(table))


def read_comments(text: str) -> tuple[str, dict[str, str]]:
    """Return the descriptions of a view and its columns, from the comment at the start of its file."""
    comment = takewhile(lambda line: line.startswith("-- "), text.splitlines())
    lines = [line.removeprefix("-- ") for line in comment]
    notes = dict(line.split(": ", 1) for line in lines[1:])
    return lines[0], notes


def literal(text: object) -> str:
    """Quote a text as an SQL literal."""
    quoted = str(text).replace("'", "''")
    return f"'{quoted}'"
