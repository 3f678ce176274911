"""One seed file becomes one article with its images and captions, or the problem for which it is rejected."""

import json
import re
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flows.articles.blocks import read_blocks
from flows.articles.body import count_words, read_dateline, read_prose
from flows.articles.credits import read_credit
from flows.articles.dates import moment_in_code, moment_in_path, read_moment
from flows.articles.front_matter import ALIASES, DRAFT_KEYS, FrontMatter, Written, read_front_matter
from flows.articles.images import Picture, captions_of, find_pictures, fold, host_of
from flows.problems import RejectedError, problem, quoted
from flows.tables import Article, Caption, Image, Problem

PARSER_VERSION = 1  # raise it with every change that gives other rows: each file is then read again

_ADDRESS_KEYS = ("url", "src", "path", "image")  # of an image that is a mapping


class Reading(NamedTuple):
    """What one seed file gives: `status` published, draft or rejected, and rows; `article` is None when rejected."""

    status: str
    article: Article | None
    images: list[Image]
    captions: list[Caption]
    problems: list[Problem]


class Moment(NamedTuple):
    """An instant of publication, where it was found, and what it means in the edition's time zone."""

    at: datetime | None
    source: str | None
    zone: ZoneInfo


def read_article(content: bytes, source_path: str, zone: ZoneInfo) -> Reading:
    """Read a seed file's bytes; `source_path` is its name in the source, `zone` holds times without an offset."""
    try:
        front = read_front_matter(content)
    except RejectedError as error:
        return rejected(error.problem, source_path)
    return _Fields(front, source_path, zone).reading()


def rejected(reason: Problem, source_path: str) -> Reading:
    """The reading of a file that cannot be published."""
    return Reading("rejected", None, [], [], [reason._replace(source_path=source_path)])


class _Fields:
    """The front matter's keys as the columns ask for them; it notes which were used and what was wrong."""

    def __init__(self, front: FrontMatter, source_path: str, zone: ZoneInfo) -> None:
        self.front, self.source_path, self.zone = front, source_path, zone
        self.used: set[str] = set()
        self.problems = list(front.problems)

    def reading(self) -> Reading:
        front, path = self.front, self.source_path
        article_id = self.text("article_id") or f"path:{path}"
        status = "draft" if self.is_draft() else "published"
        blocks = read_blocks(front.body)
        pictures, caption_blocks = find_pictures(blocks)
        prose = read_prose(blocks, caption_blocks, fold(self.text("title") or ""))
        moment = self.moment(article_id)
        month = _in_zone(moment, "%Y-%m")
        images, captions = _picture_rows(article_id, month, self.hero(), pictures, front.body_line - 1)
        title, title_source = prose.title, prose.title_source
        if not title:
            title, title_source = _words_of(path), "file_name"
            self.problems.append(problem("title_from_file_name", front.lines.get("title", front.body_line)))
        text = "\n\n".join(prose.texts)
        origin_url = self.text("origin_url")
        article = Article(
            article_id=article_id,
            title=title,
            title_source=title_source or "file_name",
            description=self.text("description"),
            category=_upper(self.first("category")),
            language=_lower(self.first("language")),
            layout=self.text("layout"),
            published_at=moment.at,
            published_at_source=moment.source,
            published_on=moment.at.astimezone(moment.zone).date() if moment.at else None,
            published_month=month,
            origin_url=origin_url,
            origin_host=host_of(origin_url or ""),
            dateline=read_dateline(prose.texts[0]) if prose.texts else None,
            body=front.body or None,
            text=text or None,
            word_count=count_words(text),
            paragraph_count=len(prose.texts),
            image_count=len(images),
            caption_count=len(captions),
            extra=self.extra(),
            source_path=path,
        )
        problems = [row._replace(source_path=path, article_id=article_id) for row in self.problems]
        return Reading(status, article, images, captions, problems)

    def value(self, column: str) -> tuple[str, Written]:
        """The key that feeds a column, and its value as written: the first alias that has one."""
        for key in ALIASES[column]:
            written = self.front.written.get(key)
            if key in self.front.written:
                if written in (None, "", [], {}) or (isinstance(written, str) and not written.strip()):
                    self.used.add(key)
                    continue
                self.used.add(key)
                return key, written
        return "", None

    def text(self, column: str) -> str | None:
        """The value of a column that holds one text, trimmed; another form is a problem."""
        key, written = self.value(column)
        if isinstance(written, str):
            return written.strip()
        if written is not None:
            self.leave_out(key, written, "text")
        return None

    def first(self, column: str) -> str | None:
        """The value of a column that takes the first of several."""
        key, written = self.value(column)
        while isinstance(written, list):
            written = written[0] if written else None
        if isinstance(written, dict):
            self.leave_out(key, written, "text")
            return None
        return written.strip() or None if written else None

    def leave_out(self, key: str, written: Written, wanted: str) -> None:
        value = quoted(json.dumps(written, ensure_ascii=False))
        line = self.front.lines.get(key)
        self.problems.append(problem("unusable_value", line, key=key, value=value, wanted=wanted))

    def hero(self) -> Picture | None:
        """The front matter's image: an address, or a mapping that holds one."""
        key, written = self.value("image")
        line = self.front.lines.get(key, 1)
        while isinstance(written, list):
            written = written[0] if written else None
        if isinstance(written, dict):
            address = next(
                (written[k] for k in ("url", "src", "path", "image") if isinstance(written.get(k), str)), None
            )
            alt = written.get("alt")
            if not address:
                self.leave_out(key, written, "image")
                return None
            return Picture(str(address).strip(), fold(alt) if isinstance(alt, str) else "", "", "front_matter", line)
        return Picture(written.strip(), "", "", "front_matter", line) if written else None

    def moment(self, article_id: str) -> Moment:
        """The instant of publication: front matter, else the code, else the path."""
        key, written = self.value("published_at")
        given = read_moment(written, self.zone) if isinstance(written, str) else None
        if given:
            return Moment(given, "front_matter", self.zone)
        found = Moment(None, None, self.zone)
        in_code, in_path = moment_in_code(article_id), moment_in_path(self.source_path, self.zone)
        if in_code:
            found = Moment(in_code, "code", self.zone)
        elif in_path:
            found = Moment(in_path, "file_name", self.zone)
        if written is not None:
            instead = f"the time in the {found.source.replace('_', ' ')} was taken" if found.source else "it is undated"
            self.problems.append(
                problem("unusable_date", self.front.lines.get(key), value=quoted(written), instead=instead)
            )
        return found

    def is_draft(self) -> bool:
        """`draft: true` and `published: false` keep an article back."""
        written = {key: str(self.front.written[key]).lower() for key in DRAFT_KEYS if key in self.front.written}
        self.used.update(written)
        return any(value == DRAFT_KEYS[key] for key, value in written.items())

    def extra(self) -> str | None:
        """Every key that feeds no column, with its value, as JSON with sorted keys."""
        left = {key: value for key, value in self.front.values.items() if key not in self.used}
        return json.dumps(left, ensure_ascii=False, sort_keys=True, default=str) if left else None


