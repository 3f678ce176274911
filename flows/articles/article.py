"""Read a seed file into an article with its images and captions, or into the problem that rejects it."""

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple
from unicodedata import normalize
from zoneinfo import ZoneInfo

from flows.articles.accounting import account
from flows.articles.dates import (
    MAX_YEAR,
    MIN_YEAR,
    datetime_in_code,
    datetime_in_path,
    implausible_day_in_path,
    is_implausible_year,
    parse_datetime,
)
from flows.articles.front_matter.aliases import fold
from flows.articles.front_matter.fields import Fields
from flows.articles.front_matter.hero import first_of
from flows.articles.front_matter.reader import read_front_matter
from flows.articles.front_matter.state import is_draft, may_be_date
from flows.articles.front_matter.yaml_blocks import Written
from flows.articles.image_rows import Owner, host_of, image_rows, is_within_limit
from flows.articles.languages import language_in_path, language_tag
from flows.articles.lengths import MAX_EXTRA_BYTES, MAX_GROWTH, MAX_LENGTHS, bytes_of, limit_problems, truncate
from flows.articles.markdown.blocks import Document, read_document
from flows.articles.markdown.captions import read_pictures
from flows.articles.markdown.datelines import read_dateline
from flows.articles.markdown.images import normalize_whitespace
from flows.articles.markdown.prose import Prose, count_words, read_prose
from flows.problems import RejectedError, problem, quoted
from flows.schema import Article, Caption, Image, Problem

PARSER_VERSION = 7  # increment with every change of the rows, so that the next run reads all files

_DAY = re.compile(r"\A\d{4}-\d{1,2}-\d{1,2}[-_]?")  # at the start of a file name
_USED_INSTEAD = {
    "code": "used the date in the article code instead",
    "file_name": "used the date in the file name instead",
    "permalink": "used the date in the permalink instead",
    None: "the article is undated",
}
_BETWEEN_WORDS = re.compile(r"[-_\s]+")


class Reading(NamedTuple):
    """The result of reading a seed file: `status` is published, draft or rejected; `article` is None if rejected."""

    status: str
    article: Article | None
    images: list[Image]
    captions: list[Caption]
    problems: list[Problem]


class Moment(NamedTuple):
    """An instant of publication in UTC, and where it was found; both are None if the article is undated."""

    at: datetime | None
    source: str | None


def read_article(
    content: bytes, source_path: str, zone: ZoneInfo, columns: Mapping[str, str] = MappingProxyType({})
) -> Reading:
    """Read the bytes of a seed file. `source_path` is its path in the source; times without an offset are in `zone`.

    `columns` are the user's own keys of front matter, or dotted paths, and the columns that they feed.
    """
    try:
        front = read_front_matter(content)
    except RejectedError as error:
        return rejected(error.problem, source_path)
    fields = Fields(front, columns)
    status = "draft" if is_draft(fields, source_path) else "published"
    article_id = fields.identity() or f"path:{source_path}"
    moment = _moment(fields, article_id, source_path, zone)
    local = moment.at.astimezone(zone) if moment.at else None
    month = f"{local.year:04}-{local.month:02}" if local else None
    line_offset = front.body_line - 1
    document = read_document(front.body)
    pictures, texts = read_pictures(document)
    fields.problems += _moved(account(document, pictures, texts), line_offset)
    prose = read_prose(document.blocks, texts, normalize_whitespace(fields.text("title") or ""))
    text = "\n\n".join(prose.texts)
    described = _described(fields, source_path)
    hero, extra = fields.image(), fields.extra()
    owner, others = Owner(article_id, month, line_offset), (text, extra or "")
    limit = None if is_within_limit(owner, pictures, len(content), sum(map(len, others))) else _limit(content, others)
    images, captions = image_rows(owner, hero, pictures, limit, fields.problems)
    article = Article(
        article_id=article_id,
        title=_title(prose, document, texts, fields) or _words_of(source_path),
        title_source=prose.title_source or "file_name",
        **described,
        published_at=moment.at,
        published_at_source=moment.source,
        published_on=local.date() if local else None,
        published_month=month,
        dateline=read_dateline(prose.opening),
        body=front.body or None,
        text=text or None,
        word_count=count_words(text),
        paragraph_count=len(prose.texts),
        image_count=len(images),
        caption_count=len(captions),
        extra=extra,
        source_path=source_path,
    )
    found = limit_problems(sorted(fields.problems, key=lambda row: row.line_number or 0))
    problems = [row._replace(source_path=source_path, article_id=article_id) for row in found]
    return Reading(status, article, images, captions, problems)


def _moved(problems: list[Problem], lines: int) -> list[Problem]:
    return [row._replace(line_number=(row.line_number or 1) + lines) for row in problems]


