"""Every column of every table, declared once: types, DDL, comments and docs are derived from here.

A table's rows are named tuples. A field's annotation gives the column's type (`str`, `int`, `bool`, `float`,
`date`, `datetime`), `| None` makes it nullable, and the text beside it is its description. Only types that
every BI tool takes are used. Instants are UTC; lines and columns of text are 1-based.
Terms in descriptions are those of schema.org (NewsArticle, ImageObject) and IPTC photo metadata.
"""

import types
from datetime import date, datetime
from functools import cache
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

SCHEMA_VERSION = 3  # raise it with every change of a column or of a file's place: each file is then read again

BigInt = Annotated[int, "int64"]
ETagHash = Annotated[int | None, "int64", "XXH3 64-bit hash of the object's ETag, signed; null for a file in a folder."]
Month = Annotated[str | None, "Month of publication, YYYY-MM, in the edition's time zone; null when undated."]


class SeedFile(NamedTuple):
    """A seed file as the source lists it."""

    source_path: Annotated[str, "Seed file, relative to the source, / between folders, other bytes as %FF."]
    size: Annotated[BigInt, "Bytes."]
    mtime_ns: Annotated[BigInt, "Time of its last change, nanoseconds since 1970 UTC."]
    etag_hash: ETagHash = None


class KnownFile(NamedTuple):
    """A seed file to read, and the hash of its content when it was last read."""

    source_path: Annotated[str, "Seed file, relative to the source."]
    size: Annotated[BigInt, "Bytes."]
    mtime_ns: Annotated[BigInt, "Time of its last change, nanoseconds since 1970 UTC."]
    etag_hash: ETagHash
    content_hash: Annotated[str | None, "Hash of the content whose rows the previous edition has; null if none."]


class ArticleKey(NamedTuple):
    """The keys that decide which of several files with one article is published."""

    article_id: Annotated[str, "The article."]
    published_at: Annotated[datetime | None, "Instant of publication, UTC."]
    source_path: Annotated[str, "Seed file, relative to the source."]


class Duplicate(NamedTuple):
    """A file that is not published, since another file has the same article."""

    source_path: Annotated[str, "Path in the source."]


class Dropped(NamedTuple):
    """An article of the previous edition whose rows are not reused unchanged."""

    article_id: Annotated[str, "The article."]


class Article(NamedTuple):
    """One row per published article."""

    article_id: Annotated[str, "Identity: front matter code, id, uuid or guid; else path: and the source path."]
    title: Annotated[str, "Headline as plain text (schema.org headline)."]
    title_source: Annotated[str, "Where the title was found: front_matter, heading, first_paragraph or file_name."]
    description: Annotated[str | None, "Summary from the front matter (schema.org description)."]
    category: Annotated[str | None, "First section, trimmed, upper case (schema.org articleSection)."]
    language: Annotated[str | None, "BCP 47 tag in lower case (schema.org inLanguage)."]
    layout: Annotated[str | None, "Page layout named in the front matter."]
    published_at: Annotated[datetime | None, "Instant of publication, UTC (schema.org datePublished)."]
    published_at_source: Annotated[str | None, "Where that instant was found: front_matter, code or file_name."]
    published_on: Annotated[date | None, "Calendar day of publication in the edition's time zone."]
    published_month: Month
    origin_url: Annotated[str | None, "Address of the article where it first appeared (schema.org url)."]
    origin_host: Annotated[str | None, "Host of origin_url, lower case, without port."]
    dateline: Annotated[str | None, "Place with which the first prose paragraph opens (schema.org dateline)."]
    body: Annotated[str | None, "Markdown after the front matter, line ends \\n, no blank lines around it."]
    text: Annotated[str | None, "Prose as plain text, blocks separated by an empty line (schema.org articleBody)."]
    word_count: Annotated[int, "Words of text: ideographs, and parts between spaces or dashes with a letter or digit."]
    paragraph_count: Annotated[int, "Blocks of text."]
    image_count: Annotated[int, "Images of the article, the hero included."]
    caption_count: Annotated[int, "Captions of the article's images."]
    extra: Annotated[str | None, "Every other front matter key, as a JSON object with sorted keys."]
    source_path: Annotated[str, "Seed file, relative to the source, / between folders, other bytes as %FF."]


class Image(NamedTuple):
    """One row for each use of an image in an article."""

    image_id: Annotated[str, "Identity: article_id#position."]
    article_id: Annotated[str, "The article that shows the image."]
    position: Annotated[int, "0 for the front matter's image, then 1, 2, … in the order of the body."]
    role: Annotated[str, "hero (front matter) or inline (body)."]
    url: Annotated[str, "Address as CommonMark resolves it, nothing percent-encoded (schema.org contentUrl)."]
    url_host: Annotated[str | None, "Host of url, lower case, without port."]
    alt: Annotated[str | None, "Alternative text, plain (IPTC Alt Text)."]
    title: Annotated[str | None, "Title attribute, plain text."]
    form: Annotated[str, "How it is written: front_matter, inline, reference, html, figure or shortcode."]
    source_line: Annotated[int, "Line of the seed file on which its Markdown, tag or key begins."]
    published_month: Month


