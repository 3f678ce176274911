"""The source against the last edition, and seed files that hold the same article."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.problems import problem
from flows.tables import PROBLEMS, SOURCES
from flows.warehouse.arrow import to_arrow
from flows.warehouse.parquet import read_table

_LISTED = ["source_path", "size", "mtime_ns"]


def same_files(listing: pa.Table, before: Path | None) -> bool:
    """Whether the source lists just the files of the edition before, with the same sizes and times."""
    if before is None:
        return False
    last = read_table(before, SOURCES)
    return bool(listing.select(_LISTED).equals(last.select(_LISTED)))


def same_content(sources: pa.Table, before: Path | None) -> bool:
    """Whether the files that were read hold what they held in the edition before: they were only touched."""
    if before is None:
        return False
    last = read_table(before, SOURCES)
    kept = ["source_path", "content_hash"]
    return bool(sources.sort_by("source_path").select(kept).equals(last.select(kept)))


def find_losers(articles: pa.Table) -> dict[str, tuple[str, str]]:
    """The files that lose to another with the same article: source_path -> (article_id, the winner's source_path).

    `articles` has article_id, published_at and source_path. The later published_at wins (undated is earliest),
    then the greater path.
    """
    counts = articles.group_by("article_id").aggregate([("source_path", "count")])
    repeated = counts.filter(pc.greater(counts["source_path_count"], 1))["article_id"]
    rows = articles.filter(pc.is_in(articles["article_id"], repeated.combine_chunks())).to_pylist()
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
    """The problems, where each file that lost has just one: a row that names the winner."""
    rows = [
        problem("duplicate", article_id=article_id, winner=winner)._replace(source_path=path, article_id=article_id)
        for path, (article_id, winner) in losers.items()
    ]
    others = problems.filter(pc.invert(pc.is_in(problems["source_path"], pa.array(sorted(losers), pa.string()))))
    return pa.concat_tables([others, to_arrow(PROBLEMS, rows)])


def settle_sources(sources: pa.Table, losers: dict[str, tuple[str, str]], before: Path | None) -> pa.Table:
    """The sources with the duplicates marked, and with the editions in which each was first seen and last changed."""
    lost = pc.is_in(sources["source_path"], pa.array(sorted(losers), pa.string()))
    sources = _set(sources, "status", pc.if_else(lost, "duplicate", sources["status"]))
    sources = _set(sources, "published_month", pc.if_else(lost, None, sources["published_month"]))
    if before is None:
        return sources
    last = read_table(before, SOURCES).select(["source_path", "content_hash", "first_edition", "last_changed_edition"])
    joined = sources.join(last, "source_path", join_type="left outer", right_suffix="_before")
    same = pc.fill_null(pc.equal(joined["content_hash"], joined["content_hash_before"]), False)
    first = pc.coalesce(joined["first_edition_before"], joined["first_edition"])
    changed = pc.if_else(same, joined["last_changed_edition_before"], joined["last_changed_edition"])
    joined = _set(_set(joined, "first_edition", first), "last_changed_edition", changed)
    return joined.select(sources.column_names).cast(sources.schema)


def _set(table: pa.Table, name: str, values: pa.ChunkedArray) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), values)
