"""One seed file becomes one article with its images and captions, or the problem for which it is rejected."""

import re
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flows.articles.blocks import read_document
from flows.articles.body import count_words, read_dateline, read_prose
from flows.articles.captions import MOST_CAPTIONS, MOST_IMAGES, captions_of, read_pictures
from flows.articles.credits import read_credit
from flows.articles.dates import (
    FIRST_YEAR,
    LAST_YEAR,
    implausible_day_in_path,
    is_implausible,
    moment_in_code,
    moment_in_path,
    read_moment,
)
from flows.articles.fields import Fields, Hero
from flows.articles.front_matter import read_front_matter
from flows.articles.images import CaptionText, Picture, fold, front_matter_image
from flows.articles.yaml_blocks import Written
from flows.problems import RejectedError, problem, quoted
from flows.tables import Article, Caption, Image, Problem

PARSER_VERSION = 4  # raise it with every change that gives other rows: each file is then read again

# RFC 3986: after a scheme, or none, //, perhaps a user; a host in brackets holds colons.
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@\\]*@)?(\[[^\]/?#]*\]|[^/?#:@\\\s]*)")
_DAY = re.compile(r"\A\d{4}-\d{1,2}-\d{1,2}[-_]?")  # before the words of a file's name
_BETWEEN_WORDS = re.compile(r"[-_\s]+")


class Reading(NamedTuple):
    """What one seed file gives: `status` published, draft or rejected, and rows; `article` is None when rejected."""

    status: str
    article: Article | None
    images: list[Image]
    captions: list[Caption]
    problems: list[Problem]


class Moment(NamedTuple):
    """An instant of publication in UTC, and where it was found; both None when undated."""

    at: datetime | None
    source: str | None


def read_article(content: bytes, source_path: str, zone: ZoneInfo) -> Reading:
    """Read a seed file's bytes; `source_path` is its name in the source, `zone` holds times without an offset."""
    try:
        front = read_front_matter(content)
    except RejectedError as error:
        return rejected(error.problem, source_path)
    fields = Fields(front)
    status = "draft" if fields.is_draft() else "published"
    article_id = fields.text("article_id") or f"path:{source_path}"
    moment = _moment(fields, article_id, source_path, zone)
    local = moment.at.astimezone(zone) if moment.at else None
    month = f"{local.year:04}-{local.month:02}" if local else None
    above = front.body_line - 1
    document = read_document(front.body)
    pictures, texts = read_pictures(document)
    if len(pictures) > MOST_IMAGES:
        fields.problems.append(problem("too_many_images", pictures[MOST_IMAGES].line + above, limit=MOST_IMAGES))
    if crowded := next((picture for picture in pictures if len(picture.captions) > MOST_CAPTIONS), None):
        fields.problems.append(problem("too_many_captions", crowded.line + above, limit=MOST_CAPTIONS))
    images, captions = _picture_rows(article_id, month, fields.image(), pictures[:MOST_IMAGES], above)
    prose = read_prose(document.blocks, texts, fold(fields.text("title") or ""))
    text = "\n\n".join(prose.texts)
    origin_url = fields.text("origin_url")
    article = Article(
        article_id=article_id,
        title=prose.title or _words_of(source_path),
        title_source=prose.title_source or "file_name",
        description=fields.text("description"),
        category=(fields.first("category") or "").upper() or None,
        language=(fields.first("language") or "").lower().replace("_", "-") or None,
        layout=fields.text("layout"),
        published_at=moment.at,
        published_at_source=moment.source,
        published_on=local.date() if local else None,
        published_month=month,
        origin_url=origin_url,
        origin_host=host_of(origin_url or ""),
        dateline=read_dateline(prose.opening),
        body=front.body or None,
        text=text or None,
        word_count=count_words(text),
        paragraph_count=len(prose.texts),
        image_count=len(images),
        caption_count=len(captions),
        extra=fields.extra(),
        source_path=source_path,
    )
    if not prose.title:
        fields.problems.append(problem("title_from_file_name", fields.line("title") or front.body_line))
    found = sorted(fields.problems, key=lambda row: row.line_number or 0)
    problems = [row._replace(source_path=source_path, article_id=article_id) for row in found]
    return Reading(status, article, images, captions, problems)


def rejected(reason: Problem, source_path: str) -> Reading:
    """The reading of a file that cannot be published."""
    return Reading("rejected", None, [], [], [reason._replace(source_path=source_path)])


def _moment(fields: Fields, article_id: str, source_path: str, zone: ZoneInfo) -> Moment:
    """The instant of publication: front matter, else the code, else the path; a date that is unusable is a problem."""
    unusable: list[tuple[str, Written]] = []
    for key, written in fields.values("published_at"):
        given = read_moment(written, zone) if isinstance(written, str) else None
        if given:
            _say_unusable(fields, unusable, f"the one of the key {key} was taken")
            return Moment(given, "front_matter")
        unusable.append((key, written))
    found = Moment(None, None)
    if in_code := moment_in_code(article_id):
        found = Moment(in_code, "code")
    elif in_path := moment_in_path(source_path, zone):
        found = Moment(in_path, "file_name")
    elif day := implausible_day_in_path(source_path, zone):
        fields.problems.append(_date_problem(day, None, "it is undated"))
    instead = f"the one in the {found.source.replace('_', ' ')} was taken" if found.source else "it is undated"
    _say_unusable(fields, unusable, instead)
    return found


def _say_unusable(fields: Fields, unusable: list[tuple[str, Written]], instead: str) -> None:
    for key, written in unusable:
        fields.used.discard(key)
        fields.problems.append(_date_problem(written, fields.line(key), instead))


def _date_problem(written: Written, line: int | None, instead: str) -> Problem:
    if isinstance(written, str) and is_implausible(written):
        limits = {"first": FIRST_YEAR, "last": LAST_YEAR}
        return problem("implausible_date", line, value=quoted(written), instead=instead, **limits)
    return problem("unusable_date", line, value=quoted(written), instead=instead)


def _picture_rows(
    article_id: str, month: str | None, hero: Hero | None, inline: list[Picture], above: int
) -> tuple[list[Image], list[Caption]]:
    """The rows of an article's images and of their captions; `above` are the lines of the file above the body."""
    placed = [(position, "inline", picture) for position, picture in enumerate(inline, 1)]
    if hero:
        placed.insert(0, (0, "hero", front_matter_image(hero, hero.line - above)))
    images, captions = [], []
    for position, role, picture in placed:
        image_id = f"{article_id}#{position}"
        image = Image(
            image_id=image_id,
            article_id=article_id,
            position=position,
            role=role,
            url=picture.url,
            url_host=host_of(picture.url),
            alt=picture.alt or None,
            title=picture.title or None,
            form=picture.form,
            source_line=picture.line + above,
            published_month=month,
        )
        images.append(image)
        for number, caption in enumerate(captions_of(picture), 1):
            captions.append(_caption_row(f"{image_id}/{number}", image, caption, caption.line + above))
    return images, captions


def _caption_row(caption_id: str, image: Image, caption: CaptionText, line: int) -> Caption:
    credit = read_credit(caption.text)
    return Caption(
        caption_id=caption_id,
        image_id=image.image_id,
        article_id=image.article_id,
        text=caption.text,
        text_without_credit=credit.rest or None,
        credit=credit.credit or None,
        photographer=credit.photographer,
        agency=credit.agency,
        form=caption.form,
        repeats_alt=caption.form != "alt" and caption.text == image.alt,
        source_line=line,
        published_month=image.published_month,
    )


def host_of(url: str) -> str | None:
    """The host of an address, lower case, without port; None where it names none."""
    match = _HOST.match(url)
    return match[1].lower() or None if match else None


def _words_of(path: str) -> str:
    """The words of a file's name, without its ending and the date before it."""
    name = path.rsplit("/", 1)[-1]
    stem = name.rpartition(".")[0] if "." in name else name
    words = _BETWEEN_WORDS.sub(" ", _DAY.sub("", stem)).strip()
    return words or stem or path
