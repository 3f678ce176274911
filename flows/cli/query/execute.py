"""Run an SQL query and write its result as a table, CSV, JSON or Parquet."""

import io
import os
import re
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import BinaryIO, TextIO

import duckdb
import pyarrow as pa

from flows.cli.interrupt import interruptible
from flows.cli.output import discard_rest
from flows.cli.query.formats import FetchError, Rows, write_csv, write_json, write_safe_csv, write_table
from flows.cli.query.output_file import open_output
from flows.cli.query.parquet import write_parquet
from flows.cli.query.statement import require_select
from flows.errors import QueryError
from flows.settings import Settings
from flows.warehouse.sandbox import open_sandbox, private_folder
from flows.warehouse.storage import open_storage


def execute(settings: Settings, edition: Path, sql: str, output_format: str, output: Path | None) -> None:
    """Write the result of a query as table, csv, safe csv, json or parquet, to standard output or a file.

    Raise RunError, or KeyboardInterrupt at once if a signal stops it.
    """
    sql = _decode(sql)
    timeout_message = _timeout_message(settings.timeout)
    try:
        with (
            interruptible(settings.timeout, timeout_message) as stop,
            open_sandbox(edition, settings.timeout) as connection,
        ):
            stop.interrupt = connection.interrupt
            stop.temporary_paths.append(private_folder(connection))
            statement = require_select(connection, sql)
            target = (
                open_output(output, open_storage(settings).local_root, stop.temporary_paths)
                if output
                else nullcontext()
            )
            with target as file:
                _write(connection.sql(statement), output_format, file)
    except (duckdb.Error, pa.ArrowException, FetchError) as error:
        if isinstance(error, duckdb.InterruptException) or str(error).startswith("INTERRUPT"):
            raise QueryError(timeout_message) from None
        raise QueryError(f"Query failed: {_reason(error)}") from None
    except BrokenPipeError:
        if output is None:
            discard_rest(sys.stdout)
    except OSError as error:
        raise _write_error(output, error) from None


def _decode(sql: str) -> str:
    """Return a query as text, even if the locale is not UTF-8. Raise QueryError if its bytes are not UTF-8."""
    try:
        return os.fsencode(sql).decode() if re.search("[\udc80-\udcff]", sql) else sql
    except UnicodeDecodeError:
        raise QueryError("The query is not valid UTF-8. Write it in UTF-8, or its letters as chr(233).") from None


def _timeout_message(seconds: float) -> str:
    return f"The query took longer than {seconds:g} s. Simplify the query, or raise the limit with --timeout."


def _write_error(output: Path | None, error: OSError) -> QueryError:
    reason = error.strerror or error
    if output is None:
        discard_rest(sys.stdout)
        return QueryError(f"Standard output cannot be written ({reason}). Pass a file with --output.")
    return QueryError(f"{output} cannot be written ({reason}). Pass another file with --output.")


def _reason(error: Exception) -> str:
    """Return DuckDB's message as one line, without the type of the error and without the query."""
    text = " ".join(str(error).split("\n\nLINE ")[0].split())
    message = re.sub(r"^[A-Z][\w ]* Error: ", "", text)
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _write(rows: Rows, output_format: str, file: BinaryIO | None) -> None:
    repeated = sorted({name for name in rows.columns if rows.columns.count(name) > 1})
    if repeated and output_format != "table":
        raise QueryError(f"Two columns have the name {repeated[0]}. Rename one with AS.")
    if file is None:
        _TEXT_WRITERS[output_format](rows, sys.stdout)
        sys.stdout.flush()
    elif output_format == "parquet":
        write_parquet(rows, file)
    else:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        _TEXT_WRITERS[output_format](rows, text)
        text.detach()


_TEXT_WRITERS: dict[str, Callable[[Rows, TextIO], None]] = {
    "table": write_table,
    "csv": write_csv,
    "safe csv": write_safe_csv,
    "json": write_json,
}
