"""Objects of an edition in a store that were damaged or lost are replaced by good copies, and never copied on."""

import shutil

import pytest

from flows.errors import EditionDamagedError
from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.pipeline.run import Report, publish_edition, roll_back
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from flows.warehouse import object_catalog, object_editions
from flows.warehouse.manifest import read_manifest, wrong_files
from tests.conftest import query
from tests.test_prefix import newsroom, place, settings, write  # noqa: F401

pytestmark = pytest.mark.slow

MONTH = "articles/2026-09/articles.parquet"


@pytest.fixture
def published(object_store, settings: Settings) -> Report:
    return publish_edition(settings)


def object_of(settings: Settings, report: Report, name: str) -> ObjectPath:
    return settings.warehouse / "editions" / report.folder.name / name


def flip(path: ObjectPath) -> None:
    """Change one byte, so that the size stays."""
    content = objects.read(path)
    objects.write(path, content[:-1] + bytes([content[-1] ^ 1]))


def cut(path: ObjectPath) -> None:
    objects.write(path, objects.read(path)[:-1])


DAMAGES = [flip, cut, objects.remove_object]
damages = pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)


def change(settings: Settings) -> Report:
    write(settings.source, "E", date="2026-11-01")
    return publish_edition(settings)


def test_the_manifest_has_the_etags_of_the_listing(settings, published):
    change(settings)
    for manifest in object_catalog.list_manifests(settings.warehouse):
        there = object_catalog.list_edition(settings.warehouse, manifest)
        assert {name: facts.etag for name, facts in manifest.by_path.items()} == {
            name: found.etag for name, found in there.items()
        }
        assert all(facts.etag for facts in manifest.files)


@damages
@pytest.mark.parametrize("name", [MONTH, "views.sql", "sources.parquet", "front_page.html"])
def test_a_damaged_object_is_put_again_by_a_run_without_changes(settings, published, damage, name):
    damage(object_of(settings, published, name))
    report = publish_edition(settings)
    assert report.edition is None
    assert [line for line in report.warnings if name in line and "was missing or changed. It was restored" in line]
    assert verify_edition(settings) == []
    assert publish_edition(settings).warnings == ()


@damages
def test_a_damaged_month_is_not_copied_on(settings, published, damage):
    damage(object_of(settings, published, MONTH))
    assert change(settings).edition.added == 1
    assert verify_edition(settings) == []


@damages
def test_a_machine_without_a_copy_takes_a_month_from_another_edition(settings, published, damage, tmp_path):
    second = change(settings)
    damage(object_of(settings, second, MONTH))
    elsewhere = settings.model_copy(update={"data": tmp_path / "elsewhere"})
    report = publish_edition(elsewhere)
    assert report.edition is None
    assert any(MONTH in line for line in report.warnings)
    assert verify_edition(elsewhere) == []


@damages
@pytest.mark.parametrize("name", [MONTH, "captions/undated/captions.parquet", "problems.parquet", "sources.parquet"])
def test_a_machine_whose_copy_lacks_a_file_restores_it_from_its_database(settings, published, damage, name):
    damage(object_of(settings, published, name))
    (published.folder / name).unlink()
    report = publish_edition(settings)
    assert report.edition is None
    assert any(name in line for line in report.warnings)
    assert verify_edition(settings) == []


@damages
@pytest.mark.parametrize("name", ["views.sql", "front_page.html"])
def test_what_seed_files_give_is_rebuilt_where_no_good_copy_is_left(settings, published, damage, name):
    damage(object_of(settings, published, name))
    shutil.rmtree(settings.data)
    report = publish_edition(settings)
    assert (report.edition.added, report.edition.corrected) == (0, 0)
    assert any(name in line and "rebuilds the edition" in line for line in report.warnings)
    assert verify_edition(settings) == []


@damages
@pytest.mark.parametrize("name", ["sources.parquet", "editions.parquet", MONTH])
def test_a_table_that_no_copy_and_no_database_has_is_an_error(settings, published, damage, name):
    """A month of content, too: without the previous texts, the ledger would call each article new."""
    damage(object_of(settings, published, name))
    shutil.rmtree(settings.data)
    with pytest.raises(EditionDamagedError, match=rf"The object s3://.*{name} .* broadsheet rollback EDITION\."):
        publish_edition(settings)


