"""Declare every column of every table once. Types, DDL, comments and docs are derived from these declarations.

The rows of a table are named tuples. The annotation of a field defines the type of the column (`str`, `int`, `bool`,
`float`, `date` or `datetime`), whether it is nullable (`| None`), and its description. All types are supported by every
BI tool. Times are UTC, and line and column numbers start at 1. Descriptions use the terms of schema.org (NewsArticle,
ImageObject) and of IPTC photo metadata.
"""

import types
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

SCHEMA_VERSION = 4  # increment with every change of columns or file layout, so that the next run reads all files

BigInt = Annotated[int, "int64"]
ETagHash = Annotated[int | None, "int64", "64-bit XXH3 hash of the object's ETag, signed; null for a local file."]
Month = Annotated[str | None, "Month of publication, YYYY-MM, in the edition's time zone; null if undated."]


class SeedFile(NamedTuple):
    """A seed file in the listing of the source."""

    source_path: Annotated[str, "Path of the seed file, relative to the source; non-UTF-8 bytes as %80 to %FF."]
    size: Annotated[BigInt, "Size in bytes."]
    mtime_ns: Annotated[BigInt, "Modification time in nanoseconds since 1970 UTC."]
    etag_hash: ETagHash = None


class KnownFile(NamedTuple):
    """A seed file to read, with the hash of its content at the last reading."""

    source_path: Annotated[str, "Path of the seed file, relative to the source."]
    size: Annotated[BigInt, "Size in bytes."]
    mtime_ns: Annotated[BigInt, "Modification time in nanoseconds since 1970 UTC."]
    etag_hash: ETagHash
    content_hash: Annotated[str | None, "Hash of the content in the previous edition; null if there is none."]


class ArticleKey(NamedTuple):
    """The keys that decide which of several files with the same article is published."""

    article_id: Annotated[str, "The article."]
    published_at: Annotated[datetime | None, "Time of publication, UTC."]
    source_path: Annotated[str, "Path of the seed file, relative to the source."]


class Duplicate(NamedTuple):
    """A file that is not published because another file has the same article."""

    source_path: Annotated[str, "Path of the seed file, relative to the source."]


class Dropped(NamedTuple):
    """An article of the previous edition whose rows are not reused unchanged."""

    article_id: Annotated[str, "The article."]


class Article(NamedTuple):
    """One row per published article."""

    article_id: Annotated[str, "Unique ID: code, id, uuid or guid from the front matter, else path: and source_path."]
    title: Annotated[str, "Headline as plain text (schema.org headline)."]
    title_source: Annotated[str, "Origin of the title: front_matter, heading, first_paragraph or file_name."]
    description: Annotated[str | None, "Summary from the front matter (schema.org description)."]
    category: Annotated[str | None, "First section, trimmed and in upper case (schema.org articleSection)."]
    language: Annotated[str | None, "BCP 47 tag in lower case (schema.org inLanguage)."]
    language_source: Annotated[str | None, "Origin of language: front_matter or path (a folder or a file suffix)."]
    layout: Annotated[str | None, "Page layout named in the front matter."]
    published_at: Annotated[datetime | None, "Time of publication, UTC (schema.org datePublished)."]
    published_at_source: Annotated[str | None, "Origin of published_at: front_matter, code, file_name or permalink."]
    published_on: Annotated[date | None, "Date of publication in the edition's time zone."]
    published_month: Month
    origin_url: Annotated[str | None, "URL at which the article first appeared (schema.org url)."]
    origin_host: Annotated[str | None, "Host of origin_url, in lower case, without port."]
    dateline: Annotated[str | None, "Place at the start of the first prose paragraph (schema.org dateline)."]
    body: Annotated[str | None, "Markdown after the front matter, with \\n line endings, without outer blank lines."]
    text: Annotated[str | None, "Prose as plain text, blocks separated by an empty line (schema.org articleBody)."]
    word_count: Annotated[int, "Words in text: ideographs, and parts between spaces or dashes with a letter or digit."]
    paragraph_count: Annotated[int, "Paragraphs in text."]
    image_count: Annotated[int, "Images in the article, including the hero image."]
    caption_count: Annotated[int, "Captions of the article's images."]
    extra: Annotated[str | None, "All other front matter keys, as a JSON object with sorted keys."]
    source_path: Annotated[str, "Path of the seed file, relative to the source; non-UTF-8 bytes as %80 to %FF."]


