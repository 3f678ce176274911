"""Read the images of an article in every form in which they are written."""

import re
from collections.abc import Callable
from itertools import takewhile
from typing import NamedTuple

from flows.articles.front_matter.hero import Hero
from flows.articles.markdown.addresses import literal_address
from flows.articles.markdown.blocks import MarkdownImage, Part, plain_text
from flows.articles.markdown.html import Tag
from flows.articles.markdown.masking import Shortcode
from flows.articles.markdown.shortcodes import Call, read_call


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
    texts = (plain(hero.caption), plain(hero.credit))
    captions = tuple(CaptionText(text, "figcaption", line) for text in texts if text)
    alt, title = normalize_whitespace(hero.alt), normalize_whitespace(hero.title)
    return Picture(hero.url, alt, title, "front_matter", line, captions)


def markdown_image(part: Part) -> Picture | None:
    """Read `![alt](url "title")` and `![alt][label]`, as CommonMark parses them."""
    if not isinstance(part, MarkdownImage):
        return None
    alt, title = normalize_whitespace(part.alt), normalize_whitespace(part.title)
    return Picture(literal_address(part.url), alt, title, part.form, part.line)


# Browsers read <image> as <img>. The others are components of MDX, whose names begin with a capital.
_IMAGE_TAGS = frozenset({"img", "image", "amp-img", "amp-anim", "staticimage", "gatsbyimage", "zoomimage", "lazyimage"})
_LATE = ("data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-srcset", "srcset")
_PLACEHOLDER = re.compile(
    r"\Adata:|(?:placeholder|blank|spacer|transparent|loading|lazy|pixel|1x1|grey|gray)[^/]*\Z", re.I
)
_COMPONENTS = frozenset({"figure", "picture", "photo"})  # with an address, which the tags of HTML do not have


def html_image(part: Part) -> Picture | None:
    """Read `<img src=… alt=… title=…>`. Lazy-loaded images have their address in another attribute.

    So are components of MDX read, as `<Figure src=… caption=… />`.
    """
    if not isinstance(part, Tag) or part.closing:
        return None
    given = part.attributes
    if part.name not in _IMAGE_TAGS and not (part.name in _COMPONENTS and given.get("src")):
        return None
    alt, title, caption = (normalize_whitespace(given.get(name, "")) for name in ("alt", "title", "caption"))
    captions = (CaptionText(caption, "shortcode", part.line),) if caption else ()
    form = "html" if part.name in _IMAGE_TAGS else "shortcode"
    return Picture(literal_address(_source_of(given)), alt, title, form, part.line, captions)


def source_image(tag: Tag) -> Picture | None:
    """Read `<source srcset=…>` of a `<picture>`."""
    address = tag.attributes.get("srcset", "").strip().split(" ", 1)[0].rstrip(",")
    return Picture(literal_address(address), "", "", "html", tag.line) if address else None


def _source_of(given: dict[str, str]) -> str:
    """Return the address in the attributes of a tag: a late one if `src` is missing or a placeholder."""
    source = given.get("src", "").strip()
    if source and not _PLACEHOLDER.search(source):
        return source
    late = next((given[name].strip() for name in _LATE if given.get(name, "").strip()), "")
    return late.split(" ", 1)[0].rstrip(",") or source


