"""Select the file that is published for each article, and find the months that differ from the previous edition."""

import shutil
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import pyarrow as pa
from pyarrow.compute import unique

from flows.errors import WithdrawalsError
from flows.pipeline.parts import find_parts
from flows.pipeline.plan import Attempt, Difference, Plan
from flows.pipeline.transform import read_files
from flows.pipeline.worker import require_same_code, require_same_source
from flows.schema import ARTICLE_KEYS, DROPPED, DUPLICATES, FOUND, PROBLEMS, SOURCES
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
from flows.warehouse.staging import StagedFile

_Staged = tuple[StagedFile, ...]


class Reconciled(NamedTuple):
    """Rows of the table `sources`, the duplicates as `find_duplicates` returns them, and the staged files of the run.

    `sources` are all rows of the new edition, `read` those of files that were read. `superseded` are rows of the
    previous edition that are not reused: of files that were read or deleted.
    """

    sources: pa.Table
    read: pa.Table
    superseded: pa.Table
    duplicates: dict[str, tuple[str, str]]
    staged: _Staged


def reconcile(plan: Plan, attempts: Sequence[Attempt]) -> Difference | None:
    """Write `sources` and `problems` of the new edition; return None if nothing differs from the previous one.

    `attempts` are the results of `transform`. Raise WorkerError if a worker runs other code, or sees another source.
    """
    require_same_code(plan, attempts)
    staged = tuple(chain.from_iterable(attempt.files for attempt in attempts))
    tables = {table.name for table in (SOURCES, PROBLEMS, ARTICLE_KEYS)}
    plan.exchange.receive(plan.work, [file for file in staged if file.table in tables])
    require_same_source(plan, staging.read_rows(plan.work, plan.listing, FOUND), attempts)
    difference = find_difference(plan, staged)
    if difference is None:
        return None
    here = {file for part in difference.parts for file in part.staged} - set(staged)
    plan.exchange.send(plan.work, sorted(here))
    if plan.previous:
        # The previous database is only needed if its rows are reused.
        plan.storage.fetch_previous(plan.previous, with_database=plan.reusable is not None)
    return difference


def find_difference(plan: Plan, staged: _Staged) -> Difference | None:
    """Do the same for staged rows that are on this machine."""
    release_memory()  # of the listing
    reconciled = _reconcile_files(plan, staged)
    if reconciled is None:
        return None
    release_memory()
    sources, read, superseded, duplicates, staged = reconciled
    shutil.rmtree(plan.folder, ignore_errors=True)  # of an earlier attempt
    write_table(plan.folder, SOURCES, sources)
    problems = _find_problems(plan, staged, read, superseded)
    write_table(plan.folder, PROBLEMS, with_duplicates(problems, duplicates))
    excluded = [
        (DUPLICATES, select_columns(DUPLICATES, duplicate_sources(sources))),
        (DROPPED, select_columns(DROPPED, published_sources(superseded))),
    ]
    differing = pa.concat_tables([rows.select(["status", "published_month"]) for rows in (superseded, read)])
    months = unique(published_sources(differing)["published_month"]).to_pylist()
    parts = find_parts(months, staged, staging.write_rows(plan.work, excluded), plan.reusable)
    return Difference(parts, complete=plan.reusable is None)


def _reconcile_files(plan: Plan, staged: _Staged) -> Reconciled | None:
    """Return the files of the new edition, and which are published; None if nothing differs.

    This is a separate function so that tables needed only for the comparison, which are large, are freed on return.
    """
    found, history = staging.read_rows(plan.work, plan.listing, FOUND), read_table(plan.previous, SOURCES)
    previous_sources = history if plan.reusable else read_table(None, SOURCES)
    read, unchanged, superseded, staged = _divide(plan, staged, found, previous_sources)
    release_memory()
    if plan.reusable and not read.num_rows and not superseded.num_rows:
        listing_cache.update(plan.storage.local_root, plan.reusable, found, previous_sources, plan.listed_at)
        return None
    duplicates = find_duplicates(staging.read_rows(plan.work, staged, ARTICLE_KEYS))
    read = reconcile_sources(read, duplicates, history)
    sources = pa.concat_tables([unchanged, read])
    _require_articles(plan, history, sources)
    return Reconciled(sources, read, superseded, duplicates, staged)


def _divide(
    plan: Plan, staged: _Staged, found: pa.Table, previous_sources: pa.Table
) -> tuple[pa.Table, pa.Table, pa.Table, _Staged]:
    """Return the rows of files that were read, those of unchanged files, and the previous rows of all other files.

    Unchanged files that share an article with a changed one are read again, and their staged files are added to those
    returned. Their content may have changed since, so that yet other files share an article with them: repeat until
    there are none.
    """
    read = staging.read_rows(plan.work, staged, SOURCES)
    if not previous_sources.num_rows:
        return read, previous_sources, previous_sources, staged
    problems = staging.read_rows(plan.work, staged, PROBLEMS)
    read = changed_rows(read, previous_sources, same_rejections(problems, read_table(plan.reusable, PROBLEMS)))
    while True:
        unchanged = unchanged_rows(found, previous_sources, read["source_path"])
        superseded = rows_without(previous_sources, "source_path", unchanged["source_path"])
        candidates = find_candidates(previous_sources, pa.concat_tables([read, superseded]))
        if not candidates.num_rows:
            return read, unchanged, superseded, staged
        files = rows_with(found, "source_path", candidates["source_path"])
        more = read_files(plan, files.append_column("content_hash", pa.nulls(files.num_rows, pa.string())))
        read = pa.concat_tables([read, staging.read_rows(plan.work, more, SOURCES)])
        staged = (*staged, *more)


def _find_problems(plan: Plan, staged: _Staged, read: pa.Table, superseded: pa.Table) -> pa.Table:
    """Return the problems of the files that were read, and the known problems of unchanged files."""
    found = staging.read_rows(plan.work, staged, PROBLEMS)
    if plan.reusable is None:
        return found
    known = rows_without(read_table(plan.reusable, PROBLEMS), "source_path", superseded["source_path"])
    return pa.concat_tables([known, rows_with(found, "source_path", read["source_path"])])


def _require_articles(plan: Plan, history: pa.Table, sources: pa.Table) -> None:
    """Raise WithdrawalsError if more than half of the articles would be withdrawn, as when a disk is not mounted."""
    if not history.num_rows:
        return
    articles, now = (published_sources(rows.select(["status", "article_id"])) for rows in (history, sources))
    withdrawn = rows_without(articles, "article_id", now["article_id"]).num_rows
    if withdrawn * 2 > articles.num_rows and not plan.settings.allow_withdrawals:
        raise WithdrawalsError(
            f"{withdrawn:,} of {articles.num_rows:,} published articles would be withdrawn, more than half. Check that"
            f" {plan.settings.source} is complete, or pass --allow-withdrawals to publish anyway."
        )
