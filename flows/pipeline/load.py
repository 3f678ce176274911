"""Write the Parquet of the changed months and the database into the staging folder, and check the result."""

import time
from functools import partial
from pathlib import Path

import duckdb

from flows.articles.article import PARSER_VERSION
from flows.errors import CheckError
from flows.pipeline.plan import Difference, Months, Plan
from flows.pipeline.worker import on_worker
from flows.schema import CONTENT, DROPPED, DUPLICATES, EDITIONS, SCHEMA_VERSION, Edition
from flows.warehouse import database, edition_ids, front_page, ledger, parquet
from flows.warehouse.arrow import to_arrow
from flows.warehouse.checks import run_checks

_CONTENT_NAMES = [table.name for table in CONTENT]


def write_partitions(plan: Plan, months: Months) -> int:
    """Write the Parquet of some months, and return their number."""
    with on_worker(plan) as here:
        if here.distributed:
            here.exchange.receive(here.work, [*_CONTENT_NAMES, DUPLICATES.name, DROPPED.name])
            if here.reusable:
                files = {parquet.month_file(Path(), table, month).as_posix() for table in CONTENT for month in months}
                here.exchange.fetch_previous(here.reusable, files)
        parquet.write_months(here.work, here.folder, here.reusable, months)
        if here.distributed:
            here.exchange.send_partitions(here.folder, _CONTENT_NAMES)
    return len(months)


def load(plan: Plan, difference: Difference) -> Edition:
    """Link the unchanged months, write the database and the front page, and return the edition's row."""
    if plan.distributed:
        plan.exchange.receive_partitions(plan.folder, _CONTENT_NAMES)
    parquet.link_unchanged_months(plan.folder, plan.reusable, difference.months)
    edition = database.with_retry(plan.folder, partial(_build, plan, difference))
    front_page.write(plan.folder, edition)
    return edition


def _build(plan: Plan, difference: Difference, config: database.Config) -> Edition:
    """Write the database and the history."""
    copied = database.reusable_database(plan.folder, plan.reusable, difference.months)
    with database.build_database(plan.folder, copied, config) as connection:
        if copied:
            database.replace_months(connection, plan.folder, difference.months)
        else:
            database.insert_content(connection, plan.folder)
        return _write_history(plan, difference, connection, copied)


def _write_history(
    plan: Plan, difference: Difference, connection: duckdb.DuckDBPyConnection, copied: Path | None
) -> Edition:
    """Write the ledger and the list of editions."""
    published_at = edition_ids.edition_time(plan.edition_id)
    changes = ledger.find_changes(connection, plan.folder, plan.previous, difference.only, published_at)
    ledger.write_changes(plan.folder, plan.previous, changes, published_at)
    ledger.insert_changes(connection, plan.folder, copied=copied is not None)
    edition = Edition(
        edition_id=plan.edition_id,
        published_at=published_at,
        **ledger.count_edition(connection, plan.edition_id),
        parser_version=PARSER_VERSION,
        schema_version=SCHEMA_VERSION,
        seconds=round(max(0.0, time.time() - plan.started), 3),
    )
    ledger.write_editions(plan.folder, plan.previous, to_arrow(EDITIONS, [edition]))
    ledger.replace_editions(connection, plan.folder)
    return edition


def check(plan: Plan, difference: Difference) -> None:
    """Run the checks of sql/checks on the new edition; raise CheckError if one returns a row."""
    try:
        # Data spills to the staging folder, which is removed at the end of the run, or by the next one after a crash.
        run_checks(plan.folder, plan.files, difference.only, plan.folder.parent)
    except CheckError as error:
        raise CheckError(f"{error} Nothing was published.") from None
