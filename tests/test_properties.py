"""What holds for every seed file: no crash, no hang, rows that hold together, the fast reader equal to the slow one."""

import json
import string
from contextlib import suppress
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from flows.articles.article import Reading, read_article
from flows.articles.credits.rules import read_credit
from flows.articles.dates import parse_datetime
from flows.articles.front_matter.yaml_blocks import read_plain, read_yaml
from flows.articles.markdown.images import normalize_whitespace
from flows.articles.markdown.prose import count_words
from flows.problems import RejectedError
from flows.schema import ARTICLES, CAPTIONS, IMAGES, PROBLEMS, columns
from tests.conftest import SEEDS

UTC = ZoneInfo("UTC")
SAMPLES = [file.read_bytes() for file in sorted(SEEDS.glob("*.md"))]

KEYS = st.sampled_from(
    [
        "title",
        "date",
        "code",
        "no",
        "yes",
        "on",
        "Null",
        "y",
        "true",
        "a-b",
        "_x",
        "<<",
        "1",
        "é",
        "category",
        "~",
        "ON",
    ]
)
SCALARS = st.one_of(
    st.sampled_from(
        ["yes", "no", "Off", "null", "~", "12:30", "014", "0x1F", "1_000", "1e3", ".inf", "2024-11-07", "word", "two words",
         "2024-11-07T03:40:41Z", "2024-11-07T03:40:41.985Z", "2024-13-07T03:40:41Z", '"quoted"', '"é ’"', '"a: b # c"', '""', '"  "',
         "'single'", '"\\u00e9"', '"tab\t"', "&a x", "*a", "|", "> folded", "[a, b]", "{a: b}", "!!str 1", '"a" # comment', "x # y",
         '"unclosed', "- x", "@x", "`x`", "%x", "a: b", '"\x85"', '"\u2028"', '"\ufeff"', '"\x07"', "=", "<<", "?"]
    ),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=12).map(lambda text: f'"{text}"'),
    st.text(alphabet=string.ascii_letters + string.digits + " :-_'\"#", max_size=10),
)  # fmt: skip
LINES = st.one_of(
    st.builds("{}: {}".format, KEYS, SCALARS),
    st.builds("{}:{}".format, KEYS, SCALARS),
    st.builds("  {}".format, SCALARS),
    st.text(max_size=10),
)
BLOCKS = st.lists(LINES, max_size=8).map(lambda lines: "\n" + "\n".join(lines) + "\n")


@given(BLOCKS)
def test_the_fast_reader_equals_the_c_loader(block: str):
    fast = read_plain(block)
    if fast is None:
        return
    slow = read_yaml(block)
    assert fast == slow
    assert [type(value) for value in fast.values.values()] == [type(value) for value in slow.values.values()]


@given(
    st.lists(
        st.tuples(st.sampled_from(["title", "code", "x_y", "date"]), SCALARS),
        unique_by=lambda pair: pair[0],
        min_size=1,
    )
)
def test_the_fast_reader_equals_the_c_loader_on_plain_looking_lines(pairs):
    block = "".join(f"\n{key}: {value}" for key, value in pairs) + "\n"
    fast = read_plain(block)
    if fast is not None:
        assert fast == read_yaml(block)


@given(BLOCKS)
def test_the_c_loader_never_fails_otherwise_than_by_rejecting(block: str):
    with suppress(RejectedError):
        read_yaml(block)


