"""Read the images of a body, and the captions that its markup marks: tags, classes, and shortcodes around images."""

import re
from collections.abc import Iterable
from functools import cached_property

from flows.articles.markdown.blocks import Block, Part
from flows.articles.markdown.gallery import MAX_IMAGES, Figcaption, Figure, Gallery, assign_captions
from flows.articles.markdown.html import Tag
from flows.articles.markdown.html_blocks import BLOCK_TAGS
from flows.articles.markdown.images import CaptionText, Picture, normalize_whitespace, plain, read_picture, source_image
from flows.articles.markdown.masking import Shortcode
from flows.articles.markdown.shortcodes import closed_name, read_call

BREAK = "\r"  # a line break that is not in the source
_WORDPRESS = ("[caption", "\\[caption", "[/caption", "\\[/caption")
_CODES = ("{{<", "{{%", "{%")
_PAIRED = ("figure", "caption", "gallery")  # in the source of a shortcode that may enclose images
# caption, wp-caption-text, image-caption, photo__caption, …, but not wp-caption, which encloses the image as well
CAPTION_CLASS = re.compile(
    r"(?:\A|[\s.\"'=])(?!wp-caption(?:[\s\"']|\Z))(?:[\w-]*[-_])?(?:fig)?caption(?:[-_](?:text|dd))?(?=[\s.\"'}]|\Z)|\bcutline\b"
)


