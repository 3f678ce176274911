"""A published edition that was changed is not read, and no run builds on it; `broadsheet verify` says what was changed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.newsroom import Newsroom, in_store, on_disk
from tests.test_readers import RECIPES

READING = (["query", "FROM articles"], ["run"])


def is_refused(newsroom: Newsroom, name: str) -> None:
    """Whether nothing reads the edition, and verify names the file."""
    newsroom.write("B")
    for command in READING:
        code, said = newsroom.does(*command)
        assert (code, said.count("\n")) == (1, 1), said
        assert name in said
        assert "edition.json" in said
    code, said = newsroom.does("verify")
    assert code == 1
    assert name in said


@pytest.mark.parametrize("name", ["broadsheet.duckdb.wal", "articles/2026-10/forged.parquet", "notes.txt"])
def test_a_file_that_is_not_listed(newsroom: Newsroom, name):
    edition = newsroom.published()
    newsroom.put(f"editions/{edition}/{name}", b"forged")
    is_refused(newsroom, name)
    code, said = newsroom.does("rollback", edition)
    assert (code, name in said) == (1, True)
    newsroom.remove(f"editions/{edition}/{name}")
    assert newsroom.does("query", "FROM articles")[0] == 0
    assert newsroom.does("run")[0] == 0
    assert newsroom.does("verify") == (0, "The current edition matches the source.\n")


def link(edition: Path) -> None:
    (edition / "articles" / "2099-01").symlink_to("/etc")


def pipe(edition: Path) -> None:
    os.mkfifo(edition / "a")


def folder(edition: Path) -> None:
    (edition / "captions" / "2099-01").mkdir(parents=True)


def replaced(edition: Path) -> None:
    """The database is a link to one that others write."""
    (edition / "broadsheet.duckdb").rename(edition.parents[1].parent / "other.duckdb")
    (edition / "broadsheet.duckdb").symlink_to(edition.parents[1].parent / "other.duckdb")


@on_disk
@pytest.mark.parametrize(
    ("forge", "name"),
    [(link, "articles/2099-01"), (pipe, "a"), (folder, "captions/2099-01"), (replaced, "broadsheet.duckdb")],
)
def test_what_is_not_a_regular_file(newsroom: Newsroom, forge: Callable[[Path], None], name: str):
    edition = newsroom.published()
    forge(newsroom.local() / "editions" / edition)
    is_refused(newsroom, name)


@on_disk
def test_a_file_of_another_size(newsroom: Newsroom):
    edition = newsroom.published()
    path = f"editions/{edition}/front_page.html"
    newsroom.remove(path)
    newsroom.put(path, b"forged")
    is_refused(newsroom, "front_page.html")


@on_disk
def test_a_database_with_other_bytes_of_the_same_size_is_not_built_on(newsroom: Newsroom):
    for month in range(1, 7):
        (newsroom.source / f"{month}.md").write_text(f"---\ntitle: C\ndate: 2025-0{month}-01\n---\n\nText.\n")
    edition = newsroom.published()
    database = newsroom.local() / "editions" / edition / "broadsheet.duckdb"
    content = database.read_bytes()
    database.unlink()
    database.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    code, said = newsroom.does("verify")
    assert code == 1
    assert "The file broadsheet.duckdb has a different hash than edition.json states." in said
    (newsroom.source / "7.md").write_text("---\ntitle: C\ndate: 2025-07-01\n---\n\nText.\n")
    code, said = newsroom.does("run")
    assert (code, said.count("\n")) == (1, 1)
    assert "broadsheet.duckdb has a different hash than edition.json states. Run once with --rebuild" in said
    assert newsroom.does("run", "--rebuild")[0] == 0
    assert newsroom.does("verify")[0] == 0


@in_store
@pytest.mark.parametrize("command", READING)
def test_a_log_beside_the_working_copys_database_is_not_replayed(newsroom: Newsroom, tmp_path, command):
    """The copy is fetched again: what was published is in the store."""
    newsroom.published()
    (copy,) = tmp_path.glob("data/copies/*/editions/*")
    shutil.copyfile(log_of(copy / "broadsheet.duckdb", tmp_path), copy / "broadsheet.duckdb.wal")
    newsroom.write("B")
    code, said = newsroom.does(*command)
    assert (code, "forged" in said) == (0, False), said
    assert "forged" not in newsroom.does("query", "FROM articles")[1]


def log_of(database: Path, folder: Path) -> str:
    """A write-ahead log for a database in which every title is forged."""
    aside = folder / "aside.duckdb"
    shutil.copyfile(database, aside)
    with duckdb.connect(aside) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("UPDATE articles SET title = 'forged'")
    return f"{aside}.wal"


@on_disk
def test_a_real_log_that_would_forge_a_title(newsroom: Newsroom):
    """DuckDB replays a log that it finds beside a database, also where it only reads."""
    edition = newsroom.published()
    database = newsroom.local() / "editions" / edition / "broadsheet.duckdb"
    shutil.copyfile(log_of(database, newsroom.folder), f"{database}.wal")
    is_refused(newsroom, "broadsheet.duckdb.wal")
    recipes = [recipe for recipe in RECIPES if "broadsheet.duckdb" in recipe or "edition.json" in recipe]
    assert len(recipes) == 2
    for recipe in recipes:
        done = subprocess.run(
            [sys.executable, "-c", recipe], cwd=newsroom.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "broadsheet.duckdb.wal" in done.stderr