PIECES = st.one_of(
    st.sampled_from(
        ["---\n", "...\n", "+++\n", "# ", "\n\n", "![a](https://images.example.com/x.jpg)", "![](", '<img src="x.jpg" alt="y">', "<figure>",
         "</figure>", "<figcaption>", "</figcaption>", "<!--", "-->", "{{< figure src=x >}}", "{% img /x.jpg %}", "{% comment %}", "```\n",
         "> ", "- ", "| a | b |\n|---|---|\n", "[r]: https://images.example.com/r.jpg\n", "![r]", "(Photo: Jane Doe/Reuters)", "*italic*", "\ufdd00\ufdd1",
         "\\", "&amp;", "&#x0;", "\r", "\x00", "PARIS (AFP) - A", "date: 2024-11-31\n", "\u202e", "图：新华社", "\n![a](b)\nc\n", "<script>", "<",
         "[caption id=1]", "[/caption]", "{: .wide}", "){.wide}", "<em>", "</em>", "<br>", "© Jane Doe", " - Reuters", "摄", "{{ image(path=\"x\") }}"]
    ),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=20),
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sample with pieces cut out and put in."""
    content = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        stop = draw(st.integers(start, min(len(content), start + 200)))
        content = content[:start] + draw(st.one_of(PIECES.map(str.encode), st.binary(max_size=5))) + content[stop:]
    return content


ARTICLES_OF_ANY_KIND = st.one_of(
    st.binary(max_size=400),
    mutated(),
    st.lists(PIECES, max_size=12).map(lambda pieces: ("---\ntitle: x\n---\n" + "".join(pieces)).encode()),
    st.builds("---{}---\n{}".format, BLOCKS, st.text(alphabet=st.characters(codec="utf-8"))).map(str.encode),
)


def hold_together(reading: Reading) -> None:
    """Assert what every reading of a file promises."""
    for row in (reading.article, *reading.images, *reading.captions, *reading.problems):
        for value in row or ():
            assert not isinstance(value, str) or value.encode() is not None
            assert value != ""
    article = reading.article
    if article is None:
        assert (reading.status, len(reading.problems)) == ("rejected", 1)
        return
    assert (article.image_count, article.caption_count) == (len(reading.images), len(reading.captions))
    assert article.extra is None or json.loads(article.extra)
    images = {image.image_id for image in reading.images}
    assert len(images) == len(reading.images)
    assert all(caption.image_id in images for caption in reading.captions)
    assert len({caption.caption_id for caption in reading.captions}) == len(reading.captions)
    for table, rows in (
        (ARTICLES, [article]),
        (IMAGES, reading.images),
        (CAPTIONS, reading.captions),
        (PROBLEMS, reading.problems),
    ):
        needed = [column.name for column in columns(table) if not column.nullable]
        assert all(getattr(row, name) is not None for row in rows for name in needed)


@given(ARTICLES_OF_ANY_KIND)
def test_any_file_is_read_or_rejected(content: bytes):
    reading = read_article(content, "any.md", UTC)
    hold_together(reading)
    lines = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n") + 1
    for image in reading.images:
        assert 1 <= image.source_line <= lines
    for caption in reading.captions:
        assert 1 <= caption.source_line <= lines


REPEATED = st.sampled_from(
    ["[", ">", "![", "- ", "<a ", "<!--", "*a_ ", "`", "{{< ", "{% ", "(Photo: ", "|a", "&a ", "A - ", "{% comment %}",
     '{{< figure "\\"', "<style></style>", "<img src=x><figcaption>y</figcaption>", "<figcaption>y</figcaption>"]
)  # fmt: skip


@settings(max_examples=100)  # of up to two hundred thousand characters each
@given(REPEATED, st.integers(1, 50_000))
def test_repeated_pieces_are_parsed_in_time(piece: str, times: int):
    times = min(times, 200_000 // len(piece))
    hold_together(read_article(f"---\ntitle: x\n---\n{piece * times}\n".encode(), "any.md", UTC))
    hold_together(read_article(f"---\ntitle: {piece * times}\n---\nx\n".encode(), "any.md", UTC))


def test_a_number_of_any_length_is_parsed():
    for number in ("0x" + "F" * 50_000, "9" * 50_000, "-0b" + "1" * 50_000, "1:" * 20_000 + "1"):
        hold_together(read_article(f"---\ntitle: x\nnumber: {number}\n---\n".encode(), "any.md", UTC))


def test_deep_values_are_rejected_in_every_language():
    for front in (
        "---\na: " + "[" * 400 + "]" * 400 + "\n---\n",
        '{"a": ' + "[" * 400 + "]" * 400 + "}\n",
        "+++\n" + "a." * 400 + "b = 1\n+++\n",
    ):
        reading = read_article(f"{front}Text.\n".encode(), "any.md", UTC)
        hold_together(reading)
        assert [row.code for row in reading.problems] == ["too_complex"]


@settings(max_examples=5)
@given(st.sampled_from(["+++\n{} = 1\n+++\n", "+++\n[{}]\n+++\n", "+++\na = {{ {} = 1 }}\n+++\n"]))
def test_a_key_of_many_parts_is_parsed_in_time(front: str):
    hold_together(read_article((front.format(".".join("a" * 40_000)) + "Text.\n").encode(), "any.md", UTC))


@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("a1é œ’“—–.-«»\n\u00a0²"), st.characters(max_codepoint=0x0DFF, codec="utf-8")
        )
    )
)
def test_words_are_counted_as_the_rule_says(text: str):
    parts = text.replace("—", " ").replace("–", " ").split()
    assert count_words(text) == sum(any(map(str.isalnum, part)) for part in parts)


@given(
    st.from_regex(
        r"(19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{3})?Z", fullmatch=True
    )
)
def test_a_plain_moment_is_read_as_one_with_an_offset_is(text: str):
    assert parse_datetime(text, UTC) == parse_datetime(text.replace("Z", " +0:00"), UTC)


CREDIT_PIECES = st.one_of(
    st.sampled_from(
        ["Photo: ", "Photo by ", "(", ")", "[", "]", "©", " ", ". ", ", ", " - ", "/", "＝", "：", "Jane Doe", "J. R. Doe", "AFP", "Reuters",
         "AP Photo", "via ", "Courtesy of ", "File photo", "The bridge at dawn", "图", "新华社", "摄", "ภาพ", "2026", "Copyright ", "...", "of the "]
    ),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=6),
)  # fmt: skip


@given(st.lists(CREDIT_PIECES, max_size=12).map(lambda pieces: normalize_whitespace("".join(pieces))))
def test_a_credit_says_nothing_that_its_caption_does_not(text: str):
    found = read_credit(text)
    assert text.startswith(found.rest)
    assert found.credit in text[len(found.rest) :]
    assert (found.photographer or "") in found.credit
    assert (found.agency is None) or found.credit


LONG_PLAIN_TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)


@given(LONG_PLAIN_TEXTS)
def test_folding_and_counting_take_no_short_cut(text: str):
    assert normalize_whitespace(text) == " ".join(text.split())
    parts = text.replace("—", " ").replace("–", " ").split()
    if not any(letter >= "\u3040" for letter in text):
        assert count_words(text) == sum(any(map(str.isalnum, part)) for part in parts)
