"""Create the tables and views of an edition's DuckDB file, with comments."""

from itertools import takewhile
from pathlib import Path

import duckdb

from flows.schema import TABLES, columns

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
        _comment(connection, "TABLE", table.name, table.description)
        for column in columns(table):
            _comment(connection, "COLUMN", f"{table.name}.{column.name}", column.description)


def _column(name: str, kind: str, nullable: bool) -> str:
    compression = " USING COMPRESSION zstd" if name in _ZSTD else ""
    return f"{name} {_TYPES[kind]}{'' if nullable else ' NOT NULL'}{compression}"


def _comment(connection: duckdb.DuckDBPyConnection, kind: str, name: str, text: str) -> None:
    connection.execute(f"COMMENT ON {kind} {name} IS {literal(text)}")


def create_views(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the views of sql/views. The comment at the start of each file describes the view and its columns."""
    for file in sorted((SQL / "views").glob("*.sql")):
        text = file.read_text()
        connection.execute(text)
        description, notes = read_comments(text)
        _comment(connection, "VIEW", file.stem, description)
        for column, note in notes.items():
            _comment(connection, "COLUMN", f"{file.stem}.{column}", note)


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
