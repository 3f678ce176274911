"""A source and a warehouse below s3:// prefixes, on a real store: editions are those of folders, and one run wins."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.errors import RunError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.pipeline.run import Report, publish_edition, roll_back
from flows.pipeline.verify import verify_edition
from flows.schema import CONTENT
from flows.settings import Settings
from flows.source.listing import list_seed_files, read_seed_files
from tests.conftest import query, rows_of, seed_file
from tests.object_store import BUCKET, ObjectStore
from tests.older_editions import CHANGED_TABLES, SCHEMA_1, changed_tables, unpack_edition
from tests.runners import Replacing

pytestmark = pytest.mark.slow


@pytest.fixture
def place(object_store: ObjectStore, request: pytest.FixtureRequest) -> ObjectPath:
    """A prefix of this test's own."""
    return ObjectPath(BUCKET, request.node.name)


@pytest.fixture
def newsroom(place: ObjectPath) -> ObjectPath:
    """A source of four articles in three months, one of them without a date, and a file that is rejected."""
    source = place / "source"
    for code, date in (("A", "2026-09-01"), ("B", "2026-10-01"), ("C", "2026-10-02")):
        write(source, code, date=date)
    write(source, "sub/D", date='""')
    objects.write(source / "broken.md", b"no front matter")
    return source


def write(source: ObjectPath, name: str, **given: str) -> None:
    objects.write(source / f"{name}.md", seed_file(name[-1], **given).encode())


@pytest.fixture
def settings(newsroom: ObjectPath, place: ObjectPath, tmp_path: Path) -> Settings:
    """The settings of a run from prefix to prefix, on a separate machine."""
    return Settings(source=newsroom, warehouse=place / "warehouse", data=tmp_path / "data")


def names(warehouse: ObjectPath) -> set[str]:
    """What lies below a warehouse, the files of its editions aside."""
    return {"/".join(found.name.split("/")[:2]) for found in objects.list_objects(warehouse)}


