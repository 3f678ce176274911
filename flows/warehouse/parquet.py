"""The Parquet files of an edition: one a month for the tables that have months, else one a table."""

import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from flows.tables import CHANGES, CONTENT, EDITIONS, Table
from flows.warehouse import batches
from flows.warehouse.arrow import schema, sort

NO_MONTH = "__HIVE_DEFAULT_PARTITION__"  # Hive's name for the partition of null, which every reader knows
ROW_GROUP = 20_000  # rows


def write_months(work: Path, edition: Path, losers: Collection[str]) -> None:
    """Write each content table of an edition, month by month, without the rows of files that lost to a duplicate."""
    lost = pa.array(sorted(losers), pa.string())
    for table in CONTENT:
        written = 0
        for month, rows in batches.months(work, table):
            kept = rows.filter(pc.invert(pc.is_in(rows["source_path"], lost))) if losers else rows
            if kept.num_rows:
                write_month(edition, table, month, kept.select(schema(table).names))
                written += 1
        if not written:  # so that readers find the columns
            write_month(edition, table, None, schema(table).empty_table())


def write_month(edition: Path, table: Table, month: str | None, rows: pa.Table) -> None:
    """Write one month of a table; the month stands in the folder's name, not in the file."""
    file = edition / table.name / f"{table.partition}={month or NO_MONTH}" / f"{table.name}.parquet"
    _write(file, sort(table, rows).drop_columns(["published_month"]))


def write_table(edition: Path, table: Table, rows: pa.Table) -> None:
    """Write a table that is one file."""
    _write(edition / f"{table.name}.parquet", sort(table, rows))


def read_table(edition: Path, table: Table) -> pa.Table:
    """Read back a table that is one file."""
    return pq.ParquetFile(edition / f"{table.name}.parquet").read()


def write_ledger(edition: Path, before: Path | None, gained: pa.Table, noticed_at: datetime) -> None:
    """Append rows to the ledger: the months before this one are links to their files in the edition before."""
    rows = gained.cast(schema(CHANGES))
    this_month = f"{CHANGES.partition}={noticed_at:%Y-%m}"
    known = sorted((before / CHANGES.name).glob("*/*.parquet")) if before else []
    for file in known:
        if file.parent.name == this_month:
            rows = pa.concat_tables([pq.ParquetFile(file).read(), rows])
        else:
            _link_or_copy(file, edition / CHANGES.name / file.parent.name / file.name)
    if rows.num_rows or not known:
        _write(edition / CHANGES.name / this_month / f"{CHANGES.name}.parquet", sort(CHANGES, rows))


def write_editions(edition: Path, before: Path | None, row: pa.Table) -> None:
    """Write the list of editions: those of the edition before, and this one."""
    write_table(edition, EDITIONS, pa.concat_tables([read_table(before, EDITIONS), row]) if before else row)


def row_count(file: Path) -> int:
    """The number of rows of a Parquet file, from its footer."""
    return int(pq.read_metadata(file).num_rows)


def _write(file: Path, rows: pa.Table) -> None:
    """Zstd, and nothing that depends on the run: the same rows give the same bytes."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, file, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)


def _link_or_copy(file: Path, to: Path) -> None:
    """Share an immutable file with a new edition; a copy where the file system has no hard links."""
    to.parent.mkdir(parents=True, exist_ok=True)
    try:
        to.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, to)
