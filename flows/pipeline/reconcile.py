"""Select the file that is published for each article, and find the months that differ from the previous edition."""

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
    """Rows of the table `sources`, and the duplicates as `find_duplicates` returns them.

    `sources` are all rows of the new edition, `read` those of files that were read. `superseded` are rows of the
    previous edition that are not reused: of files that were read or deleted.
    """

    sources: pa.Table
    read: pa.Table
    superseded: pa.Table
    duplicates: dict[str, tuple[str, str]]


def reconcile(plan: Plan) -> Difference | None:
    """Write `sources` and `problems` of the new edition; return None if nothing differs from the previous one."""
    if plan.distributed:
        plan.exchange.receive(plan.work, [SOURCES.name, PROBLEMS.name, ARTICLE_KEYS.name])
    difference = find_difference(plan)
    if difference is None:
        return None
    if plan.distributed:  # CONTENT has the rows of candidates, which were read again on this machine
        plan.exchange.send(plan.work, [table.name for table in (DUPLICATES, DROPPED, *CONTENT)])
    if plan.previous:
        # The previous database is only needed if its rows are reused.
        plan.storage.fetch_previous(plan.previous, with_database=plan.reusable is not None)
    return difference


def find_difference(plan: Plan) -> Difference | None:
    """Do the same as `reconcile`, with staged rows that are already on this machine."""
    release_memory()  # that the listing used
    reconciled = _reconcile_files(plan)
    if reconciled is None:
        return None
    release_memory()
    sources, read, superseded, duplicates = reconciled
    shutil.rmtree(plan.folder, ignore_errors=True)  # remove the files of an earlier attempt
    write_table(plan.folder, SOURCES, sources)
    write_table(plan.folder, PROBLEMS, with_duplicates(_problems(plan, read, superseded), duplicates))
    with staging.writer(plan.work, 0) as write:
        write(DUPLICATES, select_columns(DUPLICATES, duplicate_sources(sources)))
        write(DROPPED, select_columns(DROPPED, published_sources(superseded)))
    differing = pa.concat_tables([rows.select(["status", "published_month"]) for rows in (superseded, read)])
    months = unique(published_sources(differing)["published_month"]).to_pylist()
    return Difference(tuple(sorted(months, key=str)), complete=plan.reusable is None)


def _reconcile_files(plan: Plan) -> Reconciled | None:
    """Return the reconciled rows of the new edition, or None without changes.

    This is a separate function so that tables needed only for the comparison, which are large, are freed on return.
    """
    found, history = staging.read(plan.work, FOUND), read_table(plan.previous, SOURCES)
    previous_sources = history if plan.reusable else read_table(None, SOURCES)
    read, unchanged, superseded = _partition_sources(plan, found, previous_sources)
    release_memory()
    if plan.reusable and not read.num_rows and not superseded.num_rows:
        listing_cache.update(plan.storage.local_root, plan.reusable, found, previous_sources, plan.listed_at)
        return None
    duplicates = find_duplicates(staging.read(plan.work, ARTICLE_KEYS))
    read = reconcile_sources(read, duplicates, history)
    sources = pa.concat_tables([unchanged, read])
    _require_articles(plan, history, sources)
    return Reconciled(sources, read, superseded, duplicates)


def _partition_sources(plan: Plan, found: pa.Table, previous_sources: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return three tables of `sources` rows: of files that were read, of unchanged files, and superseded ones.

    Unchanged files that share an article with a changed file are read again. If their content has changed in the
    meantime, they may share an article with further files, so repeat until none are left.
    """
    number = len(plan.batches)
    staging.remove_rows(plan.work, number)  # those of an earlier attempt
    if not previous_sources.num_rows:
        return staging.read(plan.work, SOURCES), previous_sources, previous_sources
    same_problem = same_rejections(staging.read(plan.work, PROBLEMS), read_table(plan.reusable, PROBLEMS))
    read = changed_rows(staging.read(plan.work, SOURCES), previous_sources, same_problem)
    while True:
        unchanged = unchanged_rows(found, previous_sources, read["source_path"])
        superseded = rows_without(previous_sources, "source_path", unchanged["source_path"])
        candidates = find_candidates(previous_sources, pa.concat_tables([read, superseded]))
        if not candidates.num_rows:
            return read, unchanged, superseded
        files = rows_with(found, "source_path", candidates["source_path"])
        read_files(plan, files.append_column("content_hash", pa.nulls(files.num_rows, pa.string())), number)
        read = pa.concat_tables([read, staging.read(plan.work, SOURCES, number)])
        number += 1


def _problems(plan: Plan, read: pa.Table, superseded: pa.Table) -> pa.Table:
    """Return the problems of the files that were read, and the previous problems of unchanged files."""
    found = staging.read(plan.work, PROBLEMS)
    if plan.reusable is None:
        return found
    known = rows_without(read_table(plan.reusable, PROBLEMS), "source_path", superseded["source_path"])
    return pa.concat_tables([known, rows_with(found, "source_path", read["source_path"])])


def _require_articles(plan: Plan, history: pa.Table, sources: pa.Table) -> None:
    """Raise WithdrawalsError if more than half of the articles would be withdrawn, as when a disk is not mounted."""
    if not history.num_rows:
        return
    articles, remaining = (published_sources(rows.select(["status", "article_id"])) for rows in (history, sources))
    withdrawn = rows_without(articles, "article_id", remaining["article_id"]).num_rows
    if withdrawn * 2 > articles.num_rows and not plan.settings.allow_withdrawals:
        raise WithdrawalsError(
            f"{withdrawn:,} of {articles.num_rows:,} published articles would be withdrawn, more than half. Check that"
            f" {plan.settings.source} is complete, or pass --allow-withdrawals to publish anyway."
        )
