"""Read the images of an article in every form in which they are written."""

import re
from collections.abc import Callable
from itertools import takewhile
from typing import NamedTuple

from flows.articles.front_matter.fields import Hero
from flows.articles.markdown.blocks import MarkdownImage, Part, plain_text
from flows.articles.markdown.html import Tag
from flows.articles.markdown.shortcodes import Call, Shortcode, read_call


class CaptionText(NamedTuple):
    """A text that describes an image; `line` counts as the image's line does."""

    text: str
    form: str
    line: int


class Picture(NamedTuple):
    """One use of an image; `form` and the captions' forms are values of the tables, lines count from 1 in the body."""

    url: str
    alt: str
    title: str
    form: str
    line: int
    captions: tuple[CaptionText, ...] = ()


def front_matter_image(hero: Hero, line: int) -> Picture:
    """Return the image of the front matter. Its caption ranks as that of a figure."""
    caption = plain(hero.caption)
    captions = (CaptionText(caption, "figcaption", line),) if caption else ()
    alt, title = normalize_whitespace(hero.alt), normalize_whitespace(hero.title)
    return Picture(hero.url, alt, title, "front_matter", line, captions)


def markdown_image(part: Part) -> Picture | None:
    """Read `![alt](url "title")` and `![alt][label]`, as CommonMark parses them."""
    if not isinstance(part, MarkdownImage):
        return None
    return Picture(part.url, normalize_whitespace(part.alt), normalize_whitespace(part.title), part.form, part.line)


_IMAGE_TAGS = frozenset({"img", "image", "amp-img"})  # browsers read <image> as <img>


def html_image(part: Part) -> Picture | None:
    """Read `<img src=… alt=… title=…>`. Lazy-loaded images have their URL in another attribute."""
    if not isinstance(part, Tag) or part.name not in _IMAGE_TAGS or part.closing:
        return None
    given = part.attributes
    source, late = (given.get(name, "").strip() for name in ("src", "data-src"))
    if not source or (late and source.startswith("data:")):
        source = late or given.get("srcset", "").strip().split(" ", 1)[0]
    if source.startswith("{") and not source.startswith("{{"):
        source = ""  # an expression of MDX
    alt, title = (normalize_whitespace(given.get(name, "")) for name in ("alt", "title"))
    return Picture(source, alt, title, "html", part.line)


_IMAGE_NAME = re.compile(r"(?:^|[-_/.])(?:img|image|images|figure|fig|picture|photo)(?:$|[-_/.])", re.IGNORECASE)
_ADDRESS_NAMES = ("src", "url", "file", "path", "image", "image_path", "link")
_CREDIT_NAMES = ("credit", "attr", "attribution", "copyright", "source")
_ADDRESS = re.compile(r"/|\.[A-Za-z]{3,4}$")


def shortcode_image(part: Part) -> Picture | None:
    """Read `{{< figure src=… >}}` of Hugo, `{% include figure.html src=… %}` and `{% img "url" "alt" %}`."""
    if not isinstance(part, Shortcode) or not part.source.startswith(("{{", "{%")):
        return None
    call = read_call(part)
    if not _IMAGE_NAME.search(call.name):
        return None
    url, title, alt = _address_and_texts(call)
    caption = call.named.get("caption") or call.named.get("description", "")
    texts = [plain(text) for text in (caption, *(call.named.get(name, "") for name in _CREDIT_NAMES))]
    captions = tuple(CaptionText(text, "shortcode", part.line) for text in texts if text)
    return Picture(url.strip(), plain(alt), plain(title), "shortcode", part.line, captions)


def _address_and_texts(call: Call) -> tuple[str, str, str]:
    """Return the URL, title and alt text in a shortcode's arguments."""
    url = next((call.named[name] for name in _ADDRESS_NAMES if call.named.get(name)), "")
    alt, title = call.named.get("alt", ""), call.named.get("title", "")
    if not url and call.others:
        url, title, alt = _from_others(call.others, title, alt)
        if call.name == "img":  # Octopress: its only text is the title
            title, alt = title or alt, alt if title else ""
    return url, title, alt


def _from_others(others: list[str], title: str, alt: str) -> tuple[str, str, str]:
    """Return address, title and alt text of positional arguments; a class and sizes may surround the address."""
    first = next((number for number, value in enumerate(others) if _ADDRESS.search(value)), 0)
    rest = takewhile(lambda value: not value.startswith("--"), others[first + 1 :])
    texts = [value for value in rest if not value.isdigit()]
    if len(texts) > 1:
        return others[first], texts[-2], texts[-1]
    return others[first], title, texts[0] if texts else alt


FORMS: tuple[Callable[[Part], Picture | None], ...] = (markdown_image, html_image, shortcode_image)


def read_picture(part: Part) -> Picture | None:
    """Return the image of a part of a block by the first form that matches, None if it is not an image."""
    for form in FORMS:
        picture = form(part)
        if picture is not None:
            return picture if picture.url else None
    return None


_PRINTABLE = bytes(range(0x20, 0x7F))


def normalize_whitespace(text: str) -> str:
    """Return the text on one line with single spaces; texts that are then equal count as the same."""
    if not text:  # as half of an image's texts are
        return ""
    odd = text.encode().translate(None, _PRINTABLE) if text.isascii() else not text.isprintable()
    if not odd and "  " not in text:  # white space is single spaces already
        return text.strip(" ")
    return " ".join(text.split())


_MARKUP = re.compile(r"[*_\[`<]")


def plain(text: str) -> str:
    """Return a text without its markup."""
    return normalize_whitespace(plain_text(text) if _MARKUP.search(text) else text)
