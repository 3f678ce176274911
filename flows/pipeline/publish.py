"""Make a staged edition the current one."""

from pathlib import Path

from flows.pipeline.extract import row_rules
from flows.pipeline.plan import Difference, Plan
from flows.schema import Edition
from flows.warehouse import database, manifest


def publish(plan: Plan, difference: Difference, edition: Edition) -> Path:
    """Write the manifest, make the edition the current one, remove old editions, and return its folder."""
    _write_manifest(plan, difference, edition)
    settings = plan.settings
    # A rebuild shares no file with the previous edition, which may be damaged.
    snapshot = plan.snapshot if plan.reusable else plan.snapshot._replace(edition=None)
    return plan.storage.publish(plan.folder, snapshot, settings.keep_editions, settings.keep_hours)


def _write_manifest(plan: Plan, difference: Difference, edition: Edition) -> None:
    facts = {
        **edition._asdict(),
        "published_at": edition.published_at.isoformat(),
        "listed_at": plan.listed_at,
        "database_bytes_when_built": database.bytes_when_built(plan.folder, plan.reusable, difference.months),
    }
    manifest.write_manifest(plan.folder, plan.previous, {**row_rules(plan.settings), **facts})
