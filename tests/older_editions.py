"""Editions that older releases published, with their sources.

tests/fixtures/editions/ has one archive for each schema version, written by the last release with that version.
Schema 1: three articles in two months and one without a date, in the second edition of a warehouse, with a correction
and a withdrawal in a ledger of two months.
"""

import shutil
from pathlib import Path

from tests.conftest import ROOT

SCHEMA_1 = "20261005T030000Z"


def unpack_edition(folder: Path) -> tuple[Path, Path]:
    """Unpack the edition of schema 1, and return its source and its warehouse, which has no current edition."""
    shutil.unpack_archive(ROOT / "tests" / "fixtures" / "editions" / "schema_1.zip", folder)
    return folder / "source", folder / "warehouse"


# The tables in which this release differs from that one for the same files: it has warnings, and language_source.
CHANGED_TABLES = {"articles", "problems"}


def changed_tables(differences: list[str]) -> set[str]:
    """The tables that a verification names."""
    return {line.partition(":")[0] for line in differences}
