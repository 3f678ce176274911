"""The documentation matches the code: generated tables, settings, limits, pictures and permissions."""

import os
import re
import tempfile

import pytest

from docs.write_pictures import COLUMNS, COMMANDS, screen
from docs.write_tables import KEYS, PAGE, REFERENCES, page
from flows import artifacts
from flows.articles import lengths
from flows.articles.front_matter.reader import MAX_FRONT_MATTER
from flows.articles.markdown import captions, figures
from flows.cli import explain
from flows.cli.query import formats
from flows.schema import TABLES
from flows.settings import Settings
from flows.source.listing import MAX_FILE_BYTES
from flows.warehouse import front_page
from tests.conftest import ROOT, Publish, query

PAGES = sorted((ROOT / "docs").glob("*.md"))


def test_tables_page_is_up_to_date():
    assert PAGE.read_text() == page(), "docs/tables.md is stale; run: make docs"


@pytest.mark.parametrize(("table", "key"), KEYS.items())
def test_documented_key_is_unique_and_never_null(demo, table, key):
    ((rows, keys),) = query(demo, f"SELECT count(*), count(DISTINCT {key}) FROM {table}")
    assert rows == keys > 0


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda one: f"{one.table}.{one.column}")
def test_documented_reference_has_no_orphans(demo, reference):
    orphans = query(demo, f"FROM {reference.table} ANTI JOIN {reference.to} USING ({reference.column})")
    assert orphans == []


def test_diagram_has_every_table():
    diagram = PAGE.read_text().split("```")[1]
    assert all(f"{table} {{" in diagram for table in KEYS)


def documented_default(default: object) -> list[str]:
    """Return the values in code format that the README shows for a default; a default of None has none."""
    values = default if isinstance(default, tuple) else () if default is None else (default,)
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values]


def test_readme_lists_every_setting_with_its_default():
    rows = re.findall(r"^\| `BROADSHEET_(\w+)` \| (.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    listed = {name.lower(): re.findall(r"`([^`]*)`", default) for name, default in rows}
    assert listed == {name: documented_default(field.default) for name, field in Settings.model_fields.items()}


def test_readme_lists_every_table_and_view():
    rows = re.findall(r"^\| (tables|views) \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    listed = {kind: set(re.findall(r"`(\w+)`", names)) for kind, names in rows}
    views = {file.stem for file in (ROOT / "sql" / "views").glob("*.sql")}
    assert listed == {"tables": {table.name for table in TABLES}, "views": views}


@pytest.mark.parametrize(
    "page", ["CONTRIBUTING.md", "README.md", "SECURITY.md", *(f"docs/{page.name}" for page in PAGES)]
)
def test_links_between_files_lead_to_a_file_and_a_heading(page):
    text = re.sub(r"(`+)(?!`).+?\1", "", (ROOT / page).read_text())  # without code
    targets = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text)
    for path, anchor in targets:
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), path
        headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE) if anchor else []
        slugs = [re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings]
        assert not anchor or anchor in slugs, f"{path}#{anchor}"


def test_readme_pictures_exist_have_alt_text_and_are_small():
    shown = re.findall(r'<img src="(docs/\w+\.png)" alt="[^"]{40,}">', (ROOT / "README.md").read_text())
    assert len(shown) == 3
    assert {ROOT / name for name in shown} <= set((ROOT / "docs").glob("*.png"))
    assert all(picture.stat().st_size < 150_000 for picture in (ROOT / "docs").glob("*.png"))


def test_terminal_picture_shows_real_output_and_no_local_paths():
    text = screen().export_text()
    assert all(f"$ {command}" in text for command in COMMANDS)
    assert re.search(r"corrected +1\n", text)
    assert re.search(r"Ferries return to Lake Kisiri after two silent years │ category │ TRAVEL +│ WORLD ", text)
    assert all(len(line) <= COLUMNS for line in text.splitlines())
    assert not [place for place in (str(ROOT), tempfile.gettempdir()) if place in text]


def test_documented_limits_match_the_code():
    text = (ROOT / "SECURITY.md").read_text()
    limits = dict(re.findall(r"^\| ([^|]+?) \| ([\d,]+)(?: \w+)? \| [^|]+ \|$", text, re.MULTILINE))
    assert limits == {
        "a seed file": f"{MAX_FILE_BYTES:,}",
        "front matter": f"{MAX_FRONT_MATTER:,}",
        "images per article": f"{figures.MAX_IMAGES:,}",
        "captions per image": f"{captions.MAX_CAPTIONS:,}",
        "a title": f"{lengths.MAX_LENGTHS['title']:,}",
        "a caption, alt text or URL": f"{lengths.MAX_TEXT:,}",
        "an identity (`code`, `id`)": f"{lengths.MAX_LENGTHS['identity']:,}",
        "size of an article's rows, relative to its file (plus 2,000,000 bytes)": str(lengths.MAX_GROWTH),
        "a query": f"{Settings.model_fields['timeout'].default:g}",
        "text on the front page, in the brief, or in a Prefect table": str(artifacts.MAX_TEXT_LENGTH),
        "a value in `broadsheet explain`": str(explain.MAX_TEXT_LENGTH),
        "rows in a table of `broadsheet query`": str(formats.MAX_TABLE_ROWS),
    }
    assert front_page.MAX_TEXT_LENGTH == artifacts.MAX_TEXT_LENGTH


@pytest.mark.parametrize(("umask", "permissions"), [(0o022, 0o755), (0o027, 0o750)])
def test_umask_sets_the_permissions_of_an_edition(publish: Publish, seeds, umask, permissions):
    previous_umask = os.umask(umask)
    try:
        edition = publish().folder
    finally:
        os.umask(previous_umask)
    folders = [edition, *edition.parents[:2], *(place for place in edition.rglob("*") if place.is_dir())]
    assert {folder.stat().st_mode & 0o777 for folder in folders} == {permissions}
