"""List the source, and compare it with the previous edition to find the files to read."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from flows.articles.article import PARSER_VERSION
from flows.pipeline.code import CODE
from flows.pipeline.plan import Plan, split
from flows.schema import FOUND, SCHEMA_VERSION, TO_READ
from flows.settings import Settings
from flows.source.checks import refuse_empty
from flows.source.listing import MAX_FILE_BYTES, list_seed_files
from flows.warehouse import editions, manifest, source_diff, staging
from flows.warehouse.arrow import collect, sort
from flows.warehouse.disk_space import require_disk_space
from flows.warehouse.listing_cache import read_listing
from flows.warehouse.storage import Snapshot, Storage, open_storage


def extract(settings: Settings, distributed: bool) -> Plan:
    """Return the plan of a run, and stage the files to read in batches. Reserve no edition id without changes.

    Raise RunError if the previous edition is damaged, or the source cannot be listed.
    """
    storage = open_storage(settings)
    plan = find_changed_files(settings, storage, storage.snapshot(), distributed)
    if not plan.has_changes:
        return plan
    edition_id = storage.reserve(plan.edition_id)
    folder = editions.staged_folder(storage.local_root, edition_id)
    plan = replace(plan, edition_id=edition_id, folder=folder)
    plan.exchange.send(plan.work, chain.from_iterable(batch.staged for batch in plan.batches))
    return plan


def find_changed_files(settings: Settings, storage: Storage, snapshot: Snapshot, distributed: bool = False) -> Plan:
    """Return the plan for the changes since a snapshot, and stage the files to read."""
    started, listed_at = time.time(), time.time_ns()
    previous = snapshot.edition
    found = _list_source(settings, storage)
    if previous is None and not found.num_rows:
        refuse_empty(settings.source, settings.extensions)
    may_reuse = previous and not settings.rebuild and not snapshot.lost
    reusable = previous if previous and may_reuse and _same_rules(settings, previous) else None
    known, known_at = read_listing(storage.local_root, reusable)
    to_read = source_diff.find_changed(found, known, known_at, settings.verify_content)
    edition_id = editions.next_edition_id(storage.local_root, datetime.now(UTC))
    plan = Plan(
        settings=settings,
        edition_id=edition_id,
        folder=editions.staged_folder(storage.local_root, edition_id),
        snapshot=snapshot,
        reusable=reusable,
        files=found.num_rows,
        has_changes=reusable is None or to_read.num_rows > 0 or found.num_rows != known.num_rows,
        batches=split(to_read.num_rows),
        listed_at=listed_at,
        started=started,
        distributed=distributed,
        code=CODE,
    )
    if plan.has_changes:
        required = _bytes_to_read(to_read)
        require_disk_space(storage.local_root, storage.root_setting, previous, reusable, required)
        return _stage(plan, found, to_read)
    return plan


def _list_source(settings: Settings, storage: Storage) -> pa.Table:
    warehouses = (settings.warehouse, storage.local_root)
    listed = list_seed_files(settings.source, settings.extensions, settings.link_roots, warehouses)
    return sort(FOUND, collect(FOUND, listed))


def _bytes_to_read(files: pa.Table) -> int:
    """Return the number of bytes to read: larger files are rejected, so a sparse file of terabytes needs no space."""
    return pc.sum(pc.min_element_wise(files["size"], MAX_FILE_BYTES)).as_py() or 0


def _stage(plan: Plan, found: pa.Table, to_read: pa.Table) -> Plan:
    """Stage the listing and the files of each batch, and return the plan with these."""
    listing = staging.write_rows(plan.work, [(FOUND, found)])
    batches = []
    for batch in plan.batches:
        files = to_read.slice(batch.start, batch.stop - batch.start)
        batches.append(replace(batch, staged=staging.write_rows(plan.work, [(TO_READ, files)])))
    return replace(plan, listing=listing, batches=tuple(batches))


def row_rules(settings: Settings) -> dict[str, object]:
    """Return the values besides the seed files that determine the rows of an edition, by their manifest key."""
    return {
        "parser_version": PARSER_VERSION,
        "schema_version": SCHEMA_VERSION,
        "time_zone": settings.time_zone,
        "extensions": list(settings.extensions),
        "columns": settings.columns,
    }


def _same_rules(settings: Settings, previous: Path) -> bool:
    known = manifest.read_manifest(previous)
    return all(getattr(known, name) == value for name, value in row_rules(settings).items())
