"""Answer an SQL query as a table, CSV, JSON or Parquet."""

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
from flows.cli.query.formats import ReadingError, Rows, write_csv, write_json, write_safe_csv, write_table
from flows.cli.query.output_file import written
from flows.cli.query.parquet import write_parquet
from flows.cli.query.statement import require_question
from flows.errors import QueryError
from flows.settings import Settings
from flows.warehouse.sandbox import open_sandbox, private_folder
from flows.warehouse.storage import open_storage


def answer(settings: Settings, edition: Path, sql: str, form: str, output: Path | None) -> None:
    """Answer a query as table, csv, json or parquet, on standard output or in a file.

    Raise RunError, or KeyboardInterrupt at once if a signal stops it.
    """
    sql = _text(sql)
    too_long = _too_long(settings.timeout)
    try:
        with interruptible(settings.timeout, too_long) as stop, open_sandbox(edition, settings.timeout) as connection:
            stop.interrupt = connection.interrupt
            stop.litter.append(private_folder(connection))
            question = require_question(connection, sql)
            place = written(output, open_storage(settings).local_root, stop.litter) if output else nullcontext()
            with place as target:
                _write(connection.sql(question), form, target)
    except (duckdb.Error, pa.ArrowException, ReadingError) as error:
        if isinstance(error, duckdb.InterruptException) or str(error).startswith("INTERRUPT"):
            raise QueryError(too_long) from None
        raise QueryError(f"Query failed: {_reason(error)}") from None
    except BrokenPipeError:
        if output is None:
            discard_rest(sys.stdout)
    except OSError as error:
        raise _unwritten(output, error) from None


def _text(sql: str) -> str:
    """Return a query as text, even if the locale of the command line has fewer letters; raise QueryError."""
    try:
        return os.fsencode(sql).decode() if re.search("[\udc80-\udcff]", sql) else sql
    except UnicodeDecodeError:
        raise QueryError("The query is not valid UTF-8. Write it in UTF-8, or its letters as chr(233).") from None


def _too_long(seconds: float) -> str:
    return f"The query took longer than {seconds:g} s. Ask for less, or allow more with --timeout."


def _unwritten(output: Path | None, error: OSError) -> QueryError:
    reason = error.strerror or error
    if output is None:
        discard_rest(sys.stdout)
        return QueryError(f"Standard output cannot be written ({reason}). Name a file with --output.")
    return QueryError(f"{output} cannot be written ({reason}). Name another file with --output.")


def _reason(error: Exception) -> str:
    """Return DuckDB's message as one line, without its kind and without the query, which its author knows."""
    text = " ".join(str(error).split("\n\nLINE ")[0].split())
    message = re.sub(r"^[A-Z][\w ]* Error: ", "", text)
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _write(rows: Rows, form: str, target: BinaryIO | None) -> None:
    repeated = sorted({name for name in rows.columns if rows.columns.count(name) > 1})
    if repeated and form != "table":
        raise QueryError(f"Two columns are called {repeated[0]}. Rename one with AS.")
    if target is None:
        _TEXTS[form](rows, sys.stdout)
        sys.stdout.flush()
    elif form == "parquet":
        write_parquet(rows, target)
    else:
        file = io.TextIOWrapper(target, encoding="utf-8", newline="")
        _TEXTS[form](rows, file)
        file.detach()


_TEXTS: dict[str, Callable[[Rows, TextIO], None]] = {
    "table": write_table,
    "csv": write_csv,
    "safe csv": write_safe_csv,
    "json": write_json,
}