_WRITTEN = re.compile(r"!\[((?:[^\[\]\n\\]|\\[^\n])*+)\]\(")
_TITLE = re.compile(r"""[ \t](?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)')""", re.DOTALL)
_ATTRIBUTES = re.compile(
    r"""(?<![ \t])[ \t]++(?:=[\d%]*+(?:x[\d%]*+)?|[a-z-]++=(?:"[^"]*+"|'[^']*+'|[^\s"']++))(?=[ \t]|\Z)"""
)
_EMBED = re.compile(r"!\[\[([^|\]]+)(?:\|([^\]]*))?\]\]")
_EMBEDDED = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|tiff?|heic)(?:#[^|]*)?\Z", re.IGNORECASE)
_SIZE = re.compile(r"\d+(?:x\d+)?")


def extended_image(part: Part) -> Picture | None:
    """Read what CommonMark refuses: `![alt](url =250x)`, `![alt](url align="center")`, and addresses with spaces.

    Also read `![alt](url)` inside HTML.
    """
    if not isinstance(part, Shortcode) or not part.source.startswith("!["):
        return None
    match = _WRITTEN.match(part.source)
    if match is None:
        return None
    target = _ATTRIBUTES.sub("", part.source[match.end() : -1])
    title = _TITLE.search(target)
    url = (target[: title.start()] if title else target).strip().removeprefix("<").removesuffix(">")
    named = (title[1] or title[2] or "") if title else ""
    return Picture(literal_address(url), plain(match[1]), normalize_whitespace(named), "extended", part.line)


def wiki_image(part: Part) -> Picture | None:
    """Read `![[file.jpg]]` and `![[file.jpg|caption]]` of Obsidian, where a number is a width."""
    match = _EMBED.fullmatch(part.source) if isinstance(part, Shortcode) and part.source.startswith("![[") else None
    if match is None or not isinstance(part, Shortcode) or not _EMBEDDED.search(match[1].strip()):
        return None
    texts = [text.strip() for text in (match[2] or "").split("|") if not _SIZE.fullmatch(text.strip())]
    captions = tuple(CaptionText(plain(text), "shortcode", part.line) for text in texts if text)
    return Picture(match[1].strip(), "", "", "extended", part.line, captions)


_IMAGE_NAME = re.compile(r"(?:^|[-_/.])(?:img|image|images|figure|fig|picture|photo)(?:$|[-_/.])", re.IGNORECASE)
_ADDRESS_NAMES = ("src", "url", "file", "path", "image", "image_path", "link")
_CREDIT_NAMES = ("credit", "attr", "attribution", "copyright", "source")
_QUOTED = re.compile(r'"([^"]*)"')
_ADDRESS = re.compile(r"/|\.[A-Za-z]{3,4}$")


def shortcode_image(part: Part) -> Picture | None:
    """Read `{{< figure src=… >}}` of Hugo, `{% include figure.html src=… %}` and `{% img "url" "alt" %}`."""
    if not isinstance(part, Shortcode) or not part.source.startswith(("{{", "{%")):
        return None
    call = read_call(part)
    if not is_image_name(call.name):
        return None
    url, title, alt = _address_and_texts(call)
    caption = call.named.get("caption") or call.named.get("description", "")
    texts = [plain(text) for text in (caption, *(call.named.get(name, "") for name in _CREDIT_NAMES))]
    captions = tuple(CaptionText(text, "shortcode", part.line) for text in texts if text)
    return Picture(literal_address(url.strip()), plain(alt), plain(title), "shortcode", part.line, captions)


def is_image_name(name: str) -> bool:
    """Return whether a shortcode is named after an image: figure, image.html, responsive-img."""
    return bool(_IMAGE_NAME.search(name))


def _address_and_texts(call: Call) -> tuple[str, str, str]:
    """Return the URL, title and alt text in a shortcode's arguments."""
    url = next((call.named[name] for name in _ADDRESS_NAMES if call.named.get(name)), "")
    alt, title = call.named.get("alt", ""), call.named.get("title", "")
    if not url and call.others:
        url, title, alt = _from_others(call.others, title, alt)
        if call.name in ("img", "asset_img"):  # of Octopress and Hexo: their only text is the title
            title, alt = title or alt, alt if title else ""
    return url, title, alt


def _from_others(others: list[str], title: str, alt: str) -> tuple[str, str, str]:
    """Return address, title and alt text of positional arguments; a class and sizes may surround the address."""
    others = [text for value in others for text in _unquoted(value)]
    first = next((number for number, value in enumerate(others) if _ADDRESS.search(value)), 0)
    rest = takewhile(lambda value: not value.startswith("--"), others[first + 1 :])
    texts = [value for value in rest if not value.isdigit()]
    if len(texts) > 1:
        return others[first], texts[-2], texts[-1]
    return others[first], title, texts[0] if texts else alt


def _unquoted(value: str) -> list[str]:
    """Return the texts in an argument like '"title" "alt"', which Hexo takes for two."""
    return _QUOTED.findall(value) if value.startswith('"') else [value]


FORMS: tuple[Callable[[Part], Picture | None], ...] = (
    markdown_image,
    html_image,
    shortcode_image,
    extended_image,
    wiki_image,
)


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
