"""Load the corpus with dlt: filesystem source, a transformer, DuckDB destination, then Parquet by month and views.

    .venv-bench/bin/python benchmarks/peers/dlt_articles.py arrow|rows SOURCE OUTPUT PROCESSES

dlt documents both inputs. `rows` are dictionaries, as in its tutorials, for which dlt infers types and nesting. `arrow`
are tables, which it passes on almost unchanged; this is several times as fast.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa
from by_regex import Row, read_article
from dlt.sources.filesystem import FileItemDict, filesystem

VIEWS = ("articles_by_category", "articles_by_day", "articles_by_category_and_day")  # data_dictionary needs comments
SQL = Path(__file__).parents[2] / "sql" / "views"
TABLES = ("articles", "images", "captions")


@dlt.transformer
def read(files: list[FileItemDict], form: str) -> Iterator[Any]:
    """Yield the rows of a page of files for each table, in the form `arrow` or `rows`."""
    found: dict[str, list[Row]] = {name: [] for name in TABLES}
    for file in files:
        article = read_article(file.read_bytes(), file["relative_path"])
        if article:
            found["articles"].append(article[0])
            found["images"] += article[1]
            found["captions"] += article[2]
    for name, items in found.items():
        if items:
            yield dlt.mark.with_table_name(pa.Table.from_pylist(items) if form == "arrow" else items, name)


def main(form: str, source: str, output: Path, processes: int) -> None:
    """Write the database and the Parquet files to the folder `output`."""
    os.environ |= {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
        "NORMALIZE__WORKERS": str(processes),
        "LOAD__WORKERS": str(processes),
        "NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID": "false",
    }
    output.mkdir(parents=True)
    destination = dlt.destinations.duckdb(f"{output}/dlt.duckdb")
    pipeline = dlt.pipeline(
        "articles", pipelines_dir=str(output / "state"), destination=destination, dataset_name="main"
    )
    pages = filesystem(bucket_url=source, file_glob="**/*.md", files_per_page=1000)
    pipeline.run(pages | read(form), loader_file_format="parquet", write_disposition="replace")
    with pipeline.sql_client() as client:
        client.execute_sql((Path(__file__).with_name("after_dlt.sql")).read_text())
        for table in TABLES:
            client.execute_sql(
                f"COPY {table} TO '{output}/{table}' (FORMAT parquet, PARTITION_BY (published_month), COMPRESSION zstd)"
            )
        for view in VIEWS:
            client.execute_sql((SQL / f"{view}.sql").read_text())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
