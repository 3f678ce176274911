"""The five steps: extract, transform, load, check, publish, and before load the settling of what was read."""

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from flows.articles.article import PARSER_VERSION
from flows.pipeline.plan import Batch, Difference, Months, Plan, split
from flows.pipeline.transform import read_files
from flows.schema import EDITIONS, FOUND, SCHEMA_VERSION, TO_READ, Edition
from flows.settings import Settings
from flows.source.checks import refuse_empty
from flows.source.listing import MAX_FILE_BYTES, list_seed_files
from flows.warehouse import database, editions, front_page, ids, ledger, manifest, parquet, source_diff, staging
from flows.warehouse.arrow import collect, sort, to_arrow
from flows.warehouse.checks import run_checks
from flows.warehouse.disk_space import require_room
from flows.warehouse.listing_cache import last_listing
from flows.warehouse.notices import after_publishing


def extract(settings: Settings) -> Plan:
    """List the source and compare it with the edition before, unless that was changed: which files are to be read."""
    if before := editions.current_edition(settings.local_root):
        # A working copy has only what was needed so far.
        manifest.require_intact(before, complete=settings.local_root == settings.warehouse)
    return find_changed_files(settings)


def find_changed_files(settings: Settings) -> Plan:
    """List the source and compare it with the edition before: which files are to be read."""
    started, listed_at = time.time(), time.time_ns()
    before = editions.current_edition(settings.local_root)
    found = _list_source(settings)
    if before is None and not found.num_rows:
        refuse_empty(settings.source, settings.extensions)
    base = before if before and not settings.rebuild and _same_rules(settings, before) else None
    known, known_at = last_listing(settings.local_root, base)
    to_read = source_diff.find_changed(found, known, known_at, settings.verify_content)
    require_room(settings.local_root, before, _bytes_to_read(to_read))
    edition_id = editions.next_edition_id(settings.local_root, datetime.now(UTC))
    folder = editions.staged_folder(settings.local_root, edition_id)
    news = base is None or to_read.num_rows > 0 or found.num_rows != known.num_rows
    parts = split(to_read.num_rows)
    plan = Plan(settings, edition_id, folder, before, base, found.num_rows, news, parts, listed_at, started)
    if not news:
        return plan
    with staging.writer(plan.work, 0) as write:
        write(FOUND, found)
    for batch in parts:
        with staging.writer(plan.work, batch.number) as write:
            write(TO_READ, to_read.slice(batch.start, batch.stop - batch.start))
    return plan


def _list_source(settings: Settings) -> pa.Table:
    warehouses = (settings.warehouse, settings.local_root)
    listed = list_seed_files(settings.source, settings.extensions, settings.link_roots, warehouses)
    return sort(FOUND, collect(FOUND, listed))


def _bytes_to_read(files: pa.Table) -> int:
    """Return the bytes that are read of some files: a sparse file of terabytes is rejected, and needs no room."""
    return pc.sum(pc.min_element_wise(files["size"], MAX_FILE_BYTES)).as_py() or 0


def transform(plan: Plan, batch: Batch) -> int:
    """Read the seed files of a batch into rows; returns their number."""
    return read_files(plan, staging.read(plan.work, TO_READ, batch.number), batch.number)


def write_months(plan: Plan, months: Months) -> int:
    """Write the Parquet of some months; returns their number."""
    parquet.write_months(plan.work, plan.folder, plan.base, months)
    return len(months)


def load(plan: Plan, difference: Difference) -> Edition:
    """Share the other months with the edition before, and write the database; returns the edition's row."""
    parquet.share_others(plan.folder, plan.base, difference.months)
    edition = database.with_retry(plan.folder, partial(_build, plan, difference))
    front_page.write(plan.folder, edition)
    return edition


def _build(plan: Plan, difference: Difference, config: database.Config) -> Edition:
    """Write the database and the history."""
    copied = database.reusable_database(plan.folder, plan.base, difference.months)
    with database.building(plan.folder, copied, config) as connection:
        if copied:
            database.replace_months(connection, plan.folder, difference.months)
        else:
            database.fill_months(connection, plan.folder)
        return _write_history(plan, difference, connection, copied)


def check(plan: Plan, difference: Difference) -> None:
    """Run the checks of sql/checks on the new edition; raises RunError where one fails."""
    run_checks(plan.folder, plan.files, difference.only, plan.folder.parent)  # which is swept, however this ends


def publish(plan: Plan, difference: Difference, edition: Edition) -> Path:
    """Make the new edition the current one, and remove those that are too old; returns its folder."""
    settings = plan.settings
    write_manifest(plan, difference, edition)
    folder = editions.publish_folder(settings.local_root, plan.folder)
    with after_publishing("old editions were not removed"):
        editions.retire(settings.local_root, settings.keep_editions, settings.keep_hours, datetime.now(UTC))
    return folder


def write_manifest(plan: Plan, difference: Difference, edition: Edition) -> None:
    """Write the edition's manifest, its last file."""
    facts = {
        **edition._asdict(),
        "published_at": edition.published_at.isoformat(),
        "listed_at": plan.listed_at,
        "database_bytes_when_built": database.bytes_when_built(plan.folder, plan.base, difference.months),
    }
    manifest.write_manifest(plan.folder, plan.before, {**_rules(plan.settings), **facts})


def _rules(settings: Settings) -> dict[str, object]:
    """All but the seed files that shapes the rows of an edition."""
    return {
        "parser_version": PARSER_VERSION,
        "schema_version": SCHEMA_VERSION,
        "time_zone": settings.time_zone,
        "extensions": list(settings.extensions),
    }


def _same_rules(settings: Settings, before: Path) -> bool:
    known = manifest.read_manifest(before)
    return all(getattr(known, name) == value for name, value in _rules(settings).items())


def _write_history(
    plan: Plan, difference: Difference, connection: duckdb.DuckDBPyConnection, copied: Path | None
) -> Edition:
    """Write the ledger and the list of editions."""
    published_at = ids.edition_time(plan.edition_id)
    gained = ledger.find_changes(connection, plan.folder, plan.before, difference.only, published_at)
    parquet.write_ledger(plan.folder, plan.before, gained, published_at)
    ledger.fill_changes(connection, plan.folder, copied=copied is not None)
    edition = Edition(
        edition_id=plan.edition_id,
        published_at=published_at,
        **ledger.count_edition(connection, plan.edition_id),
        parser_version=PARSER_VERSION,
        schema_version=SCHEMA_VERSION,
        seconds=round(max(0.0, time.time() - plan.started), 3),
    )
    parquet.write_editions(plan.folder, plan.before, to_arrow(EDITIONS, [edition]))
    ledger.fill_editions(connection, plan.folder)
    return edition
