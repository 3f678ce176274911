"""Writes docs/front_page.png and its dark twin, as Chromium shows the example edition: `make pictures`."""

import os
import shutil

from playwright.sync_api import sync_playwright

from docs.write_tables import ROOT, example_edition

PICTURES = {"light": ROOT / "docs" / "front_page.png", "dark": ROOT / "docs" / "front_page_dark.png"}
SIZE = {"width": 1100, "height": 1240}


def write_pictures() -> None:
    """The page's upper part, by day and by night."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with example_edition() as edition, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for scheme, picture in PICTURES.items():
            page = browser.new_page(viewport=SIZE, color_scheme=scheme)
            page.goto((edition / "front_page.html").as_uri())
            page.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    write_pictures()
