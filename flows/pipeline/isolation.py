"""Isolate seed files: an exception while reading one is a problem of that file, and never fails the run."""

import re
from zoneinfo import ZoneInfo

from flows.articles.article import Reading, read_article, rejected
from flows.errors import first_line
from flows.problems import problem, quoted
from flows.schema import ARTICLES, CAPTIONS, IMAGES, PROBLEMS
from flows.warehouse.arrow import to_arrow

MAX_REASON = 150  # characters
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")  # differs from run to run


def read_isolated(content: bytes, source_path: str, zone: ZoneInfo) -> Reading:
    """Read a seed file; an exception of the parser rejects the file with the problem `internal_error`."""
    try:
        return read_article(content, source_path, zone)
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
    """Return whether an exception is about the file that was read, and not about the process.

    Without memory every other file fails too; a timeout of the flow is raised wherever its thread is. A panic of a
    library in Rust is not an Exception.
    """
    if isinstance(error, MemoryError | TimeoutError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def _internal_error(error: BaseException, source_path: str) -> Reading:
    """Return the reading of a file that made the parser fail; its message is the same in each run."""
    name = type(error).__name__
    # The text of a RecursionError depends on where the stack was at its end.
    said = "" if isinstance(error, RecursionError) else _ADDRESS.sub("0x…", first_line(error))
    said = said.encode(errors="backslashreplace").decode()
    reason = name if said in ("", name) else f"{name}, {quoted(said, MAX_REASON)}"
    return rejected(problem("internal_error", reason=reason), source_path)