class FigureReader:
    """Reads block after block into a gallery, with the figures and the caption that are open at the moment."""

    def __init__(self, gallery: Gallery, blocks: Iterable[Block]) -> None:
        self.gallery = gallery
        self.blocks = blocks
        self.figures: list[Figure] = []
        self.figcaption: Figcaption | None = None
        self.is_near = False  # whether an image was read, and no prose since
        self.noscript = False
        self.places: list[int] = []  # of the images of the last block in its prose
        self.sources: list[Picture] | None = None  # of the open <picture>, as long as it has no image
        self.undescribed: list[str] = []  # captions without an image, which are prose
        # The closing tags that follow: what is never closed ends with its block.
        self.closing_tags: dict[str, int] = {}
        for block in blocks:
            for part in block.parts:
                if isinstance(part, Tag) and part.closing:
                    self.closing_tags[part.name] = self.closing_tags.get(part.name, 0) + 1

    def read(self, block: Block) -> str:
        """Collect the images and captions of a block; return the prose that is left."""
        if not block.parts:
            return self._read_text(block.text)
        if self.figcaption is not None:
            self.figcaption.texts.append(" ")
        ends = any(isinstance(part, Shortcode) and "[/caption" in part.source for part in block.parts)
        prose = self._read_parts(block.parts, ends)
        if ends:
            self.end_figure()
        elif self.figcaption is not None and not self.closing_tags.get(self.figcaption.name):
            self._end_figcaption()
        return self._with_undescribed(prose)

    def _read_parts(self, parts: Iterable[Part], ends: bool) -> str:
        """Read the parts of a block, note where its images are in its prose, and return the prose."""
        prose, self.places = "", []
        for part in parts:
            count = len(self.gallery.pictures)
            prose += self._read_part(part, ends)
            self.places += [len(prose)] * (len(self.gallery.pictures) - count)
        return prose

    def end_all(self) -> str:
        """End what is open at the end of the body; return the prose that is left."""
        while self.figures:
            self.end_figure()
        self._end_figcaption()
        return self._with_undescribed("")

    def end_figure(self) -> None:
        """End the innermost open figure and assign its captions to its images."""
        self._end_figcaption()
        if not self.figures:
            return
        figure, count = self.figures.pop(), len(self.gallery.pictures)
        if figure.first == count:
            self.undescribed += [caption.text for _, caption in figure.captions]
            return
        for numbers, caption in assign_captions(figure, count):
            for number in numbers:
                if number >= MAX_IMAGES:
                    break
                self.gallery.describe(number, caption)

    def _with_undescribed(self, prose: str) -> str:
        if not self.undescribed:
            return prose
        texts, self.undescribed = [prose, *self.undescribed], []
        return " ".join(texts)

    def _read_text(self, text: str) -> str:
        """Return a text if it is prose, "" if it belongs to the open caption."""
        if self.figcaption is None:
            self.is_near = self.is_near and (not text or text.isspace())
            return text
        self.figcaption.texts.append(text)
        return ""

    def _read_part(self, part: Part, ends: bool) -> str:
        """Read a part of a block; return its prose. `ends` is whether the block contains `[/caption]`."""
        if isinstance(part, str):
            return self._read_text(part)
        if isinstance(part, Tag):
            return self._read_tag(part)
        if isinstance(part, Shortcode) and part.source.startswith(_WORDPRESS):
            self._read_wordpress(part, ends)
        elif picture := read_picture(part):
            self._add(picture)
            if isinstance(part, Shortcode) and part.source.startswith(_CODES):
                self._read_words_of(part)
        elif isinstance(part, Shortcode) and any(word in part.source for word in _PAIRED):
            self._read_pair(part)
        return ""

    def _add(self, picture: Picture) -> None:
        """Add an image; a copy for browsers without scripts is the one that it follows."""
        pictures = self.gallery.pictures
        if self.noscript and pictures:
            if any(picture.url == other.url for other in pictures[-3:]):
                return
            if pictures[-1].url.startswith("data:"):
                pictures[-1] = pictures[-1]._replace(url=picture.url)
                return
        self.sources, self.is_near = None, True
        pictures.append(picture._replace(form="figure") if self.figures and picture.form != "extended" else picture)

    def _read_tag(self, tag: Tag) -> str:
        """Read a tag: an image, or the start or end of a figure, a caption or a set of sources; return its prose."""
        if tag.closing:
            self.closing_tags[tag.name] -= 1
        if picture := read_picture(tag):
            self._add(picture)
        elif tag.name == "figure":
            self._turn_figure(tag)
        elif self.figcaption is not None and tag.name == self.figcaption.name:
            self._turn_figcaption(tag)
        elif self._starts_caption(tag):
            self.figcaption = Figcaption([], tag.line, tag.name, [])
        elif tag.name == "br":
            return self._read_text(BREAK)
        elif tag.name == "noscript":
            self.noscript = not tag.closing
        elif tag.name == "picture" or tag.name == "source":
            self._read_source(tag)
        return self._read_text(" ") if tag.name in BLOCK_TAGS else ""

    def _starts_caption(self, tag: Tag) -> bool:
        """Return whether a tag starts a caption: by its name, or by its class if an image is near."""
        if tag.closing or tag.empty:
            return False
        if tag.name == "figcaption":
            return True
        is_near = self.is_near or bool(self.figures)
        return is_near and self.figcaption is None and bool(CAPTION_CLASS.search(tag.attributes.get("class", "")))

    def _turn_figure(self, tag: Tag) -> None:
        if tag.closing:
            self.end_figure()
        elif not tag.empty:
            self._end_figcaption()
            if len(self.figures) >= self.closing_tags.get("figure", 0):  # the open one is never closed
                self.end_figure()
            self.figures.append(Figure(len(self.gallery.pictures), []))

    def _turn_figcaption(self, tag: Tag) -> None:
        """Start or end a tag of the name of the open caption."""
        caption = self.figcaption
        if caption is None or tag.empty:
            return
        if not tag.closing:
            caption.inside.append(tag.name)
        elif caption.inside:
            caption.inside.pop()
        else:
            self._end_figcaption()

    def _read_source(self, tag: Tag) -> None:
        """Read `<picture>` and `<source>`: the first source counts without an image."""
        if tag.name == "source":
            picture = source_image(tag)
            if self.sources is not None and picture:
                self.sources.append(picture)
        elif not tag.closing:
            self.sources = []
        elif self.sources:
            self._add(self.sources[0])

    def _read_wordpress(self, code: Shortcode, ends: bool) -> None:
        """Treat the text beside the image between `[caption …]` and `[/caption]` as the figcaption of a figure."""
        self.end_figure()
        if ends and "[/caption" not in code.source:
            self.figures.append(Figure(len(self.gallery.pictures), []))
            said = normalize_whitespace(read_call(code).named.get("caption", ""))
            self.figcaption = Figcaption([said], code.line, "[/caption]")

    def _read_pair(self, code: Shortcode) -> None:
        """Start or end a shortcode that encloses images, perhaps with their caption."""
        if name := closed_name(code):
            if self.figures and self.figures[-1].name == name:
                self.end_figure()
        elif code in self._closed:
            call, count = read_call(code), len(self.gallery.pictures)
            text = plain(call.named.get("caption", ""))
            caption = (count, CaptionText(text, "shortcode", code.line))
            self.figures.append(Figure(count, [caption] if text else [], call.name))

    def _read_words_of(self, code: Shortcode) -> None:
        """Start the caption that an image's shortcode encloses."""
        if code in self._closed:
            self.figures.append(Figure(len(self.gallery.pictures) - 1, [], read_call(code).name))
            self.figcaption = Figcaption([], code.line, "shortcode", [])

    @cached_property
    def _closed(self) -> frozenset[Shortcode]:
        """The shortcodes that enclose something: the next one of the same name closes them."""
        codes = [part for block in self.blocks for part in block.parts if isinstance(part, Shortcode)]
        last: dict[str, Shortcode] = {}
        closed = set()
        for code in codes:
            if name := closed_name(code):
                if name in last:
                    closed.add(last.pop(name))
            elif not code.source.startswith(("![", "{:")):
                last[read_call(code).name] = code
        return frozenset(closed)

    def _end_figcaption(self) -> None:
        """End the open caption, which describes its figure or the image before it."""
        if self.figcaption is None:
            return
        text = normalize_whitespace("".join(self.figcaption.texts))
        caption, count = CaptionText(text, "figcaption", self.figcaption.line), len(self.gallery.pictures)
        self.figcaption = None
        if self.figures:
            self.figures[-1].captions.append((count, caption))
        elif count and text:
            self.gallery.describe(count - 1, caption)
        elif text:
            self.undescribed.append(text)
