"""Write the front page of an edition: one self-contained HTML file without scripts."""

import base64
import hashlib
import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.display import shortened
from flows.schema import Edition
from flows.warehouse.database import Config, fetch_dicts, open_database, with_retry
from flows.warehouse.ddl import SQL
from flows.warehouse.front_page import charts

MAX_TEXT_LENGTH = 200  # characters of a text from the database
FRONT_PAGE = "front_page.html"
FOLDER = Path(__file__).parent


def write(edition: Path, row: Edition) -> Path:
    """Write the page from the edition's database, and return its path. All text from articles is escaped."""
    results = with_retry(edition, partial(_run_queries, edition))
    style = (FOLDER / "page.css").read_text(encoding="utf-8")
    template = _environment().get_template("page.html")
    page = edition / FRONT_PAGE
    page.write_text(template.render(edition=row, style=style, style_hash=_csp_hash(style), **results), encoding="utf-8")
    return page


def _run_queries(edition: Path, config: Config) -> dict[str, list[dict[str, Any]]]:
    """Return the results of sql/front_page by the name of the query."""
    with open_database(edition, config, edition.parent) as connection:
        return {
            file.stem: _fetch(connection.execute(file.read_text()))
            for file in sorted((SQL / "front_page").glob("*.sql"))
        }


def _fetch(result: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    return [{name: _display(value) for name, value in row.items()} for row in fetch_dicts(result)]


def _display(value: Any) -> Any:
    """Return a value for display: text is shortened, with invisible characters escaped."""
    return shortened(value, MAX_TEXT_LENGTH) if isinstance(value, str) else value


def _environment() -> Environment:
    environment = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined)
    environment.trim_blocks = environment.lstrip_blocks = True
    environment.globals.update(charts=charts)
    environment.filters.update(number="{:,}".format, day=day, share=share, language_tag=language_tag, age=age)
    return environment


def _csp_hash(style: str) -> str:
    """Return the hash of a style for the content security policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}"


def day(value: date, form: str = "%-d %B %Y") -> str:
    """Format a day in English, such as 23 November 2026."""
    return value.strftime(form)


def share(part: int, whole: int) -> str:
    """Format a share in percent. It is 100 % or 0 % only for exactly all or none."""
    percent = 100 * part / whole if whole else 0
    return f"{percent:.0f} %" if percent in (0, 100) else f"{min(max(percent, 1), 99):.0f} %"


def language_tag(value: str | None) -> str:
    """Return a language tag that browsers and screen readers accept, or an empty one (unknown) for any other text."""
    return value if value and re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", value) else ""


def age(hours: float) -> str:
    """Format an age: in hours up to two days, then in days."""
    if hours < 0:
        return "ahead"
    if hours < 1:
        return "under an hour"
    amount, unit = (int(hours), "hour") if hours < 48 else (int(hours / 24), "day")
    return f"{amount:,} {unit}{'' if amount == 1 else 's'}"
