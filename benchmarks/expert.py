"""Run expert.sql, the solution of a DuckDB expert, and the views of Broadsheet that its tables support.

python -m benchmarks.expert SOURCE OUTPUT PROCESSES
"""

import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
VIEWS = ("articles_by_category", "articles_by_day", "articles_by_category_and_day", "data_dictionary")


def main(source: Path, output: Path, threads: int) -> None:
    """Write the database and the Parquet files to the folder `output`."""
    output.mkdir(parents=True)
    with duckdb.connect(config={"threads": threads, "autoload_known_extensions": False}) as connection:
        # Each thread scans whole row groups, so smaller ones distribute better.
        connection.execute(
            f"ATTACH '{output}/expert.duckdb' AS expert (STORAGE_VERSION 'v1.4.0', ROW_GROUP_SIZE 20480)"
        )
        connection.execute("USE expert")
        connection.execute("SET TimeZone = 'UTC'")
        for name, value in {"source": str(source), "output": str(output)}.items():
            connection.execute(f"SET VARIABLE {name} = $value", {"value": value})
        _scan(connection, threads)
        connection.execute((HERE / "expert.sql").read_text())
        for view in VIEWS:
            connection.execute((HERE.parent / "sql" / "views" / f"{view}.sql").read_text())
        connection.execute("CHECKPOINT")


def _scan(connection: duckdb.DuckDBPyConnection, threads: int) -> None:
    """Create the view `seed_files` with one read_blob per thread, because a read_blob uses a single thread."""
    glob = "SELECT file, row_number() OVER () AS number FROM glob(getvariable('source') || '/**/*.md')"
    for part in range(threads):
        query = f"SELECT list(file) FROM ({glob}) WHERE number % {threads} = {part}"
        connection.execute(f"SET VARIABLE files_{part} = ({query})")
    scans = (f"SELECT filename, content FROM read_blob(getvariable('files_{part}'))" for part in range(threads))
    connection.execute(f"CREATE TEMP VIEW seed_files AS {' UNION ALL '.join(scans)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