class Image(NamedTuple):
    """One row per use of an image in an article."""

    image_id: Annotated[str, "Unique ID: article_id#position."]
    article_id: Annotated[str, "The article that shows the image."]
    position: Annotated[int, "0 for the image in the front matter, then 1, 2, … in the order of the body."]
    role: Annotated[str, "hero (front matter) or inline (body)."]
    url: Annotated[str, "URL after CommonMark's unescaping, without added percent-encoding (schema.org contentUrl)."]
    url_host: Annotated[str | None, "Host of url, in lower case, without port."]
    alt: Annotated[str | None, "Alternative text, as plain text (IPTC Alt Text)."]
    title: Annotated[str | None, "Title attribute, as plain text."]
    form: Annotated[
        str,
        "Syntax of the image: front_matter, inline, reference, html, figure, shortcode or extended (not CommonMark).",
    ]
    source_line: Annotated[int, "Line of the seed file on which the Markdown, tag or key starts."]
    published_month: Month


class Caption(NamedTuple):
    """One row per distinct caption text of an image."""

    caption_id: Annotated[str, "Unique ID: image_id/n."]
    image_id: Annotated[str, "The image that the caption describes."]
    article_id: Annotated[str, "The article that shows the image."]
    text: Annotated[str, "Plain text, including the credit (schema.org caption, IPTC Description)."]
    text_without_credit: Annotated[str | None, "Text without the credit; the same as text if credit is null."]
    credit: Annotated[str | None, "Credit line, without brackets (schema.org creditText)."]
    photographer: Annotated[str | None, "Photographer, as written (schema.org creator, IPTC Creator)."]
    agency: Annotated[str | None, "Agency, under a uniform short name: Reuters, AFP, AP, … (IPTC Source)."]
    licence: Annotated[str | None, "Licence in the credit, as SPDX names it: CC-BY-SA-4.0, PD, … (schema.org license)."]
    form: Annotated[str, "Syntax of the caption; the first to apply of figcaption, shortcode, paragraph, title, alt."]
    repeats_alt: Annotated[bool, "True if the caption has another form than alt, but is the same as the alt text."]
    source_line: Annotated[int, "Line of the seed file on which the text starts."]
    published_month: Month


class Problem(NamedTuple):
    """One row per problem in a seed file."""

    source_path: Annotated[str, "Path of the seed file, relative to the source."]
    severity: Annotated[str, "rejected (not published), repaired (with a substitute value), warning or duplicate."]
    code: Annotated[str, "Kind of problem, such as not_utf8."]
    line_number: Annotated[int | None, "Line of the seed file, if known."]
    column_number: Annotated[int | None, "Column in that line, if known."]
    message: Annotated[str, "Description of the problem, in one sentence."]
    remedy: Annotated[str, "How to fix the problem, in one sentence."]
    article_id: Annotated[str | None, "The article; null if rejected."]


class Source(NamedTuple):
    """One row per seed file in the source, whether published or not."""

    source_path: Annotated[str, "Path of the seed file, relative to the source."]
    size: Annotated[BigInt, "Size in bytes."]
    mtime_ns: Annotated[BigInt, "Modification time in nanoseconds since 1970 UTC."]
    content_hash: Annotated[str | None, "128-bit XXH3 hash of the content, in hexadecimal; null if unreadable."]
    status: Annotated[str, "published, rejected, duplicate or draft."]
    article_id: Annotated[str | None, "The article in the file; null if rejected."]
    published_month: Month
    first_edition: Annotated[str, "First edition with this file."]
    last_changed_edition: Annotated[str, "Latest edition in which the content changed."]
    etag_hash: ETagHash


