"""Compare the images that Broadsheet finds with those of cmark-gfm, the reference renderer: recall and precision.

    make fidelity CORPUS=folder

cmark-gfm supports neither shortcodes nor Liquid, so images that consist of one or have one in their URL are excluded,
and so are those in syntax that CommonMark does not know (form extended).
"""

import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from flows.articles.article import read_article
from flows.settings import Settings
from flows.source.listing import list_seed_files, read_seed_file

WORST = 10  # number of files to list


class Compared(NamedTuple):
    """One file: the number of images that both find, and the URLs that only one of them finds."""

    source_path: str
    both: int
    ours: list[str]
    theirs: list[str]


class _Images(HTMLParser):
    """Collect the URL of each image in HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        url = dict(attrs).get("src")
        if tag == "img" and url and url.strip():
            self.found.append(url.strip())


def compare(content: bytes, source_path: str) -> Compared | None:
    """Compare the images of one file; return None if it is rejected."""
    reading = read_article(content, source_path, ZoneInfo("UTC"))
    if reading.article is None:
        return None
    body = reading.article.body or ""
    parser = _Images()
    parser.feed(github_flavored_markdown_to_html(body, Options.CMARK_OPT_UNSAFE))
    theirs = Counter(_percent_encoded(url) for url in parser.found if not _has_shortcode(url))
    lines = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    inline = [image for image in reading.images if image.role == "inline" and image.form != "extended"]
    ours = Counter(_percent_encoded(image.url) for image in inline if not _has_shortcode(lines[image.source_line - 1]))
    both = sum((ours & theirs).values())
    return Compared(source_path, both, list((ours - theirs).elements()), list((theirs - ours).elements()))


def _has_shortcode(text: str) -> bool:
    return "{{" in unquote(text) or "{%" in unquote(text)


def _percent_encoded(url: str) -> str:
    """Return a URL in one spelling: the reference percent-encodes characters that Broadsheet leaves."""
    return quote(unquote(url))


def report(compared: list[Compared]) -> str:
    """Return recall and precision over some files, and the worst of them."""
    both = sum(one.both for one in compared)
    ours, theirs = (sum(len(getattr(one, side)) for one in compared) for side in ("ours", "theirs"))
    lines = [
        f"{len(compared):,} files, {both + theirs:,} images: recall {both / max(both + theirs, 1):.4f},"
        f" precision {both / max(both + ours, 1):.4f}"
    ]
    worst = sorted(compared, key=lambda one: -len(one.ours) - len(one.theirs))[:WORST]
    lines += [
        f"  {one.source_path}: only ours {one.ours[:3]}, only theirs {one.theirs[:3]}"
        for one in worst
        if one.ours or one.theirs
    ]
    return "\n".join(lines)


def main(corpus: Path) -> None:
    """Print the comparison of a corpus."""
    files = sorted(list_seed_files(corpus, Settings().extensions))
    compared = [one for file in files if (one := compare(read_seed_file(corpus, file.source_path), file.source_path))]
    print(report(compared))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
