"""What goes wrong with a store, is a plain sentence."""

from pathlib import Path

import pytest

from flows.cli.main import main
from flows.errors import RunError
from flows.object_store import objects
from flows.object_store.path import ObjectPath, parse
from flows.object_store.s3.connection import client
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from tests.conftest import SEEDS, query, seed_file
from tests.object_store import BUCKET


@pytest.fixture
def settings(object_store, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Settings:
    """A run on a store that is spoilt by the test: what is known of it is forgotten before and after."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client.cache_clear()
    yield Settings(source=SEEDS, warehouse=ObjectPath(BUCKET, request.node.name), data=tmp_path / "data")
    client.cache_clear()


def told(settings: Settings) -> str:
    """What a run says that fails."""
    with pytest.raises(RunError) as error:
        publish_edition(settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_bucket_that_is_not_there(settings):
    assert told(settings.model_copy(update={"warehouse": parse("s3://nowhere/warehouse")})) == (
        "Bucket not found: nowhere. Create it, or pass another with --source or --warehouse."
    )
    assert "Bucket not found: nowhere." in told(settings.model_copy(update={"source": parse("s3://nowhere/source")}))


@pytest.mark.parametrize("most", [None, 700, 2_000])
def test_an_object_whose_connection_breaks_off_is_got_again(object_store, most):
    """Half an article must not be published as a whole one."""
    place = ObjectPath(BUCKET, "long.md")
    objects.write(place, b"x" * 1_000)
    object_store.cut = 2
    assert objects.read(place, most) == b"x" * min(most or 1_000, 1_000)
    assert object_store.cut == 0
    object_store.cut = 100
    with pytest.raises(RunError, match=r"long\.md could not be read completely"):
        objects.read(place, most)
    object_store.cut = 0


def test_an_empty_object_is_read(object_store):
    objects.write(ObjectPath(BUCKET, "empty.md"), b"")
    assert objects.read(ObjectPath(BUCKET, "empty.md"), 10) == b""


def test_a_working_copy_that_cannot_be_written(settings, tmp_path):
    data = tmp_path / "file"
    data.write_text("no folder")
    assert "or pass another folder with BROADSHEET_DATA." in told(settings.model_copy(update={"data": data}))


def test_a_source_with_nothing(settings):
    assert told(settings.model_copy(update={"source": ObjectPath(BUCKET, "mistyped")})) == (
        f"No objects found below s3://{BUCKET}/mistyped. Pass an existing prefix with --source."
    )


def test_a_source_without_seed_files(settings):
    source = ObjectPath(BUCKET, "pages")
    for name in ("", "a.html", "b/c.html"):
        objects.write(source / name, b"x")
    assert told(settings.model_copy(update={"source": source})) == (
        f"No seed files found in {source}. Expected names that end in .markdown, .md, .mdx, .txt. It contains a.html, b/c.html."
        " Check that the disk is mounted, pass another source with --source, or set BROADSHEET_EXTENSIONS."
    )


def test_a_warehouse_inside_the_source_is_skipped_and_one_around_it_is_refused(settings):
    source = ObjectPath(BUCKET, "around")
    objects.write(source / "a.md", seed_file("A").encode())
    inside = settings.model_copy(update={"source": source, "warehouse": source / "warehouse"})
    publish_edition(inside)
    objects.write(source / "warehouse/notes.md", seed_file("B").encode())
    objects.write(source / "warehouse-notes.md", seed_file("C").encode())
    edition = publish_edition(inside).folder
    assert query(edition, "SELECT source_path FROM sources ORDER BY 1") == [("a.md",), ("warehouse-notes.md",)]
    around = inside.model_copy(update={"source": source / "warehouse" / "editions"})
    assert told(around) == (
        f"The source {source}/warehouse/editions is inside the warehouse {source}/warehouse. Pass a warehouse that is"
        " not above the source with --warehouse."
    )


COMMANDS = [["run"], ["verify"], ["editions"], ["query", "SELECT 1"], ["rollback", "20260101T000000Z"]]


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("s3://", "does not have a valid bucket name"),
        ("s3:///warehouse", "does not have a valid bucket name"),
        ("s3://news room/warehouse", "does not have a valid bucket name"),
        ("s3://../warehouse", "does not have a valid bucket name"),
        ("s3://newsroom//warehouse", "has an empty part"),
        ("s3://newsroom/a//b", "has an empty part"),
        ("s3://newsroom/a/../b", "has an empty part, . or .."),
        ("s3://newsroom/warehouse ", "ends with a space"),
        ("s3://newsroom/ware\thouse", "contains a control character"),
        ("s3://newsroom/" + "w" * 801, "has a prefix of more than 800 bytes"),
        ("S3://newsroom/warehouse", "is not a supported URL"),
        ("s3:/newsroom/warehouse", "is not a supported URL"),
        ("https://newsroom.s3.amazonaws.com/warehouse", "is not a supported URL"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["verify"], ["editions"], ["query", "SELECT 1"], ["rollback", "x"]])
def test_a_malformed_url_is_a_usage_error(capsys, command, url, fault):
    """One of another kind must not become a folder of that name."""
    assert main([*command, "--warehouse", url]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"broadsheet: --warehouse: {url!r} ")
    assert fault in said
    assert "write it as s3://bucket/prefix" in said
    assert said.count("\n") == 1


def test_a_prefix_may_have_spaces_and_one_slash_at_its_end():
    assert parse("s3://newsroom/my articles/") == ObjectPath("newsroom", "my articles")
    assert parse("s3://newsroom/") == ObjectPath("newsroom", "")


def test_an_edition_that_was_spoilt(settings, tmp_path):
    edition = settings.warehouse / "editions" / publish_edition(settings).folder.name
    elsewhere = settings.model_copy(update={"data": tmp_path / "elsewhere", "rebuild": True})
    objects.write(edition / "views.sql", b"other")
    objects.write(edition / "sources.parquet", b"other")
    assert "The file sources.parquet has a different hash than edition.json states." in verify_edition(settings)
    assert (
        f"The object {edition}/sources.parquet has a different hash than edition.json states. Restore the edition"
        in told(elsewhere)
    )
    objects.remove_object(edition / "sources.parquet")
    assert f"The object {edition}/sources.parquet is missing. Restore the edition" in told(elsewhere)
    objects.remove_object(edition / "edition.json")
    assert f"is missing from {settings.warehouse}/editions. Restore its objects" in told(elsewhere)


def test_a_seed_file_that_does_not_match_its_checksum_is_rejected(object_store, settings):
    """One byte changes on the way, every time."""
    source = ObjectPath(BUCKET, "flipped")
    for code in ("A", "B"):
        objects.write(source / f"{code}.md", seed_file(code).encode())
    settings = settings.model_copy(update={"source": source})
    object_store.flipped = {f"{source.key}/A.md"}
    edition = publish_edition(settings).folder
    assert query(edition, "SELECT source_path, code, message FROM problems") == [
        ("A.md", "unreadable", "The file cannot be read: its content does not match its checksum.")
    ]
    object_store.flipped = set()
    assert publish_edition(settings).edition.added == 1


@pytest.mark.parametrize("flipped", ["current", "edition.json"])
def test_an_object_of_a_warehouse_that_does_not_match_its_checksum_is_reported(object_store, settings, flipped):
    edition = publish_edition(settings).folder
    key = (
        f"{settings.warehouse.key}/current"
        if flipped == "current"
        else f"{settings.warehouse.key}/editions/{edition.name}/edition.json"
    )
    object_store.flipped = {key}
    assert told(settings) == (
        f"s3://{BUCKET}/{key} cannot be read: its content does not match its checksum. Upload the object again."
    )
    object_store.flipped = set()
    assert publish_edition(settings).edition is None
