"""Make a staged edition the current one."""

from collections.abc import Sequence
from pathlib import Path

from flows.pipeline.extract import row_rules
from flows.pipeline.load import staged_partitions
from flows.pipeline.plan import Attempt, Difference, Plan
from flows.schema import Edition
from flows.warehouse import database, manifest


def publish(plan: Plan, difference: Difference, edition: Edition, attempts: Sequence[Attempt]) -> Path:
    """Write the manifest, make the edition the current one, remove old editions, and return its folder.

    `attempts` are those whose Parquet it has.
    """
    _write_manifest(plan, difference, edition)
    settings = plan.settings
    # A rebuild does not share files with the previous edition, since they may be damaged.
    snapshot = plan.snapshot if plan.reusable else plan.snapshot._replace(edition=None)
    staged = plan.exchange.objects_of(staged_partitions(attempts))
    return plan.storage.publish(plan.folder, snapshot, staged, settings.keep_editions, settings.keep_hours)


def _write_manifest(plan: Plan, difference: Difference, edition: Edition) -> None:
    facts = {
        **edition._asdict(),
        "published_at": edition.published_at.isoformat(),
        "listed_at": plan.listed_at,
        "database_bytes_when_built": database.bytes_when_built(plan.folder, plan.reusable, difference.months),
    }
    omitted = plan.storage.complete(plan.folder)
    manifest.write_manifest(plan.folder, plan.previous, {**row_rules(plan.settings), **facts}, omitted)