def equal_bytes(edition: ObjectPath, folder: Path) -> None:
    """Every Parquet file of content, and that of the problems, has the same bytes in a store and in a folder."""
    files = [
        *(file for table in CONTENT for file in (folder / table.name).rglob("*.parquet")),
        folder / "problems.parquet",
    ]
    here = {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
    content = ("problems.parquet", *(f"{table.name}/" for table in CONTENT))
    there = {name for name, *_ in objects.list_objects(edition) if name.startswith(content)}
    assert {name: objects.read(edition / name) for name in there} == here


def require_equal(report: Report, settings: Settings, tmp_path: Path) -> None:
    """Require that an edition in a store equals its rebuild in a folder."""
    rebuilt = publish_edition(settings.model_copy(update={"warehouse": tmp_path / "rebuilt", "rebuild": True})).folder
    assert rows_of(report.folder) == rows_of(rebuilt)
    equal_bytes(settings.warehouse / "editions" / report.folder.name, rebuilt)
    assert verify_edition(settings) == []


@pytest.mark.parametrize("where", ["on this machine", "as workers do it"])
def test_editions_below_a_prefix_are_those_of_a_folder(object_store, settings, tmp_path, where):
    runner = Replacing(distributed=where == "as workers do it")
    first = publish_edition(settings, runner)
    assert first.edition.articles == 4
    require_equal(first, settings, tmp_path)
    assert names(settings.warehouse) == {"current", f"editions/{first.folder.name}"}
    assert objects.read(settings.warehouse / "current").decode() == first.folder.name
    assert publish_edition(settings, runner).edition is None

    write(settings.source, "B", date="2026-10-01", title="Corrected")
    write(settings.source, "E", date="2026-11-01")
    objects.write(settings.source / "z.md", seed_file("C", "Another of the same article", "2026-10-03").encode())
    objects.remove_object(settings.source / "sub/D.md")
    object_store.asked.clear()
    second = publish_edition(settings, runner)
    counts = ("added", "corrected", "withdrawn", "duplicates")
    assert [getattr(second.edition, name) for name in counts] == [1, 2, 1, 1]
    copied = {
        key.split("/editions/")[1].partition("/")[2]
        for _, key, source in object_store.asked
        if source and "/.staging/" not in source
    }
    assert "articles/2026-09/articles.parquet" in copied
    assert not any("2026-10" in name for name in copied)
    require_equal(second, settings, tmp_path)


@pytest.mark.parametrize("where", ["on this machine", "as workers do it"])
def test_an_edition_of_schema_1_upgrades_by_the_next_run(place, tmp_path, where):
    source, older = unpack_edition(tmp_path / "older")
    transfers.upload_all(older / "editions" / SCHEMA_1, place / "warehouse" / "editions" / SCHEMA_1)
    settings = Settings(source=source, warehouse=place / "warehouse", data=tmp_path / "data")
    roll_back(settings, SCHEMA_1)
    assert changed_tables(verify_edition(settings)) <= CHANGED_TABLES
    (source / "bridge.md").write_text((source / "bridge.md").read_text().replace("A bridge opens", "Corrected"))
    ledger = query(older / "editions" / SCHEMA_1, "FROM changes ORDER BY ALL")
    runner = Replacing(distributed=where == "as workers do it")
    report = publish_edition(settings, runner)
    assert (report.edition.added, report.edition.corrected, report.edition.withdrawn) == (0, 1, 0)
    noticed_before = f"FROM changes WHERE edition_id <> '{report.folder.name}' ORDER BY ALL"
    assert query(report.folder, noticed_before) == ledger
    place_of_edition = settings.warehouse / "editions" / report.folder.name
    assert not [name for name, *_ in objects.list_objects(place_of_edition) if "=" in name]
    require_equal(report, settings, tmp_path)


def test_another_machine_goes_on_where_the_last_one_stopped(settings, tmp_path):
    first = publish_edition(settings)
    elsewhere = settings.model_copy(update={"data": tmp_path / "other"})
    assert publish_edition(elsewhere).edition is None
    write(settings.source, "A", date="2026-09-01", title="Corrected")
    second = publish_edition(elsewhere)
    assert (second.edition.added, second.edition.corrected) == (0, 1)
    write(settings.source, "A", date="2026-09-01", title="Corrected again")
    third = publish_edition(settings)
    assert third.edition.corrected == 1
    assert query(third.folder, "SELECT edition_id FROM editions ORDER BY 1") == [
        (report.folder.name,) for report in (first, second, third)
    ]


@pytest.mark.parametrize("pointer", [b"../../elsewhere", b"\xff\x00", b""])
def test_a_pointer_with_other_content_is_refused(settings, pointer):
    objects.write(settings.warehouse / "current", pointer)
    with pytest.raises(RunError, match=r"current does not name an edition\. Pass another prefix with --warehouse"):
        publish_edition(settings)


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/outside", "a//b", "."])
def test_an_object_name_that_leads_outside_the_folder_is_refused(tmp_path, name):
    with pytest.raises(RunError, match="Unexpected object in the store"):
        transfers.file_below(tmp_path, name)
    assert transfers.file_below(tmp_path, "..a/b..") == tmp_path / "..a/b.."


def test_a_question_to_an_edition_that_is_gone(settings, capsys):
    objects.write(settings.warehouse / "current", b"20260101T000000Z")
    assert main(["query", "FROM articles", "--warehouse", str(settings.warehouse)]) == 1
    assert capsys.readouterr().err.startswith("broadsheet: The edition 20260101T000000Z is missing from s3://")


def test_old_editions_are_retired(settings):
    settings = settings.model_copy(update={"keep_editions": 2, "keep_hours": 0})
    published = []
    for title in ("One", "Two", "Three"):
        write(settings.source, "A", date="2026-09-01", title=title)
        published.append(publish_edition(settings).folder.name)
    assert names(settings.warehouse) == {"current", *(f"editions/{name}" for name in published[1:])}


def test_the_command_line_reads_an_edition_and_goes_back(settings, capsys, monkeypatch):
    first = publish_edition(settings).folder.name
    write(settings.source, "A", date="2026-09-01", title="Corrected")
    second = publish_edition(settings).folder.name
    for name in ("source", "warehouse", "data"):
        monkeypatch.setenv(f"BROADSHEET_{name.upper()}", str(getattr(settings, name)))

    def said(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    assert [line.split()[:2] for line in said("editions").splitlines()[1:]] == [["*", second], [first, "4"]]
    assert said("query", "SELECT title FROM articles WHERE article_id = 'A'", "--format", "csv") == "title\nCorrected\n"
    monkeypatch.setenv("BROADSHEET_DATA", str(settings.data / "elsewhere"))
    assert said("query", "SELECT count(*) AS n FROM articles", "--format", "csv") == "n\n4\n"
    assert said("rollback", first).startswith(f"The current edition is {first}.")
    assert said("query", "SELECT title FROM articles WHERE article_id = 'A'", "--format", "csv") == "title\nA title\n"
    assert main(["rollback", "20200101T000000Z"]) == 1
    assert f"Pass a kept edition: {first}, {second}." in capsys.readouterr().err
    assert "Published edition" in said("run")
    assert "No changes since" in said("run")
    assert said("verify") == "The current edition matches the source.\n"


def test_the_source_below_a_prefix(place: ObjectPath):
    kept = {"a.md": b"a", "sub/B.Markdown": b"b", "100%.md": b"", "caf%E9.md": b"c", "caf\u00e9 au lait.md": b"d"}
    for name, content in {**kept, ".hidden.md": b"", ".git/c.md": b"", "note.pdf": b"", "folder.md/": b""}.items():
        objects.write(place / name, content)
    listed = list(list_seed_files(place, (".md", ".markdown")))
    paths = [file.source_path for file in listed]
    assert len(paths) == len(set(paths)) == len(kept)
    assert [file.size for file in listed] == [len(content) for content in read_seed_files(place, paths)]
    assert sorted(read_seed_files(place, paths)) == sorted(kept.values())
    assert all(abs(file.mtime_ns / 1e9 - datetime.now(UTC).timestamp()) < 60 for file in listed)
    (gone,) = read_seed_files(place, ["gone.md"])
    assert isinstance(gone, FileNotFoundError)
    assert gone.strerror == "No such object"
