"""A source becomes an edition, whole: every file accounted for, nothing new noticed, nothing half done."""

import errno
import json
import os
import shutil
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import xxhash

from flows.errors import RunError
from flows.pipeline import reconcile, run
from flows.pipeline.run import publish_edition
from flows.schema import CONTENT
from flows.settings import Settings
from flows.warehouse.edition_ids import edition_time
from flows.warehouse.editions import next_edition_id
from tests.conftest import SEEDS, Publish, query, rows_of, seed_file
from tests.runners import Replacing


def test_every_file_of_the_demo_is_accounted_for(demo):
    assert query(demo, "SELECT status, count(*) FROM sources GROUP BY status ORDER BY status") == [
        ("draft", 1), ("duplicate", 1), ("published", 24), ("rejected", 2),
    ]  # fmt: skip
    assert len(list(SEEDS.iterdir())) == 28


def test_the_demo_names_what_is_wrong(demo):
    found = query(demo, "SELECT source_path, severity, code, line_number FROM problems ORDER BY source_path")
    assert found == [
        ("2026-10-29-ART2610291103T6CEM8.md", "rejected", "not_utf8", 6),
        ("2026-11-05-ART2611050907M7CZL3.md", "repaired", "unusable_date", 10),
        ("2026-11-05-ART2611051820D9XJN3.md", "rejected", "broken_front_matter", 6),
        ("2026-11-06-ART2611060611Z4TNV7-first-version.md", "duplicate", "duplicate", None),
    ]


def test_parquet_parts_into_months(demo):
    for table in CONTENT:
        assert sorted(folder.name for folder in (demo / table.name).iterdir()) == ["2026-10", "2026-11"]
    assert pq.read_table(demo / "articles").num_rows == 24
    assert pq.read_table(demo / "captions").num_rows == 30


def test_parquet_is_sorted_by_key(demo):
    for month in (demo / "images").iterdir():
        rows = pq.ParquetFile(month / "images.parquet").read(["article_id", "position"]).to_pylist()
        assert rows == sorted(rows, key=lambda row: (row["article_id"], row["position"]))


def test_equal_input_produces_equal_bytes(tmp_path):
    def parquet_of(name: str) -> dict[str, bytes]:
        source = Path(shutil.copytree(SEEDS, tmp_path / name / "source"))
        for number, file in enumerate(sorted(source.iterdir(), reverse=name == "second")):
            os.utime(file, (number, number))
        edition = publish_edition(Settings(source=source, warehouse=tmp_path / name / "warehouse")).folder
        tables = ("articles", "images", "captions", "problems")
        return {
            str(file.relative_to(edition)): file.read_bytes()
            for file in edition.rglob("*.parquet")
            if file.stem in tables
        }

    first, second = parquet_of("first"), parquet_of("second")
    assert len(first) == 7
    assert first == second


def test_the_manifest_tells_every_file(demo):
    manifest = json.loads((demo / "edition.json").read_text())
    assert manifest["edition_id"] == demo.name
    assert (manifest["articles"], manifest["images"], manifest["captions"]) == (24, 50, 30)
    listed = {entry["path"]: entry for entry in manifest["files"]}
    found = {str(file.relative_to(demo)) for file in demo.rglob("*") if file.is_file()} - {"edition.json"}
    assert set(listed) == found
    for path, entry in listed.items():
        content = (demo / path).read_bytes()
        assert (entry["bytes"], entry["xxh3"]) == (len(content), xxhash.xxh3_128_hexdigest(content))
    assert listed["problems.parquet"]["rows"] == 4


def test_an_edition_is_read_only_and_alone(demo):
    assert all(file.stat().st_mode & 0o777 == 0o444 for file in demo.rglob("*") if file.is_file())
    warehouse = demo.parents[1]
    assert (warehouse / "current").resolve() == demo
    assert sorted(entry.name for entry in warehouse.iterdir() if entry.name != ".lock") == ["current", "editions"]


def test_an_unchanged_source_publishes_no_edition(seeds, warehouse, publish: Publish):
    first = publish()
    second = publish()
    assert second.edition is None
    assert second.folder == first.folder
    assert [entry.name for entry in (warehouse / "editions").iterdir()] == [first.folder.name]


def test_a_file_with_a_new_time_alone_publishes_no_edition(seeds, publish: Publish):
    publish()
    os.utime(next(seeds.glob("*.md")))
    assert publish().edition is None


def test_a_rebuild_produces_the_same_rows(seeds, publish: Publish):
    first, second = publish(), publish(rebuild=True)
    assert second.edition
    assert second.folder.name > first.folder.name
    assert rows_of(first.folder) == rows_of(second.folder)
    assert query(second.folder, "SELECT count(*) FROM changes WHERE edition_id <> '" + first.folder.name + "'") == [
        (0,)
    ]


