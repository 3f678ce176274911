"""A run reads the files that may have changed: by their ETags in a store, otherwise by their size and time."""

import pytest

from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.pipeline.run import publish_edition
from flows.schema import FOUND, TO_READ, KnownFile, SeedFile
from flows.settings import Settings
from flows.warehouse.arrow import to_arrow
from flows.warehouse.source_diff import find_changed
from tests.conftest import query, seed_file
from tests.object_store import BUCKET

SECOND = 1_000_000_000  # nanoseconds
LISTED_AT = 1_000 * SECOND
OLD, JUST_BEFORE = LISTED_AT - 60 * SECOND, LISTED_AT - SECOND


@pytest.mark.parametrize(
    ("known", "found", "is_read"),
    [
        (KnownFile("a.md", 9, OLD, 7, "hash"), SeedFile("a.md", 9, OLD, 7), False),
        (KnownFile("a.md", 9, OLD, 7, "hash"), SeedFile("a.md", 9, OLD, 8), True),
        (KnownFile("a.md", 9, OLD, 7, "hash"), SeedFile("a.md", 9, LISTED_AT, 7), False),
        (KnownFile("a.md", 9, JUST_BEFORE, 7, "hash"), SeedFile("a.md", 9, JUST_BEFORE, 7), False),
        (KnownFile("a.md", 9, OLD, 7, None), SeedFile("a.md", 9, OLD, 7), True),
        (KnownFile("a.md", 9, OLD, None, "hash"), SeedFile("a.md", 9, OLD, 7), False),
        (KnownFile("a.md", 9, OLD, None, "hash"), SeedFile("a.md", 9, OLD, None), False),
        (KnownFile("a.md", 9, OLD, None, "hash"), SeedFile("a.md", 9, OLD + 1, None), True),
        (KnownFile("a.md", 9, OLD, None, "hash"), SeedFile("a.md", 8, OLD, None), True),
        (KnownFile("a.md", 9, JUST_BEFORE, None, "hash"), SeedFile("a.md", 9, JUST_BEFORE, None), True),
        (KnownFile("a.md", 9, OLD, None, None), SeedFile("a.md", 9, OLD, None), True),
        (KnownFile("b.md", 9, OLD, 7, "hash"), SeedFile("a.md", 9, OLD, 7), True),
    ],
)
def test_a_file_is_read_unless_it_is_known_to_be_unchanged(known, found, is_read):
    read = find_changed(to_arrow(FOUND, [found]), to_arrow(TO_READ, [known]), LISTED_AT, verify_content=False)
    assert read["source_path"].to_pylist() == ["a.md"] * is_read


@pytest.fixture
def settings(object_store, request, tmp_path) -> Settings:
    """The settings of a run from a store to a folder."""
    return Settings(source=ObjectPath(BUCKET, request.node.name), warehouse=tmp_path / "warehouse")


@pytest.mark.slow
def test_an_object_that_changes_at_any_moment_is_read_again(settings):
    """Each content has the same size, and a store gives times to the second."""
    for number in range(100, 120):
        objects.write(settings.source / "a.md", seed_file("A", f"Title {number}").encode())
        assert query(publish_edition(settings).folder, "SELECT title FROM articles") == [(f"Title {number}",)]


@pytest.mark.slow
def test_an_object_that_is_put_again_with_the_same_content_is_not_read(object_store, settings):
    content = seed_file("A").encode()
    objects.write(settings.source / "a.md", content)
    publish_edition(settings)
    objects.write(settings.source / "a.md", content)
    object_store.asked.clear()
    assert publish_edition(settings).edition is None
    assert not [key for method, key, _ in object_store.asked if method == "GET" and key.endswith("a.md")]
