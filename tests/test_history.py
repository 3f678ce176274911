"""A missing or invalid `current` stops every command, and unknown names in a warehouse are left alone."""

import json
import multiprocessing
import shutil
from datetime import timedelta

import pytest

from flows.settings import Settings
from flows.warehouse.edition_ids import edition_id_at, edition_time
from flows.warehouse.editions import list_editions
from tests.conftest import query
from tests.dying import run_until
from tests.newsroom import Newsroom, on_disk


def require_refused(newsroom: Newsroom, sentence: str) -> None:
    """Require that each command that reads or publishes fails with the sentence and changes nothing."""
    before = newsroom.names()
    for command in (["run"], ["run", "--rebuild"], ["verify"], ["query", "FROM articles"]):
        code, said = newsroom.does(*command)
        assert (code, said.count("\n")) == (1, 1), (command, said)
        assert sentence in said
    assert newsroom.names() == before


def test_editions_without_a_current_one_do_not_begin_a_new_history(newsroom):
    first, second = newsroom.published(), newsroom.published("--rebuild")
    newsroom.remove("current")
    require_refused(newsroom, f"Choose one with broadsheet rollback EDITION; the newest is {second}.\n")
    code, listed = newsroom.does("editions")
    assert code == 0
    assert [line.split()[0] for line in listed.splitlines()[1:3]] == [second, first]
    assert f"Choose one with broadsheet rollback EDITION; the newest is {second}.\n" in listed
    assert newsroom.does("rollback", second)[0] == 0
    newsroom.write("B")
    newsroom.published()
    _, said = newsroom.does("query", "SELECT string_agg(edition_id, ' ') AS ids FROM editions", "--format", "csv")
    assert said.splitlines()[1].split()[:2] == [first, second]


MANIFESTS = (b"", b"{", b"[]", b"{}", b"\xff", b'{"edition_id": "20260101T000000Z", "files": []}')


def test_an_edition_without_a_valid_manifest_cannot_be_chosen(newsroom):
    edition = newsroom.published()
    invalid = [edition_id_at(edition_time(edition) + timedelta(seconds=1 + number)) for number in range(len(MANIFESTS))]
    for name, content in zip(invalid, MANIFESTS, strict=True):
        newsroom.put(f"editions/{name}/edition.json", content)
        assert newsroom.does("rollback", name)[0] == 1
    newsroom.remove("current")
    require_refused(newsroom, f"the newest is {edition}.\n")
    code, listed = newsroom.does("editions")
    assert (code, [line.split()[0] for line in listed.splitlines()[1:-1]]) == (0, [edition])
    newsroom.does("rollback", edition)
    newsroom.write("B")
    assert newsroom.published() > max(invalid)  # their ids are taken


def test_invalid_editions_do_not_begin_a_new_history(newsroom):
    newsroom.put("editions/20261110T030000Z/articles/some.parquet", b"")
    require_refused(
        newsroom, "None of the editions has a readable edition.json: restore one, or move them away to begin"
    )


def test_an_invalid_current_file_fails_each_command(newsroom):
    edition = newsroom.published()
    newsroom.remove("current")
    for content in (b"", b"20269999T999999Z", b"../elsewhere", b"\xff\x00"):
        newsroom.put("current", content)
        code, said = newsroom.does("query", "FROM articles")
        assert code == 1
        assert said.endswith(f"Choose one with broadsheet rollback EDITION; the newest is {edition}.\n")
    require_refused(newsroom, f"the newest is {edition}.\n")
    assert newsroom.does("rollback", edition)[0] == 0
    assert newsroom.does("run")[0] == 0


UNKNOWN = ("20261110T030000Z.bak", "lost+found", ".snapshot", "@eaDir", "._20261110T030000Z", "20269999T999999Z", "T Z")


def test_names_of_other_files_are_left_alone(newsroom):
    for name in UNKNOWN:
        newsroom.put(f"editions/{name}/edition.json", b"{}")
        newsroom.put(f"editions/{name}T1Z", b"a file")
    newsroom.put("editions/20261110T030000Z", b"a file")
    newsroom.put("editions/99991231T235959Z", b"a file")
    newsroom.put(".claims/20269999T999999Z", b"")
    before = newsroom.names()
    first = newsroom.published()
    newsroom.copy(first, "editions/copy of it")
    newsroom.copy(first, "backup/20261110T030000Z")
    keep = ("--rebuild",)
    second, third = newsroom.published(*keep), newsroom.published(*keep)
    code, listed = newsroom.does("editions")
    assert code == 0
    assert [line.split()[-7] for line in listed.splitlines()[1:]] == [third, second, first]
    assert newsroom.does("rollback", first)[0] == 0
    assert newsroom.does("rollback", "20261110T030000Z")[0] == 1
    assert newsroom.does("rollback", "lost+found")[0] == 1
    assert newsroom.does("verify")[0] == 0
    assert newsroom.names() == before | {first, second, third, "copy of it"}