class Edition(NamedTuple):
    """One row per edition, including this one, which is the last."""

    edition_id: Annotated[str, "UTC time of the edition in seconds, such as 20261123T030000Z."]
    published_at: Annotated[datetime, "The same time as a timestamp."]
    articles: Annotated[BigInt, "Articles in the edition."]
    images: Annotated[BigInt, "Images in the edition."]
    captions: Annotated[BigInt, "Captions in the edition."]
    rejected: Annotated[BigInt, "Seed files that could not be published."]
    repaired: Annotated[BigInt, "Problems of published articles that were repaired."]
    duplicates: Annotated[BigInt, "Seed files that were not published because another one has the same article_id."]
    drafts: Annotated[BigInt, "Seed files marked as drafts."]
    added: Annotated[BigInt, "Articles that are new since the previous edition."]
    corrected: Annotated[BigInt, "Articles of the previous edition that changed."]
    withdrawn: Annotated[BigInt, "Articles of the previous edition that are no longer in the source."]
    restored: Annotated[BigInt, "Articles that had been withdrawn and are published again."]
    parser_version: Annotated[int, "Version of the parser that read the seed files."]
    schema_version: Annotated[int, "Version of the table schema."]
    seconds: Annotated[float, "Seconds from the start of the run until all rows were written."]


class Change(NamedTuple):
    """The corrections ledger: one row per change between editions, kept permanently."""

    edition_id: Annotated[str, "Edition in which the change was detected."]
    article_id: Annotated[str, "The article that changed."]
    change: Annotated[str, "added, corrected, withdrawn, restored or moved (its seed file has another path)."]
    field: Annotated[
        str | None, "Changed column, or image for the hero's url; title, category, published_on if withdrawn."
    ]
    old_value: Annotated[str | None, "Value in the previous edition, as text."]
    new_value: Annotated[str | None, "Value in this edition, as text."]
    noticed_at: Annotated[datetime, "Time of the edition in which the change was detected."]


class Table(NamedTuple):
    """A table: its row type, its sort columns, and whether it is stored in one file per month or in a single file."""

    name: str
    row: type[Any]
    sort: tuple[str, ...]
    by_month: bool = False

    @property
    def description(self) -> str:
        """Return the description of the table's rows."""
        return (self.row.__doc__ or "").strip()


class Column(NamedTuple):
    """A column as declared: `type` is one of string, int32, int64, double, bool, date, timestamp."""

    name: str
    type: str
    nullable: bool
    description: str


# Staged between the steps, not part of an edition.
FOUND = Table("found", SeedFile, ("source_path",))
TO_READ = Table("to_read", KnownFile, ("source_path",))
DROPPED = Table("dropped", Dropped, ("article_id",))
DUPLICATES = Table("duplicates", Duplicate, ("source_path",))
ARTICLE_KEYS = Table("article_keys", ArticleKey, ("source_path",))

# The columns that keys of front matter can feed; `image` is the row of the hero.
FRONT_MATTER_COLUMNS = (
    *("article_id", "title", "description", "category", "language", "layout", "published_at", "origin_url", "image"),
)

ARTICLES = Table("articles", Article, ("article_id",), by_month=True)
IMAGES = Table("images", Image, ("article_id", "position"), by_month=True)
# Captions of an article are staged in the order of its images, which a stable sort by article preserves.
CAPTIONS = Table("captions", Caption, ("article_id",), by_month=True)
PROBLEMS = Table("problems", Problem, ("source_path", "line_number", "column_number", "code", "message"))
SOURCES = Table("sources", Source, ("source_path",))
EDITIONS = Table("editions", Edition, ("edition_id",))
CHANGES = Table("changes", Change, ("edition_id", "article_id", "change", "field"), by_month=True)

CONTENT = (ARTICLES, IMAGES, CAPTIONS)
TABLES = (*CONTENT, PROBLEMS, SOURCES, EDITIONS, CHANGES)

_TYPES = {str: "string", int: "int32", float: "double", bool: "bool", date: "date", datetime: "timestamp"}


@cache
def columns(table: Table) -> tuple[Column, ...]:
    """Return the columns of a table in declaration order."""
    hints = get_type_hints(table.row, include_extras=True)
    return tuple(_column(name, hint) for name, hint in hints.items())


def _column(name: str, hint: Any) -> Column:
    kind, *notes = get_args(hint)
    nullable = get_origin(kind) is types.UnionType
    plain = get_args(kind)[0] if nullable else kind
    type_ = "int64" if "int64" in notes else _TYPES[plain]
    return Column(name, type_, nullable, notes[-1])
