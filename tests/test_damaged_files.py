"""A file of an edition in a folder whose bytes changed and whose size did not is never shared with the next edition."""

from pathlib import Path

import pytest

from flows.errors import EditionDamagedError
from flows.warehouse.manifest import wrong_files
from tests.conftest import Publish, seed_file

MONTH = "articles/2026-10/articles.parquet"


def flip(file: Path) -> None:
    """Change one byte, as a disk does."""
    content = file.read_bytes()
    file.chmod(0o644)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.fixture
def edition(source: Path, publish: Publish) -> Path:
    for code, date in (("A", "2026-10-24"), ("B", "2026-09-01"), ("C", '""')):
        (source / f"{code}.md").write_text(seed_file(code, date=date))
    return publish().folder


def change(source: Path) -> None:
    (source / "D.md").write_text(seed_file("D", date="2026-11-01"))


@pytest.mark.parametrize("rebuild", [False, True])
@pytest.mark.parametrize("name", [MONTH, "captions/undated/captions.parquet", "sources.parquet", "problems.parquet"])
def test_a_damaged_table_is_restored_from_the_database(source, publish: Publish, edition, name, rebuild):
    flip(edition / name)
    change(source)
    report = publish(rebuild=rebuild)
    assert (report.edition.added, report.edition.corrected) == (1, 0)
    assert any(name in line and "It was restored from the database." in line for line in report.warnings)
    assert wrong_files(report.folder) == wrong_files(edition) == []


@pytest.mark.parametrize("name", [MONTH, "sources.parquet", "changes/{month}/changes.parquet"])
def test_a_damaged_table_that_cannot_be_restored_is_an_error(source, publish: Publish, edition, name):
    name = name.format(month=f"{edition.name[:4]}-{edition.name[4:6]}")
    flip(edition / name)
    flip(edition / "broadsheet.duckdb")
    change(source)
    with pytest.raises(
        EditionDamagedError, match=rf"The file .*/{name} has a different hash than edition\.json states"
    ):
        publish()


def test_damaged_problems_are_read_again(source, publish: Publish, edition):
    flip(edition / "problems.parquet")
    flip(edition / "broadsheet.duckdb")
    report = publish()
    assert report.edition.added == 0
    assert any("reads every file" in line for line in report.warnings)
    assert wrong_files(report.folder) == []
