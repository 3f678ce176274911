"""The front page in a browser: wide and narrow, light and dark, printed, and for screen readers."""

import re
import time
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from flows.schema import EDITIONS, Edition
from flows.warehouse import front_page
from flows.warehouse.parquet import read_table
from tests.front_pages import SCRIPT, empty_edition, hostile_edition, large_edition, open_page


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return large_edition(tmp_path_factory.mktemp("large"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_edition(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_edition(tmp_path_factory.mktemp("empty"))


@pytest.fixture
def edition(request: pytest.FixtureRequest) -> Path:
    """Return the edition of the fixture that a test's parameter names."""
    return request.getfixturevalue(request.param)


each_edition = pytest.mark.parametrize("edition", ["demo", "large", "hostile", "empty"], indirect=True)


@each_edition
def test_a_page_logs_nothing_and_requests_nothing(browser, edition):
    with open_page(browser, edition) as opened:
        opened.page.wait_for_load_state("networkidle")
        assert opened.messages == []
        assert opened.requests == [(edition / "front_page.html").as_uri()]


@pytest.mark.parametrize("edition", ["demo", "large", "hostile"], indirect=True)
def test_charts_are_visible_and_have_labels_for_screen_readers(browser, edition):
    with open_page(browser, edition) as opened:
        found = opened.page.locator("svg[role=img]").all()
        assert len(found) >= 2
        for chart in found:
            assert re.search(r"\d", chart.get_attribute("aria-label"))
            box = chart.bounding_box()
            assert box["width"] > 50
            assert box["height"] > 10
            assert chart.locator("rect.bar").count() >= 1


@each_edition
def test_a_narrow_screen_needs_no_horizontal_scrolling(browser, edition):
    with open_page(browser, edition, 390) as opened:
        for width in (390, 320, 768):
            opened.page.set_viewport_size({"width": width, "height": 800})
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


@each_edition
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.slow
def test_axe_finds_nothing_serious(browser, edition, scheme):
    with open_page(browser, edition, 390, scheme) as opened:
        found = Axe().run(opened.page).response["violations"]
    assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_have_enough_contrast(browser, demo, scheme):
    with open_page(browser, demo, scheme=scheme) as opened:
        paper = color(opened.page, "body", "backgroundColor")
        assert luminance(paper) < 0.1 if scheme == "dark" else luminance(paper) > 0.8
        assert contrast(color(opened.page, ".days text", "fill"), paper) >= 4.5
        assert contrast(color(opened.page, ".days .bar", "fill"), paper) >= 3
        assert contrast(color(opened.page, ".days .mean", "stroke"), paper) >= 3


def color(page: Page, selector: str, name: str) -> tuple[float, ...]:
    """Return a color as red, green and blue from 0 to 1."""
    text = page.locator(selector).first.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return tuple(int(part) / 255 for part in re.findall(r"\d+", text)[:3])


def luminance(rgb: tuple[float, ...]) -> float:
    """Return the relative luminance of WCAG 2."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_a_script_in_a_title_is_text(browser, large):
    with open_page(browser, large) as opened:
        assert opened.page.locator("#latest + ul .title").first.inner_text() == SCRIPT
        assert opened.page.locator("script").count() == 0


def test_a_title_has_its_direction_and_language(browser, large, hostile):
    with open_page(browser, hostile) as opened:
        gone = opened.page.locator("#withdrawals + ul .title").first
        assert gone.evaluate("element => getComputedStyle(element).direction") == "rtl"
    with open_page(browser, large) as opened:
        titles = opened.page.locator("#latest + ul .title").all()[1:]
        assert all(re.fullmatch("[a-z]{2}(-br)?", title.get_attribute("lang")) for title in titles)


@pytest.mark.parametrize("size", [13, 16, 24])
def test_days_are_labelled_below_the_chart_at_any_font_size(browser, demo, size):
    with open_page(browser, demo, 390) as opened:
        opened.page.evaluate("size => document.documentElement.style.fontSize = `${size}px`", size)
        chart, base = (opened.page.locator(part).bounding_box() for part in ("svg.days", ".days .base"))
        names = [name.bounding_box() for name in opened.page.locator(".days > text").all()]
        assert len(names) >= 2
        assert all(name["y"] >= base["y"] for name in names)
        assert all(name["y"] + name["height"] <= chart["y"] + chart["height"] for name in names)


def test_print_has_small_tables_side_by_side_and_no_folded_details(browser, demo):
    with open_page(browser, demo) as opened:
        opened.page.emulate_media(media="print")
        opened.page.set_viewport_size({"width": 680, "height": 960})  # A4 with margins
        columns = opened.page.locator(".columns").last.locator("section").all()
        assert len({column.bounding_box()["y"] for column in columns}) == 1
        assert opened.page.locator("summary").first.is_hidden()


def test_print_is_dark_on_white(browser, demo):
    with open_page(browser, demo, scheme="dark") as opened:
        opened.page.emulate_media(media="print", color_scheme="dark")
        assert color(opened.page, "body", "backgroundColor") == (1, 1, 1)
        assert color(opened.page, "body", "color") == (0, 0, 0)


def test_the_page_shows_the_numbers_of_the_edition(browser, demo):
    with open_page(browser, demo) as opened:
        counts = dict(zip(opened.page.locator(".counts dt").all_inner_texts(), opened.page.locator(".counts dd").all_inner_texts(), strict=True))  # fmt: skip
        assert counts == {
            "articles": "24", "added": "24", "corrected": "0", "withdrawn": "0", "images": "50", "captions": "30",
            "files rejected": "2",
        }  # fmt: skip
        days = opened.page.locator("svg.days").get_attribute("aria-label")
        assert days == (
            "Articles a day from 24 October 2026 to 10 November 2026: 24 in all, most on 30 October 2026 with 3,"
            " none on 2 days."
        )
        categories = opened.page.locator("section[aria-labelledby=categories] > table th[scope=row]").all_inner_texts()
        assert categories == ["WORLD", "BUSINESS", "SPORT", "CULTURE", "SCIENCE"]
        agencies = opened.page.locator("section[aria-labelledby=agencies] tbody tr").all_inner_texts()
        assert [line.split() for line in agencies][:2] == [["AFP", "9"], ["Reuters", "7"]]
        assert "Save the file as UTF-8." in opened.page.locator("section[aria-labelledby=problems]").inner_text()


def test_an_empty_edition_says_that_it_has_no_articles(browser, empty):
    with open_page(browser, empty) as opened:
        assert "No articles yet." in opened.page.locator("main").inner_text()


def test_the_same_edition_has_the_same_page_within_a_second(large, tmp_path):
    row = Edition(**read_table(large, EDITIONS).to_pylist()[-1])
    for name in ("broadsheet.duckdb", "sources.parquet"):
        (tmp_path / name).symlink_to(large / name)
    started = time.process_time()
    page = front_page.write(tmp_path, row)
    assert time.process_time() - started < 1
    assert page.read_bytes() == (large / "front_page.html").read_bytes()
