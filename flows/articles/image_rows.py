"""Turn the images of an article into rows of images and captions."""

import re
from typing import NamedTuple

from flows.articles.credits.rules import read_credit
from flows.articles.front_matter.hero import Hero
from flows.articles.lengths import MAX_BYTES_PER_BYTE, MAX_EXTRA_BYTES, MAX_GROWTH, MAX_TEXT, ROW, bytes_of, truncate
from flows.articles.markdown.captions import MAX_CAPTIONS, captions_of
from flows.articles.markdown.gallery import MAX_IMAGES
from flows.articles.markdown.images import CaptionText, Picture, front_matter_image
from flows.problems import problem
from flows.schema import Caption, Image, Problem

# RFC 3986: an optional scheme, //, an optional user, and a host, which has colons only in brackets.
_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/?#@\\]*@)?(\[[^\]/?#]*\]|[^/?#:@\\\s]*)")


class Owner(NamedTuple):
    """The article whose images are read; `line_offset` is the number of lines of the file before its body."""

    article_id: str
    month: str | None
    line_offset: int


def image_rows(
    owner: Owner, hero: Hero | None, inline: list[Picture], limit: int | None, problems: list[Problem]
) -> tuple[list[Image], list[Caption]]:
    """Return the rows of an article's images and captions, as many as fit in `limit` bytes (None: all)."""
    images: list[Image] = []
    captions: list[Caption] = []
    left = limit
    for position, role, picture in _placed(owner, hero, inline, problems):
        texts = captions_of(picture)
        if limit is not None and left is not None:
            left -= _weight(bytes_of(owner.article_id), picture, texts)
            if left < 0:
                line = picture.line + owner.line_offset
                problems.append(problem("too_much_text", line, limit=limit, growth=MAX_GROWTH))
                break
        image = _image_row(owner, position, role, picture, problems)
        images.append(image)
        for number, caption in enumerate(texts, 1):
            row = _caption_row(f"{image.image_id}/{number}", image, caption, caption.line + owner.line_offset, problems)
            captions.append(row)
    return images, captions


def is_within_limit(owner: Owner, inline: list[Picture], size: int, others: int) -> bool:
    """Return whether the rows cannot exceed MAX_EXTRA_BYTES, even if each text is as long as the file of `size` bytes.

    `others` is the number of characters in the article's other texts. This makes an exact count unnecessary for nearly
    all articles.
    """
    texts = (
        7 + 5 * len(inline) + sum([len(picture.captions) for picture in inline])
    )  # 7 for the hero, with a caption and a credit
    longest = MAX_BYTES_PER_BYTE * min(size, 4 * MAX_TEXT)
    return texts * (ROW + 3 * (bytes_of(owner.article_id) + longest)) + 4 * others <= MAX_EXTRA_BYTES


def _placed(
    owner: Owner, hero: Hero | None, inline: list[Picture], problems: list[Problem]
) -> list[tuple[int, str, Picture]]:
    """Return the images that get rows, each with its position and role."""
    if len(inline) > MAX_IMAGES:
        problems.append(problem("too_many_images", inline[MAX_IMAGES].line + owner.line_offset, limit=MAX_IMAGES))
    if crowded := [picture for picture in inline if len(picture.captions) > MAX_CAPTIONS]:
        problems.append(problem("too_many_captions", crowded[0].line + owner.line_offset, limit=MAX_CAPTIONS))
    placed = [(position, "inline", picture) for position, picture in enumerate(inline[:MAX_IMAGES], 1)]
    if hero:
        placed.insert(0, (0, "hero", front_matter_image(hero, hero.line - owner.line_offset)))
    return placed


def _weight(of_identity: int, picture: Picture, captions: list[CaptionText]) -> int:
    """Return an upper bound for the bytes of an image's rows, including the host and captions without credit."""
    texts = [picture.url, picture.alt, picture.title, *[caption.text for caption in captions]]
    text = "".join([text[:MAX_TEXT] for text in texts])
    return (ROW + 3 * of_identity) * (1 + len(captions)) + 3 * bytes_of(text)


def _image_row(owner: Owner, position: int, role: str, picture: Picture, problems: list[Problem]) -> Image:
    url, alt, title, line = picture.url, picture.alt, picture.title, picture.line + owner.line_offset
    if len(url) > MAX_TEXT or len(alt) > MAX_TEXT or len(title) > MAX_TEXT:
        url, alt = truncate(url, "image url", line, problems), truncate(alt, "image alt", line, problems)
        title = truncate(title, "image title", line, problems)
    return Image(
        image_id=f"{owner.article_id}#{position}",
        article_id=owner.article_id,
        position=position,
        role=role,
        url=url,
        url_host=host_of(url),
        alt=alt or None,
        title=title or None,
        form=picture.form,
        source_line=line,
        published_month=owner.month,
    )


def _caption_row(caption_id: str, image: Image, caption: CaptionText, line: int, problems: list[Problem]) -> Caption:
    """Return the row of a caption; the credit at its end is read before the caption is truncated."""
    credit = read_credit(caption.text)
    text = caption.text if len(caption.text) <= MAX_TEXT else truncate(caption.text, "caption", line, problems)
    rest = credit.rest if len(credit.rest) <= len(text) else text
    return Caption(
        caption_id=caption_id,
        image_id=image.image_id,
        article_id=image.article_id,
        text=text,
        text_without_credit=rest or None,
        credit=credit.credit or None,
        photographer=credit.photographer,
        agency=credit.agency,
        licence=credit.licence,
        form=caption.form,
        repeats_alt=caption.form != "alt" and text == image.alt,
        source_line=line,
        published_month=image.published_month,
    )


def host_of(url: str) -> str | None:
    """Return the host of an address in lower case, without port; None if it has none."""
    match = _HOST.match(url)
    return match[1].lower() or None if match else None
