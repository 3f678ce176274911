"""The front page as its readers have it: in a browser, wide and narrow, by day and by night, and read aloud."""

import re
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from flows.pipeline.run import publish_edition
from flows.schema import EDITIONS, Edition
from flows.settings import Settings
from flows.warehouse import front_page
from flows.warehouse.front_page import age, charts, language_tag, share
from flows.warehouse.parquet import read_table
from tests.conftest import SEEDS, seed_file
from tests.generated import write_source

SCRIPT = "<script>alert(1)</script>"
HOSTILE = '"><img src=x onerror=alert(1)>'
HIDDEN = "red\x1b[31m\x9b \u202egnp.exe\u2066 \u200b \U000e0041"
SHOWN = r"red\x1b[31m\x9b \u202egnp.exe\u2066 \u200b \U000e0041"
EDITIONS_SEEN = ("demo", "large", "hostile", "empty")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an edition of ten thousand articles, the latest of which is a script."""
    folder = tmp_path_factory.mktemp("large")
    write_source(folder / "source", 10_000)
    (folder / "source" / "script.md").write_text(seed_file("SCRIPT", title=SCRIPT, date="2026-11-21T05:00:00Z"))
    return publish_edition(Settings(source=folder / "source", warehouse=folder / "warehouse")).folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an edition in which whatever an article can say is hostile, or too long; with its history."""
    folder = tmp_path_factory.mktemp("hostile")
    settings = Settings(source=folder / "source", warehouse=folder / "warehouse")
    shutil.copytree(SEEDS, settings.source)
    head = f"title: '{SCRIPT}'\ncategory: '{HOSTILE}'\nlanguage: '{HOSTILE}'\ndate: 2026-11-12\n"
    body = f"![{SCRIPT} (Photo: {SCRIPT})](https://images.example.com/a.jpg)"
    article = settings.source / f"{HOSTILE.replace('/', '')}.md"
    article.write_text(f"---\ncode: H\nimage: https://images.example.com/h.jpg\n{head}---\n\n{body}\n")
    (settings.source / f"{'long' * 50}.md").write_text(seed_file("LONG", title="unbroken" * 40, date="2026-11-11"))
    (settings.source / "gone.md").write_text(seed_file("GONE", title=f"الميناء {SCRIPT}"))
    (settings.source / f"wrong{HOSTILE.replace('/', '')}.md").write_text(f"---\n{SCRIPT}: [\n---\n")
    publish_edition(settings)
    article.write_text(article.read_text().replace("alert(1)", "alert(2)"))
    (settings.source / "gone.md").unlink()
    return publish_edition(settings).folder


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an edition whose texts are a megabyte each, or cannot be seen; with corrections and withdrawals."""
    folder = tmp_path_factory.mktemp("endless")
    settings = Settings(source=folder / "source", warehouse=folder / "warehouse", allow_withdrawals=True)
    settings.source.mkdir()
    deep = settings.source.joinpath(*(str(number) * 200 for number in range(9)))
    deep.mkdir(parents=True)
    texts = {"spaced": "word " * 200_000, "unbroken": "w" * 1_000_000, "marks": "e\u0301" * 400_000}
    for name, text in texts.items():
        long = text[:20_000]
        head = f"code: {name}\ncategory: '{long}'\nlanguage: '{long}'\ndate: 2026-11-03\n"
        body = f"# {text}\n\n![{long}](https://images.example.com/a.jpg)\n\nText.\n"
        (deep / f"{name}.md").write_text(f"---\n{head}---\n\n{body}")
        (deep / f"gone {name}.md").write_text(f"---\ncode: gone {name}\n---\n\n# {text}\n\nText.\n")
        (deep / f"rejected {name}.md").write_text(f"---\n'{long}'\n---\n")
    (settings.source / f"{HIDDEN}.md").write_text("---\n- no keys\n---\n")
    hidden = HIDDEN.translate({ord(c): ascii(c)[1:-1] for c in HIDDEN if not c.isascii() or c < " "})
    for number in range(3):
        (deep / f"{number}.md").write_text(
            f'---\ntitle: "{hidden}"\ncategory: "{hidden}"\ndate: 2026-11-02\n---\n\nText.\n'
        )
    publish_edition(settings)
    for name in texts:
        (deep / f"{name}.md").write_text((deep / f"{name}.md").read_text().replace("# ", "# New "))
        (deep / f"gone {name}.md").unlink()
    return publish_edition(settings).folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an edition without articles."""
    folder = tmp_path_factory.mktemp("empty")
    (folder / "source").mkdir()
    (folder / "source" / "draft.md").write_text("---\ntitle: A draft\ndraft: true\n---\n")
    return publish_edition(Settings(source=folder / "source", warehouse=folder / "warehouse")).folder


