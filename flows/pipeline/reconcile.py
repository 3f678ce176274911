"""Decide which file of each article is published, and how the edition differs from the previous one."""

import shutil
from typing import NamedTuple

import pyarrow as pa
from pyarrow.compute import unique

from flows.errors import WithdrawalsError
from flows.pipeline.plan import Difference, Plan
from flows.pipeline.transform import read_files
from flows.schema import ARTICLE_KEYS, CONTENT, DROPPED, DUPLICATES, FOUND, PROBLEMS, SOURCES
from flows.warehouse import listing_cache, staging
from flows.warehouse.arrow import release_memory, select_columns
from flows.warehouse.parquet import read_table, write_table
from flows.warehouse.source_diff import (
    changed_rows,
    duplicate_sources,
    find_candidates,
    find_duplicates,
    published_sources,
    reconcile_sources,
    rows_with,
    rows_without,
    same_rejections,
    unchanged_rows,
    with_duplicates,
)


class Reconciled(NamedTuple):
    """Rows of sources: `sources` are all of the new edition, `read` the files that were read, `left` the previous rows
    of these and of the missing files. `duplicates` is as returned by find_duplicates.
    """

    sources: pa.Table
    read: pa.Table
    left: pa.Table
    duplicates: dict[str, tuple[str, str]]


def reconcile(plan: Plan) -> Difference | None:
    """Write `sources` and `problems` of the new edition; return None if nothing differs from the previous one."""
    if plan.distributed:
        plan.exchange.receive(plan.work, [SOURCES.name, PROBLEMS.name, ARTICLE_KEYS.name])
    difference = find_difference(plan)
    if difference is None:
        return None
    if plan.distributed:  # of content, what reconciling itself had to read is here
        plan.exchange.send(plan.work, [table.name for table in (DUPLICATES, DROPPED, *CONTENT)])
    if plan.previous:
        # A database from which nothing is reused is not needed.
        plan.storage.fetch_previous(plan.previous, with_database=plan.reusable is not None)
    return difference


def find_difference(plan: Plan) -> Difference | None:
    """Do the same for staged rows that are on this machine."""
    release_memory()  # of the listing
    reconciled = _reconcile_files(plan)
    if reconciled is None:
        return None
    release_memory()
    sources, read, left, duplicates = reconciled
    shutil.rmtree(plan.folder, ignore_errors=True)  # of an earlier attempt
    write_table(plan.folder, SOURCES, sources)
    write_table(plan.folder, PROBLEMS, with_duplicates(_problems(plan, read, left), duplicates))
    with staging.writer(plan.work, 0) as write:
        write(DUPLICATES, select_columns(DUPLICATES, duplicate_sources(sources)))
        write(DROPPED, select_columns(DROPPED, published_sources(left)))
    differing = pa.concat_tables([rows.select(["status", "published_month"]) for rows in (left, read)])
    months = unique(published_sources(differing)["published_month"]).to_pylist()
    return Difference(tuple(sorted(months, key=str)), complete=plan.reusable is None)


def _reconcile_files(plan: Plan) -> Reconciled | None:
    """Return the files of the new edition, and which are published; None if nothing differs.

    The lists of a large source are large: tables for comparison only are freed at the return.
    """
    found, history = staging.read(plan.work, FOUND), read_table(plan.previous, SOURCES)
    last = history if plan.reusable else read_table(None, SOURCES)
    read, stay, left = _part(plan, found, last)
    release_memory()
    if plan.reusable and not read.num_rows and not left.num_rows:
        listing_cache.update(plan.storage.local_root, plan.reusable, found, last, plan.listed_at)
        return None
    duplicates = find_duplicates(staging.read(plan.work, ARTICLE_KEYS))
    read = reconcile_sources(read, duplicates, history)
    sources = pa.concat_tables([stay, read])
    _require_articles(plan, history, sources)
    return Reconciled(sources, read, left, duplicates)


def _part(plan: Plan, found: pa.Table, last: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return three parts of rows: files that were read, files that stay unchanged, and the previous rows of the others.

    Unchanged files that share an article with a changed one are read again. Their content may have changed since, so
    that yet other files share an article with them: repeat until there are none.
    """
    number = len(plan.batches)
    staging.remove_rows(plan.work, number)  # of an earlier attempt
    if not last.num_rows:
        return staging.read(plan.work, SOURCES), last, last
    alike = same_rejections(staging.read(plan.work, PROBLEMS), read_table(plan.reusable, PROBLEMS))
    read = changed_rows(staging.read(plan.work, SOURCES), last, alike)
    while True:
        stay = unchanged_rows(found, last, read["source_path"])
        left = rows_without(last, "source_path", stay["source_path"])
        candidates = find_candidates(last, pa.concat_tables([read, left]))
        if not candidates.num_rows:
            return read, stay, left
        files = rows_with(found, "source_path", candidates["source_path"])
        read_files(plan, files.append_column("content_hash", pa.nulls(files.num_rows, pa.string())), number)
        read = pa.concat_tables([read, staging.read(plan.work, SOURCES, number)])
        number += 1


def _problems(plan: Plan, read: pa.Table, left: pa.Table) -> pa.Table:
    """Return the problems of the files that were read, and the known problems of files that stay."""
    found = staging.read(plan.work, PROBLEMS)
    if plan.reusable is None:
        return found
    known = rows_without(read_table(plan.reusable, PROBLEMS), "source_path", left["source_path"])
    return pa.concat_tables([known, rows_with(found, "source_path", read["source_path"])])


def _require_articles(plan: Plan, history: pa.Table, sources: pa.Table) -> None:
    """Raise WithdrawalsError if more than half of the articles would be withdrawn, as with an unmounted disk."""
    if not history.num_rows:
        return
    articles, now = (published_sources(rows.select(["status", "article_id"])) for rows in (history, sources))
    gone = rows_without(articles, "article_id", now["article_id"]).num_rows
    if gone * 2 > articles.num_rows and not plan.settings.allow_withdrawals:
        raise WithdrawalsError(
            f"{gone:,} of {articles.num_rows:,} published articles would be withdrawn, more than half. Check that"
            f" {plan.settings.source} is complete, or pass --allow-withdrawals to publish anyway."
        )
