"""Read the images of a body, and the captions that its markup marks: `<figcaption>` and WordPress's `[caption …]`."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flows.articles.markdown.blocks import Block, Part
from flows.articles.markdown.html import Tag
from flows.articles.markdown.images import CaptionText, Picture, normalize_whitespace, read_picture
from flows.articles.markdown.shortcodes import Shortcode

MAX_IMAGES = 10_000  # an article
BREAK = "\r"  # a line break that is not in the source


class Gallery:
    """The images of a body in order, and the captions that were found around them, by the number of the image."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self.captions: dict[int, list[CaptionText]] = {}

    def describe(self, number: int, caption: CaptionText) -> None:
        """Add a caption to an image."""
        self.captions.setdefault(number, []).append(caption)

    def with_captions(self) -> list[Picture]:
        """Return the images with all of their captions."""
        for number, captions in self.captions.items():
            picture = self.pictures[number]
            self.pictures[number] = picture._replace(captions=(*picture.captions, *captions))
        return self.pictures


class Figure(NamedTuple):
    """An open figure: the number of its first image, and its captions, each with the number of images before it."""

    first: int
    captions: list[tuple[int, CaptionText]]


class Figcaption(NamedTuple):
    """An open figcaption: its texts so far, and its line."""

    texts: list[str]
    line: int


class FigureReader:
    """Reads block after block into a gallery, with the figure and the figcaption that are open at the moment."""

    def __init__(self, gallery: Gallery, blocks: Iterable[Block]) -> None:
        self.gallery = gallery
        self.figure: Figure | None = None
        self.figcaption: Figcaption | None = None
        self.closing_tags = _count_closing_tags(blocks)  # of the figcaptions that follow

    def read(self, block: Block) -> str:
        """Collect the images and captions of a block; return the prose that is left."""
        if not block.parts:
            return self._read_text(block.text)
        ends = any(isinstance(part, Shortcode) and part.source == "[/caption]" for part in block.parts)
        prose = "".join([self._read_part(part, ends) for part in block.parts])
        if ends:
            self.end_figure()
        elif self.figcaption is not None and not self.closing_tags:
            self._end_figcaption()
        return prose

    def end_figure(self) -> None:
        """End the open figure and assign its captions to its images."""
        self._end_figcaption()
        figure, self.figure = self.figure, None
        count = len(self.gallery.pictures)
        if figure is None or figure.first == count:
            return
        for numbers, caption in _assign_captions(figure, count):
            for number in numbers:
                if number >= MAX_IMAGES:
                    break
                self.gallery.describe(number, caption)

    def _read_text(self, text: str) -> str:
        """Return a text if it is prose, "" if it belongs to the open figcaption."""
        if self.figcaption is None:
            return text
        self.figcaption.texts.append(text)
        return ""

    def _read_part(self, part: Part, ends: bool) -> str:
        """Read a part of a block; return its prose. `ends` is whether the block contains `[/caption]`."""
        if isinstance(part, str):
            return self._read_text(part)
        if isinstance(part, Tag) and part.name in ("figure", "figcaption"):
            self._read_tag(part)
        elif isinstance(part, Shortcode) and part.source.startswith(("[caption", "[/caption")):
            self._read_shortcode(part, ends)
        elif isinstance(part, Tag) and part.name == "br":
            return BREAK
        elif picture := read_picture(part):
            self.gallery.pictures.append(picture if self.figure is None else picture._replace(form="figure"))
        return ""

    def _read_tag(self, tag: Tag) -> None:
        """Start or end a figure or a figcaption."""
        if tag.name == "figure":
            self.end_figure()
            self.figure = None if tag.closing else Figure(len(self.gallery.pictures), [])
        elif tag.closing:
            self.closing_tags -= 1
            self._end_figcaption()
        else:
            self.figcaption = Figcaption([], tag.line)

    def _read_shortcode(self, code: Shortcode, ends: bool) -> None:
        """Treat the text beside the image between `[caption …]` and `[/caption]` as the figcaption of a figure."""
        self.end_figure()
        if ends and code.source != "[/caption]":
            self.figure = Figure(len(self.gallery.pictures), [])
            self.figcaption = Figcaption([], code.line)

    def _end_figcaption(self) -> None:
        """End the open figcaption, which describes its figure or the image before it."""
        if self.figcaption is None:
            return
        text = normalize_whitespace(" ".join(self.figcaption.texts))
        caption, count = CaptionText(text, "figcaption", self.figcaption.line), len(self.gallery.pictures)
        self.figcaption = None
        if self.figure is not None:
            self.figure.captions.append((count, caption))
        elif count and text:
            self.gallery.describe(count - 1, caption)


def _count_closing_tags(blocks: Iterable[Block]) -> int:
    """Return the number of closing tags of figcaptions."""
    tags = [part for block in blocks for part in block.parts if isinstance(part, Tag) and part.closing]
    return sum(tag.name == "figcaption" for tag in tags)


def _assign_captions(figure: Figure, count: int) -> Iterator[tuple[Iterable[int], CaptionText]]:
    """Yield the captions of a figure with the numbers of their images; the figure's last image is number `count` - 1.

    A single caption describes all images; one of several describes the images between the previous caption and itself,
    or if there are none, the image before it.
    """
    start, is_single = figure.first, len(figure.captions) == 1
    for before, caption in figure.captions:
        numbers = range(start, count if is_single else before)
        yield numbers or [min(max(before - 1, start), count - 1)], caption
        start = before
