"""The history of a warehouse: the ledger of changes, and the list of editions."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from flows.schema import ARTICLES, CHANGES, EDITIONS, IMAGES
from flows.warehouse.database import fill, view_parquet
from flows.warehouse.ddl import SQL
from flows.warehouse.parquet import month_files

AT_ONCE = 4_096  # rows, which may be old and new texts


def find_changes(
    connection: duckdb.DuckDBPyConnection,
    edition: Path,
    before: Path | None,
    months: Sequence[str | None] | None,
    noticed_at: datetime,
) -> Iterator[pa.RecordBatch]:
    """Return the rows that the ledger gains, with the columns and order of `changes`, in batches.

    Only these months can differ, None: all of them.
    """
    for table in (ARTICLES, IMAGES):
        old = month_files(before, table, months) if before else []
        view_parquet(connection, f"{table.name}_before", table, old)
        view_parquet(connection, f"{table.name}_now", table, month_files(edition, table, months))
    view_parquet(connection, "changes_before", CHANGES, month_files(before, CHANGES) if before else [])
    connection.execute((SQL / "ledger" / "differing.sql").read_text())
    query = (SQL / "ledger" / "changes.sql").read_text()
    found = connection.sql(query, params={"edition_id": edition.name, "noticed_at": noticed_at})
    yield from found.to_arrow_reader(AT_ONCE)


def fill_changes(connection: duckdb.DuckDBPyConnection, edition: Path, copied: bool) -> None:
    """Fill the table of the ledger from its Parquet; a copied database lacks only the changes of this edition."""
    files = month_files(edition, CHANGES)
    if not copied:
        fill(connection, CHANGES, files)
        return
    view_parquet(connection, "changes_now", CHANGES, files[-1:])
    connection.execute(f"INSERT INTO {CHANGES.name} FROM changes_now WHERE edition_id = $id", {"id": edition.name})


def fill_editions(connection: duckdb.DuckDBPyConnection, edition: Path) -> None:
    """Fill the table of the editions from its Parquet."""
    connection.execute(f"DELETE FROM {EDITIONS.name}")
    fill(connection, EDITIONS, [edition / f"{EDITIONS.name}.parquet"])


def count_edition(connection: duckdb.DuckDBPyConnection, edition_id: str) -> dict[str, int]:
    """Return the counts of the edition that is being built, by their column in `editions`."""
    result = connection.execute((SQL / "ledger" / "edition_counts.sql").read_text(), {"edition_id": edition_id})
    names = [column[0] for column in result.description or ()]
    return dict(zip(names, result.fetchone() or (), strict=True))
