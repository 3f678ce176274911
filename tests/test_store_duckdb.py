"""DuckDB's extension httpfs reads editions in a store, by the script of their tables and views."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flows.pipeline.run import Report, publish_edition
from flows.schema import TABLES
from flows.settings import Settings
from flows.warehouse.ddl import SQL
from tests.conftest import ROOT, SEEDS

pytestmark = pytest.mark.slow

LOCK = ROOT / "tests" / "requirements" / "httpfs.lock"
RECIPE = (
    (ROOT / "docs" / "object_storage.md").read_text().split("### DuckDB\n")[1].split("```python\n")[1].split("```")[0]
)
DOCUMENTED_LOGIN = "CREATE SECRET (TYPE s3, KEY_ID 'AKIA...', SECRET '...', REGION 'us-east-1')"
NAMES = [*(table.name for table in TABLES), *(file.stem for file in sorted((SQL / "views").glob("*.sql")))]
COMPARE = """
import json
import sys
local, names = sys.argv[1], sys.argv[2:]
connection.execute(f"ATTACH '{local}' AS loaded (READ_ONLY)")
differing = {}
for name in names:
    rows = [f"SELECT * FROM {place}.{name}" for place in ("loaded", "memory")]
    both = " UNION ALL ".join(f"({a} EXCEPT ALL {b})" for a, b in (rows, rows[::-1]))
    differing[name] = connection.execute(f"SELECT count(*) FROM ({both})").fetchone()[0]
comments = "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE database_name = '{}' AND table_name = '{}'"
for name in names:
    ours, theirs = (connection.execute(comments.format(place, name)).fetchall() for place in ("loaded", "memory"))
    differing[f"columns of {name}"] = ours != theirs
print(json.dumps(differing))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with a DuckDB that has the extension, installed as INSTALL httpfs would."""
    folder = tmp_path_factory.mktemp("httpfs")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv" / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--requirement", LOCK], check=True)
    (extension,) = (folder / "venv").rglob("httpfs.duckdb_extension")
    home = folder / ".duckdb" / "extensions" / extension.parent.name / "linux_amd64"
    home.mkdir(parents=True)
    shutil.copy(extension, home)
    return folder / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def report(object_store, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Two editions, so that the ledger has changes."""
    folder = tmp_path_factory.mktemp("publisher")
    source = Path(shutil.copytree(SEEDS, folder / "source"))
    settings = Settings(source=source, warehouse="s3://newsroom/warehouse", data=folder / "data")
    publish_edition(settings)
    article = next(source.rglob("2026-10-24-*.md"))
    article.write_text(article.read_text() + "\n\nOne more sentence.\n")
    return publish_edition(settings)


@pytest.fixture(scope="module")
def recipe(object_store, python: Path) -> list[str]:
    """The recipe of docs/object_storage.md with the credentials and the address of the tests' store."""
    address = object_store.address
    secret = f"CREATE SECRET (TYPE s3, KEY_ID 'of-the-tests', SECRET 'of-the-tests', ENDPOINT '{address}', URL_STYLE 'path', USE_SSL false)"
    assert DOCUMENTED_LOGIN in RECIPE
    return [str(python), "-c", RECIPE.replace(DOCUMENTED_LOGIN, secret)]


def run(command: list[str], home: Path) -> str:
    done = subprocess.run(command, env={"HOME": str(home)}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_recipe_prints_the_documented_output(report, recipe, python):
    text = (ROOT / "docs" / "object_storage.md").read_text().split("### DuckDB\n")[1]
    expected = text.split("```text\n")[1].split("```")[0]
    assert run(recipe, python.parents[2]) == expected


def test_all_tables_and_views_are_those_of_the_database(report, recipe, python):
    compare = [*recipe[:2], recipe[2] + COMPARE, str(report.folder / "broadsheet.duckdb"), *NAMES]
    differing = json.loads(run(compare, python.parents[2]).splitlines()[-1])
    assert {name: count for name, count in differing.items() if count} == {}
    assert set(NAMES) <= set(differing)
