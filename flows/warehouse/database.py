"""Build the DuckDB file of an edition from its Parquet, or by updating a copy of the previous file, and open it."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeVar
from uuid import uuid4

import duckdb
import pyarrow.compute as pc

from flows import resources
from flows.errors import BuildError, EditionDamagedError
from flows.schema import CONTENT, PROBLEMS, SOURCES, TABLES, Table
from flows.warehouse.arrow import release_memory
from flows.warehouse.database_note import database_facts
from flows.warehouse.ddl import SQL, create_tables, create_views, literal
from flows.warehouse.disk import digest
from flows.warehouse.manifest import read_manifest
from flows.warehouse.manifest_model import DATABASE, MANIFEST
from flows.warehouse.parquet import edition_files, month_files, read_table, table_file

MAX_COPY_GROWTH = 1.5  # a file that has grown by this factor through updates is built from scratch
# Files of schema 1 do not have a column for the month, which is in the name of their folder.
MONTH_FROM_FOLDER = r", nullif(regexp_extract(filename, '=(\d{4}-\d\d)/[^/]*$', 1), '') AS published_month"
T = TypeVar("T")
Config = dict[str, str | bool | int | float | list[str]]
_BASE_CONFIG: Config = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}  # no downloads
# Rows. A thread keeps the texts of a row group in memory until it compresses them; with DuckDB's default size, that
# takes a gigabyte.
ROW_GROUP_SIZE = 12_288
MAX_THREADS = 2  # for checks and the front page; memory use is proportional to it
MIN_MEMORY = 96_000_000  # bytes; with less, a row group of typical articles spills to disk before it is compressed
# Bytes for Python, Arrow and its data. By default, DuckDB uses 80 % of the memory of the process's cgroup and ignores
# the limits of parent cgroups, which leaves only 100 MB in a container with 512 MB.
RESERVED_MEMORY = 250_000_000
ROWS_IN_MEMORY = 2_048 * MAX_THREADS  # a vector for each thread must fit into memory; DuckDB can spill other rows


@contextmanager
def connect(
    config: Config, spill: Path | None = None, database: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to a database file read-only, or to a new database in memory.

    Data that does not fit into memory spills to a new folder below `spill`, or below the system's temporary folder.
    Each connection needs a separate one, since DuckDB uses the same file names for all. It is created on demand.
    """
    release_memory()
    folder = Path(spill or gettempdir(), f"broadsheet-{uuid4().hex}")
    options = {**_BASE_CONFIG, **machine_limits(), **config, "temp_directory": str(folder)}
    with closing(duckdb.connect(database or ":memory:", read_only=bool(database), config=options)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def machine_limits() -> Config:
    """Return DuckDB's limits for threads and memory on this machine or container."""
    memory = max(MIN_MEMORY, (resources.usable_memory() - RESERVED_MEMORY) * 4 // 5)
    return {"threads": resources.usable_cpus(), "memory_limit": f"{memory}B"}


def memory_limit(edition: Path) -> int:
    """Return the memory in bytes that work on an edition needs.

    It depends on the length of the longest articles, not on the number of articles.
    """
    files = read_table(edition, SOURCES, ["size", "status"])
    sizes = files.filter(pc.equal(files["status"], "published"))["size"]
    longest = pc.select_k_unstable(sizes, ROWS_IN_MEMORY, [("", "descending")])
    return MIN_MEMORY + 2 * (pc.sum(pc.take(sizes, longest)).as_py() or 0)  # body and text


def _edition_limits(edition: Path) -> Config:
    return {"threads": min(MAX_THREADS, resources.usable_cpus()), "memory_limit": f"{memory_limit(edition)}B"}


def with_retry(edition: Path, work: Callable[[Config], T]) -> T:
    """Return the result of `work` within the `memory_limit` of an edition; if that fails, retry with all memory.

    The retry is needed if all articles of a large archive have changed: the ledger then has their old and new texts.
    """
    try:
        return work(_edition_limits(edition))
    except duckdb.OutOfMemoryException:
        return work({})


@contextmanager
def build_database(edition: Path, copied: Path | None, config: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    """Create the database in an edition's folder, and yield a connection for one transaction, committed at the end.

    The database is a copy of the one of the edition `copied`, or a new one with empty tables.
    """
    file = edition / DATABASE
    file.unlink(missing_ok=True)
    if copied:
        shutil.copyfile(copied / DATABASE, file)
        _require_unchanged(file, copied)
    # Two threads would fill two row groups at a time, and spilling them doubles the work. Publishing makes the file
    # durable; if a run dies before, the file is removed.
    with connect({**config, "threads": 1, "fsync_mode": "NONE"}, edition.parent) as connection:
        options = f"STORAGE_VERSION 'v1.4.0', ROW_GROUP_SIZE {ROW_GROUP_SIZE}"  # readable by DuckDB 1.4 and later
        connection.execute(f"ATTACH {literal(file)} AS edition ({options})")
        connection.execute("USE edition")
        connection.execute("BEGIN")
        if not copied:
            create_tables(connection)
        yield connection
        create_views(connection)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT edition")
    if file.with_name(file.name + ".wal").exists():  # DuckDB would replay it into any file of this name
        raise BuildError(f"DuckDB left a write-ahead log beside {file}. Run broadsheet again.")


def _require_unchanged(copy: Path, edition: Path) -> None:
    """Raise EditionDamagedError if a copied database differs from the published one."""
    facts = database_facts(edition)
    if facts is None or digest(copy) != facts.xxh3:
        raise EditionDamagedError(
            f"The file {edition / DATABASE} has a different hash than {MANIFEST} states."
            " Run once with --rebuild, or choose another edition with broadsheet rollback EDITION."
        )


def reusable_database(edition: Path, reusable: Path | None, months: Sequence[str | None] | None) -> Path | None:
    """Return `reusable` if updating a copy of its database is cheaper than building a new one, else None.

    It is not if most of the content has changed, or if the file has grown by half through earlier updates.
    """
    if reusable is None or months is None or database_facts(reusable) is None or not (reusable / DATABASE).exists():
        return None
    changed = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table, months))
    total = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table))
    built = read_manifest(reusable).database_bytes_when_built
    has_grown = (reusable / DATABASE).stat().st_size > built * MAX_COPY_GROWTH
    return None if changed * 2 > total or has_grown else reusable


