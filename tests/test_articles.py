"""One seed file, its rows: each file of fixtures/ is a readable pair of what is given and what is expected."""

import gc
import re
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from flows.articles.article import Reading, read_article
from tests.conftest import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
CASE = re.compile(
    r"(?:==== time zone: (?P<zone>\S+)\n)?==== (?P<escaped>escaped )?file: (?P<path>[^\n]+)\n(?P<file>.*?)==== expected\n(?P<expected>.*)",
    re.DOTALL,
)


def given_and_expected(fixture: Path) -> tuple[tuple[bytes, str, ZoneInfo], str]:
    """The two parts of a fixture: what read_article is given, and the YAML of what is expected."""
    match = CASE.fullmatch(fixture.read_text(encoding="utf-8"))
    assert match, f"{fixture} is not in the form of a case"
    text = match["file"]
    content = text.encode("ascii").decode("unicode_escape").encode("latin-1") if match["escaped"] else text.encode()
    return (content, match["path"], ZoneInfo(match["zone"] or "UTC")), match["expected"]


def read_case(fixture: Path) -> tuple[Reading, dict]:
    """What a fixture's file gives, and what is expected of it."""
    given, expected = given_and_expected(fixture)
    return read_article(*given), yaml.safe_load(expected)


def stated(row: tuple, expected: dict) -> dict:
    """The columns of a row that a case states."""
    values = {name: getattr(row, name) for name in expected}
    return {name: v.isoformat() if isinstance(v, date | datetime) else v for name, v in values.items()}


def rows_of_case(reading: Reading, table: str, wanted: list[dict]) -> list[tuple]:
    """The rows of a table; most cases have no date, and only those about dates state that problem."""
    stated_codes = {row.get("code") for row in wanted}
    rows = getattr(reading, table)
    return [row for row in rows if table != "problems" or row.code != "undated" or "undated" in stated_codes]


@pytest.mark.parametrize("fixture", sorted(FIXTURES.rglob("*.txt")), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_case(fixture: Path):
    reading, expected = read_case(fixture)
    found = {"status": reading.status}
    if "article" in expected:
        found["article"] = stated(reading.article, expected["article"]) if reading.article else None
    for table in ("images", "captions", "problems"):
        if table in expected:
            wanted = expected[table] or []
            rows = rows_of_case(reading, table, wanted)
            pairs = zip(rows, wanted + [{}] * (len(rows) - len(wanted)), strict=False)
            found[table] = [stated(row, want) if want else row for row, want in pairs]
            expected[table] = wanted
    assert found == expected


def test_there_are_enough_cases():
    assert len(list(FIXTURES.rglob("*.txt"))) >= 120


def test_reading_leaves_nothing_to_the_garbage_collector():
    """Workers switch it off."""
    cases = [given_and_expected(fixture)[0] for fixture in FIXTURES.rglob("*.txt")]
    gc.collect()
    for given in cases:
        read_article(*given)
    assert gc.collect() == 0
