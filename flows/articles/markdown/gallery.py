"""The images of a body, and what encloses them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from flows.articles.markdown.images import CaptionText, Picture

MAX_IMAGES = 10_000  # an article


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
    """An open figure: the number of its first image, and its captions, each with the number of images before it.

    `name` is that of the tag or shortcode that ends it.
    """

    first: int
    captions: list[tuple[int, CaptionText]]
    name: str = "figure"


class Figcaption(NamedTuple):
    """An open caption: its texts so far, its line, the tag that ends it, and the open tags of this name inside it."""

    texts: list[str]
    line: int
    name: str = "figcaption"
    inside: list[str] = []  # noqa: RUF012


def assign_captions(figure: Figure, count: int) -> Iterator[tuple[Iterable[int], CaptionText]]:
    """Yield the captions of a figure with the numbers of their images; the figure's last image is number `count` - 1.

    A single caption describes all images; one of several describes the images between the previous caption and itself,
    or if there are none, the image before it.
    """
    start, is_single = figure.first, len(figure.captions) == 1
    for before, caption in figure.captions:
        numbers = range(start, count if is_single else before)
        yield numbers or [min(max(before - 1, start), count - 1)], caption
        start = before