def test_verify_leaves_a_good_working_copy_alone(settings, published):
    flip(object_of(settings, published, MONTH))
    assert any(f"The file {MONTH} has a different hash" in line for line in verify_edition(settings))
    assert wrong_files(published.folder) == []
    publish_edition(settings)
    assert verify_edition(settings) == []


def test_a_rebuild_copies_no_object(object_store, settings, published):
    object_store.asked.clear()
    report = publish_edition(settings.model_copy(update={"rebuild": True}))
    copied = [key for _, key, source in object_store.asked if source and f"editions/{report.folder.name}/" in key]
    assert copied == []


def test_objects_of_an_edition_without_etags_are_not_copied_on(object_store, settings, published):
    """An edition of an earlier release says nothing of its objects but their size."""
    manifest = object_of(settings, published, "edition.json")
    objects.write(manifest, read_manifest(published.folder).with_etags({}).as_json().encode())
    flip(object_of(settings, published, MONTH))
    change(settings)
    assert verify_edition(settings) == []


def test_no_rollback_to_a_damaged_edition(settings, published):
    change(settings)
    flip(object_of(settings, published, MONTH))
    with pytest.raises(EditionDamagedError, match=f"{MONTH} is missing or does not match edition.json"):
        roll_back(settings, published.folder.name)


def test_an_edition_restored_with_other_etags_is_sound(settings, published):
    """As after a backup whose parts had other sizes."""
    place = object_of(settings, published, "edition.json")
    objects.write(place, read_manifest(published.folder).with_etags({MONTH: "other"}).as_json().encode())
    roll_back(settings, published.folder.name)
    assert publish_edition(settings.model_copy(update={"data": settings.data / "elsewhere"})).edition is None
    manifest, _ = object_catalog.read_stored(settings.warehouse, published.folder.name)
    assert object_catalog.find_damaged(settings.warehouse, manifest) == []


def test_published_objects_are_created_only(settings, published):
    """What another process put there is not taken for ours."""
    edition = published.folder
    put = settings.warehouse / "editions" / "20991231T000000Z"
    other = edition.with_name(put.key.rpartition("/")[2])
    shutil.copytree(edition, other)
    objects.write(put / MONTH, b"another")
    _, seen = object_catalog.read_pointer(settings.warehouse)
    with pytest.raises(Exception, match="Another process has put"):
        object_editions.publish(settings.warehouse, other, None, seen)
    assert objects.read(settings.warehouse / "current").decode() == edition.name


def test_staged_objects_are_copied_on_the_server(object_store, settings, published, tmp_path):
    edition = published.folder
    other = edition.with_name("20991231T000000Z")
    shutil.copytree(edition, other)
    staged = settings.warehouse / "elsewhere"
    objects.upload(edition / MONTH, staged)
    (other / MONTH).unlink()
    _, seen = object_catalog.read_pointer(settings.warehouse)
    object_editions.publish(settings.warehouse, other, None, seen, {MONTH: staged})
    content = objects.read(settings.warehouse / "editions" / other.name / MONTH)
    assert content == (edition / MONTH).read_bytes()


class LostResponses:
    """Puts whose response is lost: the client tries again, and the store refuses what it has already."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
        write_if = objects.write_if
        self.lost = 0

        def lose(path: ObjectPath, content: bytes, seen: str | None) -> bool:
            if part in f"/{path.key.partition('/warehouse/')[2]}":
                write_if(path, content, seen)
                self.lost += 1
            return write_if(path, content, seen)

        monkeypatch.setattr(objects, "write_if", lose)


@pytest.mark.parametrize("part", ["/.claims/", "/current", "/edition.json"])
def test_a_put_whose_response_was_lost_is_our_own(settings, published, monkeypatch, part):
    with monkeypatch.context() as patch:
        lost = LostResponses(patch, part)
        report = change(settings)
    assert lost.lost == 1
    assert objects.read(settings.warehouse / "current").decode() == report.folder.name
    assert not list(objects.list_objects(settings.warehouse / ".claims"))
    assert query(report.folder, "SELECT count(*) FROM editions") == [(2,)]
