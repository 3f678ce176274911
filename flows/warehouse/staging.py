"""Stage rows between the steps in Arrow files. Each attempt at a part writes into its own folder.

The rows of a table by month are in one file for each bucket of months, so that writing some months requires only the
files of their buckets.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from flows.schema import CONTENT, Table
from flows.warehouse.arrow import arrow_schema, release_memory
from flows.warehouse.disk import digest

BUCKETS = 4
MONTHS = "months.json"  # the month of each record batch; without it, finding a month would require reading all rows
# Each staged row has the path of its seed file, so that the rows of duplicates can be excluded.
SOURCE_PATH = pa.field("source_path", pa.string())


class StagedFile(NamedTuple):
    """A file that an attempt at a part has staged.

    `name` is its path below the folder of the attempt, `bytes` its size, and `xxh3` the hash of its content. `table` is
    the table of its rows, and `bucket` the bucket of their months, for a table by month.
    """

    attempt: str
    name: str
    bytes: int
    xxh3: str
    table: str | None = None
    bucket: int | None = None

    @property
    def path(self) -> str:
        """Return the path below the folder of the run's staged files."""
        return f"{self.attempt}/{self.name}"


def new_attempt() -> str:
    """Return the name of a new attempt."""
    return uuid4().hex


def staged_file(
    work: Path, attempt: str, name: str, table: Table | None = None, bucket: int | None = None
) -> StagedFile:
    """Describe a file that an attempt has written completely."""
    file = work / attempt / name
    return StagedFile(attempt, name, file.stat().st_size, digest(file), table.name if table else None, bucket)


def is_staged(file: Path, staged: StagedFile) -> bool:
    """Return whether a file exists with the content that the attempt wrote."""
    try:
        return file.stat().st_size == staged.bytes and digest(file) == staged.xxh3
    except FileNotFoundError:
        return False


def write_rows(work: Path, rows: Iterable[tuple[Table, pa.Table]], codec: str = "lz4") -> tuple[StagedFile, ...]:
    """Write rows, in the columns of `staged_schema`, as a new attempt, and return its files.

    `codec` is the compression in Arrow's files: lz4 is faster, zstd smaller.
    """
    options = pa.ipc.IpcWriteOptions(compression=codec, use_threads=False)  # parts are small, each core has a worker
    attempt = new_attempt()
    written: dict[str, tuple[Table, int | None]] = {}
    months: dict[str, list[str | None]] = {}
    with ExitStack() as opened:
        files: dict[str, pa.RecordBatchFileWriter] = {}
        for table, part in rows:
            if not part.schema.equals(staged_schema(table)):
                raise ValueError(f"rows of {table.name} have other columns than staged_schema: {part.schema.names}")
            for bucket, month, batch in _batches(table, part):
                name = f"{table.name}.arrow" if bucket is None else f"{table.name}/{bucket}.arrow"
                if name not in files:
                    file = work / attempt / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    files[name] = opened.enter_context(pa.ipc.new_file(file, part.schema, options=options))
                    written[name] = table, bucket
                files[name].write_batch(batch)
                if bucket is not None:
                    months.setdefault(name, []).append(month)
    staged = [staged_file(work, attempt, name, *whose) for name, whose in written.items()]
    if months:
        (work / attempt / MONTHS).write_text(json.dumps(months))
        staged.append(staged_file(work, attempt, MONTHS))
    return tuple(staged)


def staged_schema(table: Table) -> pa.Schema:
    """Return the schema of a table's staged rows: its own columns, and SOURCE_PATH for content tables."""
    columns = arrow_schema(table)
    return columns if table not in CONTENT or SOURCE_PATH.name in columns.names else columns.append(SOURCE_PATH)


def bucket_of(month: str | None) -> int:
    """Return the bucket of a month such as 2026-11. Consecutive months are in different buckets."""
    return 0 if month is None else (int(month[:-3]) * 12 + int(month[-2:])) % BUCKETS


def _batches(table: Table, rows: pa.Table) -> Iterator[tuple[int | None, str | None, pa.RecordBatch]]:
    """Yield rows as record batches with their bucket and month, which are None for a table without months."""
    for bucket, month, part in _by_month(rows) if table in CONTENT else [(None, None, rows)]:
        for batch in part.to_batches():
            yield bucket, month, batch


def _by_month(rows: pa.Table) -> Iterator[tuple[int | None, str | None, pa.Table]]:
    """Yield the rows of each month, as slices of one copy, since texts are long."""
    rows = rows.take(pc.sort_indices(rows["published_month"])).combine_chunks()
    runs = pc.run_end_encode(rows["published_month"].combine_chunks())
    start = 0
    for month, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield bucket_of(month), month, rows.slice(start, end - start)
        start = end


def files_of(staged: Iterable[StagedFile], table: Table) -> list[StagedFile]:
    """Return the files with rows of a table."""
    return [file for file in staged if file.table == table.name]


def files_of_bucket(staged: Iterable[StagedFile], bucket: int) -> tuple[StagedFile, ...]:
    """Return the files with rows of a bucket, and the lists of months that belong to them."""
    staged = tuple(staged)
    found = [file for file in staged if file.bucket == bucket]
    attempts = {file.attempt for file in found}
    return (*found, *(file for file in staged if file.name == MONTHS and file.attempt in attempts))


def read_rows(work: Path, staged: Iterable[StagedFile], table: Table) -> pa.Table:
    """Return the staged rows of a table."""
    found = [_open(work / file.path).read_all() for file in files_of(staged, table)]
    return pa.concat_tables(found) if found else arrow_schema(table).empty_table()


def month_reader(work: Path, staged: Iterable[StagedFile], table: Table) -> Callable[[str | None], pa.Table | None]:
    """Return a function that reads the staged rows of one month, since a month may fill the memory.

    Months are read one at a time, since a single one may fill the memory.
    """
    locations: dict[str | None, list[tuple[pa.RecordBatchFileReader, int]]] = {}
    for file in files_of(staged, table):
        reader = _open(work / file.path)
        months = json.loads((work / file.attempt / MONTHS).read_text())[file.name]
        for number, month in enumerate(months):
            locations.setdefault(month, []).append((reader, number))

    def read_month(month: str | None) -> pa.Table | None:
        parts = [reader.get_batch(number) for reader, number in locations.get(month, [])]
        rows = pa.Table.from_batches(parts).combine_chunks() if parts else None
        parts.clear()
        release_memory()
        return rows

    return read_month


def _open(file: Path) -> pa.RecordBatchFileReader:
    return pa.ipc.open_file(pa.OSFile(str(file)))  # memory-mapped pages would count towards the memory of the process