def _picture_rows(
    article_id: str, month: str | None, hero: Picture | None, inline: list[Picture], lines_above: int
) -> tuple[list[Image], list[Caption]]:
    placed = [(0, "hero", hero)] if hero else []
    placed += [
        (position, "inline", picture._replace(line=picture.line + lines_above))
        for position, picture in enumerate(inline, 1)
    ]
    images, captions = [], []
    for position, role, picture in placed:
        image_id = f"{article_id}#{position}"
        images.append(
            Image(
                image_id,
                article_id,
                position,
                role,
                picture.url,
                host_of(picture.url),
                picture.alt or None,
                picture.title or None,
                picture.form,
                picture.line,
                month,
            )  # fmt: skip
        )
        above = lines_above if role == "inline" else 0
        captions += _caption_rows(article_id, image_id, month, picture, above)
    return images, captions


def _caption_rows(article_id: str, image_id: str, month: str | None, picture: Picture, above: int) -> list[Caption]:
    rows = []
    for number, caption in enumerate(captions_of(picture), 1):
        credit = read_credit(caption.text)
        line = caption.line + above if caption.form in ("paragraph", "figcaption") else picture.line
        repeats = caption.form != "alt" and caption.text == picture.alt
        rows.append(
            Caption(
                f"{image_id}/{number}",
                image_id,
                article_id,
                caption.text,
                credit.rest or None,
                credit.credit or None,
                credit.photographer,
                credit.agency,
                caption.form,
                repeats,
                line,
                month,
            )  # fmt: skip
        )
    return rows


def _in_zone(moment: Moment, form: str) -> str | None:
    return moment.at.astimezone(moment.zone).strftime(form) if moment.at else None


def _words_of(path: str) -> str:
    """The words of a file's name, without its ending and the date before it."""
    stem = re.sub(r"\.[^.]*\Z", "", path.rsplit("/", 1)[-1])
    words = re.sub(r"[-_\s]+", " ", re.sub(r"\A\d{4}-\d{1,2}-\d{1,2}[-_]?", "", stem)).strip()
    return words or stem or path


def _upper(text: str | None) -> str | None:
    return text.upper() if text else None


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None
