"""An edition that an older release published, with the source that it was published from.

tests/fixtures/editions/ has one archive for each schema version, written by the last release that had it. That of
schema 1: three articles in two months and one without a date, the second edition of its warehouse, with a correction
and a withdrawal in a ledger of two months.
"""

import shutil
from pathlib import Path

from tests.conftest import ROOT

SCHEMA_1 = "20261005T030000Z"


def unpack_edition(folder: Path) -> tuple[Path, Path]:
    """Unpack the edition of schema 1 into a folder; returns its source and its warehouse, in which none is current."""
    shutil.unpack_archive(ROOT / "tests" / "fixtures" / "editions" / "schema_1.zip", folder)
    return folder / "source", folder / "warehouse"
