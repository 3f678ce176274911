"""What goes wrong with a store, is a plain sentence."""

import sys
from pathlib import Path

import pytest

from flows.cli import main
from flows.errors import RunError
from flows.objects import store
from flows.objects.prefix import Prefix, parse
from flows.pipeline import publish_edition
from flows.settings import Settings
from flows.verify import verify
from tests.conftest import SEEDS, query, seed_file
from tests.object_store import BUCKET


@pytest.fixture
def settings(object_store, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Settings:
    """A run on a store that is spoilt by the test: what is known of it is forgotten before and after."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    store.client.cache_clear()
    yield Settings(source=SEEDS, warehouse=Prefix(BUCKET, request.node.name), data=tmp_path / "data")
    store.client.cache_clear()


def told(settings: Settings) -> str:
    """What a run says that fails."""
    with pytest.raises(RunError) as error:
        publish_edition(settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_bucket_that_is_not_there(settings):
    assert told(settings.model_copy(update={"warehouse": parse("s3://nowhere/warehouse")})) == (
        "There is no bucket nowhere; make it, or name another one."
    )
    assert "There is no bucket nowhere" in told(settings.model_copy(update={"source": parse("s3://nowhere/source")}))


@pytest.mark.parametrize("most", [None, 700, 2_000])
def test_an_object_whose_connection_breaks_off_is_got_again(object_store, most):
    """Half an article must not be published as a whole one."""
    place = Prefix(BUCKET, "long.md")
    store.write(place, b"x" * 1_000)
    object_store.cut = 2
    assert store.read(place, most) == b"x" * min(most or 1_000, 1_000)
    assert object_store.cut == 0
    object_store.cut = 100
    with pytest.raises(RunError, match=r"long\.md cannot be read to its end; see that the network is right"):
        store.read(place, most)
    object_store.cut = 0


def test_an_empty_object_is_read(object_store):
    store.write(Prefix(BUCKET, "empty.md"), b"")
    assert store.read(Prefix(BUCKET, "empty.md"), 10) == b""


def test_a_working_copy_that_cannot_be_written(settings, tmp_path):
    data = tmp_path / "file"
    data.write_text("no folder")
    assert "or name another folder with BROADSHEET_DATA." in told(settings.model_copy(update={"data": data}))


def test_a_source_with_nothing(settings):
    assert told(settings.model_copy(update={"source": Prefix(BUCKET, "mistyped")})) == (
        f"There is nothing below s3://{BUCKET}/mistyped; name an existing prefix with --source."
    )


def test_a_source_without_seed_files(settings):
    source = Prefix(BUCKET, "pages")
    for name in ("", "a.html", "b/c.html"):
        store.write(source / name, b"x")
    assert told(settings.model_copy(update={"source": source})) == (
        f"No seed files found in {source}. Their names end in .markdown, .md, .mdx, .txt. It has a.html, b/c.html."
        " Check that the disk is mounted, pass another source with --source, or set BROADSHEET_ENDINGS."
    )


def test_a_warehouse_inside_the_source_is_no_part_of_it_and_around_it_is_refused(settings):
    source = Prefix(BUCKET, "around")
    store.write(source / "a.md", seed_file("A").encode())
    inside = settings.model_copy(update={"source": source, "warehouse": source / "warehouse"})
    publish_edition(inside)
    store.write(source / "warehouse/notes.md", seed_file("B").encode())
    store.write(source / "warehouse-notes.md", seed_file("C").encode())
    edition = publish_edition(inside).folder
    assert query(edition, "SELECT source_path FROM sources ORDER BY 1") == [("a.md",), ("warehouse-notes.md",)]
    around = inside.model_copy(update={"source": source / "warehouse" / "editions"})
    assert told(around) == (
        f"The source {source}/warehouse/editions is inside the warehouse {source}/warehouse. Pass a warehouse that is"
        " not above the source with --warehouse."
    )


def test_no_credentials(settings, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert "There are no credentials for s3://" in told(settings)


def test_a_profile_that_is_not_there(settings, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "The settings of AWS cannot be used (The config profile (nobody) could not be found)" in told(settings)


def test_a_store_that_does_not_answer(settings, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "does not answer (Could not connect to the endpoint URL" in told(settings)


def test_a_store_without_its_extra(settings, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert main(["editions", "--warehouse", "s3://newsroom/warehouse"]) == 1
    said = capsys.readouterr().err
    assert said == "broadsheet: An s3:// prefix needs the extra s3; run pip install '.[s3]' in Broadsheet's folder.\n"


def test_a_prefix_without_a_bucket(capsys):
    assert main(["editions", "--warehouse", "s3://"]) == 2
    assert "s3:// names no bucket; write it as s3://bucket/prefix" in capsys.readouterr().err


def test_an_edition_that_was_spoilt(settings, tmp_path):
    edition = settings.warehouse / "editions" / publish_edition(settings).folder.name
    elsewhere = settings.model_copy(update={"data": tmp_path / "elsewhere", "rebuild": True})
    store.write(edition / "front_page.html", b"other")
    assert verify(settings) == ["The file front_page.html has other bytes than edition.json says."]
    assert f"The object {edition}/front_page.html has other bytes than edition.json says; restore it" in told(elsewhere)
    store.remove_object(edition / "front_page.html")
    assert f"The object {edition}/front_page.html is missing; restore it" in told(elsewhere)
    store.remove_object(edition / "edition.json")
    assert f"is missing from {settings.warehouse}/editions; restore its objects" in told(elsewhere)
