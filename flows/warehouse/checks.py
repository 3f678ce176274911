"""Run the checks of sql/checks on an edition: each must return no row."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import duckdb

from flows.errors import CheckError
from flows.schema import CHANGES, CONTENT
from flows.warehouse.database import Config, exact, reading, view_parquet, with_retry
from flows.warehouse.ddl import SQL
from flows.warehouse.parquet import month_files


def run_checks(
    edition: Path, files: int, months: Sequence[str | None] | None = None, spill: Path | None = None
) -> None:
    """Check an edition whose source has `files` files; raise CheckError if a check returns a row.

    Parquet and the database are compared in the given months only, None: in all. Data that does not fit into memory
    spills to `spill`.
    """
    with_retry(edition, partial(_run, edition, files, months, spill))


def _run(edition: Path, files: int, months: Sequence[str | None] | None, spill: Path | None, config: Config) -> None:
    with reading(edition, config, spill) as connection:
        connection.execute("SET VARIABLE edition = $edition", {"edition": exact(edition)})
        connection.execute("SET VARIABLE files = $files", {"files": files})
        listed = None if months is None else [month or "" for month in months]
        connection.execute("SET VARIABLE months = $months::VARCHAR[]", {"months": listed})
        _view_months(connection, edition, months)
        for file in sorted((SQL / "checks").glob("*.sql")):
            row = connection.execute(file.read_text()).fetchone()
            if row is not None:
                raise CheckError(
                    f"The check {file.stem} failed, first with {row}; nothing was published."
                    " Please report this with the seed files that it names."
                )


def _view_months(connection: duckdb.DuckDBPyConnection, edition: Path, months: Sequence[str | None] | None) -> None:
    """Create the views that the checks compare with the database; only the files of these months are opened."""
    for table in CONTENT:
        view_parquet(connection, f"{table.name}_in_parquet", table, month_files(edition, table, months))
    view_parquet(connection, f"{CHANGES.name}_in_parquet", CHANGES, month_files(edition, CHANGES))
