"""Write the Parquet of the changed months and the database into the staging folder, and check the result."""

import socket
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import duckdb

from flows.articles.article import PARSER_VERSION
from flows.errors import CheckError
from flows.pipeline.code import CODE
from flows.pipeline.plan import Attempt, Difference, Part, Plan
from flows.pipeline.worker import on_worker, require_same_code
from flows.schema import EDITIONS, SCHEMA_VERSION, Edition
from flows.warehouse import database, edition_ids, front_page, ledger, parquet, staging
from flows.warehouse.arrow import to_arrow
from flows.warehouse.checks import run_checks
from flows.warehouse.staging import StagedFile


def write_partitions(plan: Plan, part: Part) -> Attempt:
    """Write the Parquet files of some months."""
    attempt = staging.new_attempt()
    with on_worker(plan) as here:
        here.exchange.receive(here.work, part.staged)
        if here.reusable:
            here.exchange.fetch_previous(here.reusable, part.reused)
        reused = [here.reusable / facts.path for facts in part.reused] if here.reusable else []
        names = parquet.write_months(here.work / attempt, here.work, part.staged, reused, part.months)
        written = tuple(staging.staged_file(here.work, attempt, name) for name in names)
        here.exchange.send(here.work, written)
    return Attempt(written, socket.gethostname(), CODE)


def load(plan: Plan, difference: Difference, attempts: Sequence[Attempt]) -> Edition:
    """Link the unchanged months, write the database and the front page, and return the edition's row.

    `attempts` are the results of `write_partitions`. Raise WorkerVersionError if a worker runs other code.
    """
    collect_partitions(plan, attempts)
    parquet.link_unchanged_months(plan.folder, plan.reusable, difference.months)
    edition = database.with_retry(plan.folder, partial(_build, plan, difference))
    front_page.write(plan.folder, edition)
    return edition


def collect_partitions(plan: Plan, attempts: Sequence[Attempt]) -> None:
    """Move the Parquet files of some attempts into the edition, except those that an earlier try has moved."""
    require_same_code(plan, attempts)
    written = [file for file in staged_partitions(attempts) if not staging.is_staged(plan.folder / file.name, file)]
    plan.exchange.receive(plan.work, written)
    for file in written:
        target = plan.folder / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        (plan.work / file.path).replace(target)


def staged_partitions(attempts: Sequence[Attempt]) -> list[StagedFile]:
    """Return the Parquet files of some attempts."""
    return [file for attempt in attempts for file in attempt.files]


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
