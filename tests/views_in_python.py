"""Compute the expected rows of each view in plain Python, from the rows of the tables."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from flows.schema import TABLES, columns
from flows.warehouse.database import SQL

Row = SimpleNamespace
Result = list[tuple[Any, ...]]
IMAGE_EXTENSIONS = ("avif", "bmp", "gif", "heic", "jpg", "jpeg", "png", "svg", "tif", "tiff", "webp")


class Rows:
    """The rows of an edition, read from its Parquet."""

    def __init__(self, edition: Path) -> None:
        self.edition = edition
        self.articles = _read(edition, "articles")
        self.images = _read(edition, "images")
        self.captions = _read(edition, "captions")
        self.changes = [Row(**row) for row in ds.dataset(edition / "changes").to_table().to_pylist()]
        self.editions = [Row(**row) for row in pq.ParquetFile(edition / "editions.parquet").read().to_pylist()]
        self.article = {article.article_id: article for article in self.articles}
        self.captions_of = _grouped(self.captions, lambda caption: caption.image_id)


def _read(edition: Path, table: str) -> list[Row]:
    return [Row(**row) for row in ds.dataset(edition / table).to_table().to_pylist()]


def _grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def _nulls_last(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else value)


def _days(articles: Iterable[Row]) -> tuple[date | None, date | None]:
    days = [article.published_on for article in articles if article.published_on]
    return (min(days), max(days)) if days else (None, None)


def _totals(articles: list[Row]) -> tuple[int, int, int]:
    return tuple(sum(getattr(a, name) for a in articles) for name in ("word_count", "image_count", "caption_count"))


def articles_by_category(rows: Rows) -> Result:
    groups = _grouped(rows.articles, lambda article: article.category).items()
    found = [(category, len(articles), *_days(articles), *_totals(articles)) for category, articles in groups]
    return sorted(found, key=lambda row: (-row[1], _nulls_last(row[0])))


def articles_by_day(rows: Rows) -> Result:
    by_day = _grouped(rows.articles, lambda article: article.published_on)
    first, last = _days(rows.articles)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)] if first else []
    counts = [len(by_day[day]) for day in days]
    means = [sum(counts[max(0, n - 6) : n + 1]) / min(7, n + 1) for n in range(len(days))]
    return [(day, *numbers, *_totals(by_day[day])) for day, *numbers in zip(days, counts, means, strict=True)]


def articles_by_category_and_day(rows: Rows) -> Result:
    counts = Counter((article.category, article.published_on) for article in rows.articles)
    found = [(category, day, count) for (category, day), count in counts.items()]
    return sorted(found, key=lambda row: (row[1] is None, row[1] or date.min, _nulls_last(row[0])))


def images_by_category(rows: Rows) -> Result:
    found = []
    for category in {article.category for article in rows.articles}:
        images = [image for image in rows.images if rows.article[image.article_id].category == category]
        captions = [rows.captions_of.get(image.image_id, []) for image in images]
        counts = (
            sum(image.alt is not None for image in images),
            sum(len(texts) > 0 for texts in captions),
            sum(any(caption.credit is not None for caption in texts) for texts in captions),
        )
        shares = [count / len(images) if images else None for count in counts]
        found.append((category, len(images), *counts, *shares))
    return sorted(found, key=lambda row: (-row[1], _nulls_last(row[0])))


def captions_by_agency(rows: Rows) -> Result:
    found = []
    for agency, captions in _grouped(rows.captions, lambda caption: caption.agency).items():
        articles = {caption.article_id for caption in captions}
        images = {caption.image_id for caption in captions}
        photographers = {caption.photographer for caption in captions} - {None}
        days = _days(rows.article[article_id] for article_id in articles)
        found.append((agency, len(captions), len(images), len(photographers), len(articles), *days))
    return sorted(found, key=lambda row: (-row[1], _nulls_last(row[0])))


def image_reuse(rows: Rows) -> Result:
    found = []
    for url, images in _grouped(rows.images, lambda image: image.url).items():
        articles = {image.article_id for image in images}
        if len(articles) > 1 and not (url.startswith("{") or "{{" in url or "{%" in url):
            found.append((url, len(articles), len(images), *_days(rows.article[one] for one in articles)))
    return sorted(found, key=lambda row: (-row[1], -row[2], row[0]))


def accessibility_gaps(rows: Rows) -> Result:
    images = sorted(rows.images, key=lambda image: (image.article_id, image.position))
    gaps = [image for image in images if image.role == "inline" and (image.alt is None or _is_file_name(image))]
    return [
        (image.image_id, image.article_id, article.title, image.url, image.alt, article.source_path, image.source_line)
        for image in gaps
        for article in [rows.article[image.article_id]]
    ]


def _is_file_name(image: Row) -> bool:
    if re.search(r"\s", image.alt):
        return False
    stem, _, extension = image.alt.rpartition(".")
    name = re.split("[?#]", image.url)[0].rpartition("/")[2]
    has_sign = any(sign in "_0123456789" for sign in image.alt)
    return bool(stem and extension.lower() in IMAGE_EXTENSIONS) or (
        has_sign and image.alt.lower() in {name.lower(), name.lower().rpartition(".")[0]}
    )


def freshness(rows: Rows) -> Result:
    now = max(edition.published_at for edition in rows.editions)
    found = []
    for category, articles in _grouped(rows.articles, lambda article: article.category).items():
        latest = max((article.published_at for article in articles if article.published_at), default=None)
        found.append((category, latest, (now - latest).total_seconds() / 3600 if latest else None))
    return sorted(found, key=lambda row: (row[2] is None, row[2] or 0, _nulls_last(row[0])))


def corrections(rows: Rows) -> Result:
    gone = {row[0]: row[1] for row in _last_withdrawals(rows)}
    found = [
        (one.noticed_at, one.edition_id, one.article_id, title, one.field, one.old_value, one.new_value)
        for one in rows.changes
        if one.change == "corrected"
        for title in [getattr(rows.article.get(one.article_id), "title", gone.get(one.article_id))]
    ]
    return sorted(found, key=lambda row: (-row[0].timestamp(), row[2], row[4]))


def withdrawn_articles(rows: Rows) -> Result:
    found = [row for row in _last_withdrawals(rows) if row[0] not in rows.article]
    return sorted(found, key=lambda row: (-row[4].timestamp(), row[0]))


def _last_withdrawals(rows: Rows) -> Result:
    """Return the final values of each article that was ever withdrawn, at its last withdrawal."""
    withdrawals = _grouped((one for one in rows.changes if one.change == "withdrawn"), lambda one: one.article_id)
    found = []
    for article_id, changes in withdrawals.items():
        last = max(changes, key=lambda one: one.noticed_at)
        values = {one.field: one.old_value for one in changes if one.edition_id == last.edition_id}
        day = date.fromisoformat(values["published_on"]) if "published_on" in values else None
        found.append((article_id, values["title"], values.get("category"), day, last.noticed_at, last.edition_id))
    return found


DUCKDB_TYPES = {
    "string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip


def data_dictionary(rows: Rows) -> Result:
    found = {table.name: [(c.name, DUCKDB_TYPES[c.type], c.description) for c in columns(table)] for table in TABLES}
    with duckdb.connect(rows.edition / "broadsheet.duckdb", read_only=True) as connection:
        for file in (SQL / "views").glob("*.sql"):
            answer = connection.table(file.stem)
            meanings = dict(re.findall(r"^-- (\w+): (.*)$", file.read_text(), re.MULTILINE))
            types = zip(answer.columns, map(str, answer.types), strict=True)
            found[file.stem] = [(name, kind, meanings[name]) for name, kind in types]
    return [(table, *column) for table in sorted(found) for column in found[table]]


VIEWS: dict[str, Callable[[Rows], Result]] = {
    view.__name__: view
    for view in (
        articles_by_category,
        articles_by_day,
        articles_by_category_and_day,
        images_by_category,
        captions_by_agency,
        image_reuse,
        accessibility_gaps,
        freshness,
        corrections,
        withdrawn_articles,
        data_dictionary,
    )
}
