"""The DuckDB file of an edition: built from its Parquet, or updated in a copy of the previous file, and read."""

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import gettempdir
from typing import TypeVar
from uuid import uuid4

import duckdb
import pyarrow.compute as pc

from flows import resources
from flows.errors import BuildError, EditionDamagedError
from flows.schema import CONTENT, PROBLEMS, SOURCES, Table, columns
from flows.warehouse.arrow import release_memory
from flows.warehouse.ddl import SQL, create_tables, create_views, literal
from flows.warehouse.manifest import digest, read_manifest
from flows.warehouse.manifest_model import MANIFEST
from flows.warehouse.parquet import month_files, read_table

DATABASE = "broadsheet.duckdb"
MAX_GROWTH_OF_COPY = 1.5  # of the file, until it is rebuilt
# The month of rows whose file lacks it: editions of schema 1 had it in the folder's name alone.
MONTH_OF_FOLDER = r", nullif(regexp_extract(filename, '=(\d{4}-\d\d)/[^/]*$', 1), '') AS published_month"
T = TypeVar("T")
Config = dict[str, str | bool | int | float | list[str]]
# Nothing can access the network.
CONFIG: Config = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
ROW_GROUP = 12_288  # rows, whose texts a thread holds until it packs them; DuckDB's own size holds a gigabyte
THREADS = 2  # for checks and pages; more would each hold as much again
MIN_MEMORY = 96_000_000  # bytes; with fewer, a row group of usual articles goes to the disk before it is packed
# Bytes that a process holds beside DuckDB: Python, Arrow, and what Arrow has read. DuckDB itself would take 80 % of the
# memory of the process's own cgroup, whatever its ancestors allow, and leave 100 MB of a container's 512.
BESIDE_DATABASE = 250_000_000
AT_ONCE = 2_048 * THREADS  # rows, that DuckDB holds whole: more than this must fit, and the rest may wait on the disk


@contextmanager
def connected(
    config: Config, spill: Path | None = None, database: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Connect to DuckDB: to a database that is only read, or in memory.

    Data that does not fit into memory spills to a folder in `spill`, or to the system's temporary folder. DuckDB
    creates it on demand; its files have the same names each time, so each connection needs its own.
    """
    release_memory()
    folder = Path(spill or gettempdir(), f"broadsheet-{uuid4().hex}")
    given = {**CONFIG, **machine_limits(), **config, "temp_directory": str(folder)}
    with closing(duckdb.connect(database or ":memory:", read_only=bool(database), config=given)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def machine_limits() -> Config:
    """Return the default limits of DuckDB: threads and memory of this machine or container."""
    memory = max(MIN_MEMORY, (resources.usable_memory() - BESIDE_DATABASE) * 4 // 5)
    return {"threads": resources.usable_cpus(), "memory_limit": f"{memory}B"}


def frugal(edition: Path) -> Config:
    """Return the limits for building an edition: memory by the length of the longest articles, not by their number."""
    files = read_table(edition, SOURCES, ["size", "status"])
    sizes = files.filter(pc.equal(files["status"], "published"))["size"]
    longest = pc.sum(pc.take(sizes, pc.select_k_unstable(sizes, AT_ONCE, [("", "descending")]))).as_py() or 0
    threads = min(THREADS, resources.usable_cpus())
    return {"threads": threads, "memory_limit": f"{MIN_MEMORY + 2 * longest}B"}  # body and text


def with_retry(edition: Path, work: Callable[[Config], T]) -> T:
    """Return the result of some work on an edition, done with little memory, or again with all of it.

    An archive whose articles have all changed needs the latter: the ledger holds the old texts and the new ones.
    """
    try:
        return work(frugal(edition))
    except duckdb.OutOfMemoryException:
        return work({})


@contextmanager
def building(edition: Path, copied: Path | None, config: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database in an edition's folder for one transaction, committed at the end.

    It is a copy of the database of the edition `copied`, or a new one with empty tables.
    """
    file = edition / DATABASE
    file.unlink(missing_ok=True)
    if copied:
        shutil.copyfile(copied / DATABASE, file)
        _require_same(file, copied)
    # Two threads would fill row groups side by side, and what then does not fit goes to the disk: twice the work.
    # Publishing makes the file durable, where the disk can; a run that dies before leaves nothing of it.
    with connected({**config, "threads": 1, "fsync_mode": "NONE"}, edition.parent) as connection:
        # v1.4.0: readable by every DuckDB since 1.4.
        connection.execute(f"ATTACH {literal(file)} AS edition (STORAGE_VERSION 'v1.4.0', ROW_GROUP_SIZE {ROW_GROUP})")
        connection.execute("USE edition")
        connection.execute("BEGIN")
        if not copied:
            create_tables(connection)
        yield connection
        create_views(connection)
        connection.execute("COMMIT")
        connection.execute("CHECKPOINT edition")
    if file.with_name(file.name + ".wal").exists():  # it would be replayed into whatever file takes the name
        raise BuildError(f"DuckDB left a write-ahead log beside {file}; run again.")


def _require_same(copy: Path, edition: Path) -> None:
    """Raise EditionDamagedError if the database that was copied is not the one that was published."""
    facts = read_manifest(edition).by_path.get(DATABASE)
    if facts is None or digest(copy) != facts.xxh3:
        raise EditionDamagedError(
            f"The file {edition / DATABASE} has a different hash than {MANIFEST} states."
            " Run once with --rebuild, or go back to another edition with broadsheet rollback EDITION."
        )


def reusable_database(edition: Path, base: Path | None, months: Sequence[str | None] | None) -> Path | None:
    """Return `base` if updating a copy of its database costs less than building a new one, else None.

    It costs more if most of the content changes, or if the file has grown by half through such updates.
    """
    if base is None or months is None:
        return None
    changed = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table, months))
    total = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table))
    built = read_manifest(base).database_bytes_when_built
    grown = (base / DATABASE).stat().st_size > built * MAX_GROWTH_OF_COPY
    return None if changed * 2 > total or grown else base