def bytes_when_built(edition: Path, reusable: Path | None, months: Sequence[str | None] | None) -> int:
    """Return the size of an edition's database when it was last built from scratch, the baseline for its growth."""
    copied = reusable_database(edition, reusable, months)
    return read_manifest(copied).database_bytes_when_built if copied else (edition / DATABASE).stat().st_size


def escape_glob(path: object) -> str:
    """Return a path escaped for DuckDB, which treats file names as glob patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def create_parquet_view(connection: duckdb.DuckDBPyConnection, name: str, table: Table, files: Sequence[Path]) -> None:
    """Create a temporary view of Parquet files with the columns that a table has in this database.

    Files of older editions may lack some.

    Hive partitioning is disabled, since it would treat any folder named `key=value` in the path as a column.
    """
    described = connection.execute(f"FROM {table.name} LIMIT 0").description or ()
    names = ", ".join(column[0] for column in described)
    listed = ", ".join(literal(escape_glob(file)) for file in files)
    month = MONTH_FROM_FOLDER if any("=" in file.parent.name for file in files) else ""
    rows = f"UNION ALL BY NAME SELECT *{month} FROM read_parquet([{listed}], hive_partitioning = false)"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS"
        f" SELECT {names} FROM (FROM (FROM {table.name} LIMIT 0) {rows if files else ''})"
    )


def insert_parquet(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    """Insert the rows of Parquet files into a table."""
    create_parquet_view(connection, "inserted_rows", table, files)
    connection.execute(f"INSERT INTO {table.name} FROM inserted_rows")


def insert_content(connection: duckdb.DuckDBPyConnection, edition: Path) -> None:
    """Insert all Parquet of an edition into empty tables, except `editions` and `changes`."""
    for table in CONTENT:
        insert_parquet(connection, table, month_files(edition, table))
    for table in (PROBLEMS, SOURCES):
        insert_parquet(connection, table, [table_file(edition, table)])


def derive_database(edition: Path) -> None:
    """Build the database of an edition in its folder from its Parquet files, unless it is there."""
    if not (edition / DATABASE).exists():
        with_retry(edition, partial(_derive, edition))


def _derive(edition: Path, config: Config) -> None:
    with build_database(edition, None, config) as connection:
        for table in TABLES:
            insert_parquet(connection, table, edition_files(edition, table))


def replace_months(connection: duckdb.DuckDBPyConnection, edition: Path, months: Sequence[str | None]) -> None:
    """Update the tables of the previous edition to this edition, which only differs in these months."""
    parameters = {"months": [month or "" for month in months]}
    for table in CONTENT:
        connection.execute(f"DELETE FROM {table.name} WHERE coalesce(published_month, '') IN $months", parameters)
        insert_parquet(connection, table, month_files(edition, table, months))
    for table in (PROBLEMS, SOURCES):
        create_parquet_view(connection, f"new_{table.name}", table, [table_file(edition, table)])
    connection.execute((SQL / "load" / "replace_problems_and_sources.sql").read_text())


@contextmanager
def open_database(
    edition: Path, config: Config | None = None, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database of an edition read-only."""
    with connect(config or {}, spill, edition / DATABASE) as connection:
        yield connection


def fetch_dicts(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the rows of a result as dictionaries by column name."""
    names = [column[0] for column in result.description or ()]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
