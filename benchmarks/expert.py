"""Run what a DuckDB expert would write: expert.sql, and the views of our editions that its tables suffice for.

python -m benchmarks.expert SOURCE OUTPUT PROCESSES
"""

import sys
from pathlib import Path

import duckdb

HERE = Path(__file__).parent
VIEWS = ("articles_by_category", "articles_by_day", "articles_by_category_and_day", "data_dictionary")


def main(source: Path, output: Path, threads: int) -> None:
    """Build the database and the Parquet in the folder `output`."""
    output.mkdir(parents=True)
    with duckdb.connect(config={"threads": threads, "autoload_known_extensions": False}) as connection:
        # Smaller row groups than usual, since a scan gives each thread whole ones.
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
    """The view `seed_files`: one read_blob a thread, for each reads on one thread however many there are."""
    glob = "SELECT file, row_number() OVER () AS number FROM glob(getvariable('source') || '/**/*.md')"
    for part in range(threads):
        query = f"SELECT list(file) FROM ({glob}) WHERE number % {threads} = {part}"
        connection.execute(f"SET VARIABLE files_{part} = ({query})")
    scans = (f"SELECT filename, content FROM read_blob(getvariable('files_{part}'))" for part in range(threads))
    connection.execute(f"CREATE TEMP VIEW seed_files AS {' UNION ALL '.join(scans)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
