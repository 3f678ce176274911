"""The images of an article, in every form in which they are written, and the captions of each."""

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

from flows.articles.blocks import Block


class CaptionText(NamedTuple):
    """A text that describes an image; `line` counts as the image's does."""

    text: str
    form: str
    line: int


class Picture(NamedTuple):
    """One use of an image; `form` and the captions' forms are those of the tables, lines count from 1 in the body."""

    url: str
    alt: str
    title: str
    form: str
    line: int
    captions: tuple[CaptionText, ...] = ()

    def moved(self, lines: int) -> "Picture":
        """The same image, so many lines further down."""
        captions = tuple(caption._replace(line=caption.line + lines) for caption in self.captions)
        return self._replace(line=self.line + lines, captions=captions)


def markdown_images(block: Block) -> Iterator[Picture]:
    """`![alt](url "title")` and `![alt][label]`, as CommonMark reads them."""
    for image in block.images:
        yield Picture(image.url, fold(image.alt), fold(image.title), image.form, image.line)


def html_images(block: Block) -> Iterator[Picture]:
    """`<img src=… alt=… title=…>`, in a paragraph or in an HTML block."""
    markup = block.text if block.kind == "html" else "".join(block.html)
    if "<img" not in markup.lower():
        return
    reader = _ImageTags()
    reader.feed(markup)
    reader.close()
    for found, line in reader.found:
        if found.get("src"):
            alt, title = fold(found.get("alt") or ""), fold(found.get("title") or "")
            yield Picture(found["src"] or "", alt, title, "html", block.line + line - 1)


class _ImageTags(HTMLParser):
    """Collects the attributes of each img tag outside comments, with its line."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[dict[str, str | None], int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "img":
            self.found.append((dict(attrs), self.getpos()[0]))


FORMS: tuple[Callable[[Block], Iterator[Picture]], ...] = (markdown_images, html_images)


def find_pictures(blocks: list[Block]) -> tuple[list[Picture], set[int]]:
    """The images of a body in its order, and the indexes of the blocks that are captions, not prose."""
    pictures: list[Picture] = []
    captions: set[int] = set()
    for index, block in enumerate(blocks):
        if not (block.images or block.html or block.kind == "html"):
            continue
        found = [picture for form in FORMS for picture in form(block)]
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        if found and following is not None and _repeats_alt(following, found[-1]):
            caption = CaptionText(fold(following.text), "paragraph", following.line)
            found[-1] = found[-1]._replace(captions=(caption,))
            captions.add(index + 1)
        pictures += found
    return pictures, captions


def _repeats_alt(block: Block, picture: Picture) -> bool:
    return block.kind == "paragraph" and bool(picture.alt) and not block.images and fold(block.text) == picture.alt


def captions_of(picture: Picture) -> list[CaptionText]:
    """The distinct texts of an image, the strongest form of each first."""
    weaker = (CaptionText(picture.title, "title", picture.line), CaptionText(picture.alt, "alt", picture.line))
    distinct: dict[str, CaptionText] = {}
    for caption in (*picture.captions, *weaker):
        if caption.text:
            distinct.setdefault(caption.text, caption)
    return list(distinct.values())


def fold(text: str) -> str:
    """The text on one line, its white space folded: texts are the same when equal after it."""
    return " ".join(text.split())


def host_of(url: str) -> str | None:
    """The host of an address, lower case, without port; None where it names none."""
    try:
        return urlsplit(url).hostname or None
    except ValueError:
        return None