def bytes_when_built(edition: Path, base: Path | None, months: Sequence[str | None] | None) -> int:
    """Return the size of an edition's database when it was last built from scratch, from which growth is counted."""
    copied = reusable_database(edition, base, months)
    return read_manifest(copied).database_bytes_when_built if copied else (edition / DATABASE).stat().st_size


def exact(path: Path) -> str:
    """Return a path escaped for DuckDB, which treats names as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def view_parquet(connection: duckdb.DuckDBPyConnection, name: str, table: Table, files: Sequence[Path]) -> None:
    """Create a temporary view of Parquet files with the columns of a table; files of older editions may lack some.

    By default DuckDB reads folders named `key=value` anywhere in a path as columns.
    """
    names = ", ".join(column.name for column in columns(table))
    listed = ", ".join(literal(exact(file)) for file in files)
    month = MONTH_OF_FOLDER if any("=" in file.parent.name for file in files) else ""
    rows = f"UNION ALL BY NAME SELECT *{month} FROM read_parquet([{listed}], hive_partitioning = false)"
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {name} AS"
        f" SELECT {names} FROM (FROM (FROM {table.name} LIMIT 0) {rows if files else ''})"
    )


def fill(connection: duckdb.DuckDBPyConnection, table: Table, files: Sequence[Path]) -> None:
    """Add the rows of Parquet files to a table."""
    view_parquet(connection, "rows_of_files", table, files)
    connection.execute(f"INSERT INTO {table.name} FROM rows_of_files")


def fill_months(connection: duckdb.DuckDBPyConnection, edition: Path) -> None:
    """Fill the empty tables from an edition's Parquet, except for its history."""
    for table in CONTENT:
        fill(connection, table, month_files(edition, table))
    for table in (PROBLEMS, SOURCES):
        fill(connection, table, [edition / f"{table.name}.parquet"])


def replace_months(connection: duckdb.DuckDBPyConnection, edition: Path, months: Sequence[str | None]) -> None:
    """Update the tables of the previous edition to this one, which differs in these months only."""
    wanted = {"months": [month or "" for month in months]}
    for table in CONTENT:
        connection.execute(f"DELETE FROM {table.name} WHERE coalesce(published_month, '') IN $months", wanted)
        fill(connection, table, month_files(edition, table, months))
    for table in (PROBLEMS, SOURCES):
        view_parquet(connection, f"{table.name}_now", table, [edition / f"{table.name}.parquet"])
    connection.execute((SQL / "load" / "replace_problems_and_sources.sql").read_text())


@contextmanager
def reading(
    edition: Path, config: Config | None = None, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database of an edition read-only."""
    with connected(config or {}, spill, edition / DATABASE) as connection:
        yield connection
