"""Readers get all rows and columns of a table's folder with their default options, wherever the warehouse is."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import dask.dataframe as dd
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.schema import CHANGES, CONTENT, columns
from flows.settings import Settings
from tests.conftest import query, run_broadsheet, seed_file

DUCKDB_1_4 = Path(sys.executable).with_name("duckdb")
Read = Callable[[Path], pa.Table]


def by_duckdb(folder: Path, options: str = "") -> pa.Table:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.sql(f"FROM read_parquet('{folder}/*/*.parquet'{options})")
        return pa.RecordBatchReader.from_stream(found).read_all()


def by_pandas(frame: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(frame, preserve_index=False)


def file_by_file(folder: Path) -> pa.Table:
    """Combine the files of a folder as Power BI, Excel and Tableau do: they expect the same columns in each file."""
    return pa.concat_tables([pq.ParquetFile(file).read() for file in sorted(folder.rglob("*.parquet"))])


READERS: dict[str, Read] = {
    "pandas": lambda folder: by_pandas(pd.read_parquet(folder)),
    "dask": lambda folder: by_pandas(dd.read_parquet(folder).compute()),
    "polars, a folder": lambda folder: pl.read_parquet(folder).to_arrow(),
    "polars, a folder, lazily": lambda folder: pl.scan_parquet(folder).collect().to_arrow(),
    "polars, a pattern": lambda folder: pl.scan_parquet(folder / "*/*.parquet").collect().to_arrow(),
    "pyarrow, a table": pq.read_table,
    "pyarrow, a dataset": lambda folder: ds.dataset(folder).to_table(),
    "DuckDB": by_duckdb,
    "file by file": file_by_file,
}
# These read folders above the warehouse as columns, unless an option of docs/reading.md is set.
WITH_OPTION: dict[str, Read] = {
    "dask": lambda folder: by_pandas(dd.read_parquet(folder, dataset={"partitioning": None}).compute()),
    "DuckDB": lambda folder: by_duckdb(folder, ", hive_partitioning = false"),
}
# dask 2026.8 uses an option of pandas that is deprecated in pandas 3.1.
each_reader = pytest.mark.filterwarnings("ignore:The inplace keyword")


def write_articles(source: Path) -> None:
    """Write two dated articles in two months, and one without a date, each with an image and a caption."""
    source.mkdir(exist_ok=True)
    body = "![A bridge. (AFP)](https://images.example.com/{}.jpg)\n\nPARIS - Text."
    for code, date in (("A", "2026-09-01"), ("B", "2026-10-01"), ("C", '""')):
        (source / f"{code}.md").write_text(seed_file(code, date=date, body=body.format(code)))


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readers")
    write_articles(folder / "source")
    return publish_edition(Settings(source=folder / "source", warehouse=folder / "warehouse")).folder


@pytest.fixture(scope="module")
def below_partitions(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the edition below folders that are named like partitions, one of them like a column."""
    place = tmp_path_factory.mktemp("above") / "env=prod" / "year=2026" / "category=none" / "warehouse"
    return Path(shutil.copytree(edition.parents[1], place, symlinks=True), "editions", edition.name)


def require_every_row(read: Read, edition: Path) -> None:
    for table in (*CONTENT, CHANGES):
        found = read(edition / table.name)
        assert found.column_names == [column.name for column in columns(table)]
        rows = found.cast(pa.schema([field.with_nullable(True) for field in expected_schema(edition, table.name)]))
        assert sorted(rows.to_pylist(), key=str) == sorted(expected_rows(edition, table.name), key=str)


def expected_schema(edition: Path, table: str) -> pa.Schema:
    return pq.read_schema(next((edition / table).rglob("*.parquet"))).remove_metadata()


def expected_rows(edition: Path, table: str) -> list[dict]:
    with duckdb.connect(edition / "broadsheet.duckdb", read_only=True) as connection:
        return pa.RecordBatchReader.from_stream(connection.table(table)).read_all().to_pylist()


@each_reader
@pytest.mark.parametrize("reader", READERS)
def test_a_reader_gets_all_rows_of_a_folder_without_options(edition, reader):
    require_every_row(READERS[reader], edition)


@each_reader
@pytest.mark.parametrize("reader", READERS)
def test_folders_above_that_are_named_like_partitions_add_no_column(below_partitions, reader):
    require_every_row(WITH_OPTION.get(reader, READERS[reader]), below_partitions)


def test_readers_with_an_option_need_it(below_partitions):
    assert {"env", "year"} <= set(by_duckdb(below_partitions / "articles").column_names)
    with pytest.raises(ValueError, match="partition"):  # one of the folders has the name of a column
        READERS["dask"](below_partitions / "articles")


@pytest.mark.parametrize("table", [table.name for table in (*CONTENT, CHANGES)])
def test_the_oldest_duckdb_reads_parquet_as_it_reads_the_database(edition, table):
    def ask(*command: object) -> str:
        done = subprocess.run([DUCKDB_1_4, "-csv", *map(str, command)], capture_output=True, text=True, check=True)
        return done.stdout

    assert ask("-version").startswith("v1.4.")
    rows = ask("-c", f"FROM read_parquet('{edition}/{table}/*/*.parquet') ORDER BY ALL")
    assert rows == ask("-readonly", edition / "broadsheet.duckdb", "-c", f"FROM {table} ORDER BY ALL")
    assert len(rows.splitlines()) > 3


@each_reader
def test_a_table_without_rows_has_one_file_with_its_columns(source, publish):
    (source / "a.md").write_text(seed_file("A"))
    folder = publish().folder
    assert [file.relative_to(folder).as_posix() for file in (folder / "captions").rglob("*.parquet")] == [
        "captions/undated/captions.parquet"
    ]
    for read in READERS.values():
        found = read(folder / "captions")
        assert (found.num_rows, "published_month" in found.column_names) == (0, True)


def test_runs_below_folders_that_are_named_like_partitions(tmp_path):
    """`title=x` has the name of a column, and schema 1 named the folders of months `published_month=2020-01`."""
    place = tmp_path / "env=prod" / "title=x" / "published_month=2020-01"
    settings = Settings(source=place / "source", warehouse=place / "warehouse")
    place.mkdir(parents=True)
    write_articles(settings.source)
    publish_edition(settings)
    (settings.source / "A.md").write_text(seed_file("A", title="Another", date="2026-09-01"))
    report = publish_edition(settings)
    assert report.edition.corrected == 1
    months = "SELECT article_id, title, published_month FROM articles ORDER BY ALL"
    assert query(report.folder, months) == [
        ("A", "Another", "2026-09"), ("B", "A title", "2026-10"), ("C", "A title", None),
    ]  # fmt: skip
    assert verify_edition(settings) == []
    done = run_broadsheet(
        "query", "SELECT count(*) AS n FROM changes", "--format", "csv", "--warehouse", settings.warehouse
    )
    assert done.stdout == "n\n5\n", done.stderr
