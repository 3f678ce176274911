"""Editions whose front pages are large, hostile, endless or empty, and how a browser opens a page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page

from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.conftest import SEEDS, seed_file
from tests.generated import write_source

SCRIPT = "<script>alert(1)</script>"
HOSTILE = '"><img src=x onerror=alert(1)>'
HIDDEN = "red\x1b[31m\x9b \u202egnp.exe\u2066 \u200b \U000e0041"
ESCAPED = r"red\x1b[31m\x9b \u202egnp.exe\u2066 \u200b \U000e0041"


def large_edition(folder: Path) -> Path:
    """Publish ten thousand articles; the title of the latest one is a script."""
    write_source(folder / "source", 10_000)
    (folder / "source" / "script.md").write_text(seed_file("SCRIPT", title=SCRIPT, date="2026-11-21T05:00:00Z"))
    return publish_edition(Settings(source=folder / "source", warehouse=folder / "warehouse")).folder


def hostile_edition(folder: Path) -> Path:
    """Publish texts that are markup or too long in every field, with a correction and a withdrawal."""
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


def endless_edition(folder: Path) -> Path:
    """Publish texts that are a megabyte each or invisible, with corrections and withdrawals."""
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


def empty_edition(folder: Path) -> Path:
    """Publish an edition without articles."""
    (folder / "source").mkdir()
    (folder / "source" / "draft.md").write_text("---\ntitle: A draft\ndraft: true\n---\n")
    return publish_edition(Settings(source=folder / "source", warehouse=folder / "warehouse")).folder


class OpenedPage(NamedTuple):
    """A page, with its console messages, errors and dialogs, and the addresses that it requested."""

    page: Page
    messages: list[str]
    requests: list[str]


@contextmanager
def open_page(browser: Browser, edition: Path, width: int = 1280, scheme: Any = "light") -> Iterator[OpenedPage]:
    """Open the front page of an edition, with all details unfolded."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    opened = OpenedPage(context.new_page(), [], [])
    opened.page.on("console", lambda message: opened.messages.append(message.text))
    opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
    opened.page.on("dialog", lambda dialog: opened.messages.append(dialog.message))
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.goto((edition / "front_page.html").as_uri())
    opened.page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    yield opened
    context.close()
