"""Read seed files into staged rows, batch by batch."""

import socket
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from flows.articles.article import Reading, rejected
from flows.pipeline.code import CODE
from flows.pipeline.isolation import concerns_file, read_isolated, with_arrow_rows
from flows.pipeline.plan import Attempt, Batch, Plan
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
from flows.source.listing import MAX_FILE_BYTES, Content, read_seed_files
from flows.source.probe import find_unlike
from flows.warehouse import staging
from flows.warehouse.arrow import arrow_schema, to_arrow
from flows.warehouse.staging import StagedFile

CHUNK_FILES, CHUNK_BYTES = 2_000, 8_000_000  # limits of a chunk, whose rows are in memory together
_Read = tuple[KnownFile, Reading, str | None]  # a file, its parsed content, and its hash


def transform(plan: Plan, batch: Batch) -> Attempt:
    """Read the seed files of a batch into staged rows.

    A worker on another machine also returns which files it does not see as listed. Raise WorkerError if it runs other
    code or cannot access the staged files.
    """
    with on_worker(plan) as here:
        here.exchange.receive(here.work, batch.staged)
        files = staging.read_rows(here.work, batch.staged, TO_READ)
        staged = read_files(here, files)
        here.exchange.send(here.work, staged)
        unlike = _find_unlike(here, files, staged) if here.distributed else ()
    return Attempt(staged, socket.gethostname(), CODE, unlike)


def _find_unlike(plan: Plan, files: pa.Table, staged: tuple[StagedFile, ...]) -> tuple[str, ...]:
    sources = staging.read_rows(plan.work, staged, SOURCES)
    unread = sources["source_path"].filter(pc.is_null(sources["content_hash"]))
    return find_unlike(plan.settings.source, files, unread)


def read_files(plan: Plan, files: pa.Table) -> tuple[StagedFile, ...]:
    """Read files with the columns of TO_READ, and return the staged files with their rows."""
    rows = chain.from_iterable(_rows(plan.settings, plan.edition_id, part) for part in _chunks(files))
    return staging.write_rows(plan.work, rows, "zstd" if plan.distributed else "lz4")


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


def _rows(settings: Settings, edition_id: str, files: list[KnownFile]) -> list[tuple[Table, pa.Table]]:
    """Read seed files and return their rows: one of sources each, and the content of those that are published.

    A file whose content has not changed adds no rows.
    """
    zone = ZoneInfo(settings.time_zone)
    contents = read_seed_files(settings.source, [file.source_path for file in files], settings.link_roots)
    pairs = zip(files, contents, strict=True)
    found = [(_as_read(file, content), *_read(file, content, zone, settings.columns)) for file, content in pairs]
    read = [(file, reading, content_hash) for file, reading, content_hash in found if reading]
    try:
        return _tables(read, edition_id)
    except Exception as error:
        if not concerns_file(error):
            raise
        read = [
            (file, with_arrow_rows(reading, file.source_path), content_hash) for file, reading, content_hash in read
        ]
        return _tables(read, edition_id)


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


def _read(
    file: KnownFile, content: Content, zone: ZoneInfo, columns: Mapping[str, str]
) -> tuple[Reading | None, str | None]:
    """Return the reading of a file, None if its content is unchanged, and its hash, None if it cannot be read."""
    path = file.source_path
    if isinstance(content, RejectedError):
        return rejected(content.problem, path), None
    if isinstance(content, OSError):
        return rejected(problem("unreadable", reason=content.strerror or str(content)), path), None
    if len(content) > MAX_FILE_BYTES:
        return rejected(problem("too_large", size=max(file.size, len(content)), limit=MAX_FILE_BYTES), path), None
    content_hash = xxhash.xxh3_128_hexdigest(content)
    reading = None if content_hash == file.content_hash else read_isolated(content, path, zone, columns)
    return reading, content_hash


def _as_read(file: KnownFile, content: Content) -> KnownFile:
    """Return a file with the size of the content that is hashed: it may have changed since it was listed."""
    if isinstance(content, bytes) and len(content) <= MAX_FILE_BYTES:
        return file._replace(size=len(content))
    return file


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
        etag_hash=file.etag_hash,
    )


def _with_path(
    table: Table, published: list[tuple[Reading, Article]], rows: Callable[[Reading], list[Any]]
) -> pa.Table:
    """Return the rows of images or captions with the path of their seed file, as `staged_schema` defines them."""
    found = to_arrow(table, [row for reading, _ in published for row in rows(reading)])
    paths = [article.source_path for reading, article in published for _ in rows(reading)]
    return found.append_column(staging.SOURCE_PATH, pa.array(paths, staging.SOURCE_PATH.type))