def _limit(content: bytes, others: tuple[str, ...]) -> int:
    """Return how many bytes the rows of images and captions may have, beside the article's row with its body."""
    return (MAX_GROWTH - 1) * len(content) + MAX_EXTRA_BYTES - sum(map(bytes_of, others))


def _described(fields: Fields, source_path: str) -> dict[str, str | None]:
    """Return the columns that the front matter feeds, and the language, which may be in the path."""
    origin_url, (language, language_source) = fields.text("origin_url"), _language(fields, source_path)
    category = fields.first("category") or ""
    return {
        "description": fields.text("description"),
        "category": (category if category.isascii() else normalize("NFC", category)).upper() or None,
        "language": language,
        "language_source": language_source,
        "layout": fields.text("layout"),
        "origin_url": origin_url,
        "origin_host": host_of(origin_url or ""),
    }


def _language(fields: Fields, source_path: str) -> tuple[str | None, str | None]:
    """Return the language tag, and whether it is from the front matter or the path."""
    for key, written in fields.values("language"):
        value = first_of(written)
        if isinstance(value, str) and (tag := language_tag(value)):
            if isinstance(written, list) and len(written) > 1:
                fields.used.discard(key)
            return tag, "front_matter"
        fields.used.discard(key)
        fields.problems.append(problem("unusable_language", fields.line(key), value=quoted(written)))
    tag = language_in_path(source_path)
    return tag, "path" if tag else None


def _title(prose: Prose, document: Document, texts: list[str], fields: Fields) -> str | None:
    """Return the title, truncated if it is a whole paragraph of the body that is too long; none is a problem."""
    title, line_offset = prose.title, fields.front.body_line - 1
    if title is None:
        fields.problems.append(problem("title_from_file_name", fields.line("title") or fields.front.body_line))
    if title is None or len(title) <= MAX_LENGTHS["title"]:
        return title
    spoken = next((block for block, text in zip(document.blocks, texts, strict=True) if text == title), None)
    line = document.lines.at(spoken.start) + line_offset if spoken else None
    return truncate(title, "title", line, fields.problems)


def rejected(reason: Problem, source_path: str) -> Reading:
    """Return the reading of a file that cannot be published."""
    return Reading("rejected", None, [], [], [reason._replace(source_path=source_path)])


def _moment(fields: Fields, article_id: str, source_path: str, zone: ZoneInfo) -> Moment:
    """Return the instant of publication from the front matter, the code or the path; an unusable date is a problem."""
    unusable: list[tuple[str, Written]] = []
    for key, written in fields.values("published_at"):
        given = parse_datetime(written, zone) if isinstance(written, str) else None
        if given:
            _report_unusable_dates(fields, unusable, f"used the date in the key {key} instead")
            return Moment(given, "front_matter")
        fields.used.discard(key)
        if fold(key) != "published" or may_be_date(written):
            unusable.append((key, written))
    found, day = Moment(None, None), None
    if in_code := datetime_in_code(article_id):
        found = Moment(in_code, "code")
    elif in_path := datetime_in_path(source_path, zone):
        found = Moment(in_path, "file_name")
    elif in_address := _datetime_in_address(fields, zone):
        found = Moment(in_address, "permalink")
    elif day := implausible_day_in_path(source_path, zone):
        fields.problems.append(_date_problem(day, None, "the article is undated"))
    _report_unusable_dates(fields, unusable, _USED_INSTEAD[found.source])
    if found.at is None and not unusable and not day:
        fields.problems.append(problem("undated", 1))
    return found


def _datetime_in_address(fields: Fields, zone: ZoneInfo) -> datetime | None:
    """Return the day in the address that the article has on its site; the key stays in `extra`."""
    for name in ("permalink", "path", "url", "slug"):
        found = fields.find(name)
        if found and isinstance(found[1], str) and (moment := datetime_in_path(found[1], zone)):
            return moment
    return None


def _report_unusable_dates(fields: Fields, unusable: list[tuple[str, Written]], instead: str) -> None:
    for key, written in unusable:
        fields.used.discard(key)
        fields.problems.append(_date_problem(written, fields.line(key), instead))


def _date_problem(written: Written, line: int | None, instead: str) -> Problem:
    if isinstance(written, str) and is_implausible_year(written):
        limits = {"first": MIN_YEAR, "last": MAX_YEAR}
        return problem("implausible_date", line, value=quoted(written), instead=instead, **limits)
    return problem("unusable_date", line, value=quoted(written), instead=instead)


def _words_of(path: str) -> str:
    """Return the words of a file name, without its extension and leading date."""
    name = path.rsplit("/", 1)[-1]
    stem = name.rpartition(".")[0] if "." in name else name
    words = _BETWEEN_WORDS.sub(" ", _DAY.sub("", stem)).strip()
    return words or stem or path
