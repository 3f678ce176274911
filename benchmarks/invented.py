"""Generate an article of the corpus from its number: its bytes, and the rows that a reader should find in it.

A number yields the same bytes on every machine, because only `random()` of a seeded generator is used, which Python
keeps stable. The shares below make rare features as rare as in a real archive.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from benchmarks.invented_captions import Item, Pick, WrittenCaption, image_url, invent_caption, invent_name, show_image
from benchmarks.words import CATEGORIES, LANGUAGES, SURNAMES, Language

FOLDER = 1_000  # files
DUPLICATE = 50  # of each hundred files, this one is a later version of the preceding file
BROKEN = 137  # of each thousand files, this one is invalid, in one of four ways
WAYS = ("latin_1", "yaml", "unclosed", "date")  # a wrong date is repaired, the other files are rejected
FIRST_DAY = datetime(2021, 1, 1, tzinfo=UTC)
DAYS = 1826  # 60 months
UNTITLED = 0.8  # share of articles whose headline follows an empty heading
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODES = 36**6


class ExpectedArticle(NamedTuple):
    """The expected row of a published article."""

    article_id: str
    title: str
    category: str
    language: str
    published_on: str
    dateline: str
    image_count: int
    caption_count: int
    source_path: str


class ExpectedImage(NamedTuple):
    """The expected row of an image."""

    article_id: str
    position: int
    url: str


class ExpectedCaption(NamedTuple):
    """The expected row of a caption."""

    article_id: str
    position: int
    text: str
    credit: str | None
    photographer: str | None
    agency: str | None


class Invented(NamedTuple):
    """A seed file; `article` is None if it is rejected or superseded by a later version of the same article."""

    path: str
    content: bytes
    article: ExpectedArticle | None
    images: list[ExpectedImage]
    captions: list[ExpectedCaption]


def path_of(number: int) -> str:
    """Return the path of a file: a thousand per folder, with names like content hashes."""
    return f"{number // FOLDER:04d}/{number % FOLDER:03d}_{number * 0x9E3779B97F4A7C15 % 2**64:016x}.md"


class _Story(NamedTuple):
    """The content of an article before it is written as Markdown."""

    language: Language
    category: str
    moment: datetime
    code: str
    place: str
    headline: str
    hero: str
    images: list[tuple[str, str, WrittenCaption | None]]  # URL, Markdown, caption
    paragraphs: list[str]
    untitled: bool


def invent(number: int, count: int) -> Invented:
    """Return the file with this number in a corpus of `count` files."""
    story = _story(number)
    way = WAYS[number // 1000 % len(WAYS)] if number % 1000 == BROKEN else ""
    path, content = path_of(number), _file(_front_matter(story, number, way), _body(story), way)
    superseded = number % 100 == DUPLICATE - 1 and number + 1 < count
    if superseded or way in WAYS[:3]:
        return Invented(path, content, None, [], [])
    return Invented(path, content, *_expected(story, path))


def _story(number: int) -> _Story:
    """Return the content for a number; a later version is its predecessor, an hour later, with one more sentence."""
    later = number % 100 == DUPLICATE
    origin = number - 1 if later else number
    random = Random(origin).random

    def pick(items: Sequence[Item]) -> Item:
        return items[int(random() * len(items))]

    language: Language = pick(LANGUAGES)
    category = pick(CATEGORIES)
    moment = FIRST_DAY + timedelta(seconds=int(random() * DAYS * 86_400), milliseconds=int(random() * 1000))
    code = f"ART{moment:%y%m%d%H%M}{_code(origin)}"
    city = pick(language.cities)
    place = f"{city}, {language.country}" if random() < 0.1 else city
    opening = f"{place}{' (AFP)' if random() < 0.1 else ''} {pick('---–—')} {_sentence(language, pick)}"
    headline = f"{pick(language.subjects)} {pick(language.verbs)} {pick(language.objects)}"
    hero = image_url(random, pick)
    images = [(image_url(random, pick), invent_caption(language, random, pick)) for _ in range(1 + int(random() * 3))]
    shown = [(url, *show_image(url, caption, random())) for url, caption in images]
    paragraphs = [opening] + [_paragraph(language, random, pick) for _ in range(8 + int(random() * 9))]
    untitled = random() < UNTITLED
    if later:
        moment += timedelta(hours=1)
        paragraphs.append(_sentence(language, pick))
    return _Story(language, category, moment, code, place, headline, hero, shown, paragraphs, untitled)


def _front_matter(story: _Story, number: int, way: str) -> str:
    slug = story.headline.lower().replace(" ", "-").replace("’", "")
    day = "2025-02-31" if way == "date" else f"{story.moment:%Y-%m-%d}"
    return (
        f'layout: post\ncode: "{story.code}"\n'
        f'origin_url: "https://www.example.com/{story.category.lower()}/{number}/{slug}"\n'
        f'image: "{story.hero}"\ntitle: "{"" if story.untitled else story.headline}"\n'
        f'description: "{_quoted(story.paragraphs[0])}"\ncategory: "{story.category}"\n'
        f'language: "{story.language.tag}"\n'
        f"date: {day}T{story.moment:%H:%M:%S}.{story.moment.microsecond // 1000:03d}Z"
    )


def _body(story: _Story) -> str:
    """Return the headline, the first image, four paragraphs, the other images, and the remaining paragraphs."""
    first, *others = (markdown for _, markdown, _ in story.images)
    headline = [f"# \n\n{story.headline}"] if story.untitled else []
    return "\n\n".join([*headline, first, *story.paragraphs[:4], *others, *story.paragraphs[4:]])


def _expected(story: _Story, path: str) -> tuple[ExpectedArticle, list[ExpectedImage], list[ExpectedCaption]]:
    code, urls = story.code, [story.hero, *(url for url, _, _ in story.images)]
    captions = [
        ExpectedCaption(code, position, caption.text, *caption.credit[1:])
        for position, (_, _, caption) in enumerate(story.images, 1)
        if caption
    ]
    article = ExpectedArticle(
        article_id=code,
        title=story.headline,
        category=story.category,
        language=story.language.tag,
        published_on=f"{story.moment:%Y-%m-%d}",
        dateline=story.place,
        image_count=len(urls),
        caption_count=len(captions),
        source_path=path,
    )
    return article, [ExpectedImage(code, position, url) for position, url in enumerate(urls)], captions


def _code(number: int) -> str:
    """Return six letters or digits, different for each number."""
    rest, code = number * 1_000_003 % _CODES, ""
    for _ in range(6):
        rest, digit = divmod(rest, 36)
        code += _DIGITS[digit]
    return code


def _file(front_matter: str, body: str, way: str) -> bytes:
    """Return the bytes of a file, invalid in the given way, or valid if it is empty."""
    if way == "latin_1":
        body += "\n\nL’été à São Tomé."
        return f"---\n{front_matter}\n---\n\n{body}\n".replace("’", "'").encode("latin-1", "replace")
    if way == "yaml":
        front_matter = front_matter.replace('title: "', 'title: "Said "', 1)
    closing = "" if way == "unclosed" else "---\n"
    return f"---\n{front_matter}\n{closing}\n{body}\n".encode()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _sentence(language: Language, pick: Pick[str]) -> str:
    return f"{pick(language.subjects)} {pick(language.verbs)} {pick(language.objects)} {pick(language.tails)}."


def _paragraph(language: Language, random: Callable[[], float], pick: Pick[str]) -> str:
    """Return two or three sentences, sometimes with a number, a quotation or italics."""
    sentences = [_sentence(language, pick), _sentence(language, pick)]
    kind = random()
    if kind < 0.25:
        left, right = language.quotes
        quoted = f"{pick(language.subjects)} {pick(language.verbs)} {pick(language.objects)}"
        sentences.append(f"{left}{quoted}{right}, {language.said} {invent_name(pick)}.")
    elif kind < 0.5:
        sentences.append(
            f"{invent_name(pick)}, {20 + int(random() * 60)}, {pick(language.verbs)} {pick(language.objects)}."
        )
    elif kind < 0.6:
        sentences.append(f"_{pick(SURNAMES)} Post_: {_sentence(language, pick)}")
    elif kind < 0.8:
        sentences.append(f"{pick(language.subjects)}: {int(random() * 100_000):,} ({int(random() * 100)}%).")
    return " ".join(sentences)
