"""Each check of sql/checks finds its error in an edition, and finds nothing in a correct one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from flows.errors import CheckError
from flows.schema import CONTENT, TABLES, Table
from flows.warehouse import checks
from flows.warehouse.ddl import SQL
from flows.warehouse.parquet import month_files, table_file

ERRORS = {
    "keys_are_unique": "INSERT INTO articles FROM articles LIMIT 1",
    "no_orphans": "DELETE FROM images WHERE position = 1",
    "every_file_is_accounted_for": "DELETE FROM problems WHERE severity = 'rejected'",
    "counts_match_rows": "UPDATE articles SET image_count = 99 WHERE article_id = 'ART2611031140G1WBP6'",
    "parquet_equals_duckdb": "UPDATE articles SET title = 'Forged' WHERE article_id = 'ART2611031140G1WBP6'",
}
FILES = 28  # in seeds/
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


@pytest.fixture
def edition(demo: Path, tmp_path: Path) -> Path:
    """Return a copy of the edition of seeds/ that can be changed."""
    copy = Path(shutil.copytree(demo, tmp_path / "edition"))
    for file in copy.rglob("*.*"):
        file.chmod(0o644 if file.is_file() else 0o755)
    return copy


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that leaves only one of the checks."""

    def leave_only(check: str) -> None:
        folder = tmp_path / "sql" / "checks"
        folder.mkdir(parents=True)
        shutil.copy(SQL / "checks" / f"{check}.sql", folder)
        monkeypatch.setattr(checks, "SQL", tmp_path / "sql")

    return leave_only


def execute(edition: Path, sql: str) -> None:
    with duckdb.connect(edition / "broadsheet.duckdb") as connection:
        connection.execute(sql)


def files_of(edition: Path, table: Table) -> list[Path]:
    return month_files(edition, table) if table.by_month else [table_file(edition, table)]


def test_a_correct_edition_passes_all_checks(demo):
    checks.run_checks(demo, FILES)


def test_every_check_is_tested_with_an_error():
    assert {file.stem for file in (SQL / "checks").glob("*.sql")} == set(ERRORS)


@pytest.mark.parametrize("check", ERRORS)
def test_a_check_finds_its_error(edition, only, check):
    execute(edition, ERRORS[check])
    only(check)
    with pytest.raises(CheckError, match=f"^The check {check} failed; its first row is "):
        checks.run_checks(edition, FILES)


@each_table
def test_a_row_that_is_missing_in_duckdb_is_found_in_each_table(edition, only, table):
    execute(edition, f"DELETE FROM {table.name} WHERE rowid = (SELECT min(rowid) FROM {table.name})")
    only("parquet_equals_duckdb")
    with pytest.raises(CheckError, match=f"'{table.name}"):
        checks.run_checks(edition, FILES)


@each_table
def test_a_value_that_differs_in_duckdb_is_found_in_each_table(edition, only, table):
    column = table.sort[0]
    execute(edition, f"UPDATE {table.name} SET {column} = {column} || 'x' WHERE rowid = 0")
    only("parquet_equals_duckdb")
    with pytest.raises(CheckError, match=rf"\('{table.name}', \['duckdb: (\d+) rows', 'parquet: \1 rows'\]\)"):
        checks.run_checks(edition, FILES)


@each_table
def test_a_row_that_is_missing_in_parquet_is_found_in_each_table(edition, only, table):
    file = files_of(edition, table)[0]
    pq.write_table(pq.ParquetFile(file).read().slice(1), file)
    only("parquet_equals_duckdb")
    with pytest.raises(CheckError, match=f"'{table.name}"):
        checks.run_checks(edition, FILES)


@each_table
def test_a_value_that_differs_in_parquet_is_found_in_each_table(edition, only, table):
    file = files_of(edition, table)[0]
    rows = pq.ParquetFile(file).read()
    index = rows.schema.get_field_index(table.sort[0])
    values = [f"{value}x" for value in rows.column(index).to_pylist()]
    pq.write_table(rows.set_column(index, rows.schema.field(index), [values]), file)
    only("parquet_equals_duckdb")
    with pytest.raises(CheckError, match=rf"\('{table.name}', \['duckdb: (\d+) rows', 'parquet: \1 rows'\]\)"):
        checks.run_checks(edition, FILES)


@pytest.mark.parametrize("table", CONTENT, ids=lambda table: table.name)
def test_other_months_than_the_given_ones_are_compared_by_their_number_of_rows(edition, only, table):
    october, november = month_files(edition, table)
    rows = pq.ParquetFile(october).read()
    index = rows.schema.get_field_index(table.sort[0])
    forged = rows.set_column(index, rows.schema.field(index), [["forged"] * rows.num_rows])
    only("parquet_equals_duckdb")
    pq.write_table(forged, october)
    checks.run_checks(edition, FILES, [november.parent.name])
    checks.run_checks(edition, FILES, [])
    with pytest.raises(CheckError, match=rf"\('{table.name}', "):
        checks.run_checks(edition, FILES, [october.parent.name])
    pq.write_table(forged.slice(1), october)
    with pytest.raises(CheckError, match=f"'{table.name}, all months'"):
        checks.run_checks(edition, FILES, [november.parent.name])
