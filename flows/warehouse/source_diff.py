"""Compare the source with the previous edition, and find seed files with the same article."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.problems import problem
from flows.schema import PROBLEMS, TO_READ
from flows.warehouse.arrow import schema, to_arrow

# A file that was changed just before the source was listed may have been changed again in the same tick of the
# file system's clock, which would not show in its time.
TICK = 2_000_000_000  # nanoseconds
REJECTED = pa.chunked_array([["rejected"]])


def find_changed(found: pa.Table, last: pa.Table, listed_at: int, every: bool) -> pa.Table:
    """Return the files to read: new ones, and those that differ from `last`, or all files if `every` is set.

    `found` has the columns of FOUND, `last` also content_hash; the result has those of TO_READ. `last` was listed at
    `listed_at`, in nanoseconds since 1970.
    """
    known = _rows_at(last.select(schema(TO_READ).names), found["source_path"])
    files = found.append_column("content_hash", known["content_hash"])
    if every:
        return files
    same = pc.and_(pc.equal(found["size"], known["size"]), pc.equal(found["mtime_ns"], known["mtime_ns"]))
    settled = pc.and_(pc.is_valid(known["content_hash"]), pc.less(found["mtime_ns"], listed_at - TICK))
    return files.filter(pc.invert(pc.fill_null(pc.and_(same, settled), False)))


def _rows_at(table: pa.Table, paths: pa.ChunkedArray) -> pa.Table:
    """Return the row of each path in the order of the paths, a row of nulls if there is none."""
    if table["source_path"].equals(paths):
        return table
    return table.take(pc.index_in(paths, value_set=table["source_path"].combine_chunks()))


def changed_rows(read: pa.Table, last: pa.Table, same_problem: pa.ChunkedArray) -> pa.Table:
    """Return the rows of `read` whose files have other content than in `last`.

    A file that could not be read is unchanged if its size is, and its path is in `same_problem`: a link may lead
    nowhere now, and to a folder later.
    """
    known = _rows_at(last.select(["source_path", "size", "content_hash", "status"]), read["source_path"])
    unread = pc.and_(pc.is_null(read["content_hash"]), pc.is_null(known["content_hash"]))
    alike = pc.and_(
        pc.equal(read["size"], known["size"]),
        pc.is_in(read["source_path"], value_set=same_problem.combine_chunks()),
    )
    same = pc.or_(
        pc.fill_null(pc.equal(read["content_hash"], known["content_hash"]), False),
        pc.fill_null(pc.and_(unread, alike), False),
    )
    return read.filter(pc.invert(same))


def same_rejections(problems: pa.Table, last: pa.Table) -> pa.ChunkedArray:
    """Return the paths of the files that are rejected for the same reason in both tables of problems."""
    now, then = (rows_of(rows, "severity", REJECTED).select(["source_path", "message"]) for rows in (problems, last))
    known = then.take(pc.index_in(now["source_path"], value_set=then["source_path"].combine_chunks()))
    return now["source_path"].filter(pc.fill_null(pc.equal(now["message"], known["message"]), False))


def rows_of(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """Return the rows whose column has one of some values."""
    return table.filter(pc.is_in(table[column], value_set=values.combine_chunks()))


def rows_without(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """Return the rows whose column has none of some values."""
    found = pc.is_in(table[column], value_set=values.combine_chunks())
    return table.filter(pc.invert(found)) if pc.any(found).as_py() else table


def carried_rows(found: pa.Table, last: pa.Table, read: pa.ChunkedArray) -> pa.Table:
    """Return the rows of sources that stay: files that were found and not read, with their present size and time."""
    stay = rows_without(found, "source_path", read)
    known = _rows_at(last, stay["source_path"])
    return _set(_set(known, "size", stay["size"]), "mtime_ns", stay["mtime_ns"])


def find_rivals(last: pa.Table, changed: pa.Table) -> pa.Table:
    """Return the rows of `last` whose files did not change, but have an article that a changed file has or had.

    `changed` are rows of sources: the files that were read, and what the changed files were before. Another of the
    files may be the published one now.
    """
    claimed = _holding(changed)["article_id"]
    return rows_without(_holding(rows_of(last, "article_id", claimed)), "source_path", changed["source_path"])


def _holding(sources: pa.Table) -> pa.Table:
    """Return the rows of sources whose files have a published article, from them or from another file."""
    return sources.filter(pc.is_in(sources["status"], pa.array(["published", "duplicate"])))


def find_losers(articles: pa.Table) -> dict[str, tuple[str, str]]:
    """Return the duplicates: source_path -> (article_id, the published file's source_path).

    `articles` has article_id, published_at and source_path. The later published_at wins (undated is earliest), then the
    greater path.
    """
    counts = pc.value_counts(articles["article_id"])
    repeated = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    rows = rows_of(articles, "article_id", pa.chunked_array([repeated])).to_pylist()
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


def with_duplicates(problems: pa.Table, losers: dict[str, tuple[str, str]]) -> pa.Table:
    """Return the problems with exactly one row for each duplicate, which names the published file."""
    rows = [
        problem("duplicate", article_id=article_id, winner=winner)._replace(source_path=path, article_id=article_id)
        for path, (article_id, winner) in losers.items()
    ]
    return pa.concat_tables([rows_without(problems, "source_path", paths(losers)), to_arrow(PROBLEMS, rows)])


def paths(losers: dict[str, tuple[str, str]]) -> pa.ChunkedArray:
    """Return the paths of the duplicates."""
    return pa.chunked_array([pa.array(sorted(losers), pa.string())])


def settle_sources(read: pa.Table, losers: dict[str, tuple[str, str]], history: pa.Table) -> pa.Table:
    """Return the rows of files that were read, with duplicates marked, and the history of each file."""
    lost = pc.is_in(read["source_path"], value_set=paths(losers).combine_chunks())
    read = _set(read, "status", pc.if_else(lost, "duplicate", read["status"]))
    read = _set(read, "published_month", pc.if_else(lost, None, read["published_month"]))
    known = _rows_at(history, read["source_path"])
    same = pc.fill_null(pc.equal(read["content_hash"], known["content_hash"]), False)
    first = pc.coalesce(known["first_edition"], read["first_edition"])
    changed = pc.if_else(same, known["last_changed_edition"], read["last_changed_edition"])
    return _set(_set(read, "first_edition", first), "last_changed_edition", changed)


def published(sources: pa.Table) -> pa.Table:
    """Return the rows of sources whose files are published."""
    return sources.filter(pc.equal(sources["status"], "published"))


def duplicates(sources: pa.Table) -> pa.Table:
    """Return the rows of sources whose files are duplicates."""
    return sources.filter(pc.equal(sources["status"], "duplicate"))


def _set(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), values)
