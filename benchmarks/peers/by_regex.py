"""One article by python-frontmatter and regular expressions, as a data engineer would write it for a pipeline."""

import re
from datetime import UTC, datetime
from typing import Any

import frontmatter
import yaml

Row = dict[str, Any]

IMAGE = re.compile(r"!\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)")
DATELINE = re.compile(r"([A-ZÀ-Þ][A-ZÀ-Þ .’'-]+(?:, [A-ZÀ-Þ][\w ]+)?)(?: \([^)]+\))? [-–—] ")
EMPHASIS = re.compile(r"(?<!\w)[_*]([^_*]+)[_*](?!\w)")
ESCAPE = re.compile(r"\\([\[\]()_*\\])")
BRACKET = re.compile(r"\(([^()]{2,160})\)\.?$")
LAST_SENTENCE = re.compile(r"[.!?”\"»] ([^.!?()]{2,80})$")
LABEL = re.compile(r"(?:(?:photo|foto|picture|crédit photo)s? ?: ?|photo by )", re.IGNORECASE)
HOST = re.compile(r"\w+://([^/:]+)")
AGENCIES = {
    "reuters": "Reuters", "afp": "AFP", "agence france-presse": "AFP", "ap": "AP", "associated press": "AP",
    "getty": "Getty Images", "getty images": "Getty Images", "epa": "EPA", "epa-efe": "EPA", "xinhua": "Xinhua",
    "bloomberg": "Bloomberg", "kyodo": "Kyodo", "kyodo news": "Kyodo",
}  # fmt: skip


def read_article(content: bytes, source_path: str) -> tuple[Row, list[Row], list[Row]] | None:
    """Return the rows of an article, its images and its captions; None if the file is not an article."""
    try:
        metadata, body = _parse(content.decode())
    except (UnicodeDecodeError, yaml.YAMLError):
        return None
    if not metadata.get("code"):
        return None
    blocks = body.strip().split("\n\n")
    found = IMAGE.findall(body)
    alts = {alt for alt, _ in found}
    title = metadata.get("title") or (blocks[1] if blocks[0].strip() == "#" else "")
    prose = [b for b in blocks if not b.startswith(("#", "![")) and b != title and b not in alts]
    published_at = metadata.get("date") or datetime.strptime(metadata["code"][3:13] + "+0000", "%y%m%d%H%M%z")
    key = {"article_id": metadata["code"], "published_month": f"{published_at:%Y-%m}", "source_path": source_path}
    images, captions = _images(key, metadata.get("image"), found, body)
    place = DATELINE.match(prose[0]) if prose else None
    host = HOST.match(metadata.get("origin_url", ""))
    article = {
        **key,
        "title": title,
        "description": metadata.get("description"),
        "category": (metadata.get("category") or "").upper(),
        "language": metadata.get("language"),
        "layout": metadata.get("layout"),
        "published_at": published_at.astimezone(UTC),
        "published_on": published_at.astimezone(UTC).date(),
        "origin_url": metadata.get("origin_url"),
        "origin_host": host[1].lower() if host else None,
        "dateline": place[1] if place else None,
        "body": body.strip(),
        "text": EMPHASIS.sub(r"\1", "\n\n".join(prose)),
        "word_count": sum(len(block.split()) for block in prose),
        "paragraph_count": len(prose),
        "image_count": len(images),
        "caption_count": len(captions),
    }
    return article, images, captions


def _parse(text: str) -> tuple[Row, str]:
    try:
        return frontmatter.parse(text)
    except ValueError:  # an impossible date
        return frontmatter.parse(re.sub(r"(?m)^date:.*\n", "", text, count=1))


def _images(key: Row, hero: str | None, found: list[tuple[str, str]], body: str) -> tuple[list[Row], list[Row]]:
    pictures = [("", hero)] * bool(hero) + found
    images, captions = [], []
    for position, (markdown, url) in enumerate(pictures, 0 if hero else 1):
        text = _plain(markdown)
        form = "paragraph" if f")\n\n{markdown}\n" in body else "alt"
        host = HOST.match(url)
        image = {
            **key,
            "image_id": f"{key['article_id']}#{position}",
            "position": position,
            "role": "inline" if position else "hero",
            "url": url,
            "url_host": host[1].lower() if host else None,
            "alt": text or None,
        }
        images.append(image)
        if text:
            caption_id = f"{image['image_id']}/1"
            credit = _credit(text)
            captions.append(
                {**key, "caption_id": caption_id, "image_id": image["image_id"], "text": text, "form": form} | credit
            )
    return images, captions


def _plain(markdown: str) -> str:
    return ESCAPE.sub(r"\1", EMPHASIS.sub(r"\1", markdown)).replace("&amp;", "&").strip()


def _credit(text: str) -> Row:
    match = BRACKET.search(text) or LAST_SENTENCE.search(text)
    candidate = match[1] if match else ""
    courtesy = candidate.lower().startswith("courtesy of")
    label = LABEL.match(candidate)
    names = [name.strip() for name in candidate[label.end() if label else 0 :].split("/")]
    agency = next((AGENCIES[name.lower()] for name in names if name.lower() in AGENCIES), None)
    photographer = next((name for name in names if name.lower() not in AGENCIES), None)
    if not match or not (label or courtesy or agency):
        return {"text_without_credit": text, "credit": None, "photographer": None, "agency": None}
    return {
        "text_without_credit": text[: match.start(1)].rstrip(" ("),
        "credit": candidate,
        "photographer": None if courtesy else photographer,
        "agency": agency,
    }
