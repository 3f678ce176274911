"""Find the images of a body with their captions, and the prose that is left."""

from flows.articles.markdown.blocks import Block, Document, Lines, MarkdownImage
from flows.articles.markdown.figures import BREAK, FigureReader, Gallery
from flows.articles.markdown.images import CaptionText, Picture, normalize_whitespace, read_picture

MAX_CAPTIONS = 100  # an image
_BREAKS = (BREAK, "\n")
_STRENGTH = ("figcaption", "shortcode", "paragraph", "title", "alt")


def read_pictures(document: Document) -> tuple[list[Picture], list[str]]:
    """Return the images of a body in order, each with its captions, and the prose of each block, "" if it has none."""
    gallery = Gallery()
    texts = _read_blocks(document, gallery)
    return gallery.with_captions(), texts


def _read_blocks(document: Document, gallery: Gallery) -> list[str]:
    """Collect the images and captions of all blocks, and return the prose of each block."""
    figures, pictures = FigureReader(gallery, document.blocks), gallery.pictures
    texts: list[str] = []
    adjacent = range(0)  # the images of the last block that had any, if no prose came since
    for block in document.blocks:
        if not block.parts and not adjacent and figures.figcaption is None:  # as most blocks are
            texts.append(normalize_whitespace(block.text))
            continue
        first = len(pictures)
        prose = figures.read(block)
        text = "" if block.kind == "html" else normalize_whitespace(prose)
        if len(pictures) > first:
            adjacent = range(first, len(pictures))
            if text and figures.figure is None and _is_caption_in_block(block, prose):
                line = _first_line(block, prose, document.lines)
                gallery.describe(adjacent[-1], CaptionText(text, "paragraph", line))
                text = ""
        elif text and adjacent:
            number = _described_image(block, text, texts[-1], adjacent, pictures)
            if number is not None:
                gallery.describe(number, CaptionText(text, "paragraph", document.lines.at(block.start)))
                text = ""
            adjacent = range(0)
        texts.append(text)
    figures.end_figure()
    return texts


def _is_caption_in_block(block: Block, prose: str) -> bool:
    """Return whether the text of a block with images is a caption: it is on the next line, or all in italics."""
    if read_picture(block.parts[0]) is None:
        return False
    is_next_line = prose[0] in _BREAKS and not any(mark in prose.strip() for mark in _BREAKS)
    return is_next_line or block.italic


def _first_line(block: Block, prose: str, lines: Lines) -> int:
    """Return the line on which the text of a block with images starts."""
    before = prose[: len(prose) - len(prose.lstrip())]
    alts = sum(part.alt.count("\n") for part in block.parts if isinstance(part, MarkdownImage))
    return lines.at(block.start) + before.count("\n") + alts


def _described_image(block: Block, text: str, previous: str, adjacent: range, pictures: list[Picture]) -> int | None:
    """Return the number of the adjacent image that the block after it describes, None if the block is prose.

    The block repeats the alt text, or is all in italics; `previous` is the prose of the block before it.
    """
    if block.kind != "text":
        return None
    repeated = [number for number in adjacent if pictures[number].alt == text]
    if repeated:
        return repeated[-1]
    return adjacent[-1] if block.italic and not previous else None


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