class Caption(NamedTuple):
    """One row for each distinct caption text of an image."""

    caption_id: Annotated[str, "Identity: image_id/n."]
    image_id: Annotated[str, "The image that it describes."]
    article_id: Annotated[str, "The article that shows the image."]
    text: Annotated[str, "Plain text, credit included (schema.org caption, IPTC Description)."]
    text_without_credit: Annotated[str | None, "Text without the credit; equal to text where there is none."]
    credit: Annotated[str | None, "Words that name the source, without brackets (schema.org creditText)."]
    photographer: Annotated[str | None, "Photographer as written (schema.org creator, IPTC Creator)."]
    agency: Annotated[str | None, "Agency, one short name each: Reuters, AFP, AP, … (IPTC Source)."]
    form: Annotated[str, "Strongest form in which the text was found: figcaption, shortcode, paragraph, title, alt."]
    repeats_alt: Annotated[bool, "True where a text of a stronger form is also the image's alt text."]
    source_line: Annotated[int, "Line of the seed file on which the text begins."]
    published_month: Month


class Problem(NamedTuple):
    """One row for each thing that is wrong in a seed file."""

    source_path: Annotated[str, "Seed file, relative to the source."]
    severity: Annotated[str, "rejected (not published), repaired (published, with what we inferred) or duplicate."]
    code: Annotated[str, "Kind of problem, one word for each remedy."]
    line_number: Annotated[int | None, "Line of the seed file, where it is known."]
    column_number: Annotated[int | None, "Column of that line, where it is known."]
    message: Annotated[str, "What is wrong, one sentence."]
    remedy: Annotated[str, "What to do about it, one sentence."]
    article_id: Annotated[str | None, "The article; null when rejected."]


class Source(NamedTuple):
    """One row for each seed file found, so that no file goes without a row."""

    source_path: Annotated[str, "Seed file, relative to the source."]
    size: Annotated[BigInt, "Bytes."]
    mtime_ns: Annotated[BigInt, "Time of its last change, nanoseconds since 1970 UTC."]
    content_hash: Annotated[str | None, "XXH3 128-bit hash of its bytes, hexadecimal; null when unreadable."]
    status: Annotated[str, "published, rejected, duplicate or draft."]
    article_id: Annotated[str | None, "The article that it holds; null when rejected."]
    published_month: Month
    first_edition: Annotated[str, "Edition in which the file was first seen."]
    last_changed_edition: Annotated[str, "Edition that last saw its content change."]
    etag_hash: ETagHash


class Edition(NamedTuple):
    """One row per edition, this one last."""

    edition_id: Annotated[str, "UTC time of the edition, to the second: 20261123T030000Z."]
    published_at: Annotated[datetime, "The same time as an instant."]
    articles: Annotated[BigInt, "Articles in the edition."]
    images: Annotated[BigInt, "Images in the edition."]
    captions: Annotated[BigInt, "Captions in the edition."]
    rejected: Annotated[BigInt, "Seed files that could not be published."]
    repaired: Annotated[BigInt, "Problems of published articles that were repaired."]
    duplicates: Annotated[BigInt, "Seed files that lost to another one with the same article_id."]
    drafts: Annotated[BigInt, "Seed files marked as drafts."]
    added: Annotated[BigInt, "Articles that are new since the previous edition."]
    corrected: Annotated[BigInt, "Articles of the previous edition that changed."]
    withdrawn: Annotated[BigInt, "Articles of the previous edition that are gone."]
    restored: Annotated[BigInt, "Articles that had been withdrawn and are back."]
    parser_version: Annotated[int, "Version of the rules by which seed files were read."]
    schema_version: Annotated[int, "Version of the tables."]
    seconds: Annotated[float, "Seconds from the start of the run until its rows were complete."]


class Change(NamedTuple):
    """The corrections ledger: one row for each change that an edition noticed, kept permanently."""

    edition_id: Annotated[str, "Edition that noticed the change."]
    article_id: Annotated[str, "The article that changed."]
    change: Annotated[str, "added, corrected, withdrawn, restored or moved (its seed file has another path)."]
    field: Annotated[str | None, "Column that differs; image: the hero's url; of a withdrawn article its final values."]
    old_value: Annotated[str | None, "Value in the previous edition, as text."]
    new_value: Annotated[str | None, "Value in this edition, as text."]
    noticed_at: Annotated[datetime, "Time of the edition that noticed the change."]


class Table(NamedTuple):
    """A table: its rows' type, the columns that sort them, and whether it has a file for each month; else one file."""

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


# Staged between the steps, in no edition.
FOUND = Table("found", SeedFile, ("source_path",))
TO_READ = Table("to_read", KnownFile, ("source_path",))
DROPPED = Table("dropped", Dropped, ("article_id",))
DUPLICATES = Table("duplicates", Duplicate, ("source_path",))
ARTICLE_KEYS = Table("article_keys", ArticleKey, ("source_path",))

ARTICLES = Table("articles", Article, ("article_id",), by_month=True)
IMAGES = Table("images", Image, ("article_id", "position"), by_month=True)
# Captions of one article arrive in the order of its images: a stable sort by article keeps it.
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
    """Return the columns of a table in the order of their declaration."""
    hints = get_type_hints(table.row, include_extras=True)
    return tuple(_column(name, hint) for name, hint in hints.items())


def _column(name: str, hint: Any) -> Column:
    kind, *notes = get_args(hint)
    nullable = get_origin(kind) is types.UnionType
    plain = get_args(kind)[0] if nullable else kind
    type_ = "int64" if "int64" in notes else _TYPES[plain]
    return Column(name, type_, nullable, notes[-1])
