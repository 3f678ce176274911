"""Stage rows between steps in Arrow files: one per table and batch, grouped by month."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.schema import ARTICLE_KEYS, CONTENT, PROBLEMS, SOURCES, Table
from flows.warehouse.arrow import arrow_schema, release_memory

Write = Callable[[Table, pa.Table], None]
MONTHS_SUFFIX = ".months.json"
READ_TABLES = (SOURCES, PROBLEMS, ARTICLE_KEYS, *CONTENT)  # tables with rows from seed files
# Each staged row has the path of its seed file, so that the rows of duplicates can be excluded.
SOURCE_PATH = pa.field("source_path", pa.string())
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)  # parts are small, and each core has a worker


@contextmanager
def writer(work: Path, number: int) -> Iterator[Write]:
    """Yield a function that appends rows to the files of one batch.

    For a table by month, a second file lists the month of each record batch. Without it, finding the rows of a month
    would require reading all rows.
    """
    months: dict[str, list[str | None]] = {table.name: [] for table in CONTENT}
    with ExitStack() as files:
        open_files: dict[str, pa.RecordBatchFileWriter] = {}

        def write(table: Table, rows: pa.Table) -> None:
            if not rows.schema.equals(staged_schema(table)):
                raise ValueError(f"rows of {table.name} do not have the columns of staged_schema: {rows.schema.names}")
            if table.name not in open_files:
                file = work / table.name / file_name(number)
                file.parent.mkdir(parents=True, exist_ok=True)
                open_files[table.name] = files.enter_context(pa.ipc.new_file(file, rows.schema, options=_OPTIONS))
            for month, part in _by_month(rows) if table in CONTENT else [(None, rows)]:
                for batch in part.to_batches():
                    open_files[table.name].write_batch(batch)
                    if table in CONTENT:
                        months[table.name].append(month)

        yield write
    for name in months.keys() & open_files.keys():
        (work / name / file_name(number)).with_suffix(MONTHS_SUFFIX).write_text(json.dumps(months[name]))


def staged_schema(table: Table) -> pa.Schema:
    """Return the schema of a table's staged rows: its own columns, and SOURCE_PATH for content tables."""
    columns = arrow_schema(table)
    return columns if table not in CONTENT or SOURCE_PATH.name in columns.names else columns.append(SOURCE_PATH)


def _by_month(rows: pa.Table) -> Iterator[tuple[str | None, pa.Table]]:
    """Yield each month with its rows, as slices of a single copy, since texts are long."""
    rows = rows.take(pc.sort_indices(rows["published_month"])).combine_chunks()
    runs = pc.run_end_encode(rows["published_month"].combine_chunks())
    start = 0
    for month, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield month, rows.slice(start, end - start)
        start = end


def read(work: Path, table: Table, number: int | None = None) -> pa.Table:
    """Return the staged rows of a table, from one batch or from all."""
    found = [_open(file).read_all() for file in files(work, table, number)]
    return pa.concat_tables(found) if found else arrow_schema(table).empty_table()


def month_reader(work: Path, table: Table) -> Callable[[str | None], pa.Table | None]:
    """Return a function that reads the staged rows of one month, or returns None if there are none.

    Months are read one at a time, since a single one may fill the memory.
    """
    locations: dict[str | None, list[tuple[pa.RecordBatchFileReader, int]]] = {}
    for file in files(work, table):
        reader = _open(file)
        for number, month in enumerate(json.loads(file.with_suffix(MONTHS_SUFFIX).read_text())):
            locations.setdefault(month, []).append((reader, number))

    def read_month(month: str | None) -> pa.Table | None:
        parts = [reader.get_batch(number) for reader, number in locations.get(month, [])]
        rows = pa.Table.from_batches(parts).combine_chunks() if parts else None
        parts.clear()
        release_memory()
        return rows

    return read_month


def file_name(number: int) -> str:
    """Return the file name of a batch."""
    return f"{number:04}.arrow"


def files(work: Path, table: Table, number: int | None = None) -> list[Path]:
    """Return the staged files of a table, of one batch or of all."""
    return sorted((work / table.name).glob("*.arrow" if number is None else file_name(number)))


def remove_rows(work: Path, number: int) -> None:
    """Remove the rows from seed files of all batches from `number` on."""
    for table in READ_TABLES:
        for file in files(work, table):
            if int(file.stem) >= number:
                file.unlink()


def _open(file: Path) -> pa.RecordBatchFileReader:
    return pa.ipc.open_file(pa.OSFile(str(file)))  # memory-mapped pages would count towards the memory of the process
