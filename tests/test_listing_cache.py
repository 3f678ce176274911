"""The last listing of a source is only a cache: nonsense in it makes no run miss a change, and none fail."""

import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.conftest import Publish, query, seed_file


def cache(warehouse: Path, edition: Path, listed_at: int, **columns: list) -> None:
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    metadata = {"edition_id": edition.name, "listed_at": str(listed_at)}
    pq.write_table(table.replace_schema_metadata(metadata), warehouse / ".touched.parquet")


@pytest.mark.parametrize("fault", ["another content", "a path twice", "from the future"])
def test_a_forged_listing_hides_no_change(source, warehouse, publish: Publish, fault):
    (source / "A.md").write_text(seed_file("A"))
    edition = publish().folder
    (known,) = query(edition, "SELECT content_hash FROM sources")
    (source / "A.md").write_text(seed_file("A", title="Changed"))
    facts = (source / "A.md").stat()
    rows = 2 if fault == "a path twice" else 1
    cache(
        warehouse,
        edition,
        time.time_ns() + (10**15 if fault == "from the future" else 0),
        source_path=["A.md"] * rows,
        size=[facts.st_size] * rows,
        mtime_ns=[facts.st_mtime_ns] * rows,
        content_hash=["0" * 32 if fault == "another content" else known[0]] * rows,
    )
    report = publish()
    assert report.edition
    assert report.edition.corrected == 1


def test_a_folder_in_place_of_the_listing_is_removed_with_a_warning(source, warehouse, publish: Publish):
    (source / "A.md").write_text(seed_file("A"))
    publish()
    (warehouse / ".touched.parquet").mkdir()
    report = publish()
    assert any("The last listing of the source cannot be used" in line for line in report.warnings)
    assert not (warehouse / ".touched.parquet").is_dir()
    assert publish().warnings == ()
