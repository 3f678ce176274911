"""The project keeps its own rules: hashes at each installation, and SQL files that say what they are."""

import re

from flows.warehouse.ddl import SQL
from tests.conftest import ROOT


def test_every_installation_checks_hashes():
    installing = [line for line in (ROOT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert len(installing) >= 4
    assert [line for line in installing if "--require-hashes" not in line] == [
        "\t@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --no-build-isolation --editable ."
    ]


def test_every_lock_has_what_is_asked_for_with_a_hash():
    folder = ROOT / "tests" / "requirements"
    asked = [*folder.glob("*.txt"), ROOT / "benchmarks" / "peers" / "requirements.txt"]
    assert len(asked) == 4
    for file in asked:
        lock = file.with_suffix(".lock").read_text()
        wanted = {re.match(r"[\w-]+", line)[0] for line in file.read_text().splitlines() if not line.startswith("#")}
        locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==(.*?)(?=^\w|\Z)", lock, re.MULTILINE | re.DOTALL)
        assert wanted <= {name for name, _ in locked}
        assert [name for name, text in locked if "--hash=sha256:" not in text] == []
        assert "://" not in lock


def test_every_sql_file_opens_with_what_it_is():
    silent = [file.name for file in SQL.rglob("*.sql") if not file.read_text().startswith("-- ")]
    assert silent == []
