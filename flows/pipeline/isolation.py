"""Isolate seed files: an exception while reading one rejects that file and does not fail the run."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

from flows.articles.article import Reading, read_article, rejected
from flows.errors import first_line
from flows.problems import problem, quoted
from flows.schema import ARTICLES, CAPTIONS, IMAGES, PROBLEMS
from flows.warehouse.arrow import to_arrow

MAX_REASON_LENGTH = 150  # characters
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")  # differs from run to run


def read_isolated(
    content: bytes, source_path: str, zone: ZoneInfo, columns: Mapping[str, str] = MappingProxyType({})
) -> Reading:
    """Read a seed file; an exception of the parser rejects the file with the problem `internal_error`."""
    try:
        return read_article(content, source_path, zone, columns)
    except BaseException as error:
        if not concerns_file(error):
            raise
        return _internal_error(error, source_path)


def with_arrow_rows(reading: Reading, source_path: str) -> Reading:
    """Return the reading of a file, or `internal_error` instead if Arrow cannot hold its rows."""
    articles = [reading.article] if reading.article else []
    try:
        for table, rows in (
            (ARTICLES, articles),
            (IMAGES, reading.images),
            (CAPTIONS, reading.captions),
            (PROBLEMS, reading.problems),
        ):
            to_arrow(table, rows)
    except Exception as error:
        if not concerns_file(error):
            raise
        return _internal_error(error, source_path)
    return reading


def concerns_file(error: BaseException) -> bool:
    """Return whether an exception is caused by the file that was read, not by the state of the process.

    Every file fails when the process is out of memory, and Prefect raises a flow's timeout in whatever code is running.
    A panic in a Rust library is only a BaseException.
    """
    if isinstance(error, MemoryError | TimeoutError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _internal_error(error: BaseException, source_path: str) -> Reading:
    """Return the reading of a file on which the parser failed; its message is the same in each run."""
    name = type(error).__name__
    # The text of a RecursionError depends on the function in which the stack overflowed.
    text = "" if isinstance(error, RecursionError) else _ADDRESS.sub("0x…", first_line(error))
    text = text.encode(errors="backslashreplace").decode()
    reason = name if text in ("", name) else f"{name}, {quoted(text, MAX_REASON_LENGTH)}"
    return rejected(problem("internal_error", reason=reason), source_path)
