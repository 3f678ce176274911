"""The five steps, in the order in which they run: extract, transform, load, check, publish.

`publish_edition` is the only place where that order is written. Between the steps travel paths and counts; rows wait
in Arrow files in the warehouse's staging folder.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from flows.articles.article import PARSER_VERSION
from flows.settings import Settings
from flows.source import list_seed_files, require_folder
from flows.tables import (
    ARTICLES,
    CHANGES,
    CONTENT,
    EDITIONS,
    LISTING,
    PROBLEMS,
    SCHEMA_VERSION,
    SOURCES,
    Edition,
    SeedFile,
)
from flows.transform import write_rows
from flows.warehouse import batches, compare, database, editions, front_page, parquet
from flows.warehouse.arrow import sort, to_arrow

MOST_BATCHES = 20  # with the four other steps at most 24 task runs, each of which costs an orchestrator time
LEAST_BATCH = 500  # files; smaller batches cost more than they share
CHUNK = 2_000  # files whose rows are in memory at once


@dataclass(frozen=True)
class Batch:
    """A slice of the listing: its files from `start` up to `stop`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """What a run is about to do; `folder` is the edition while it is built, `before` the published one.

    `news` tells whether the source differs from the edition before, as far as the listing shows.
    """

    settings: Settings
    edition_id: str
    folder: Path
    before: Path | None
    files: int
    batches: tuple[Batch, ...]
    news: bool
    started: float

    @property
    def work(self) -> Path:
        """The folder of the rows that wait between the steps."""
        return self.folder.parent / "work"


Transform = Callable[[Plan, Batch], int]


def one_after_another(transform: Transform, plan: Plan) -> Iterator[int]:
    """Transform each batch in this process; yields the number of files of each as it is done."""
    for batch in plan.batches:
        yield transform(plan, batch)


def extract(settings: Settings) -> Plan:
    """List the source and compare it with the edition before."""
    started = time.time()
    listing = sort(LISTING, to_arrow(LISTING, list(list_seed_files(settings.source, settings.endings))))
    before = editions.current_edition(settings.warehouse)
    edition_id = editions.next_edition_id(settings.warehouse, datetime.now(UTC))
    news = settings.rebuild or not _same_rules(settings, before) or not compare.same_files(listing, before)
    folder = editions.staged_folder(settings.warehouse, edition_id)
    plan = Plan(settings, edition_id, folder, before, listing.num_rows, _batches(listing.num_rows), news, started)
    with batches.writer(plan.work, 0) as write:
        write(LISTING, listing)
    return plan


def transform(plan: Plan, batch: Batch) -> int:
    """Read the seed files of a batch into rows; returns their number."""
    listing = batches.read(plan.work, LISTING).slice(batch.start, batch.stop - batch.start)
    with batches.writer(plan.work, batch.number) as write:
        for start in range(0, listing.num_rows, CHUNK):
            files = [SeedFile(**row) for row in listing.slice(start, CHUNK).to_pylist()]
            write_rows(plan.settings, plan.edition_id, files, write)
    return int(listing.num_rows)


def is_news(plan: Plan) -> bool:
    """Whether what was read differs from the edition before: files that were only touched are no news."""
    if plan.settings.rebuild or not _same_rules(plan.settings, plan.before):
        return True
    return not compare.same_content(
        batches.read_columns(plan.work, SOURCES, ["source_path", "content_hash"]), plan.before
    )


def load(plan: Plan) -> Edition:
    """Write the rows as the Parquet and the database of a new edition; returns its row of `editions`."""
    candidates = batches.read_columns(plan.work, ARTICLES, ["article_id", "published_at", "source_path"])
    losers = compare.find_losers(candidates)
    shutil.rmtree(plan.folder, ignore_errors=True)  # what a try before this one wrote
    parquet.write_months(plan.work, plan.folder, losers)
    problems = compare.with_duplicates(batches.read(plan.work, PROBLEMS), losers)
    parquet.write_table(plan.folder, PROBLEMS, problems)
    sources = compare.settle_sources(batches.read(plan.work, SOURCES), losers, plan.before)
    parquet.write_table(plan.folder, SOURCES, sources)
    with database.building(plan.folder, plan.before) as connection:
        database.load(connection, plan.folder, (*CONTENT, PROBLEMS, SOURCES))
        edition = _write_history(plan, connection)
    front_page.write(plan.folder, edition)
    return edition


