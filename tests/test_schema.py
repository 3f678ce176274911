"""Each column is declared once in schema.py: Arrow, DuckDB and the comments agree with it."""

import pyarrow.parquet as pq
import pytest

from flows.schema import TABLES, columns
from flows.warehouse.arrow import arrow_schema
from flows.warehouse.ddl import SQL
from tests.conftest import query
from tests.views_in_python import DUCKDB_TYPES

VIEWS = sorted(file.stem for file in (SQL / "views").glob("*.sql"))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_duckdb_has_the_declared_columns_with_their_comments(demo, table):
    found = query(
        demo,
        f"SELECT column_name, data_type, is_nullable, comment FROM duckdb_columns() WHERE table_name = '{table.name}' ORDER BY column_index",
    )
    assert found == [(c.name, DUCKDB_TYPES[c.type], c.nullable, c.description) for c in columns(table)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_parquet_has_the_declared_columns_with_their_descriptions(demo, table):
    file = next(demo.rglob(f"{table.name}.parquet"))
    found = pq.read_schema(file)
    assert [(f.name, f.type, f.nullable, f.metadata[b"description"]) for f in found] == [
        (f.name, f.type, f.nullable, f.metadata[b"description"]) for f in arrow_schema(table)
    ]


def test_every_table_view_and_column_has_a_comment(demo):
    assert query(demo, "FROM data_dictionary WHERE description IS NULL") == []
    assert query(demo, "SELECT table_name FROM duckdb_tables() WHERE comment IS NULL") == []
    assert query(demo, "SELECT view_name FROM duckdb_views() WHERE NOT internal AND comment IS NULL") == []


def test_the_dictionary_lists_every_table_and_view(demo):
    listed = {name for (name,) in query(demo, "SELECT DISTINCT table_name FROM data_dictionary")}
    assert listed == {*(table.name for table in TABLES), *VIEWS}


def test_only_types_that_every_bi_tool_takes(demo):
    types = {kind for (kind,) in query(demo, "SELECT DISTINCT data_type FROM data_dictionary")}
    assert types <= set(DUCKDB_TYPES.values())
