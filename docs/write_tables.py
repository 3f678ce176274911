"""Write docs/tables.md from flows/schema.py, sql/views/ and an edition of seeds/: `make docs`."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import duckdb

from docs.example import ROOT, example_edition
from flows.schema import TABLES, Table, columns
from flows.warehouse.database import SQL, open_database

PAGE = ROOT / "docs" / "tables.md"
MAX_EXAMPLE_LENGTH = 56  # characters


class Reference(NamedTuple):
    """A column whose values are keys of another table; `verb` and Mermaid's `mark` describe the relation from there."""

    table: str
    column: str
    to: str
    verb: str
    mark: str = "||--o{"


KEYS = {
    "articles": "article_id",
    "images": "image_id",
    "captions": "caption_id",
    "sources": "source_path",
    "editions": "edition_id",
}
REFERENCES = (
    Reference("images", "article_id", "articles", "shows"),
    Reference("captions", "image_id", "images", "has"),
    Reference("captions", "article_id", "articles", "has"),
    Reference("articles", "source_path", "sources", "contains", "||--o|"),
    Reference("problems", "source_path", "sources", "has"),
    Reference("changes", "edition_id", "editions", "records"),
)

HEAD = """\
# Tables and views

`make docs` generates this page from `flows/schema.py` and `sql/views/`. The examples are from an edition of `seeds/`.
The same descriptions are available as comments in DuckDB (`FROM data_dictionary`) and, for tables, as field metadata in
Parquet.

Empty text is stored as null. Timestamps are in UTC, and dates are in the edition's time zone. Line and column numbers
start at 1. The column “term” shows the corresponding term of schema.org (NewsArticle and ImageObject) or of IPTC photo
metadata.

## Relationships

"""


def page() -> str:
    """Return the text of docs/tables.md."""
    with example_edition() as folder, open_database(folder) as edition:
        described = _described(edition)
        tables = [_table(edition, table, described[table.name]) for table in TABLES]
        views = [_view(edition, file.stem, described[file.stem]) for file in sorted((SQL / "views").glob("*.sql"))]
        return HEAD + "\n".join([_diagram(described), "## Tables\n", *tables, "## Views\n", *views])


class Described(NamedTuple):
    """A column, as described in the data dictionary."""

    name: str
    type: str
    description: str


def _described(edition: duckdb.DuckDBPyConnection) -> dict[str, list[Described]]:
    found: dict[str, list[Described]] = {}
    for table, name, type_, description in edition.table("data_dictionary").fetchall():
        found.setdefault(table, []).append(Described(name, type_.replace(" WITH TIME ZONE", "TZ"), description))
    return found


def _diagram(described: dict[str, list[Described]]) -> str:
    lines = [f"    {to} {mark} {table} : {verb}" for table, _, to, verb, mark in REFERENCES]
    for table in TABLES:
        marks = {reference.column: "FK" for reference in REFERENCES if reference.table == table.name}
        marks |= {KEYS[table.name]: "PK"} if table.name in KEYS else {}
        keys = [column for column in described[table.name] if column.name in marks]
        lines += [f"    {table.name} {{", *(f"        {c.type} {c.name} {marks[c.name]}" for c in keys), "    }"]
    return "\n".join(["```mermaid", "erDiagram", *lines, "```\n"])


def _table(edition: duckdb.DuckDBPyConnection, table: Table, described: Sequence[Described]) -> str:
    rows = edition.table(table.name).fetchall()
    example = min(rows, key=lambda row: row.count(None))  # the first row with the fewest nulls
    nullable = {column.name: column.nullable for column in columns(table)}
    lines = [
        (f"`{c.name}`", c.type + ", null" * nullable[c.name], *_term(c), _shown(c.name, value))
        for c, value in zip(described, example, strict=True)
    ]
    grid = _grid(("column", "type", "description", "term", "example"), lines)
    return f"### {table.name}\n\n{table.description} {_place(table)}\n\n{grid}"


def _place(table: Table) -> str:
    key = f" Key: `{KEYS[table.name]}`." if table.name in KEYS else ""
    to = [f" Each `{one.column}` is in `{one.to}`." for one in REFERENCES if one.table == table.name]
    file = f"{table.name}/2026-11/{table.name}.parquet" if table.by_month else f"{table.name}.parquet"
    return f"In Parquet `{file}`, sorted by {', '.join(f'`{name}`' for name in table.sort)}.{key}{''.join(to)}"


def _view(edition: duckdb.DuckDBPyConnection, name: str, described: Sequence[Described]) -> str:
    text = (SQL / "views" / f"{name}.sql").read_text()
    description = text.splitlines()[0].removeprefix("-- ")
    meanings = _grid(("column", "type", "description"), [(f"`{c.name}`", c.type, c.description) for c in described])
    rows = edition.table(name).limit(3).fetchall()
    names = [column.name for column in described]
    shown = [[_shown(column, value) for column, value in zip(names, row, strict=True)] for row in rows]
    answer = f"\nThe first rows:\n\n{_grid(names, shown)}" if shown else ""
    return f"### {name}\n\n{description} [`{name}.sql`](../sql/views/{name}.sql)\n\n{meanings}{answer}"


def _term(column: Described) -> tuple[str, str]:
    """Return a description without the term at its end, and the term."""
    found = re.fullmatch(r"(.*?) \(((?:schema\.org|IPTC) [^)]*)\)\.", column.description)
    return (f"{found[1].removesuffix('.')}.", found[2]) if found else (column.description, "")


_PLAIN: dict[type, Callable[[Any], str]] = {
    datetime: lambda value: value.isoformat(" ", "seconds").replace("+00:00", "Z"),
    bool: lambda value: str(value).lower(),
    float: lambda value: f"{value:.4g}",
}


def _shown(column: str, value: Any) -> str:
    """Return an example, short and as code; the duration of a run is fixed."""
    if value is None:
        return ""
    text = "0.2" if column == "seconds" else " ".join(_PLAIN.get(type(value), str)(value).split())
    short = text if len(text) <= MAX_EXAMPLE_LENGTH else text[: MAX_EXAMPLE_LENGTH - 1] + "…"
    return f"`{short}`"


def _grid(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = [names, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    head, *body = [f"| {' | '.join(line)} |\n" for line in cells]
    return "".join([head, "|---" * len(names) + "|\n", *body])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
