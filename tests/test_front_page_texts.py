"""Texts on the front page that are markup, endless or invisible."""

import unicodedata
from pathlib import Path

import pytest

from tests.front_pages import ESCAPED, HOSTILE, SCRIPT, endless_edition, hostile_edition, open_page


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_edition(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return endless_edition(tmp_path_factory.mktemp("endless"))


def test_text_of_articles_never_becomes_markup(browser, hostile):
    with open_page(browser, hostile) as opened:
        assert opened.page.locator("script, img, iframe, object, [onerror], [onload]").count() == 0
        text = opened.page.locator("main").inner_text()
        assert HOSTILE.upper() in text
        assert SCRIPT in opened.page.locator("#corrections + ul del").all_inner_texts()
        assert SCRIPT in opened.page.locator("#withdrawals + ul").inner_text()


def test_endless_texts_make_a_page_of_usual_size(browser, endless, demo):
    usual = (demo / "front_page.html").stat().st_size
    assert (endless / "front_page.html").stat().st_size < usual + 50_000
    for width in (1280, 390):
        with open_page(browser, endless, width) as opened:
            height = opened.page.evaluate("document.documentElement.scrollHeight")
            assert height < 12_000
            assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
            assert "…" in opened.page.locator("#latest + ul").inner_text()


def test_invisible_characters_are_escaped(browser, endless):
    page = (endless / "front_page.html").read_text()
    assert not [c for c in page if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\n"]
    with open_page(browser, endless) as opened:
        titles = opened.page.locator("#latest + ul .title").all_inner_texts()
        assert ESCAPED in titles
        assert f"{ESCAPED}.md" in opened.page.locator("section[aria-labelledby=problems]").inner_text()
