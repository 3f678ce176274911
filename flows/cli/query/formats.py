"""Write the rows of a query as a table, CSV or JSON.

Values are written by DuckDB: its text in CSV, its JSON in JSON. DuckDB can write every date, while Python's dates end
with the year 9999. Only instants of the years 1 to 9999 are written in ISO 8601.
"""

import csv
import io
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from types import SimpleNamespace
from typing import TextIO

import duckdb
import pyarrow as pa

from flows.display import escape, visible_lines

Rows = duckdb.DuckDBPyRelation
MAX_TABLE_ROWS = 40  # the first and the last ones
BATCH_ROWS = 4_096  # in memory
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?(\+00)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel also reads full-width forms
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_NON_FINITE = re.compile(r'("(?:[^"\\]|\\.)*")|NaN|(-?Infinity)')


class FetchError(Exception):
    """The query failed after its first rows; the message is DuckDB's."""


def write_table(rows: Rows, file: TextIO) -> None:
    """Write a table as wide as the terminal; characters of articles cannot control it."""
    with redirect_stdout(io.StringIO()) as shown:
        rows.show(max_width=shutil.get_terminal_size((120, 0)).columns, max_rows=MAX_TABLE_ROWS)
    file.write(visible_lines(shown.getvalue()))


def write_csv(rows: Rows, file: TextIO, edit: Callable[[str], str] = str) -> None:
    """Write the column names, then the rows, with `edit` applied to each text; NULL is empty."""
    write = _writer(file, escape)
    # The writer quotes only those line breaks that end its own lines, so these are CR LF until they are written.
    lines = SimpleNamespace(write=lambda line: write(line.removesuffix("\r\n") + "\n"))
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(map(edit, rows.columns))
    texts = [_to_iso if _is_timestamp(type_) else edit for type_ in rows.types]
    writer.writerows(_values(rows, ["#{}::VARCHAR"] * len(texts), texts, None))


def write_safe_csv(rows: Rows, file: TextIO) -> None:
    """Write CSV without cells that a spreadsheet would run as a formula."""
    write_csv(rows, file, _escape_formula)


def _escape_formula(text: str) -> str:
    """Return a text with an apostrophe before a formula of a spreadsheet; numbers are unchanged."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def write_json(rows: Rows, file: TextIO) -> None:
    """Write an array of objects, one per line; NaN is null, and infinity the text "inf"."""
    write = _writer(file, _json_escape)
    names = [_to_json(name) for name in rows.columns]
    instants = [_is_timestamp(type_) for type_ in rows.types]
    # To JSON, a column of nulls only is a constant: a call of error() would never be made.
    as_text = [instant or str(type_) == '"NULL"' for instant, type_ in zip(instants, rows.types, strict=True)]
    expressions = ["#{}::VARCHAR" if text else "to_json(#{})::VARCHAR" for text in as_text]
    texts = [_timestamp_to_json if instant else _replace_non_finite for instant in instants]
    before = "[\n"
    for row in _values(rows, expressions, texts, "null"):
        line = ", ".join(f"{name}: {value}" for name, value in zip(names, row, strict=True))
        write(before + _escape_unencodable(file, f"{{{line}}}"))
        before = ",\n"
    file.write("[]\n" if before == "[\n" else "\n]\n")


def batches(rows: Rows, max_rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the rows in batches of at most `max_rows`. Raise duckdb.Error, or FetchError after the first rows."""
    reader = rows.to_arrow_reader(max_rows)
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, pa.ArrowException) as error:  # Arrow raises them for errors of a stream
            raise FetchError(str(error)) from None
        yield batch


def _values(
    rows: Rows, expressions: list[str], texts: Sequence[Callable[[str], str]], null: str | None
) -> Iterator[Iterable[str | None]]:
    """Yield the rows as text; `expressions` are the columns' expressions in SQL, and `texts` edits the text of each."""
    numbered = ", ".join(expression.format(number) for number, expression in enumerate(expressions, 1))
    for batch in batches(rows.project(numbered), BATCH_ROWS):
        columns = [
            [null if value is None else text(value) for value in column.to_pylist()]
            for text, column in zip(texts, batch.columns, strict=True)
        ]
        yield from zip(*columns, strict=True)


def _is_timestamp(type_: object) -> bool:
    return str(type_).startswith("TIMESTAMP")


def _to_iso(text: str) -> str:
    """Return DuckDB's text of an instant as ISO 8601, if its year has four digits; a fraction has at least six."""
    if not (found := _TIMESTAMP.fullmatch(text)):
        return text
    day, time, fraction, zone = found.groups()
    return f"{day}T{time}{fraction.ljust(7, '0') if fraction else ''}{'Z' if zone else ''}"


def _to_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_escape(character: str) -> str:
    return json.dumps(character)[1:-1]


def _writer(file: TextIO, escape: Callable[[str], str]) -> Callable[[str], object]:
    """Return a function that writes to a file, with escapes if it is a terminal."""
    return (lambda text: file.write(visible_lines(text, escape))) if file.isatty() else file.write


def _timestamp_to_json(text: str) -> str:
    return _to_json(_to_iso(text))


def _replace_non_finite(text: str) -> str:
    """Return DuckDB's JSON without NaN, Infinity and -Infinity, which are not valid JSON."""
    return _NON_FINITE.sub(_replacement, text) if "NaN" in text or "Infinity" in text else text


def _replacement(found: re.Match[str]) -> str:
    text, infinity = found.groups()
    return text or {"Infinity": '"inf"', "-Infinity": '"-inf"'}.get(infinity, "null")


def _escape_unencodable(file: TextIO, line: str) -> str:
    """Return JSON with \\u escapes for characters that the encoding of a file may lack."""
    if (file.encoding or "utf-8").lower().startswith("utf"):
        return line
    return re.sub(r"[^\x00-\x7f]+", lambda found: json.dumps(found[0])[1:-1], line)
