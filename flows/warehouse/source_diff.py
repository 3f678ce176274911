"""Compare the source with the previous edition, and find seed files that contain the same article."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.problems import problem
from flows.schema import PROBLEMS, TO_READ
from flows.warehouse.arrow import arrow_schema, to_arrow

# A file that was changed just before the listing may be changed again within the same tick of the file system's clock.
# Its modification time would then stay the same.
CLOCK_TICK = 2_000_000_000  # nanoseconds
LISTED = ("size", "mtime_ns", "etag_hash")  # columns with what a listing says about a file
REJECTED = pa.chunked_array([["rejected"]])


def find_changed(found: pa.Table, previous: pa.Table, listed_at: int, verify_content: bool) -> pa.Table:
    """Return the files to read, with the columns of TO_READ: new and changed ones, or all if `verify_content` is set.

    `found` has the columns of FOUND, and `previous` additionally content_hash. `listed_at` is the time at which
    `previous` was listed, in nanoseconds since 1970.
    """
    known = _rows_at(previous.select(arrow_schema(TO_READ).names), found["source_path"])
    files = found.append_column("content_hash", known["content_hash"])
    if verify_content:
        return files
    same_time = pc.and_(
        pc.equal(found["mtime_ns"], known["mtime_ns"]), pc.less(found["mtime_ns"], listed_at - CLOCK_TICK)
    )
    same_etag = pc.equal(found["etag_hash"], known["etag_hash"])  # null without ETags: then the time counts
    same = pc.and_(pc.equal(found["size"], known["size"]), pc.coalesce(same_etag, same_time))
    same = pc.and_(same, pc.is_valid(known["content_hash"]))
    return files.filter(pc.invert(pc.fill_null(same, False)))


def _rows_at(table: pa.Table, paths: pa.ChunkedArray) -> pa.Table:
    """Return the row for each path, in the order of the paths, or a row of nulls if there is none."""
    if table["source_path"].equals(paths):
        return table
    return table.take(pc.index_in(paths, value_set=table["source_path"].combine_chunks()))


def changed_rows(read: pa.Table, previous: pa.Table, same_problem: pa.ChunkedArray) -> pa.Table:
    """Return the rows of `read` whose content differs from `previous`.

    A file that cannot be read counts as unchanged if its size is the same and its path is in `same_problem`. The size
    alone is not enough: a dangling link may now point to a folder.
    """
    known = _rows_at(previous.select(["source_path", "size", "content_hash", "status"]), read["source_path"])
    unread = pc.and_(pc.is_null(read["content_hash"]), pc.is_null(known["content_hash"]))
    same_failure = pc.and_(
        pc.equal(read["size"], known["size"]),
        pc.is_in(read["source_path"], value_set=same_problem.combine_chunks()),
    )
    same = pc.or_(
        pc.fill_null(pc.equal(read["content_hash"], known["content_hash"]), False),
        pc.fill_null(pc.and_(unread, same_failure), False),
    )
    return read.filter(pc.invert(same))


def same_rejections(problems: pa.Table, previous: pa.Table) -> pa.ChunkedArray:
    """Return the paths of files that are rejected for the same reason in both tables of problems."""
    columns = ["source_path", "message"]
    now, before = (rows_with(rows, "severity", REJECTED).select(columns) for rows in (problems, previous))
    known = before.take(pc.index_in(now["source_path"], value_set=before["source_path"].combine_chunks()))
    return now["source_path"].filter(pc.fill_null(pc.equal(now["message"], known["message"]), False))


def rows_with(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """Return the rows whose value in the column is one of `values`."""
    return table.filter(pc.is_in(table[column], value_set=values.combine_chunks()))


def rows_without(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """Return the rows whose value in the column is not one of `values`."""
    found = pc.is_in(table[column], value_set=values.combine_chunks())
    return table.filter(pc.invert(found)) if pc.any(found).as_py() else table


def unchanged_rows(found: pa.Table, previous: pa.Table, read: pa.ChunkedArray) -> pa.Table:
    """Return the rows of sources for files that were found but not read, with their current size and time."""
    unread = rows_without(found, "source_path", read)
    known = _rows_at(previous, unread["source_path"])
    for name in LISTED:
        known = _set_column(known, name, unread[name])
    return known


def find_candidates(previous: pa.Table, changed: pa.Table) -> pa.Table:
    """Return the rows of `previous` for unchanged files whose article a changed file contains or contained.

    `changed` has the new and the previous rows of changed files. Each of the returned candidates may now be the file
    whose article is published.
    """
    article_ids = _with_article(changed)["article_id"]
    candidates = _with_article(rows_with(previous, "article_id", article_ids))
    return rows_without(candidates, "source_path", changed["source_path"])


def _with_article(sources: pa.Table) -> pa.Table:
    """Return the rows of sources whose article is published, from that file or from another one."""
    return sources.filter(pc.is_in(sources["status"], pa.array(["published", "duplicate"])))


def find_duplicates(articles: pa.Table) -> dict[str, tuple[str, str]]:
    """Return the duplicates as a mapping: source_path -> (article_id, source_path of the published file).

    `articles` has article_id, published_at and source_path. The file with the latest published_at is published (undated
    counts as earliest), and among equals the one with the greatest path.
    """
    counts = pc.value_counts(articles["article_id"])
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    rows = rows_with(articles, "article_id", pa.chunked_array([repeated])).to_pylist()
    winners: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=_rank):
        winners[row["article_id"]] = row
    return {
        row["source_path"]: (row["article_id"], winners[row["article_id"]]["source_path"])
        for row in rows
        if row is not winners[row["article_id"]]
    }


def _rank(row: dict[str, Any]) -> tuple[bool, Any, str]:
    return (row["published_at"] is not None, row["published_at"] or 0, row["source_path"])


def with_duplicates(problems: pa.Table, duplicates: dict[str, tuple[str, str]]) -> pa.Table:
    """Return the problems with exactly one row for each duplicate, whose message names the published file."""
    rows = [
        problem("duplicate", article_id=article_id, winner=winner)._replace(source_path=path, article_id=article_id)
        for path, (article_id, winner) in duplicates.items()
    ]
    return pa.concat_tables([rows_without(problems, "source_path", _paths(duplicates)), to_arrow(PROBLEMS, rows)])


def _paths(duplicates: dict[str, tuple[str, str]]) -> pa.ChunkedArray:
    """Return the paths of the duplicates."""
    return pa.chunked_array([pa.array(sorted(duplicates), pa.string())])


def reconcile_sources(read: pa.Table, duplicates: dict[str, tuple[str, str]], history: pa.Table) -> pa.Table:
    """Return the rows of files that were read, with duplicates marked and the editions of the file history set."""
    is_duplicate = pc.is_in(read["source_path"], value_set=_paths(duplicates).combine_chunks())
    read = _set_column(read, "status", pc.if_else(is_duplicate, "duplicate", read["status"]))
    read = _set_column(read, "published_month", pc.if_else(is_duplicate, None, read["published_month"]))
    known = _rows_at(history, read["source_path"])
    same = pc.fill_null(pc.equal(read["content_hash"], known["content_hash"]), False)
    first = pc.coalesce(known["first_edition"], read["first_edition"])
    changed = pc.if_else(same, known["last_changed_edition"], read["last_changed_edition"])
    return _set_column(_set_column(read, "first_edition", first), "last_changed_edition", changed)


def published_sources(sources: pa.Table) -> pa.Table:
    """Return the rows of published files."""
    return sources.filter(pc.equal(sources["status"], "published"))


def duplicate_sources(sources: pa.Table) -> pa.Table:
    """Return the rows of duplicate files."""
    return sources.filter(pc.equal(sources["status"], "duplicate"))


def _set_column(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, table.schema.field(index), values)
