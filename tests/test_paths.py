"""The path of a source or a warehouse may have whatever a disk allows, or is refused before anything is written."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from flows.object_store.path import ObjectPath
from tests.conftest import BROADSHEET, ROOT, run_broadsheet, seed_file
from tests.newsroom import Newsroom, in_store, on_disk
from tests.object_store import BUCKET

# Each is one folder's name, and a path that has them all above the source and the warehouse.
NAMES = ("env=prod", "a b", "*", "[a-z]", "a]b", "it's", 'a"b', "100%", "%41", "a#b", "a;b", "$HOME", "{a,b}", "two\nlines", "tab\there", "caf\u00e9", "~", "-x", "s3:", "x=1=2", "=")  # fmt: skip
REFUSED = {"what?": "the character ?", "a\\b": "the character \\", os.fsdecode(b"caf\xe9"): "the byte 0xE9"}


@pytest.fixture
def odd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    folder = tmp_path.joinpath(*NAMES)
    folder.mkdir(parents=True)
    (folder.parent / "other=1").mkdir()
    made = Newsroom(folder, folder / "ware house")
    monkeypatch.setenv("BROADSHEET_SOURCE", str(made.source))
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", str(made.warehouse))
    return made


def test_each_command_works_below_folders_of_any_name(odd):
    code, said = odd.does("run")
    assert code == 0, said
    hint = said.split("Query it:   ")[1].split("\nFront page:")[0]
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\0' {hint}"], env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True
    ).stdout
    assert words.split("\0")[:-1] == ["duckdb", "-readonly", f"{odd.warehouse}/current/broadsheet.duckdb", "FROM articles_by_category"]  # fmt: skip
    first = odd.published("--rebuild")
    odd.write("B")
    odd.published()
    assert odd.does("verify") == (0, "The current edition matches the source.\n")
    assert odd.does("editions")[0] == 0
    assert odd.does("rollback", first)[0] == 0
    assert odd.does("query", "SELECT count(*) AS n FROM articles", "--format", "csv") == (0, "n\n1\n")
    assert odd.does("explain", str(odd.source / "A.md"))[0] == 0
    assert "A title" in (odd.local() / "current" / "front_page.html").read_text()


def test_the_hint_of_a_run_is_a_command_of_the_shell(tmp_path):
    """A warehouse whose name begins with a dash is an option to no command."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "A.md").write_text(seed_file("A"))
    command = [*BROADSHEET, "run", "--source=source", "--warehouse=-it's a house"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    hint = shlex.split(done.stdout.split("Query it:   ")[1].splitlines()[0])
    assert hint[2] == "./-it's a house/current/broadsheet.duckdb"


@pytest.mark.parametrize(("name", "what"), REFUSED.items(), ids=["question mark", "backslash", "byte"])
@pytest.mark.parametrize("how", ["named", "linked", "editions"])
def test_a_path_that_duckdb_cannot_open_is_refused_before_anything_is_written(
    source, tmp_path, name, what, how, monkeypatch
):
    (source / "A.md").write_text(seed_file("A"))
    folder, warehouse = tmp_path / name, tmp_path / name / "warehouse"
    folder.mkdir()
    if how == "linked":
        warehouse = tmp_path / "link"
        warehouse.symlink_to(folder)
    elif how == "editions":
        warehouse = tmp_path / "warehouse"
        warehouse.mkdir()
        (warehouse / "editions").symlink_to(folder)
    newsroom = Newsroom(tmp_path / "another", warehouse)
    monkeypatch.setenv("BROADSHEET_SOURCE", str(source))
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", str(warehouse))
    for command in (["run"], ["verify"], ["query", "FROM articles"], ["rollback", "20261110T030000Z"], ["editions"]):
        code, said = newsroom.does(*command)
        assert (code, said.count("\n")) == (1, 1), said
        assert f" contains {what}" in said
        assert "Rename the folder, or pass another one with --warehouse." in said
    assert list(folder.iterdir()) == []


def test_a_source_and_a_file_whose_names_are_not_utf_8(tmp_path, monkeypatch):
    newsroom = Newsroom(tmp_path / os.fsdecode(b"caf\xe9 \\?*"), tmp_path / "warehouse")
    file = newsroom.source / os.fsdecode(b"\xe9.md")
    (newsroom.source / "A.md").rename(file)
    monkeypatch.setenv("BROADSHEET_SOURCE", str(newsroom.source))
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", str(newsroom.warehouse))
    newsroom.published()
    sql = "SELECT source_path FROM sources"
    assert newsroom.does("query", sql, "--format", "csv") == (0, "source_path\n%E9.md\n")
    explained = run_broadsheet("explain", file)  # in a process whose output is UTF-8
    assert (explained.returncode, explained.stderr) == (0, "")
    assert "%E9.md: published\n" in explained.stdout
    newsroom.source.rename(tmp_path / "moved")
    gone = run_broadsheet("run")
    assert (gone.returncode, gone.stderr.count("\n")) == (1, 1)


@in_store
def test_a_prefix_of_any_name(newsroom, monkeypatch):
    name = "env=prod/a b/it's/what?/*/[a]/100%41/a\\b/#;/caf\u00e9"
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", f"s3://{BUCKET}/{name}")
    newsroom.warehouse = ObjectPath(BUCKET, name)
    first = newsroom.published()
    code, said = newsroom.does("run", "--rebuild")
    assert (code, len(newsroom.names())) == (0, 2)
    hint = said.split("Query it:   ")[1].splitlines()[0]
    assert shlex.split(hint)[2:] == ["FROM articles_by_category", "--warehouse", str(newsroom.warehouse)]
    assert newsroom.does("rollback", first)[0] == 0
    assert newsroom.does("query", "SELECT count(*) AS n FROM articles", "--format", "csv") == (0, "n\n1\n")


@on_disk
def test_a_prefix_that_is_not_utf_8_is_a_mistake_of_the_setting(newsroom, monkeypatch):
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", "s3://newsroom/" + os.fsdecode(b"caf\xe9"))
    code, said = newsroom.does("run")
    assert (code, said) == (
        2,
        "broadsheet: BROADSHEET_WAREHOUSE: 's3://newsroom/caf\\udce9' starts or ends with a space, or contains a control"
        " character; write it as s3://bucket/prefix.\n",
    )
