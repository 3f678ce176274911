"""Rules of the project: installations check hashes, and SQL files begin with a description."""

import re

from flows.warehouse.ddl import SQL
from tests.conftest import ROOT


def test_every_installation_checks_hashes():
    installing = [line for line in (ROOT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert len(installing) >= 4
    assert [line for line in installing if "--require-hashes" not in line] == [
        "\t@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --no-build-isolation --editable ."
    ]


def test_every_lock_has_each_requirement_with_a_hash():
    folder = ROOT / "tests" / "requirements"
    requirements = [*folder.glob("*.txt"), ROOT / "benchmarks" / "peers" / "requirements.txt"]
    assert len(requirements) == 5
    for file in requirements:
        lock = file.with_suffix(".lock").read_text()
        required = {re.match(r"[\w-]+", line)[0] for line in file.read_text().splitlines() if not line.startswith("#")}
        locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==(.*?)(?=^\w|\Z)", lock, re.MULTILINE | re.DOTALL)
        assert required <= {name for name, _ in locked}
        assert [name for name, text in locked if "--hash=sha256:" not in text] == []
        assert "://" not in lock


def test_every_sql_file_begins_with_a_description():
    undescribed = [file.name for file in SQL.rglob("*.sql") if not file.read_text().startswith("-- ")]
    assert undescribed == []
