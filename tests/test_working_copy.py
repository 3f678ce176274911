"""Whatever is in the working copy of a machine, a run ends well: what is wrong in it is removed and fetched again."""

import json
import os
from pathlib import Path

import pytest

from flows.object_store import objects
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify
from flows.warehouse.disk import discard
from flows.warehouse.storage import open_storage
from tests.test_prefix import newsroom, place, settings, write  # noqa: F401

pytestmark = pytest.mark.slow

NAMES = [
    "editions", "current", ".claimed", ".touched.parquet", ".writer.json", ".staging", "editions/.staging",
    "{edition}", "{edition}/edition.json", "{edition}/articles", "{edition}/articles/2026-09/articles.parquet",
    "{edition}/broadsheet.duckdb", "{edition}/sources.parquet", "{edition}/extra.parquet",
    "{edition}/articles/2020-01/articles.parquet", "editions/notes",
]  # fmt: skip


def as_folder(place: Path) -> None:
    (place / "sub").mkdir(parents=True)
    (place / "sub" / "file").write_text("x")
    place.chmod(0o500)


def as_nonsense(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"\xff[{" * 1_000)


def as_link(place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to("/nowhere")


def as_same_size(place: Path) -> None:
    """A file with other bytes of the same size."""
    size = place.stat().st_size if place.is_file() else 10
    as_nonsense(place)
    os.truncate(place, size)


@pytest.mark.parametrize("changed", [False, True], ids=["without changes", "with changes"])
@pytest.mark.parametrize("spoil", [as_folder, as_nonsense, as_link], ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_nonsense_in_the_working_copy_fails_no_run(object_store, settings, name, spoil, changed):
    edition = publish_edition(settings).folder
    place = edition.parents[1] / name.format(edition=f"editions/{edition.name}")
    discard(place)
    spoil(place)
    if changed:
        write(settings.source, "E", date="2026-11-01")
    report = publish_edition(settings)
    assert (report.edition is not None) == changed
    published = {found.name for found in objects.list_objects(settings.warehouse / "editions" / report.folder.name)}
    assert not [name for name in published if "extra" in name or "2020" in name]
    assert verify(settings) == []
    assert publish_edition(settings).warnings == ()


@pytest.mark.parametrize("name", ["articles/2026-09/articles.parquet", "broadsheet.duckdb", "sources.parquet"])
def test_other_bytes_of_the_same_size_are_fetched_again(object_store, settings, name):
    edition = publish_edition(settings).folder
    file = edition / name
    file.chmod(0o644)
    as_same_size(file)
    write(settings.source, "E", date="2026-11-01")
    assert publish_edition(settings).edition.added == 1
    assert verify(settings) == []


def test_an_extra_file_is_removed_with_a_warning(object_store, settings):
    edition = publish_edition(settings).folder
    extra = edition / "articles" / "2020-01" / "articles.parquet"
    as_nonsense(extra)
    report = publish_edition(settings)
    assert not extra.exists()
    assert any("2020-01 in the working copy was changed by others" in line for line in report.warnings)


@pytest.mark.parametrize("text", ["[" * 10_000, json.dumps({}), "20261123T030000Z\n../../current", "\0"])
def test_a_note_of_claims_that_is_nonsense(object_store, settings, text):
    root = open_storage(settings).local_root
    publish_edition(settings)
    (root / ".claimed").write_text(text)
    assert publish_edition(settings).edition is None
    assert not (root / ".claimed").exists()
