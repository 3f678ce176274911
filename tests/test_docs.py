"""docs/tables.md is what `make docs` writes, and the keys that it names are keys."""

import pytest

from docs.write_tables import KEYS, PAGE, REFERENCES, page
from tests.conftest import query


def test_the_page_of_tables_is_up_to_date():
    assert PAGE.read_text() == page(), "docs/tables.md is stale; run: make docs"


@pytest.mark.parametrize(("table", "key"), KEYS.items())
def test_a_key_is_on_every_row_and_on_one_only(demo, table, key):
    ((rows, keys),) = query(demo, f"SELECT count(*), count(DISTINCT {key}) FROM {table}")
    assert rows == keys > 0


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda one: f"{one.table}.{one.column}")
def test_a_reference_finds_its_row(demo, reference):
    lost = query(demo, f"FROM {reference.table} ANTI JOIN {reference.to} USING ({reference.column})")
    assert lost == []


def test_the_diagram_names_every_table():
    diagram = PAGE.read_text().split("```")[1]
    assert all(f"{table} {{" in diagram for table in KEYS)
