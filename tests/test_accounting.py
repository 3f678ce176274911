"""Whatever looks like an image or a caption is in a row, or in a problem with its line."""

import re
from collections import Counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.articles.article import Reading, read_article
from tests.conftest import SEEDS

UTC = ZoneInfo("UTC")
HEAD = "---\ntitle: A title\ndate: 2026-11-02\n---\n"
# Pieces with one token each, and how the token begins; each is on its own line.
IMAGES = {
    "![a](a.jpg)": "![", '![a](a.jpg "t")': "![", "![a](a b.jpg)": "![", "![a](a.jpg =250x)": "![", "![[a.jpg]]": "![",
    "![[a note]]": "![", "![a]": "![", "![a] (a.jpg)": "![", "![]()": "![", "![a](a.jpg": "![", "[![a](a.jpg)](b)": "![",
    "![a]({% link a.jpg %})": "![", "![a]({{ page.image }})": "![", "> ![a](a.jpg)": "![", "- ![a](a.jpg)": "![",
    '<img src="a.jpg">': "<img", "<img alt=a>": "<img", "<IMG SRC=a.jpg>": "<img", '<img data-src="a.jpg">': "<img",
    '<img src="a.jpg" alt="b': "<img", '<amp-img src="a.jpg"></amp-img>': "<amp-img", "<p><img src={a} /></p>": "<img",
    "<div>![a](a.jpg)</div>": "![", '<picture><source srcset="b"><img src="a.jpg"></picture>': "<img",
    '{{< figure src="a.jpg" >}}': "{{<", "{% include image.html %}": "{%", '{% img "a.jpg" %}': "{%",
    '[gallery ids="1,2"]': "[gallery", "{{< figure >}}": "{{<",
}  # fmt: skip
NO_IMAGES = [
    "`![a](b)`",
    "```\n![a](b)\n```",
    "    <img src=a>",
    "<!-- ![a](b) -->",
    "\\![a](b)",
    "<script>\n'<img>'\n</script>",
]
WORDS = [
    "Some words.",
    "**Bold**",
    "# A heading",
    "| a | b |\n|---|---|\n| c | d |",
    "<div>",
    "</div>",
    "> said",
    "",
    "*",
    "``",
]


def read(body: str) -> Reading:
    return read_article(f"{HEAD}{body}\n".encode(), "posts/a.md", UTC)


def accounted(reading: Reading) -> int:
    """The images of the body, and the problems of those that are not read."""
    unread = [row for row in reading.problems if row.code == "image_not_read"]
    return sum(image.role == "inline" for image in reading.images) + len(unread)


@pytest.mark.parametrize("piece", IMAGES)
def test_an_image_is_a_row_or_a_problem_on_its_line(piece):
    reading = read(f"\nFirst.\n\n{piece}\n\nLast.")
    assert accounted(reading) == 1
    lines = [image.source_line for image in reading.images]
    lines += [row.line_number for row in reading.problems if row.code == "image_not_read"]
    assert lines == [8]


@pytest.mark.parametrize("piece", NO_IMAGES)
def test_what_is_code_or_hidden_is_no_image(piece):
    assert accounted(read(f"First.\n\n{piece}\n\nLast.")) == 0


HIDING = ("<div>", "*", "``", '<img src="a.jpg" alt="b')  # what may make another piece part of itself
PIECES = st.one_of(st.sampled_from(list(IMAGES)), st.sampled_from(NO_IMAGES), st.sampled_from(WORDS))


@given(st.lists(PIECES.filter(lambda piece: piece not in HIDING), max_size=12))
def test_tokens_are_rows_and_problems(pieces: list[str]):
    """Between paragraphs, each token is read, and none twice."""
    reading = read("\n\nA paragraph.\n\n".join(pieces))
    assert accounted(reading) == sum(piece in IMAGES for piece in pieces)


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=6)


@given(st.lists(st.one_of(PIECES, TEXTS), max_size=12), st.sampled_from(["\n", "\n\n", " ", ""]))
def test_mutated_bodies_lose_no_image_of_markdown(pieces: list[str], between: str):
    """Wherever `![` stands outside code and comments, it is accounted for on its line."""
    body = between.join(pieces)
    if re.search(r"[`~\\]|<!|\{|<(?:script|style|noscript|template)|    |\t|\[caption|\[gallery", body, re.IGNORECASE):
        return
    reading = read(body)
    offset = HEAD.count("\n")
    text = reading.article.body or ""
    skipped = f"{body}\n".index(text) if text else 0
    first = offset + body.count("\n", 0, skipped)
    tokens = Counter(first + 1 + text.count("\n", 0, found.start()) for found in re.finditer(r"!\[", text))
    rows = Counter(image.source_line for image in reading.images)
    rows.update(row.line_number for row in reading.problems if row.code in ("image_not_read", "too_many_problems"))
    assert tokens - rows == Counter()


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("Text.\n\n<figcaption\n\nMore.", 8),
        ('Text.\n\n{{< youtube id="x" caption="A boat" >}}', 8),
        ('Text.\n\n<Video src="a.mp4" caption="A boat" />', 8),
    ],
)
def test_a_caption_without_an_image_is_a_problem(body, line):
    found = [(row.line_number, row.severity) for row in read(f"\n{body}").problems if row.code == "caption_not_read"]
    assert found == [(line, "warning")]


def test_a_figcaption_without_an_image_is_prose():
    reading = read("<figure><iframe src=a></iframe><figcaption>The harbour.</figcaption></figure>\n\nMore.")
    assert reading.article.text == "The harbour.\n\nMore."


@pytest.mark.parametrize("body", ["```\nwords\n```", "<!-- words -->", "<script>words</script>"])
def test_a_body_without_text_is_a_problem(body):
    assert [(row.code, row.line_number) for row in read(body).problems] == [("no_text", 5)]


def test_an_address_with_an_expression_is_a_problem():
    (found,) = read("\n![a]({{ page.image }})").problems
    assert (found.code, found.severity, found.line_number) == ("template_address", "warning", 6)


def test_the_demo_has_no_such_problem():
    codes = ("image_not_read", "caption_not_read", "template_address", "no_text")
    for file in SEEDS.rglob("*.md"):
        assert [row for row in read_article(file.read_bytes(), file.name, UTC).problems if row.code in codes] == []
