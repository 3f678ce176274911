"""Find the images of a body with their captions, and the prose that is left.

Without markup that says so, a text is the caption of an image if it is

* on the next line of the image's paragraph, in one line, and not inside a quotation;
* the next paragraph, and all in italics or equal to the alternative text;
* in a table's cell below the image, in a row between rows of images;
* in a paragraph with a class of captions (kramdown's `{: .caption}`).

It is at most MAX_LENGTH characters and two sentences long, apart from its credit, and has no dateline. The first
paragraph of an article is prose if it is long, and so is its only one.
"""

import re
from typing import NamedTuple

from flows.articles.credits.rules import read_credit
from flows.articles.markdown.blocks import Block, Document, MarkdownImage
from flows.articles.markdown.datelines import read_dateline
from flows.articles.markdown.figures import BREAK, CAPTION_CLASS, FigureReader
from flows.articles.markdown.gallery import Gallery
from flows.articles.markdown.images import CaptionText, Picture, normalize_whitespace
from flows.articles.markdown.lines import Lines
from flows.articles.markdown.masking import Shortcode
from flows.articles.markdown.tables import Tables

MAX_CAPTIONS = 100  # an image
MAX_LENGTH, MAX_LEDE_LENGTH, MAX_SENTENCES = 300, 150, 2  # of a caption; as the first paragraph; of a caption
_BREAKS = (BREAK, "\n")
_STRENGTH = ("figcaption", "shortcode", "paragraph", "title", "alt")
_SENTENCE_END = re.compile(r"[.!?…](?=[\s\"'”’)])|[。！？]")


class _Near(NamedTuple):
    """The images of the last block that had any, if no prose came since, and the words beside them."""

    images: range
    words: str


_NOTHING_NEAR = _Near(range(0), "")


def read_pictures(document: Document) -> tuple[list[Picture], list[str]]:
    """Return the images of a body in order, each with its captions, and the prose of each block, "" if it has none."""
    gallery = Gallery()
    texts = _read_blocks(document, gallery)
    return gallery.with_captions(), texts


def _read_blocks(document: Document, gallery: Gallery) -> list[str]:
    """Collect the images and captions of all blocks, and return the prose of each block."""
    figures, pictures, lines = FigureReader(gallery, document.blocks), gallery.pictures, document.lines
    texts: list[str] = []
    tables = Tables(document.blocks)
    near = _NOTHING_NEAR
    for number, block in enumerate(document.blocks):
        if not block.parts and not near.images and figures.figcaption is None:  # as most blocks are
            texts.append(normalize_whitespace(block.text))
            continue
        first = len(pictures)
        prose = figures.read(block)
        text = normalize_whitespace(prose)
        if len(pictures) > first:
            if text and not figures.figures:
                for place, caption in _captions_in_block(document.blocks, number, prose, figures.places, lines, texts):
                    gallery.describe(first + place, caption)
                    prose = prose.replace(caption.text, "", 1) if caption.text in prose else ""
                text = normalize_whitespace(prose)
            near = _Near(range(first, len(pictures)), text)
            tables.note(block, near.images)
        elif text and near.images:
            described = tables.image_above(block, text) if block.cell else _described_image(block, text, near, pictures)
            if described is not None and (not block.cell or is_short(text)):
                gallery.describe(described, CaptionText(text, "paragraph", lines.at(block.start)))
                text = ""
            if not block.cell or text:
                near = near if block.cell else _NOTHING_NEAR
        texts.append(text)
    left = normalize_whitespace(figures.end_all())
    if left:
        texts[-1] = f"{texts[-1]} {left}".strip()
    return texts


def _captions_in_block(
    blocks: list[Block], number: int, prose: str, places: list[int], lines: Lines, texts: list[str]
) -> list[tuple[int, CaptionText]]:
    """Return the captions in a block with images, each with the number of its image in the block.

    A text on the line below an image is its caption; a text all in italics is that of the last image.
    """
    block = blocks[number]
    if not places or block.quoted or prose[: places[0]].strip():
        return []
    ends = [*places[1:], len(prose)]
    found = [(place, prose[start:end]) for place, (start, end) in enumerate(zip(places, ends, strict=True))]
    found = [(place, text) for place, text in found if text.strip()]
    if not all(_is_next_line(text) for _, text in found):
        text = normalize_whitespace(prose)
        if not block.italic or not is_short(text):
            return []
        return [(len(places) - 1, CaptionText(text, "paragraph", _line_in(block, prose, places[0], lines)))]
    captions = []
    for place, text in found:
        said = normalize_whitespace(text)
        if is_short(said) and (block.italic or not _is_prose(blocks, number, said, texts)):
            captions.append((place, CaptionText(said, "paragraph", _line_in(block, prose, places[place], lines))))
    return captions


def _is_next_line(text: str) -> bool:
    """Return whether a text after an image is one line, the next one."""
    return text.lstrip(" ")[0] in _BREAKS and not any(mark in text.strip() for mark in _BREAKS)


def _line_in(block: Block, prose: str, place: int, lines: Lines) -> int:
    """Return the line of the first word of a block's prose from `place` on."""
    before = prose[:place] + prose[place : len(prose) - len(prose[place:].lstrip())]
    alts = sum(part.alt.count("\n") for part in block.parts if isinstance(part, MarkdownImage))
    return lines.at(block.start) + before.count("\n") + alts


def _is_prose(blocks: list[Block], number: int, text: str, texts: list[str]) -> bool:
    """Return whether a text below an image is prose although it is short: a long lede, or all there is.

    Prose is rather lost in a caption than a caption in prose, so a credit at its end decides for a caption.
    """
    if read_credit(text).credit:
        return False
    if any(said for said, block in zip(texts, blocks, strict=False) if block.kind == "text"):
        return False
    is_only = not any(block.kind == "text" and block.text.strip() for block in blocks[number + 1 :])
    return is_only or len(text) > MAX_LEDE_LENGTH


def is_short(text: str) -> bool:
    """Return whether a text is short enough for a caption, introduces nothing, and does not begin as a report does."""
    if len(text) > 2 * MAX_LENGTH or text.endswith((":", "：")) or read_dateline(text):
        return False
    rest = read_credit(text).rest
    return len(rest) <= MAX_LENGTH and len(_SENTENCE_END.findall(rest.rstrip(".!?…。！？ "))) < MAX_SENTENCES


def _described_image(block: Block, text: str, near: _Near, pictures: list[Picture]) -> int | None:
    """Return the number of the adjacent image that the block after it describes, None if the block is prose."""
    if block.kind != "text":
        return None
    repeated = [number for number in near.images if pictures[number].alt == text]
    if repeated:
        return repeated[-1]
    is_caption = _has_caption_class(block) or (block.italic and not near.words and not block.quoted)
    return near.images[-1] if is_caption and is_short(text) else None


def _has_caption_class(block: Block) -> bool:
    """Return whether kramdown's attributes below a paragraph give it a class of captions."""
    last = block.parts[-1] if block.parts else None
    return isinstance(last, Shortcode) and last.source.startswith("{:") and bool(CAPTION_CLASS.search(last.source))


def captions_of(picture: Picture) -> list[CaptionText]:
    """Return the distinct captions of an image, each in its strongest form, ordered by strength."""
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
