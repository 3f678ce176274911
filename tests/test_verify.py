"""`broadsheet verify` proves that an edition is what the source gives, or says where it is not."""

import duckdb
import pytest

from tests.conftest import Publish, run_broadsheet, seed_file


@pytest.fixture
def edition(source, publish: Publish):
    for code in "ABC":
        (source / f"{code}.md").write_text(seed_file(code))
    return publish().folder


def verify(source, warehouse):
    return run_broadsheet("verify", "--source", source, "--warehouse", warehouse)


def test_a_sound_edition(source, warehouse, edition):
    done = verify(source, warehouse)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "The current edition matches the source.\n"
    assert [entry.name for entry in (warehouse / "editions").iterdir()] == [edition.name]


def test_a_source_that_has_changed_since(source, warehouse, edition):
    (source / "A.md").write_text(seed_file("A", title="Another title"))
    done = verify(source, warehouse)
    assert done.returncode == 1
    lines = sorted(done.stdout.splitlines())
    assert [line.split(": ")[:2] for line in lines] == [
        ["articles", "only in the edition"], ["articles", "only in the source"],
        ["sources", "only in the edition"], ["sources", "only in the source"],
    ]  # fmt: skip
    assert "Another title" in lines[1]


def test_a_forged_database(source, warehouse, edition):
    file = edition / "broadsheet.duckdb"
    file.chmod(0o644)
    with duckdb.connect(file) as connection:
        connection.execute("UPDATE articles SET title = 'Forged' WHERE article_id = 'A'")
    done = verify(source, warehouse)
    assert done.returncode == 1
    assert "The file broadsheet.duckdb has a different hash than edition.json states." in done.stdout
    assert "The check parquet_equals_duckdb failed" in done.stdout


def test_missing_and_foreign_files(source, warehouse, edition):
    (edition / "front_page.html").unlink()
    (edition / "notes.txt").write_text("mine")
    done = verify(source, warehouse)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "The file notes.txt is not in edition.json.",
        "The file front_page.html is missing.",
    ]


def test_nothing_to_verify(source, warehouse):
    done = verify(source, warehouse)
    assert done.returncode == 1
    assert done.stderr.startswith("broadsheet: No edition in ")
