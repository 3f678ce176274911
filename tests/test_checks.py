"""Each check of sql/checks finds the fault that it is there for."""

import shutil

import duckdb
import pytest

from flows.errors import RunError
from flows.warehouse.checks import run_checks
from flows.warehouse.ddl import SQL

FAULTS = {
    "keys_are_unique": "INSERT INTO articles FROM articles LIMIT 1",
    "no_orphans": "DELETE FROM images WHERE position = 1",
    "every_file_is_accounted_for": "DELETE FROM problems WHERE severity = 'rejected'",
    "counts_match_rows": "UPDATE articles SET image_count = 99 WHERE article_id = 'ART2611031140G1WBP6'",
    "parquet_equals_duckdb": "UPDATE articles SET title = 'Forged' WHERE article_id = 'ART2611031140G1WBP6'",
}


def test_a_sound_edition_passes(demo):
    run_checks(demo, 28)


def test_every_check_has_a_fault():
    assert {file.stem for file in (SQL / "checks").glob("*.sql")} == set(FAULTS)


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_found(demo, tmp_path, check, monkeypatch):
    edition = shutil.copytree(demo, tmp_path / "edition")
    (edition / "broadsheet.duckdb").chmod(0o644)
    with duckdb.connect(edition / "broadsheet.duckdb") as connection:
        connection.execute(FAULTS[check])
    alone = tmp_path / "sql" / "checks"
    alone.mkdir(parents=True)
    shutil.copy(SQL / "checks" / f"{check}.sql", alone)
    monkeypatch.setattr("flows.warehouse.checks.SQL", tmp_path / "sql")
    with pytest.raises(RunError, match=f"The check {check} failed"):
        run_checks(edition, 28)
