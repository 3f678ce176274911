"""One invented article of the corpus, by its number: its bytes, and the rows that a reader should find in it.

The same number yields the same bytes everywhere, for only `random()` is drawn from a seeded generator, which Python
keeps as it is. What is rare is as rare as in a real archive: see the shares below.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple, TypeVar

from benchmarks.words import AGENCIES, CATEGORIES, FIRST_NAMES, LANGUAGES, SURNAMES, Language

FOLDER = 1_000  # files
DUPLICATE = 50  # of each hundred files, this one is a later version of the one before it
BROKEN = 137  # of each thousand files, this one is broken, in one of four ways
WAYS = ("latin_1", "yaml", "unclosed", "date")  # the last one is repaired, the others are rejected
FIRST_DAY = datetime(2021, 1, 1, tzinfo=UTC)
DAYS = 1826  # 60 months
UNTITLED = 0.8  # of articles: the headline stands under an empty heading
UNREPEATED, WITHOUT_ALT = 0.1, 0.05  # of images: no paragraph repeats the alt text; there is none
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CODES = 36**6

Item = TypeVar("Item")
Pick = Callable[[Sequence[Item]], Item]


class ExpectedArticle(NamedTuple):
    """What a reader should find of an article that is published."""

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
    """What a reader should find of an image."""

    article_id: str
    position: int
    url: str


class ExpectedCaption(NamedTuple):
    """What a reader should find of a caption."""

    article_id: str
    position: int
    text: str
    credit: str | None
    photographer: str | None
    agency: str | None


class Invented(NamedTuple):
    """A seed file; `article` is None where it is rejected or loses to a later version of the same article."""

    path: str
    content: bytes
    article: ExpectedArticle | None
    images: list[ExpectedImage]
    captions: list[ExpectedCaption]


class _Credit(NamedTuple):
    ending: str  # what the caption ends with, after its scene
    credit: str | None = None
    photographer: str | None = None
    agency: str | None = None


class _Caption(NamedTuple):
    markdown: str
    text: str
    credit: _Credit


def path_of(number: int) -> str:
    """The path of a file: a thousand to a folder, named as content hashes are."""
    return f"{number // FOLDER:04d}/{number % FOLDER:03d}_{number * 0x9E3779B97F4A7C15 % 2**64:016x}.md"


class _Story(NamedTuple):
    """An article before it is written down; `images` are addresses with the captions that are written for them."""

    language: Language
    category: str
    moment: datetime
    code: str
    place: str
    headline: str
    hero: str
    images: list[tuple[str, str, _Caption | None]]  # address, Markdown, the caption that is shown
    paragraphs: list[str]
    untitled: bool


def invent(number: int, count: int) -> Invented:
    """The file of that number in a corpus of `count` files."""
    story = _story(number)
    way = WAYS[number // 1000 % len(WAYS)] if number % 1000 == BROKEN else ""
    path, content = path_of(number), _file(_front_matter(story, number, way), _body(story), way)
    lost = number % 100 == DUPLICATE - 1 and number + 1 < count
    if lost or way in WAYS[:3]:
        return Invented(path, content, None, [], [])
    return Invented(path, content, *_expected(story, path))


def _story(number: int) -> _Story:
    """Return a later version of a text: an hour later, with one more sentence."""
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
    hero = _image_url(random, pick)
    images = [(_image_url(random, pick), _caption(language, random, pick)) for _ in range(1 + int(random() * 3))]
    shown = [(url, *_shown(url, caption, random())) for url, caption in images]
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
    """The headline, the first image, four paragraphs, the other images, the rest."""
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
    """Six letters or digits, other ones for each number."""
    rest, code = number * 1_000_003 % _CODES, ""
    for _ in range(6):
        rest, digit = divmod(rest, 36)
        code += _DIGITS[digit]
    return code


def _file(front_matter: str, body: str, way: str) -> bytes:
    """The bytes of a file, broken in one of the ways, or in none."""
    if way == "latin_1":
        body += "\n\nL’été à São Tomé."
        return f"---\n{front_matter}\n---\n\n{body}\n".replace("’", "'").encode("latin-1", "replace")
    if way == "yaml":
        front_matter = front_matter.replace('title: "', 'title: "Said "', 1)
    closing = "" if way == "unclosed" else "---\n"
    return f"---\n{front_matter}\n{closing}\n{body}\n".encode()


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _name(pick: Pick[str]) -> str:
    return f"{pick(FIRST_NAMES)} {pick(SURNAMES)}"


def _sentence(language: Language, pick: Pick[str]) -> str:
    return f"{pick(language.subjects)} {pick(language.verbs)} {pick(language.objects)} {pick(language.tails)}."


def _paragraph(language: Language, random: Callable[[], float], pick: Pick[str]) -> str:
    """Two or three sentences, perhaps a figure, words that are quoted or a word in italics."""
    sentences = [_sentence(language, pick), _sentence(language, pick)]
    kind = random()
    if kind < 0.25:
        left, right = language.quotes
        quoted = f"{pick(language.subjects)} {pick(language.verbs)} {pick(language.objects)}"
        sentences.append(f"{left}{quoted}{right}, {language.said} {_name(pick)}.")
    elif kind < 0.5:
        sentences.append(f"{_name(pick)}, {20 + int(random() * 60)}, {pick(language.verbs)} {pick(language.objects)}.")
    elif kind < 0.6:
        sentences.append(f"_{pick(SURNAMES)} Post_: {_sentence(language, pick)}")
    elif kind < 0.8:
        sentences.append(f"{pick(language.subjects)}: {int(random() * 100_000):,} ({int(random() * 100)}%).")
    return " ".join(sentences)


def _image_url(random: Callable[[], float], pick: Pick[str]) -> str:
    """An address; one in fifty is a picture of the archive, which several articles show."""
    if random() < 0.02:
        return f"https://images.example.com/archive/{int(random() * 200)}.jpg"
    host, name = pick(("images", "cdn", "media")), pick(SURNAMES).lower()
    return f"https://{host}.example.com/assets/{int(random() * 2**48):012x}-{name}.jpg"


def _caption(language: Language, random: Callable[[], float], pick: Pick[str]) -> _Caption:
    """Return a scene and its credit; few scenes have markup, an acronym or a bracket without a credit."""
    name, city = _name(pick), pick(language.cities).title()
    scene = f"{name} {pick(language.scenes)}, {city}, {1 + int(random() * 28)}/{1 + int(random() * 12)}"
    markdown = scene
    kind = random()
    if kind < 0.02:
        scene, markdown = f"{scene}, Vega", f"{scene}, _Vega_"
    elif kind < 0.025:
        scene, markdown = f"{scene} [sic]", f"{scene} \\[sic\\]"
    elif kind < 0.03:
        scene, markdown = f"{scene}, Hull & Mast", f"{scene}, Hull &amp; Mast"
    elif kind < 0.13:
        scene = markdown = f"{scene}, {pick(SURNAMES)} Union ({pick(SURNAMES)[:3].upper()}U)"
    credit = _credit(language, random(), pick)
    if credit.credit is None and kind > 0.8:
        credit = _Credit(" (left).")
    return _Caption(markdown + credit.ending, scene + credit.ending, credit)


def _credit(language: Language, kind: float, pick: Pick[str]) -> _Credit:
    """A credit in one of the forms in which newsrooms write it, as often as they do."""
    known, agency = pick(AGENCIES)
    name = _name(pick)
    if kind < 0.35 and known:
        return _bracketed(f"{language.photo}{agency}", None, known)
    if kind < 0.55:
        return _bracketed(f"{language.photo}{name}/{agency}", name, known)
    if kind < 0.63:
        return _bracketed("AFP", None, "AFP")
    if kind < 0.70:
        return _bracketed(f"{name}/Reuters", name, "Reuters")
    if kind < 0.75:
        return _bracketed(f"{language.photo}{name}", name, None)
    if kind < 0.78:
        return _bracketed(f"{language.courtesy}Harbour Museum", None, None)
    if kind < 0.83:
        return _last(f"{name}/AP", name, "AP")
    if kind < 0.89:
        return _last(f"{language.photo_by}{name} / Getty Images", name, "Getty Images")
    return _Credit(".")


def _bracketed(credit: str, photographer: str | None, agency: str | None) -> _Credit:
    return _Credit(f". ({credit})", credit, photographer, agency)


def _last(credit: str, photographer: str | None, agency: str | None) -> _Credit:
    return _Credit(f". {credit}", credit, photographer, agency)


def _shown(url: str, caption: _Caption, kind: float) -> tuple[str, _Caption | None]:
    """The Markdown of an image, with the paragraph that repeats its caption, and the caption that it shows."""
    if kind < WITHOUT_ALT:
        return f"![]({url})", None
    image = f"![{caption.markdown}]({url})"
    if kind < WITHOUT_ALT + UNREPEATED:
        return image, caption
    return f"{image}\n\n{caption.markdown}", caption
