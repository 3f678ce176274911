"""Find the images of a body with their captions, and the prose that is left."""

from flows.articles.markdown.blocks import Block, Document, MarkdownImage
from flows.articles.markdown.html import Tag
from flows.articles.markdown.images import CaptionText, Picture, normalize_whitespace, read_picture
from flows.articles.markdown.shortcodes import Shortcode

MAX_IMAGES = 10_000  # an article
MAX_CAPTIONS = 100  # an image


def read_pictures(document: Document) -> tuple[list[Picture], list[str]]:
    """Return the images of a body in order, each with its captions, and the prose of each block, "" if it has none."""
    walk = _Walk(document)
    walk.read()
    return walk.pictures, walk.texts


class _Walk:
    """A walk over the blocks, with the figure and the figcaption that are open at the moment."""

    def __init__(self, document: Document) -> None:
        self.blocks, self.lines = document
        self.pictures: list[Picture] = []
        self.texts: list[str] = []
        self.figure: int | None = None  # the first picture of the open figure
        self.figure_captions: list[tuple[int, CaptionText]] = []  # each with the number of pictures before it
        self.described: dict[int, list[CaptionText]] = {}  # by the picture's number
        self.caption: list[str] | None = None  # the texts of the open figcaption
        self.caption_line = 0
        self.near: int | None = None  # the first picture of the previous block, if no prose came since
        parts = [part for block in self.blocks for part in block.parts]
        self.closings = sum(isinstance(part, Tag) and part.closing and part.name == "figcaption" for part in parts)

    def read(self) -> None:
        """Read every block."""
        for block in self.blocks:
            is_plain = not block.parts and self.near is None and self.caption is None  # as most blocks are
            self.texts.append(normalize_whitespace(block.text) if is_plain else self.read_block(block))
        self.end_figure()
        for number, captions in self.described.items():
            picture = self.pictures[number]
            self.pictures[number] = picture._replace(captions=(*picture.captions, *captions))

    def read_block(self, block: Block) -> str:
        """Return the prose of a block that may have images or captions."""
        pictures = len(self.pictures)
        if block.parts:
            text = self.read_parts(block)
        elif self.caption is not None:
            self.caption.append(block.text)
            return ""
        else:
            text = normalize_whitespace(block.text)
        if text and self.near is not None and len(self.pictures) == pictures:
            text = self.next_paragraph(block, text)
            self.near = None
        return text

    def describe(self, number: int, text: str, form: str, line: int) -> None:
        """Add a caption to a picture."""
        self.described.setdefault(number, []).append(CaptionText(text, form, line))

    def read_parts(self, block: Block) -> str:
        """Return the prose of a block with images, tags or shortcodes, and collect those."""
        rest: list[str] = []
        first = len(self.pictures)
        ends = any(isinstance(part, Shortcode) and part.source == "[/caption]" for part in block.parts)
        for part in block.parts:
            if isinstance(part, str):
                (rest if self.caption is None else self.caption).append(part)
            elif isinstance(part, Tag) and part.name in ("figure", "figcaption"):
                self.turn_figure(part)
            elif isinstance(part, Shortcode) and part.source.startswith(("[caption", "[/caption")):
                self.turn_caption(part, ends)
            elif isinstance(part, Tag) and part.name == "br":
                rest.append(_BREAK)
            elif picture := read_picture(part):
                self.pictures.append(picture if self.figure is None else picture._replace(form="figure"))
        if ends:
            self.end_figure()
        elif self.caption is not None and not self.closings:
            self.end_caption()
        text = normalize_whitespace("".join(rest)) if block.kind != "html" else ""
        if len(self.pictures) > first:
            text = self.own_line(block, "".join(rest), text)
            self.near = first
        return text

    def turn_figure(self, tag: Tag) -> None:
        """Start or end a figure or a figcaption."""
        if tag.name == "figure":
            self.end_figure()
            self.figure = None if tag.closing else len(self.pictures)
        elif tag.closing:
            self.closings -= 1
            self.end_caption()
        else:
            self.caption, self.caption_line = [], tag.line

    def turn_caption(self, code: Shortcode, ends: bool) -> None:
        """Make the text beside the image between `[caption …]` and `[/caption]` its caption."""
        self.end_figure()
        if ends and code.source != "[/caption]":
            self.figure, self.caption, self.caption_line = len(self.pictures), [], code.line

    def end_caption(self) -> None:
        """End the figcaption, which describes its figure or the image before it."""
        if self.caption is None:
            return
        text = normalize_whitespace(" ".join(self.caption))
        caption, self.caption = CaptionText(text, "figcaption", self.caption_line), None
        if self.figure is not None:
            self.figure_captions.append((len(self.pictures), caption))
        elif self.pictures and text:
            self.describe(len(self.pictures) - 1, *caption)

    def end_figure(self) -> None:
        """End the figure: its caption describes all its images; one of several describes the images before it."""
        self.end_caption()
        if self.figure is not None and self.pictures[self.figure :]:
            start, last = self.figure, len(self.pictures) - 1
            for before, caption in self.figure_captions:
                alone = len(self.figure_captions) == 1
                numbers = range(start, last + 1 if alone else before) or [min(max(before - 1, start), last)]
                for number in numbers:
                    if number >= MAX_IMAGES:
                        break
                    self.describe(number, *caption)
                start = before
        self.figure, self.figure_captions = None, []

    def own_line(self, block: Block, rest: str, text: str) -> str:
        """Return the prose of a block with images: text on the next line or in italics may be their caption."""
        if not text or self.figure is not None or read_picture(block.parts[0]) is None:
            return text
        before = rest[: len(rest) - len(rest.lstrip())]
        is_next_line = rest[0] in _BREAKS and not any(mark in rest.strip() for mark in _BREAKS)
        if not is_next_line and not block.italic:
            return text
        alts = sum(part.alt.count("\n") for part in block.parts if isinstance(part, MarkdownImage))
        line = self.lines.at(block.start) + before.count("\n") + alts
        self.describe(len(self.pictures) - 1, text, "paragraph", line)
        return ""

    def next_paragraph(self, block: Block, text: str) -> str:
        """Return the prose of the block after an image: none if it repeats the alt text or is all in italics."""
        if block.kind != "text" or self.near is None:
            return text
        repeated = [n for n in range(self.near, len(self.pictures)) if self.pictures[n].alt == text]
        if not repeated and not (block.italic and not self.texts[-1]):
            return text
        number = repeated[-1] if repeated else len(self.pictures) - 1
        self.describe(number, text, "paragraph", self.lines.at(block.start))
        return ""


def captions_of(picture: Picture) -> list[CaptionText]:
    """Return the distinct texts of an image, each in its strongest form, the strongest form first."""
    if not picture.captions and not picture.title:
        return [CaptionText(picture.alt, "alt", picture.line)] if picture.alt else []
    weaker = (CaptionText(picture.title, "title", picture.line), CaptionText(picture.alt, "alt", picture.line))
    distinct: dict[str, CaptionText] = {}
    for caption in sorted(
        (*picture.captions[:MAX_CAPTIONS], *weaker), key=lambda caption: _STRENGTH.index(caption.form)
    ):
        if caption.text:
            distinct.setdefault(caption.text, caption)
    return list(distinct.values())


_BREAK = "\r"  # a line break that is not in the source
_BREAKS = (_BREAK, "\n")
_STRENGTH = ("figcaption", "shortcode", "paragraph", "title", "alt")
