"""The steps where the warehouse is a prefix of an object store: an edition is built in its working copy, and put there.

The working copy keeps the current edition, so that a run on the same machine fetches only what others have published.
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from flows.object_store.path import ObjectPath
from flows.pipeline import reconcile as reconciling
from flows.pipeline import steps
from flows.pipeline.plan import Difference, Plan
from flows.schema import Edition
from flows.settings import Settings
from flows.warehouse import editions, prefix, stored, working_copy
from flows.warehouse.database import DATABASE
from flows.warehouse.manifest import read_manifest
from flows.warehouse.notices import after_publishing
from flows.warehouse.pointer import EDITIONS


def extract(settings: Settings) -> Plan:
    """Bring the working copy to the edition that is current, list the source, and claim an edition's id."""
    warehouse = cast(ObjectPath, settings.warehouse)
    seen = working_copy.take_current(warehouse, settings.local_root)
    if seen is None:
        prefix.require_abilities(warehouse)
    if before := editions.current_edition(settings.local_root):
        stored.require_listed(warehouse, read_manifest(before))
    plan = steps.extract(settings)
    if not plan.news:
        return plan
    edition_id = prefix.claim(warehouse, settings.local_root, plan.edition_id)
    folder = editions.staged_folder(settings.local_root, edition_id)
    return replace(plan, edition_id=edition_id, folder=folder, seen=seen)


def reconcile(plan: Plan) -> Difference | None:
    """As the step is; where there is a difference, the rest of the edition before is fetched."""
    difference = reconciling.reconcile(plan)
    if difference and plan.before:
        # A database that nothing is taken over from is not needed.
        working_copy.fetch(
            cast(ObjectPath, plan.settings.warehouse), plan.before, lambda name: bool(plan.base) or name != DATABASE
        )
    return difference


def publish(plan: Plan, difference: Difference, edition: Edition) -> Path:
    """Publish the edition in the store, and keep it in the working copy; returns its folder there."""
    settings, warehouse = plan.settings, cast(ObjectPath, plan.settings.warehouse)
    steps.write_manifest(plan, difference, edition)
    prefix.publish(warehouse, plan.folder, plan.before, plan.seen)
    now = datetime.now(UTC)
    with after_publishing("it is not in the working copy"):
        editions.publish_folder(settings.local_root, plan.folder)
        editions.retire(settings.local_root, 1, 0, now)
    with after_publishing("old editions were not removed"):
        prefix.retire(warehouse, settings.keep_editions, settings.keep_hours, now)
    return settings.local_root / EDITIONS / edition.edition_id
