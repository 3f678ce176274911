"""Each row of docs/conventions.md is read as its last column says."""

import re
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from flows.articles.article import Reading, read_article
from tests.conftest import ROOT

TEXT = (ROOT / "docs" / "conventions.md").read_text()
ROW = re.compile(r"\| ([^|]+) \| (front matter|path|body) \| (`+)(.+?)\3 \| `([a-z_.]+)` (.+) \|")
UTC = ZoneInfo("UTC")


class Row(NamedTuple):
    """An example, and the value of a column that it gives."""

    tool: str
    where: str
    written: str
    column: str
    value: str


def rows() -> list[Row]:
    found = [ROW.fullmatch(line) for line in TEXT.splitlines() if line.startswith("| ")]
    return [Row(m[1], m[2], m[4].replace("↵", "\n").replace("\\|", "|"), m[5], m[6]) for m in found if m]


def read(row: Row) -> Reading:
    front = row.written if row.where == "front matter" else "layout: post"
    body = row.written if row.where == "body" else "Text."
    path = row.written if row.where == "path" else "posts/a.md"
    return read_article(f"---\ntitle: A title\n{front}\n---\n\n{body}\n".encode(), path, UTC)


def values(reading: Reading, column: str) -> list[str]:
    table, _, name = column.rpartition(".")
    if column == "status":
        return [reading.status]
    if column == "problem":
        return [row.code for row in reading.problems]
    of = {"": [reading.article], "image": reading.images, "caption": reading.captions}[table]
    return [str(getattr(row, name)) for row in of]


def test_every_row_is_an_example():
    lines = [line for line in TEXT.splitlines() if line.startswith("| ")]
    assert len(rows()) == len(lines) - 1  # without the heading
    assert len(rows()) > 50


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.tool}: {row.written[:40]}")
def test_an_example_is_read_as_documented(row):
    reading = read(row)
    assert row.value in values(reading, row.column)
    assert len(reading.images) <= 1
