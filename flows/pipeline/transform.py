"""Read seed files into staged rows, batch by batch."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import xxhash

from flows.articles.article import Reading, rejected
from flows.pipeline.isolation import concerns_file, read_isolated, with_arrow_rows
from flows.pipeline.plan import Batch, Plan
from flows.pipeline.worker import on_worker
from flows.problems import RejectedError, problem
from flows.schema import (
    ARTICLE_KEYS,
    ARTICLES,
    CAPTIONS,
    IMAGES,
    PROBLEMS,
    SOURCES,
    TO_READ,
    Article,
    KnownFile,
    Source,
    Table,
)
from flows.settings import Settings
from flows.source.checks import require_folder
from flows.source.listing import MAX_FILE_BYTES, Content, read_seed_files
from flows.warehouse import staging
from flows.warehouse.arrow import arrow_schema, to_arrow
from flows.warehouse.staging import READ_TABLES, Write

CHUNK_FILES, CHUNK_BYTES = 2_000, 8_000_000  # limits of a chunk, whose rows are in memory together
_Read = tuple[KnownFile, Reading, str | None]  # a file, its parsed content, and its hash


def transform(plan: Plan, batch: Batch) -> int:
    """Read the seed files of a batch into staged rows, and return their number.

    Raise RunError if a worker on another machine cannot access the source or the staged rows.
    """
    if plan.distributed:
        require_folder(plan.settings.source, plan.settings.link_roots)
    with on_worker(plan) as here:
        if here.distributed:
            here.exchange.receive(here.work, [f"{TO_READ.name}/{staging.file_name(batch.number)}"])
        number = read_files(here, staging.read(here.work, TO_READ, batch.number), batch.number)
        if here.distributed:
            here.exchange.send(here.work, [table.name for table in READ_TABLES])
    return number


def read_files(plan: Plan, files: pa.Table, number: int) -> int:
    """Read files with the columns of TO_READ into the staged rows of batch `number`, and return how many were read."""
    with staging.writer(plan.work, number) as write:
        for part in _chunks(files):
            _write_rows(plan.settings, plan.edition_id, part, write)
    return int(files.num_rows)


def _chunks(files: pa.Table) -> Iterator[list[KnownFile]]:
    """Yield the files in chunks of at most CHUNK_FILES files and CHUNK_BYTES bytes, since articles may be long."""
    for start in range(0, files.num_rows, CHUNK_FILES):
        part: list[KnownFile] = []
        size = 0
        for row in files.slice(start, CHUNK_FILES).to_pylist():
            if part and size + row["size"] > CHUNK_BYTES:
                yield part
                part, size = [], 0
            part.append(KnownFile(**row))
            size += row["size"]
        yield part


def _write_rows(settings: Settings, edition_id: str, files: list[KnownFile], write: Write) -> None:
    """Read seed files and write their rows: one row of `sources` per file, and the content of published files.

    A file whose content has not changed adds no rows.
    """
    zone = ZoneInfo(settings.time_zone)
    contents = read_seed_files(settings.source, [file.source_path for file in files], settings.link_roots)
    found = [(file, *_read(file, content, zone)) for file, content in zip(files, contents, strict=True)]
    read = [(file, reading, content_hash) for file, reading, content_hash in found if reading]
    try:
        tables = _tables(read, edition_id)
    except Exception as error:
        if not concerns_file(error):
            raise
        read = [
            (file, with_arrow_rows(reading, file.source_path), content_hash) for file, reading, content_hash in read
        ]
        tables = _tables(read, edition_id)
    for table, rows in tables:
        write(table, rows)


def _tables(read: list[_Read], edition_id: str) -> list[tuple[Table, pa.Table]]:
    """Return the rows of the files that were read, table by table."""
    sources = [_source_row(file, reading, content_hash, edition_id) for file, reading, content_hash in read]
    readings = [reading for _, reading, _ in read]
    # Problems of a draft are not reported until it is published.
    problems = [reading.problems for reading in readings if reading.status != "draft"]
    published = [
        (reading, reading.article) for reading in readings if reading.article and reading.status == "published"
    ]
    articles = to_arrow(ARTICLES, [article for _, article in published])
    return [
        (SOURCES, to_arrow(SOURCES, sources)),
        (PROBLEMS, to_arrow(PROBLEMS, list(chain.from_iterable(problems)))),
        (ARTICLE_KEYS, articles.select(arrow_schema(ARTICLE_KEYS).names)),
        (ARTICLES, articles),
        (IMAGES, _with_path(IMAGES, published, lambda reading: reading.images)),
        (CAPTIONS, _with_path(CAPTIONS, published, lambda reading: reading.captions)),
    ]


def _read(file: KnownFile, content: Content, zone: ZoneInfo) -> tuple[Reading | None, str | None]:
    """Return the reading of a file, None if its content is unchanged, and its hash, None if it cannot be read."""
    path = file.source_path
    if isinstance(content, RejectedError):
        return rejected(content.problem, path), None
    if isinstance(content, OSError):
        return rejected(problem("unreadable", reason=content.strerror or str(content)), path), None
    if len(content) > MAX_FILE_BYTES:
        return rejected(problem("too_large", size=max(file.size, len(content)), limit=MAX_FILE_BYTES), path), None
    content_hash = xxhash.xxh3_128_hexdigest(content)
    return None if content_hash == file.content_hash else read_isolated(content, path, zone), content_hash


def _source_row(file: KnownFile, reading: Reading, content_hash: str | None, edition_id: str) -> Source:
    article = reading.article
    return Source(
        source_path=file.source_path,
        size=file.size,
        mtime_ns=file.mtime_ns,
        content_hash=content_hash,
        status=reading.status,
        article_id=article.article_id if article else None,
        published_month=article.published_month if article and reading.status == "published" else None,
        first_edition=edition_id,
        last_changed_edition=edition_id,
    )


def _with_path(
    table: Table, published: list[tuple[Reading, Article]], rows: Callable[[Reading], list[Any]]
) -> pa.Table:
    """Return the rows of images or captions with the path of their seed file, as `staged_schema` defines them."""
    found = to_arrow(table, [row for reading, _ in published for row in rows(reading)])
    paths = [article.source_path for reading, article in published for _ in rows(reading)]
    return found.append_column(staging.SOURCE_PATH, pa.array(paths, staging.SOURCE_PATH.type))
