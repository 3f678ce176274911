"""The front page of an edition: one HTML file that needs nothing else."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from flows.tables import Edition
from flows.warehouse.database import SQL, reading

FRONT_PAGE = "front_page.html"


def write(edition: Path, row: Edition) -> Path:
    """Write the page from the edition's database; whatever comes from articles is escaped."""
    with reading(edition) as connection:
        tables = {
            file.stem: _fetch(connection.execute(file.read_text()))
            for file in sorted((SQL / "front_page").glob("*.sql"))
        }
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
    )
    page = edition / FRONT_PAGE
    page.write_text(environment.get_template(FRONT_PAGE).render(edition=row, **tables), encoding="utf-8")
    return page


def _fetch(result: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in result.description]
    return [dict(zip(names, values, strict=True)) for values in result.fetchall()]
