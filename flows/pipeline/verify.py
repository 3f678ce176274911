"""The proof that an edition is right: it is built once more from the source, aside, and compared row for row."""

from pathlib import Path

import duckdb
import pyarrow as pa

from flows.errors import NoEditionError, RunError
from flows.object_store.path import ObjectPath
from flows.pipeline import reconcile, steps
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.process_pool import finish, in_processes
from flows.schema import CONTENT, PROBLEMS, SOURCES
from flows.settings import Settings
from flows.source.checks import require_folder
from flows.warehouse import parquet, working_copy
from flows.warehouse.checks import run_checks
from flows.warehouse.edition_diff import differing_rows
from flows.warehouse.editions import current_edition
from flows.warehouse.lock import writer_lock
from flows.warehouse.manifest import wrong_files


def verify(settings: Settings) -> list[str]:
    """The differences between the current edition and one built anew from the source, a sentence each; none: equal.

    Also the files of the edition that are not as its manifest says, and its checks that fail. Raises RunError where
    there is no edition to compare.
    """
    require_folder(settings.source, settings.link_roots)
    with writer_lock(settings.local_root, settings.lock_timeout, settings.local_root_option), translate_memory_errors():
        if isinstance(settings.warehouse, ObjectPath):
            working_copy.fetch_anew(settings.warehouse, settings.local_root)
        edition = current_edition(settings.local_root)
        if edition is None:
            raise NoEditionError(
                f"Nothing is published in {settings.warehouse} yet; broadsheet run publishes an edition."
            )
        wrong = wrong_files(edition)
        try:
            return [*wrong, *_failed_checks(edition), *_differences(settings, edition)]
        except (duckdb.Error, pa.ArrowException):
            if wrong:  # they cannot be read
                return wrong
            raise


def _failed_checks(edition: Path) -> list[str]:
    try:
        run_checks(edition, parquet.read_table(edition, SOURCES).num_rows)
    except RunError as error:
        return [str(error)]
    return []


def _differences(settings: Settings, edition: Path) -> list[str]:
    plan = steps.find_changed_files(settings.model_copy(update={"rebuild": True, "allow_withdrawals": True}))
    finish(in_processes(steps.transform, plan, plan.batches))
    difference = reconcile.reconcile(plan)
    if difference:  # which a rebuild always has
        finish(in_processes(steps.write_months, plan, difference.parts))
        parquet.share_others(plan.folder, None, difference.months)
    return [line for table in (SOURCES, PROBLEMS, *CONTENT) for line in differing_rows(table, edition, plan.folder)]
