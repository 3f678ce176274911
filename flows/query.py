"""`broadsheet query`: a question in SQL to an edition, answered as a table, CSV, JSON or Parquet."""

import csv
import io
import json
import math
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from flows.errors import QueryError
from flows.objects.prefix import Prefix
from flows.say import speak_to_nobody
from flows.settings import Settings
from flows.warehouse import working_copy
from flows.warehouse.database import DATABASE, Config, connected
from flows.warehouse.editions import current_edition
from flows.warehouse.paths import require_path

MOST_ROWS = 40  # of a table: its first and last ones
# A question reads the edition and nothing else: no file, no address, no variable of this program.
_SEALED: Config = {"enable_external_access": False, "python_enable_replacements": False}
_ASKING = ("SELECT", "EXPLAIN", "MULTI")  # as DuckDB calls them: SHOW and DESCRIBE are SELECT, PIVOT is MULTI


@contextmanager
def opened(settings: Settings) -> Iterator[Path | None]:
    """The folder of the current edition, in which its database lies; None where nothing is published."""
    if isinstance(settings.warehouse, Prefix):
        with working_copy.reading(settings.warehouse, settings.home) as folder:
            yield folder
    else:
        require_path(settings.warehouse)
        yield current_edition(settings.warehouse)


def answer(edition: Path, sql: str, form: str, output: Path | None) -> None:
    """Answer a query as table, csv, json or parquet, on standard output or in a file; raises RunError."""
    try:
        with connected(_SEALED, database=edition / DATABASE) as connection:
            connection.execute("SET lock_configuration = true")
            _require_a_question(connection, sql)
            _write(connection.sql(sql), form, output)
    except (duckdb.Error, pa.ArrowException) as error:
        raise QueryError(f"The query has no answer: {_reason(error)}") from None
    except BrokenPipeError:
        speak_to_nobody(sys.stdout)
    except OSError as error:
        raise QueryError(f"{output} cannot be written ({error.strerror}); name another file with --output.") from None


def _require_a_question(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    if len(kinds) != 1 or kinds[0] not in _ASKING:
        raise QueryError("A query is one question that begins with SELECT, FROM, WITH, DESCRIBE, SHOW or the like.")


def _reason(error: Exception) -> str:
    """DuckDB's message as one line, without its kind, and without the query, which its author knows."""
    text = " ".join(str(error).split("\n\nLINE ")[0].split())
    message = re.sub(r"^[A-Z][\w ]* Error: ", "", text)
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _write(rows: duckdb.DuckDBPyRelation, form: str, output: Path | None) -> None:
    repeated = sorted({name for name in rows.columns if rows.columns.count(name) > 1})
    if repeated and form != "table":
        raise QueryError(f"Two columns of the answer are called {repeated[0]}; rename one with AS.")
    if form == "parquet":
        _write_parquet(rows, output)
        return
    with _opened(output) as file:
        _FORMS[form](rows, file)
        file.flush()


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        yield file


def _write_table(rows: duckdb.DuckDBPyRelation, file: TextIO) -> None:
    """As wide as the terminal; no character of an article commands it."""
    with redirect_stdout(io.StringIO()) as shown:
        rows.show(max_width=shutil.get_terminal_size((120, 0)).columns, max_rows=MOST_ROWS)
    file.write(re.sub("[\x80-\x9f]", "\ufffd", shown.getvalue()))


def _write_csv(rows: duckdb.DuckDBPyRelation, file: TextIO) -> None:
    """With a line of names; null is empty, an instant is UTC."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(rows.columns)
    writer.writerows(_values(rows))


def _write_json(rows: duckdb.DuckDBPyRelation, file: TextIO) -> None:
    """An array of objects, one a line; what is no number, as 0 / 0 is none, is null."""
    before = "[\n"
    for row in _values(rows):
        numbers = [None if isinstance(value, float) and not math.isfinite(value) else value for value in row]
        file.write(before + json.dumps(dict(zip(rows.columns, numbers, strict=True)), ensure_ascii=False))
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")


def _write_parquet(rows: duckdb.DuckDBPyRelation, output: Path | None) -> None:
    batches = pa.RecordBatchReader.from_stream(rows)
    with pq.ParquetWriter(output, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _values(rows: duckdb.DuckDBPyRelation) -> Iterator[list[Any]]:
    """Rows as text, numbers, truths and None, a batch in memory at a time."""
    for batch in pa.RecordBatchReader.from_stream(rows):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield [_plain(value) for value in row]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):  # sums of integers are decimals without a fraction
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


_FORMS: dict[str, Callable[[duckdb.DuckDBPyRelation, TextIO], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "json": _write_json,
}
