"""Verify an edition: rebuild it from the source in the staging folder, and compare the two row by row."""

from pathlib import Path

import duckdb
import pyarrow as pa

from flows.errors import EditionDamagedError, RunError, no_edition
from flows.pipeline.extract import find_changed_files
from flows.pipeline.load import collect_partitions, write_partitions
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.process_pool import ProcessRunner
from flows.pipeline.reconcile import find_difference
from flows.pipeline.transform import transform
from flows.schema import CONTENT, PROBLEMS, SOURCES
from flows.settings import Settings
from flows.source.checks import require_folder
from flows.warehouse import parquet
from flows.warehouse.checks import run_checks
from flows.warehouse.database import derive_database
from flows.warehouse.edition_diff import differing_rows
from flows.warehouse.manifest import read_manifest, wrong_files
from flows.warehouse.storage import Snapshot, Storage, open_storage


def verify_edition(settings: Settings) -> list[str]:
    """Return the differences between the current edition and a rebuild from the source, one sentence each.

    They include files of the edition that differ from its manifest, and failed checks. Raise NoEditionError if nothing
    is published.
    """
    require_folder(settings.source, settings.link_roots)
    storage = open_storage(settings)
    with storage.locked(settings.lock_timeout), translate_memory_errors():
        edition = storage.fetch_published()
        if edition is None:
            raise no_edition(settings.warehouse)
        wrong = wrong_files(edition)
        try:
            if read_manifest(edition).has_derived_database:
                derive_database(edition)
            return [*wrong, *_failed_checks(edition), *_differences(settings, storage, edition)]
        except (duckdb.Error, pa.ArrowException, EditionDamagedError):
            if wrong:  # the damaged files caused the error
                return wrong
            raise


def _failed_checks(edition: Path) -> list[str]:
    try:
        run_checks(edition, parquet.read_table(edition, SOURCES).num_rows)
    except RunError as error:
        return [str(error)]
    return []


def _differences(settings: Settings, storage: Storage, edition: Path) -> list[str]:
    settings = settings.model_copy(update={"rebuild": True, "allow_withdrawals": True})
    plan, runner = find_changed_files(settings, storage, Snapshot(edition, None)), ProcessRunner()
    read = runner.map(transform, plan, plan.batches)
    difference = find_difference(plan, tuple(file for attempt in read for file in attempt.files))
    if difference:  # which a rebuild always has
        collect_partitions(plan, list(runner.map(write_partitions, plan, difference.parts)))
        parquet.link_unchanged_months(plan.folder, None, difference.months)
    return [line for table in (SOURCES, PROBLEMS, *CONTENT) for line in differing_rows(table, edition, plan.folder)]
