"""Run the checks of sql/checks on an edition. A check passes if it returns no rows."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from flows.errors import CheckError
from flows.warehouse.database import Config, open_database, with_retry
from flows.warehouse.ddl import SQL
from flows.warehouse.fingerprints import create_fingerprints


def run_checks(
    edition: Path, files: int, months: Sequence[str | None] | None = None, spill: Path | None = None
) -> None:
    """Check an edition whose source has `files` files; raise CheckError if a check returns a row.

    Parquet and the database are compared in the given months only, or in all months if `months` is None. Data that does
    not fit into memory spills to the folder `spill`.
    """
    with_retry(edition, partial(_run, edition, files, months, spill))


def _run(edition: Path, files: int, months: Sequence[str | None] | None, spill: Path | None, config: Config) -> None:
    with open_database(edition, config, spill) as connection:
        connection.execute("SET VARIABLE files = $files", {"files": files})
        create_fingerprints(connection, edition, months)
        for file in sorted((SQL / "checks").glob("*.sql")):
            row = connection.execute(file.read_text()).fetchone()
            if row is not None:
                raise CheckError(
                    f"The check {file.stem} failed; its first row is {row}."
                    " Report this, and attach the seed files that the row names."
                )
