"""The SQL script of an edition in an object store, which creates its tables and views over the Parquet objects."""

from pathlib import Path

from flows.object_store.path import ObjectPath
from flows.schema import TABLES
from flows.warehouse.database import escape_glob
from flows.warehouse.ddl import parquet_view_statements, view_statements
from flows.warehouse.manifest_model import VIEWS_SCRIPT
from flows.warehouse.parquet import edition_files


def write_views_script(edition: Path, location: ObjectPath) -> None:
    """Write the script into an edition's folder; it reads the objects below `location`.

    DuckDB runs it with its extension httpfs.
    """
    lines: list[str] = []
    for table in TABLES:
        names = (file.relative_to(edition).as_posix() for file in edition_files(edition, table))
        lines += parquet_view_statements(table, [escape_glob(f"{location}/{name}") for name in names])
    lines += [text.rstrip() for text in view_statements()]
    (edition / VIEWS_SCRIPT).write_text("\n".join(lines) + "\n")