def test_retention_keeps_unknown_names(newsroom, monkeypatch, clock):
    monkeypatch.setenv("BROADSHEET_KEEP_EDITIONS", "1")
    monkeypatch.setenv("BROADSHEET_KEEP_HOURS", "0")
    first = newsroom.published()
    for name in UNKNOWN:
        newsroom.copy(first, f"editions/{name}")
    second = newsroom.published("--rebuild")
    clock(edition_time(second) + timedelta(hours=1))
    third = newsroom.published("--rebuild")
    assert newsroom.names() == {*UNKNOWN, third}


def test_a_folder_with_system_files_alone_may_become_a_warehouse(newsroom):
    for name in ("lost+found/x", "@eaDir/x", "._x", ".DS_Store", ".Trash-1000/x"):
        newsroom.put(name, b"")
    newsroom.published()


@on_disk
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("a folder", "current is a folder, but should be a link to an edition. Move it elsewhere. Choose one with"),
        ("outside", "which is not an edition in "),
        ("beside", "points to editions/copy, which is not an edition in "),
        ("itself", "points to current, which is not an edition in "),
        ("dangling", "The edition 20261110T030000Z is missing from "),
    ],
)
def test_a_current_link_to_anything_but_an_edition_fails_each_command(newsroom, wrong, sentence, tmp_path):
    edition = newsroom.published()
    folder, current = newsroom.local() / "editions" / edition, newsroom.local() / "current"
    current.unlink()
    targets = {"outside": tmp_path / edition, "beside": "editions/copy", "itself": "current"}
    if wrong == "a folder":
        shutil.copytree(folder, current)
    else:
        shutil.copytree(folder, tmp_path / edition)
        shutil.copytree(folder, folder.with_name("copy"))
        current.symlink_to(targets.get(wrong, "editions/20261110T030000Z"))
    require_refused(newsroom, sentence)
    code, said = newsroom.does("rollback", edition)
    assert (code, sentence.split(" Choose")[0] in said) == ((1, True) if wrong == "a folder" else (0, False))
    if wrong == "a folder":
        current.rename(tmp_path / "aside")
        assert newsroom.does("rollback", edition)[0] == 0
    assert current.resolve() == folder
    assert newsroom.does("run")[0] == 0


@on_disk
def test_an_unpublished_first_edition_is_removed(newsroom):
    """The run is killed after it moved its edition and before it swapped `current`."""
    settings = Settings(source=newsroom.source, warehouse=newsroom.warehouse)
    run = multiprocessing.get_context("forkserver").Process(target=run_until, args=("before the swap", settings))
    run.start()
    run.join()
    (died,) = newsroom.names() - {".staging"}
    assert list_editions(newsroom.local()) == []
    assert newsroom.does("query", "FROM articles") == (1, newsroom.does("query", "FROM articles")[1])
    assert "No edition in" in newsroom.does("query", "FROM articles")[1]
    assert newsroom.does("editions") == (
        0,
        f"No edition in {newsroom.warehouse} yet. Publish one with broadsheet run.\n",
    )
    edition = newsroom.published()
    assert newsroom.names() == {edition}
    assert query(newsroom.local() / "current", "SELECT edition_id FROM editions") == [(edition,)]
    assert died <= edition


def test_a_damaged_manifest_is_one_error_message_of_each_command(newsroom):
    edition = newsroom.published()
    facts = json.dumps({"edition_id": edition}).encode()
    if not newsroom.in_store:
        (newsroom.warehouse / "editions" / edition / "edition.json").unlink()
    newsroom.put(f"editions/{edition}/edition.json", facts)
    for command in (["run"], ["verify"], ["rollback", edition]):
        code, said = newsroom.does(*command)
        assert code == 1, command
        assert f"editions/{edition}/edition.json cannot be read (it lacks the edition's id or files)." in said
