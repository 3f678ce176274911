"""The DuckDB file of an edition: built from its Parquet, or changed in a copy of the file before, and read."""

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
MAX_GROWTH_OF_COPY = 1.5  # of the file, until it is built anew
# The month of rows whose file lacks it: editions of schema 1 had it in the folder's name alone.
MONTH_OF_FOLDER = r", nullif(regexp_extract(filename, '=(\d{4}-\d\d)/[^/]*$', 1), '') AS published_month"
T = TypeVar("T")
Config = dict[str, str | bool | int | float | list[str]]
# Nothing reaches out.
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
    """DuckDB, on a database that is only read, or in memory.

    What does not fit into memory goes to a folder in `spill`, or where the system keeps temporary files. DuckDB makes
    the folder when it needs it. Its files in it have the same names each time, so no two connections share one.
    """
    release_memory()
    folder = Path(spill or gettempdir(), f"broadsheet-{uuid4().hex}")
    given = {**CONFIG, **machine_limits(), **config, "temp_directory": str(folder)}
    with closing(duckdb.connect(database or ":memory:", read_only=bool(database), config=given)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def machine_limits() -> Config:
    """Return the threads and the memory that DuckDB may take where its work names neither."""
    memory = max(MIN_MEMORY, (resources.usable_memory() - BESIDE_DATABASE) * 4 // 5)
    return {"threads": resources.usable_cpus(), "memory_limit": f"{memory}B"}


def frugal(edition: Path) -> Config:
    """What a run may ask of the machine for an edition: memory by the length of the longest articles, not by their
    number.
    """
    files = read_table(edition, SOURCES, ["size", "status"])
    sizes = files.filter(pc.equal(files["status"], "published"))["size"]
    longest = pc.sum(pc.take(sizes, pc.select_k_unstable(sizes, AT_ONCE, [("", "descending")]))).as_py() or 0
    threads = min(THREADS, resources.usable_cpus())
    return {"threads": threads, "memory_limit": f"{MIN_MEMORY + 2 * longest}B"}  # body and text


def with_retry(edition: Path, work: Callable[[Config], T]) -> T:
    """Return what some work on an edition returns: done with little memory, or with all there is where it needs that.

    An archive of which every article has changed is such a case: the ledger holds the old texts and the new ones.
    """
    try:
        return work(frugal(edition))
    except duckdb.OutOfMemoryException:
        return work({})


@contextmanager
def building(edition: Path, copied: Path | None, config: Config) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database in the folder of an edition, open for one transaction that is committed at the end.

    It is a copy of that of the edition `copied`, or a new one with empty tables.
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
    """Raise EditionDamagedError where the database that was copied is not the one that was published."""
    facts = read_manifest(edition).by_path.get(DATABASE)
    if facts is None or digest(copy) != facts.xxh3:
        raise EditionDamagedError(
            f"The file {edition / DATABASE} has other bytes than {MANIFEST} says."
            " Run once with --rebuild, or go back to another edition with broadsheet rollback EDITION."
        )


def reusable_database(edition: Path, base: Path | None, months: Sequence[str | None] | None) -> Path | None:
    """`base` where changing a copy of its database costs less than building a new one, else None.

    It does not where most of the content changes, nor where the file has grown by half through such changes.
    """
    if base is None or months is None:
        return None
    changed = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table, months))
    total = sum(file.stat().st_size for table in CONTENT for file in month_files(edition, table))
    built = read_manifest(base).database_bytes_when_built
    grown = (base / DATABASE).stat().st_size > built * MAX_GROWTH_OF_COPY
    return None if changed * 2 > total or grown else base


def bytes_when_built(edition: Path, base: Path | None, months: Sequence[str | None] | None) -> int:
    """The size of an edition's database when it was last built anew, from which its growth is counted."""
    copied = reusable_database(edition, base, months)
    return read_manifest(copied).database_bytes_when_built if copied else (edition / DATABASE).stat().st_size


def exact(path: Path) -> str:
    """A path as DuckDB takes it, which reads names as patterns."""
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def view_parquet(connection: duckdb.DuckDBPyConnection, name: str, table: Table, files: Sequence[Path]) -> None:
    """Create a temporary view of Parquet files with the columns of a table, also where a file of an older edition
    lacks some.

    By default DuckDB takes folders named `key=value` anywhere in a path for columns.
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


@contextmanager
def reading(
    edition: Path, config: Config | None = None, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The database of an edition, read-only."""
    with connected(config or {}, spill, edition / DATABASE) as connection:
        yield connection
