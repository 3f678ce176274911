"""Compare reading an edition in its own layout and in Hive folders, which have the month only in their names.

    python -m benchmarks.layouts EDITION

EDITION is the folder of an edition. The Hive copy has the same rows in the same row groups. Prints medians of
interleaved rounds.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from flows.schema import ARTICLES, CONTENT
from flows.warehouse.parquet import TEXT_ROW_GROUP_SIZE, UNDATED, month_files

ROUNDS = 25
MONTH, KEY = "published_month", "article_id"
HIVE = ds.partitioning(pa.schema([(MONTH, pa.string())]), flavor="hive")
Read = Callable[[Path, bool, str, str], int]


def main(edition: Path) -> None:
    """Print the size of both layouts, and the time of each reader for each layout."""
    with TemporaryDirectory() as name:
        hive = Path(name)
        for table in CONTENT:
            for file in month_files(edition, table):
                _write_as_hive(file, hive / table.name)
        print("| | filter on the month | one named file | Hive folders |\n|---|--:|--:|--:|")
        print(f"| bytes | {_bytes(edition):,} | | {_bytes(hive):,} |")
        ours, theirs = edition / ARTICLES.name, hive / ARTICLES.name
        month, article = _middle(ours)
        for reader, read in READERS.items():
            places = ((ours, False), (ours / month, False), (theirs, True))
            print(f"| one month, {reader}, ms | {_measure(read, places, MONTH, month)} |")
            print(f"| one article, {reader}, ms | {_measure(read, places, KEY, article)} |")


def _middle(articles: Path) -> tuple[str, str]:
    """Return the month and the article in the middle."""
    files = sorted(articles.glob("*/*.parquet"))
    rows = pq.ParquetFile(files[len(files) // 2]).read([MONTH, KEY])
    row = rows.slice(rows.num_rows // 2, 1).to_pylist()[0]
    return row[MONTH], row[KEY]


def _write_as_hive(file: Path, folder: Path) -> None:
    month = file.parent.name
    to = folder / f"{MONTH}={'__HIVE_DEFAULT_PARTITION__' if month == UNDATED else month}" / file.name
    to.parent.mkdir(parents=True)
    rows = pq.ParquetFile(file).read().drop_columns([MONTH])
    pq.write_table(rows, to, TEXT_ROW_GROUP_SIZE, compression="zstd", compression_level=1)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for table in CONTENT for file in month_files(folder, table))


def _measure(read: Read, places: Sequence[tuple[Path, bool]], column: str, value: str) -> str:
    """Return the median milliseconds per place, measured in turn."""
    seconds: list[list[float]] = [[] for _ in places]
    for _ in range(ROUNDS):
        found = set()
        for (folder, hive), times in zip(places, seconds, strict=True):
            started = time.perf_counter()
            found.add(read(folder, hive, column, value))
            times.append(time.perf_counter() - started)
        if len(found) != 1:
            sys.exit(f"layouts: The layouts have different rows: {found} words where {column} is {value}.")
    return " | ".join(f"{median(times) * 1000:.1f}" for times in seconds)


def _read_with_duckdb(folder: Path, hive: bool, column: str, value: str) -> int:
    rows = f"read_parquet('{folder}/**/*.parquet', hive_partitioning = {hive}, hive_types_autocast = false)"
    with duckdb.connect() as connection:
        query = f"SELECT sum(word_count) FROM {rows} WHERE {column} = $value"
        return int(connection.execute(query, {"value": value}).fetchall()[0][0])


def _read_with_pyarrow(folder: Path, hive: bool, column: str, value: str) -> int:
    rows = ds.dataset(folder, partitioning=HIVE if hive else None)
    return sum(rows.to_table(columns=["word_count"], filter=ds.field(column) == value)["word_count"].to_pylist())


def _read_with_polars(folder: Path, hive: bool, column: str, value: str) -> int:
    rows = pl.scan_parquet(folder, hive_schema={MONTH: pl.String} if hive else None)
    return int(rows.filter(pl.col(column) == value).select(pl.sum("word_count")).collect().item())


READERS: dict[str, Read] = {"DuckDB": _read_with_duckdb, "pyarrow": _read_with_pyarrow, "polars": _read_with_polars}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
