"""Take the pictures in docs/ of a front page, the brief in Prefect's UI, and a terminal: `make pictures`."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Literal

import httpx
from playwright.sync_api import Browser, ViewportSize, sync_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from docs.example import ROOT, example_edition, newsroom
from tests.prefect_server import free_port

PICTURES = ROOT / "docs"
VIEWPORT: ViewportSize = {"width": 1100, "height": 1200}
UPPER = {"x": 0, "y": 0, "width": VIEWPORT["width"]}
COLUMNS = 100  # of the terminal
BIN = Path(sys.executable).parent
COMMANDS = (
    "broadsheet run",
    'broadsheet query "SELECT agency, images, articles FROM captions_by_agency LIMIT 3"',
    'broadsheet query "SELECT title, field, old_value, new_value FROM corrections"',
)


def front_page(browser: Browser, scheme: Literal["light", "dark"], picture: Path) -> None:
    """Take the upper part of the example edition's front page."""
    with example_edition() as edition:
        page = browser.new_page(viewport=VIEWPORT, color_scheme=scheme)
        page.goto((edition / "front_page.html").as_uri())
        page.screenshot(path=picture, clip={**UPPER, "height": 1070})


def brief(browser: Browser, picture: Path) -> None:
    """Take the brief of a run that published changes, in the UI of `broadsheet up`."""
    with newsroom() as folder, served(folder) as url:
        password = (folder / "data" / "prefect" / "password").read_text().strip()
        asked = {"artifacts": {"key": {"any_": ["brief"]}}}
        answer = httpx.post(f"{url}/api/artifacts/latest/filter", json=asked, auth=tuple(password.split(":")))
        (found,) = answer.raise_for_status().json()
        page = browser.new_page(viewport=VIEWPORT)
        page.goto(url)
        page.get_by_placeholder("admin:pass").fill(password)
        page.keyboard.press("Enter")
        page.get_by_text("Dashboard").first.wait_for(timeout=60_000)
        page.goto(f"{url}/artifacts/artifact/{found['latest_id']}")
        page.get_by_text("Rejected: 2").wait_for(timeout=60_000)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=picture, clip={**UPPER, "height": 710})


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Run `broadsheet up` in a newsroom, and yield its URL after the first run."""
    port = free_port()
    command = [BIN / "broadsheet", "up", "--port", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            if not any("First run completed" in line for line in process.stdout or ()):
                sys.exit("pictures: The first run of broadsheet up did not complete.")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate()


def terminal(browser: Browser, picture: Path) -> None:
    """Take the output of the commands in a terminal window."""
    page = browser.new_page()
    page.set_content(screen().export_svg(title="Broadsheet", theme=MONOKAI))
    page.locator("svg").screenshot(path=picture, omit_background=True)


def screen() -> Console:
    """Return a terminal with the commands and their output in a newsroom."""
    console = Console(width=COLUMNS, record=True, file=StringIO())
    with newsroom() as folder:
        for command in COMMANDS:
            console.print(Text.assemble(("$ ", "green"), (command, "bold")), soft_wrap=True)
            console.print(Text(f"{output_of(command, folder).rstrip()}\n"), soft_wrap=True)
    return console


def output_of(command: str, folder: Path) -> str:
    """Return the output of a command in a folder, on a terminal of COLUMNS."""
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": str(COLUMNS)}
    done = subprocess.run(shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def write_pictures() -> None:
    """Take all pictures again."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        front_page(browser, "light", PICTURES / "front_page.png")
        front_page(browser, "dark", PICTURES / "front_page_dark.png")
        terminal(browser, PICTURES / "terminal.png")
        brief(browser, PICTURES / "brief.png")
        browser.close()


if __name__ == "__main__":
    write_pictures()