def check(plan: Plan) -> None:
    """Run the checks of sql/checks on the new edition; raises RunError where one fails."""
    database.run_checks(plan.folder, plan.files)


def publish(plan: Plan, edition: Edition) -> Path:
    """Make the new edition the current one; returns its folder."""
    facts = {**_rules(plan.settings), **edition._asdict(), "published_at": edition.published_at.isoformat()}
    editions.write_manifest(plan.folder, facts)
    return editions.publish_folder(plan.settings.warehouse, plan.folder)


@dataclass(frozen=True)
class Steps:
    """The steps as they are called: plain functions, or tasks of an orchestrator around them."""

    extract: Callable[[Settings], Plan] = extract
    transform: Transform = transform
    is_news: Callable[[Plan], bool] = is_news
    load: Callable[[Plan], Edition] = load
    check: Callable[[Plan], None] = check
    publish: Callable[[Plan, Edition], Path] = publish
    each: Callable[[Transform, Plan], Iterable[int]] = one_after_another


@dataclass(frozen=True)
class Report:
    """How a run ended: the edition that this run published, or None where nothing was new, and the current folder."""

    edition: Edition | None
    folder: Path
    files: int
    seconds: float


PLAIN = Steps()


def publish_edition(settings: Settings, steps: Steps = PLAIN) -> Report:
    """Read the source and publish an edition, or nothing where nothing is new; raises RunError."""
    require_folder(settings.source)
    with editions.writer_lock(settings.warehouse):
        plan = steps.extract(settings)
        if plan.news:
            for _ in steps.each(steps.transform, plan):
                pass
        if plan.before and not (plan.news and steps.is_news(plan)):
            return Report(None, plan.before, plan.files, time.time() - plan.started)
        edition = steps.load(plan)
        steps.check(plan)
        folder = steps.publish(plan, edition)
        return Report(edition, folder, plan.files, time.time() - plan.started)


def _batches(files: int) -> tuple[Batch, ...]:
    size = max(LEAST_BATCH, -(-files // MOST_BATCHES))
    return tuple(Batch(number, start, min(start + size, files)) for number, start in enumerate(range(0, files, size)))


def _rules(settings: Settings) -> dict[str, object]:
    """All but the seed files that shapes the rows of an edition."""
    return {
        "parser_version": PARSER_VERSION,
        "schema_version": SCHEMA_VERSION,
        "time_zone": settings.time_zone,
        "endings": list(settings.endings),
    }


def _same_rules(settings: Settings, before: Path | None) -> bool:
    if before is None:
        return False
    manifest = editions.read_manifest(before)
    return all(manifest.get(name) == value for name, value in _rules(settings).items())


def _write_history(plan: Plan, connection: duckdb.DuckDBPyConnection) -> Edition:
    """Write the ledger and the list of editions, which need the tables of both editions."""
    published_at = editions.edition_time(plan.edition_id)
    gained = database.find_changes(connection, plan.edition_id, published_at)
    parquet.write_ledger(plan.folder, plan.before, gained, published_at)
    database.load(connection, plan.folder, (CHANGES,))
    edition = Edition(
        edition_id=plan.edition_id,
        published_at=published_at,
        **database.count_edition(connection, plan.edition_id),
        parser_version=PARSER_VERSION,
        schema_version=SCHEMA_VERSION,
        seconds=round(time.time() - plan.started, 3),
    )
    parquet.write_editions(plan.folder, plan.before, to_arrow(EDITIONS, [edition]))
    database.load(connection, plan.folder, (EDITIONS,))
    return edition