@pytest.mark.parametrize("step", ["extract", "transform", "reconcile", "write_partitions", "load", "check"])
def test_a_retried_step_has_the_same_result(source, warehouse, tmp_path, step):
    """The first attempt does everything and leaves its files; another file of the article is read again."""
    for name, date in (("a", "2026-01-01"), ("b", "2026-02-01")):
        (source / f"{name}.md").write_text(seed_file("A", date=date))
    (source / "c.md").write_text(seed_file("C"))
    settings = Settings(source=source, warehouse=warehouse)
    publish_edition(settings)
    (source / "b.md").write_text(seed_file("A", "Another title", date="2025-12-01"))
    once = getattr(run, step)

    def twice(*arguments: object) -> object:
        once(*arguments)
        return once(*arguments)

    report = publish_edition(settings, Replacing(**{step: twice}))
    assert (report.edition.corrected, report.edition.duplicates) == (1, 1)
    assert rows_of(report.folder) == rows_of(
        publish_edition(Settings(source=source, warehouse=tmp_path / "rebuilt")).folder
    )
    (source / "c.md").unlink()  # there is nothing to read, and still something to settle
    report = publish_edition(settings, Replacing(**{step: twice}))
    assert (report.edition.articles, report.edition.withdrawn) == (1, 1)


def test_reconciling_succeeds_when_retried_after_a_full_disk(source, warehouse, monkeypatch):
    """It reads another file of the article, of whose rows half are written."""
    for name, date in (("a", "2026-01-01"), ("b", "2026-02-01")):
        (source / f"{name}.md").write_text(seed_file("A", date=date))
    settings = Settings(source=source, warehouse=warehouse)
    publish_edition(settings)
    (source / "b.md").write_text(seed_file("A", "Another title", date="2026-02-02"))
    read_files, tries = reconcile.read_files, []

    def fill_disk(plan, files):
        staged = read_files(plan, files)
        tries.append(staged)
        if len(tries) == 1:
            os.truncate(plan.work / staged[0].path, 100)
            raise OSError(errno.ENOSPC, "No space left on device")
        return staged

    def try_again(plan, attempts):
        with pytest.raises(OSError, match="No space left"):
            reconcile.reconcile(plan, attempts)
        return reconcile.reconcile(plan, attempts)

    monkeypatch.setattr(reconcile, "read_files", fill_disk)
    assert publish_edition(settings, Replacing(reconcile=try_again)).edition.corrected == 1


def test_another_time_zone_reads_everything_again(seeds, publish: Publish):
    publish()
    assert publish(time_zone="Asia/Bangkok").edition


def test_an_edition_id_is_greater_than_every_earlier_one(seeds, warehouse, publish: Publish):
    first = publish().folder.name
    behind = edition_time(first) - timedelta(hours=23)
    assert edition_time(next_edition_id(warehouse, behind)) == edition_time(first) + timedelta(seconds=1)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"no front matter", b"---\ntitle: x\n", b"---\n- a\n---\n", b"\xff\xfe-\0"]
)
def test_a_rejected_file_has_a_row_and_others_are_published(source, publish: Publish, content):
    (source / "good.md").write_text(seed_file("A"))
    (source / "bad.md").write_bytes(content)
    edition = publish().folder
    assert query(edition, "SELECT status, source_path FROM sources ORDER BY ALL") == [
        ("published", "good.md"),
        ("rejected", "bad.md"),
    ]
    ((path, severity, line, message, remedy),) = query(
        edition, "SELECT source_path, severity, line_number, message, remedy FROM problems"
    )
    assert (path, severity) == ("bad.md", "rejected")
    assert line in (1, 2)
    assert message.endswith(".")
    assert remedy.endswith(".")


def test_a_missing_source_changes_nothing(tmp_path, warehouse):
    with pytest.raises(RunError, match=r"Source folder not found: .*nowhere"):
        publish_edition(Settings(source=tmp_path / "nowhere", warehouse=warehouse))
    assert not warehouse.exists()


def test_a_folder_that_is_not_ours_is_left_alone(seeds, tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match=r"not a Broadsheet warehouse \(it contains thesis.txt\)"):
        publish_edition(Settings(source=seeds, warehouse=theirs))
    assert [entry.name for entry in theirs.iterdir()] == ["thesis.txt"]


def test_a_failed_check_publishes_nothing(seeds, publish: Publish, tmp_path, monkeypatch):
    first = publish()
    sql = Path(shutil.copytree("sql", tmp_path / "sql"))
    (sql / "checks" / "never.sql").write_text("-- Always fails.\nSELECT 'broken' AS what")
    monkeypatch.setattr("flows.warehouse.checks.SQL", sql)
    with pytest.raises(RunError, match="The check never failed"):
        publish(rebuild=True)
    monkeypatch.undo()
    assert publish().folder == first.folder
