"""The check of the free disk space asks for what a run needs, and names the setting of the folder that it is about."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows.errors import NoSpaceError
from flows.warehouse import disk_space
from flows.warehouse.disk_space import require_disk_space
from tests.conftest import Publish
from tests.newsroom import Newsroom


def needed(previous: Path | None, reusable: Path | None, gigabytes: int, root: Path) -> int:
    """The megabytes that a run says it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disk_space.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
        with pytest.raises(NoSpaceError) as raised:
            require_disk_space(root, "--warehouse", previous, reusable, gigabytes * 10**9)
    (found,) = re.findall(r"may need ([0-9,]+) MB", str(raised.value))
    return int(found.replace(",", ""))


def test_a_full_disk_names_the_setting_of_its_folder(newsroom: Newsroom, monkeypatch):
    newsroom.published()
    monkeypatch.setattr(disk_space, "MIN_FREE_BYTES", 10**15)
    newsroom.write("B")
    code, said = newsroom.does("run")
    assert code == 1
    assert said.endswith(f"with {'BROADSHEET_DATA' if newsroom.in_store else '--warehouse'}.\n")


def test_a_working_copy_needs_space_for_what_it_lacks(source, publish: Publish, tmp_path):
    (source / "A.md").write_text("---\ntitle: A\n---\n\nText.\n")
    edition = publish().folder
    text = (edition / "edition.json").read_text()
    size = (edition / "broadsheet.duckdb").stat().st_size
    (edition / "edition.json").chmod(0o644)
    (edition / "edition.json").write_text(text.replace(f'"bytes": {size}', '"bytes": 5000000000'))
    assert needed(edition, edition, 1, tmp_path) == 2 * 5_000 + 3_000
    assert needed(edition, None, 1, tmp_path) == 3_000
    (edition / "broadsheet.duckdb").unlink()
    assert needed(edition, edition, 1, tmp_path) == 3 * 5_000 + 3_000
    assert needed(edition, None, 1, tmp_path) == 3_000