@pytest.fixture
def edition(request: pytest.FixtureRequest) -> Path:
    """The edition that a test is asked for by its name."""
    return request.getfixturevalue(request.param)


each_edition = pytest.mark.parametrize("edition", EDITIONS_SEEN, indirect=True)


class Seen(NamedTuple):
    """A page, and what it said and asked for while it was opened."""

    page: Page
    said: list[str]
    asked: list[str]


@contextmanager
def opened(browser: Browser, edition: Path, width: int = 1280, scheme: Any = "light") -> Iterator[Seen]:
    """The front page of an edition, with everything unfolded."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    seen = Seen(context.new_page(), [], [])
    seen.page.on("console", lambda message: seen.said.append(message.text))
    seen.page.on("pageerror", lambda error: seen.said.append(str(error)))
    seen.page.on("dialog", lambda dialog: seen.said.append(dialog.message))
    seen.page.on("request", lambda request: seen.asked.append(request.url))
    seen.page.goto((edition / "front_page.html").as_uri())
    seen.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    yield seen
    context.close()


@each_edition
def test_a_page_says_nothing_and_asks_for_nothing(browser, edition):
    with opened(browser, edition) as seen:
        seen.page.wait_for_load_state("networkidle")
        assert seen.said == []
        assert seen.asked == [(edition / "front_page.html").as_uri()]


@pytest.mark.parametrize("edition", ["demo", "large", "hostile"], indirect=True)
def test_charts_are_there_to_see_and_to_hear(browser, edition):
    with opened(browser, edition) as seen:
        found = seen.page.locator("svg[role=img]").all()
        assert len(found) >= 2
        for chart in found:
            assert re.search(r"\d", chart.get_attribute("aria-label"))
            box = chart.bounding_box()
            assert box["width"] > 50
            assert box["height"] > 10
            assert chart.locator("rect.bar").count() >= 1


@each_edition
def test_nothing_is_cut_off_on_a_narrow_screen(browser, edition):
    with opened(browser, edition, 390) as seen:
        for width in (390, 320, 768):
            seen.page.set_viewport_size({"width": width, "height": 800})
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width


@each_edition
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser, edition, scheme):
    with opened(browser, edition, 390, scheme) as seen:
        found = Axe().run(seen.page).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_drawn_stands_out(browser, demo, scheme):
    with opened(browser, demo, scheme=scheme) as seen:
        paper = colour(seen.page, "body", "backgroundColor")
        assert luminance(paper) < 0.1 if scheme == "dark" else luminance(paper) > 0.8
        assert contrast(colour(seen.page, ".days text", "fill"), paper) >= 4.5
        assert contrast(colour(seen.page, ".days .bar", "fill"), paper) >= 3
        assert contrast(colour(seen.page, ".days .mean", "stroke"), paper) >= 3


def colour(page: Page, selector: str, name: str) -> tuple[float, ...]:
    """A colour as red, green and blue from 0 to 1."""
    text = page.locator(selector).first.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return tuple(int(part) / 255 for part in re.findall(r"\d+", text)[:3])


def luminance(rgb: tuple[float, ...]) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The contrast of two colours, as WCAG 2 defines it: from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_a_script_in_a_title_is_text(browser, large):
    with opened(browser, large) as seen:
        assert seen.page.locator("#latest + ul .title").first.inner_text() == SCRIPT
        assert seen.page.locator("script").count() == 0


def test_nothing_that_an_article_says_becomes_markup(browser, hostile):
    with opened(browser, hostile) as seen:
        assert seen.page.locator("script, img, iframe, object, [onerror], [onload]").count() == 0
        text = seen.page.locator("main").inner_text()
        assert HOSTILE.upper() in text
        assert SCRIPT in seen.page.locator("#corrections + ul del").all_inner_texts()
        assert SCRIPT in seen.page.locator("#withdrawals + ul").inner_text()


def test_texts_without_end_make_a_page_of_usual_size(browser, endless, demo):
    usual = (demo / "front_page.html").stat().st_size
    assert (endless / "front_page.html").stat().st_size < usual + 50_000
    for width in (1280, 390):
        with opened(browser, endless, width) as seen:
            height = seen.page.evaluate("document.documentElement.scrollHeight")
            assert height < 12_000
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
            assert "…" in seen.page.locator("#latest + ul").inner_text()


def test_what_cannot_be_seen_is_an_escape(browser, endless):
    page = (endless / "front_page.html").read_text()
    assert not [c for c in page if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n"]
    with opened(browser, endless) as seen:
        titles = seen.page.locator("#latest + ul .title").all_inner_texts()
        assert SHOWN in titles
        assert f"{SHOWN}.md" in seen.page.locator("section[aria-labelledby=problems]").inner_text()


def test_a_title_has_its_direction_and_its_language(browser, large, hostile):
    with opened(browser, hostile) as seen:
        gone = seen.page.locator("#withdrawals + ul .title").first
        assert gone.evaluate("element => getComputedStyle(element).direction") == "rtl"
    with opened(browser, large) as seen:
        titles = seen.page.locator("#latest + ul .title").all()[1:]
        assert all(re.fullmatch("[a-z]{2}(-br)?", title.get_attribute("lang")) for title in titles)


@pytest.mark.parametrize("size", [13, 16, 24])
def test_days_are_named_below_the_chart_in_letters_of_any_size(browser, demo, size):
    with opened(browser, demo, 390) as seen:
        seen.page.evaluate("size => document.documentElement.style.fontSize = `${size}px`", size)
        chart, base = (seen.page.locator(part).bounding_box() for part in ("svg.days", ".days .base"))
        names = [name.bounding_box() for name in seen.page.locator(".days > text").all()]
        assert len(names) >= 2
        assert all(name["y"] >= base["y"] for name in names)
        assert all(name["y"] + name["height"] <= chart["y"] + chart["height"] for name in names)


def test_on_paper_small_tables_stand_side_by_side_and_nothing_asks_to_be_unfolded(browser, demo):
    with opened(browser, demo) as seen:
        seen.page.emulate_media(media="print")
        seen.page.set_viewport_size({"width": 680, "height": 960})  # A4 with margins
        columns = seen.page.locator(".columns").last.locator("section").all()
        assert len({column.bounding_box()["y"] for column in columns}) == 1
        assert seen.page.locator("summary").first.is_hidden()


def test_on_paper_it_is_dark_on_white(browser, demo):
    with opened(browser, demo, scheme="dark") as seen:
        seen.page.emulate_media(media="print", color_scheme="dark")
        assert colour(seen.page, "body", "backgroundColor") == (1, 1, 1)
        assert colour(seen.page, "body", "color") == (0, 0, 0)


def test_the_numbers_of_the_demo_are_on_its_page(browser, demo):
    with opened(browser, demo) as seen:
        counts = dict(zip(seen.page.locator(".counts dt").all_inner_texts(), seen.page.locator(".counts dd").all_inner_texts(), strict=True))  # fmt: skip
        assert counts == {
            "articles": "24", "added": "24", "corrected": "0", "withdrawn": "0", "images": "50", "captions": "30",
            "files rejected": "2",
        }  # fmt: skip
        days = seen.page.locator("svg.days").get_attribute("aria-label")
        assert days == (
            "Articles a day from 24 October 2026 to 10 November 2026: 24 in all, most on 30 October 2026 with 3,"
            " none on 2 days."
        )
        categories = seen.page.locator("section[aria-labelledby=categories] > table th[scope=row]").all_inner_texts()
        assert categories == ["WORLD", "BUSINESS", "SPORT", "CULTURE", "SCIENCE"]
        agencies = seen.page.locator("section[aria-labelledby=agencies] tbody tr").all_inner_texts()
        assert [line.split() for line in agencies][:2] == [["AFP", "9"], ["Reuters", "7"]]
        assert "Save it as UTF-8." in seen.page.locator("section[aria-labelledby=problems]").inner_text()


def test_an_empty_edition_says_so(browser, empty):
    with opened(browser, empty) as seen:
        assert "There are no articles yet." in seen.page.locator("main").inner_text()


def test_the_same_edition_gives_the_same_page_in_little_time(large, tmp_path):
    row = Edition(**read_table(large, EDITIONS).to_pylist()[-1])
    for name in ("broadsheet.duckdb", "sources.parquet"):
        (tmp_path / name).symlink_to(large / name)
    started = time.process_time()
    page = front_page.write(tmp_path, row)
    assert time.process_time() - started < 1
    assert page.read_bytes() == (large / "front_page.html").read_bytes()


def test_a_slip_of_the_pen_does_not_empty_the_charts(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for number, moment in enumerate(("1970-01-01", "2020-03-01", "2020-03-02", "2199-01-01")):
        (source / f"{number}.md").write_text(seed_file(str(number), date=moment))
    edition = publish_edition(Settings(source=source, warehouse=tmp_path / "warehouse")).folder
    page = (edition / "front_page.html").read_text()
    assert "Articles a day from 3 December 2019 to 2 March 2020: 2 in all" in page
    assert "Articles of each week from 9 September 2019 to the week of 2 March 2020" in page


def test_the_scale_of_a_chart_is_round():
    assert [charts.scale([most]).ticks for most in (0, 1, 3, 7, 12)] == [
        (1,),
        (1,),
        (1, 2, 3),
        (2, 4, 6, 8),
        (5, 10, 15),
    ]
    assert charts.scale([118]) == (150, (50, 100, 150))
    assert charts.scale([999_999]).ticks == (500_000, 1_000_000)


def test_bars_fill_their_chart_from_the_left_and_can_be_seen():
    bars = charts.bars([0, 1, 1000], 1000, min_bars=4)
    assert [(bar.x, bar.height) for bar in bars] == [(2.5, 0), (27.5, 1), (52.5, 100)]
    assert charts.line([0, 500], 1000) == "3.57,100.00 10.71,50.00"


@pytest.mark.parametrize("count", [1, 2, 14, 18, 91])
def test_labels_stand_below_bars_and_apart(count):
    labels = charts.labels(count)
    places, spots = zip(*labels, strict=True)
    assert places[0] == 0
    assert places[-1] == count - 1 or count < 14
    assert all(later - earlier >= 20 for earlier, later in pairwise(spots))


def test_words_for_shares_and_ages():
    assert [share(part, 1000) for part in (0, 1, 333, 999, 1000)] == ["0 %", "1 %", "33 %", "99 %", "100 %"]
    assert [age(hours) for hours in (-3, 0.5, 1.2, 47.9, 48)] == [
        "ahead",
        "under an hour",
        "1 hour",
        "47 hours",
        "2 days",
    ]


@pytest.mark.parametrize(
    ("written", "tag"), [("en", "en"), ("pt-br", "pt-br"), ("english", ""), ('en" onload="', ""), (None, "")]
)
def test_only_a_language_tag_becomes_one(written, tag):
    assert language_tag(written) == tag
