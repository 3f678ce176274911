"""Read the editions of an older release, and upgrade them to the current layout with the next run."""

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.pipeline import run
from flows.pipeline.plan import Plan
from flows.pipeline.run import Report, publish_edition
from flows.pipeline.verify import verify_edition
from flows.schema import SCHEMA_VERSION
from flows.settings import Settings
from flows.warehouse.editions import roll_back
from tests.conftest import query, rows_of, run_broadsheet, seed_file
from tests.older_editions import CHANGED_TABLES, SCHEMA_1, changed_tables, unpack_edition
from tests.runners import Replacing

LATER_IN_ITS_MONTH, IN_A_LATER_MONTH = "20261010T030000Z", "20261110T030000Z"
LEDGER = "FROM changes ORDER BY ALL"


@pytest.fixture
def older(tmp_path: Path) -> Settings:
    """Return settings with a source, and a warehouse whose current edition has schema 1."""
    source, warehouse = unpack_edition(tmp_path)
    roll_back(warehouse, SCHEMA_1)
    return Settings(source=source, warehouse=warehouse)


def publish(settings: Settings, edition_id: str) -> Report:
    """Publish an edition with the given id."""

    def extract(settings: Settings, distributed: bool) -> Plan:
        plan = run.extract(settings, distributed)
        return replace(plan, edition_id=edition_id, folder=plan.folder.with_name(edition_id))

    return publish_edition(settings, Replacing(extract=extract))


def current(settings: Settings) -> Path:
    return (settings.warehouse / "current").resolve()


def parquet_of(edition: Path) -> dict[str, bytes]:
    """Return the bytes of each Parquet file that depends on the seed files alone."""
    names = ("articles", "images", "captions", "problems")
    return {
        file.relative_to(edition).as_posix(): file.read_bytes()
        for file in edition.rglob("*.parquet")
        if file.stem in names
    }


def change_everything(source: Path) -> None:
    """Correct a dated and an undated article, withdraw one, add one, and restore one."""
    for name in ("bridge.md", "garden.md"):
        (source / name).write_text((source / name).read_text().replace("category: WORLD", "category: CULTURE"))
    (source / "ferry.md").unlink()
    (source / "new.md").write_text(seed_file("NEW", date="2026-11-06"))
    (source / "market.md").write_text(seed_file("MARKET", date="2026-09-20"))


def require_ledger(edition: Path, before: list[tuple]) -> None:
    """Require that an edition has the ledger of the previous edition, once, in its database and in its Parquet."""
    assert query(edition, f"FROM changes WHERE edition_id <> '{edition.name}' ORDER BY ALL") == before
    files = sorted((edition / "changes").glob("*/changes.parquet"))
    assert sum(pq.read_metadata(file).num_rows for file in files) == len(query(edition, LEDGER))


def require_upgraded(edition: Path, ledger_before: list[tuple], settings: Settings, tmp_path: Path) -> None:
    """Require the current layout, the ledger of the previous edition, and the rows of a new warehouse."""
    assert not [path for path in edition.rglob("*") if "=" in path.name]
    require_ledger(edition, ledger_before)
    rebuilt = publish_edition(settings.model_copy(update={"warehouse": tmp_path / "rebuilt"})).folder
    assert rows_of(edition) == rows_of(rebuilt)
    assert parquet_of(edition) == parquet_of(rebuilt)
    assert verify_edition(settings) == []


def test_the_next_run_upgrades_an_edition_of_schema_1(older, tmp_path):
    before = query(current(older), LEDGER)
    report = publish(older, IN_A_LATER_MONTH)
    assert sorted(folder.name for folder in (report.folder / "articles").iterdir()) == ["2026-08", "2026-09", "undated"]
    assert sorted(folder.name for folder in (report.folder / "changes").iterdir()) == ["2026-09", "2026-10"]
    assert query(report.folder, LEDGER) == before
    assert query(report.folder, "SELECT edition_id, schema_version FROM editions ORDER BY ALL DESC LIMIT 2") == [
        (IN_A_LATER_MONTH, SCHEMA_VERSION), (SCHEMA_1, 1),
    ]  # fmt: skip
    require_upgraded(report.folder, before, older, tmp_path)
    assert publish_edition(older).edition is None


@pytest.mark.parametrize(
    ("edition_id", "months"),
    [(LATER_IN_ITS_MONTH, ["2026-09", "2026-10"]), (IN_A_LATER_MONTH, ["2026-09", "2026-10", "2026-11"])],
)
def test_the_run_that_upgrades_notices_changes(older, edition_id, months):
    before = query(current(older), LEDGER)
    change_everything(older.source)
    report = publish(older, edition_id)
    noticed = f"SELECT DISTINCT article_id, change FROM changes WHERE edition_id = '{edition_id}' ORDER BY ALL"
    assert query(report.folder, noticed) == [
        ("BRIDGE", "corrected"), ("FERRY", "withdrawn"), ("GARDEN", "corrected"), ("MARKET", "restored"),
        ("NEW", "added"),
    ]  # fmt: skip
    assert sorted(folder.name for folder in (report.folder / "changes").iterdir()) == months
    require_ledger(report.folder, before)


def test_unchanged_files_keep_their_first_edition(older):
    report = publish(older, IN_A_LATER_MONTH)
    seen = "SELECT source_path, first_edition, last_changed_edition FROM sources ORDER BY ALL"
    assert query(report.folder, seen) == query(older.warehouse / "editions" / SCHEMA_1, seen)


def test_a_warehouse_is_upgraded_again_after_a_rollback(older, tmp_path):
    before = query(current(older), LEDGER)
    change_everything(older.source)
    first = publish_edition(older)
    assert run_broadsheet("rollback", SCHEMA_1, "--warehouse", older.warehouse).returncode == 0
    second = publish_edition(older)
    assert rows_of(second.folder) == rows_of(first.folder)
    assert [row[0] for row in query(second.folder, "SELECT edition_id FROM editions ORDER BY ALL DESC LIMIT 2")] == [
        second.folder.name, SCHEMA_1,
    ]  # fmt: skip
    require_upgraded(second.folder, before, older, tmp_path)


def test_the_command_line_reads_an_edition_of_schema_1(older):
    given = ("--warehouse", older.warehouse)
    done = run_broadsheet("query", "SELECT title FROM articles ORDER BY ALL", "--format", "csv", *given)
    assert done.stdout == "title\nA bridge opens\nA ferry is an hour late\nA guide to the garden\n", done.stderr
    assert SCHEMA_1 in run_broadsheet("editions", *given).stdout
    done = run_broadsheet("verify", "--source", older.source, *given)
    assert changed_tables([*done.stdout.splitlines(), *done.stderr.splitlines()]) == CHANGED_TABLES


def test_verify_lists_the_differences_of_an_edition_of_schema_1(older):
    text = (older.source / "bridge.md").read_text()
    (older.source / "bridge.md").write_text(text.replace("2026-08-14", "2026-09-14"))
    found = [line for line in verify_edition(older) if line.startswith("images")]
    assert [line.split(": ")[:2] for line in sorted(found)] == [
        ["images", "only in the edition"], ["images", "only in the source"],
    ]  # fmt: skip
    assert "2026-08" in found[0]
