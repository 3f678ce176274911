"""DuckDB's extensions httpfs and azure read editions in a store, by the script of their tables and views."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.object_store.azure_google.connection import connect
from flows.pipeline.run import Report, publish_edition
from flows.schema import TABLES
from flows.settings import Settings
from flows.warehouse.ddl import SQL
from tests.azure_store import running_azure
from tests.conftest import ROOT, SEEDS
from tests.google_store import running_google
from tests.object_store import running_store

pytestmark = pytest.mark.slow

LOCK = ROOT / "tests" / "requirements" / "extensions.lock"
TEXT = (ROOT / "docs" / "object_storage.md").read_text().split("### DuckDB\n")[1]
RECIPE = TEXT.split("```python\n")[1].split("```")[0]
LOGINS = {  # as documented
    "s3": "CREATE SECRET (TYPE s3, KEY_ID 'AKIA...', SECRET '...', REGION 'us-east-1')",
    "gs": "CREATE SECRET (TYPE gcs, KEY_ID 'GOOG...', SECRET '...')",
    "az": "CREATE SECRET (TYPE azure, CONNECTION_STRING '...')",
}
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


class Edition(NamedTuple):
    """An edition in a store, and the code that reads its tables and views into `connection`."""

    report: Report
    recipe: str


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with a DuckDB that has the extensions, installed as INSTALL would."""
    folder = tmp_path_factory.mktemp("extensions")
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv" / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--requirement", LOCK], check=True)
    for extension in (folder / "venv").rglob("*.duckdb_extension"):
        home = folder / ".duckdb" / "extensions" / extension.parent.name / "linux_amd64"
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(extension, home)
    return folder / "venv" / "bin" / "python"


@contextmanager
def running(scheme: str) -> Iterator[str]:
    """A store, found by the environment; yield the documented secret with its address and credentials."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if scheme == "s3":
            login = "KEY_ID 'of-the-tests', SECRET 'of-the-tests'"
            address = stack.enter_context(running_store()).address
            yield f"CREATE SECRET (TYPE s3, {login}, ENDPOINT '{address}', URL_STYLE 'path', USE_SSL false)"
        elif scheme == "gs":
            address = stack.enter_context(running_google()).url
            patch.setenv("STORAGE_EMULATOR_HOST", address)
            server = f"ENDPOINT '{address.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false"
            yield f"CREATE SECRET (TYPE gcs, KEY_ID 'a key', SECRET 'a secret', {server})"
        else:
            found = stack.enter_context(running_azure()).connection_string
            patch.setenv("AZURE_STORAGE_CONNECTION_STRING", found)
            yield f"CREATE SECRET (TYPE azure, CONNECTION_STRING '{found}')"
    connect.cache_clear()


@pytest.fixture(scope="module", params=["s3", "gs", pytest.param("az", marks=pytest.mark.azure)])
def edition(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edition]:
    """The second edition of a warehouse, so that its ledger has changes, and its recipe in docs/object_storage.md."""
    folder = tmp_path_factory.mktemp("publisher")
    source = Path(shutil.copytree(SEEDS, folder / "source"))
    with running(request.param) as secret:
        settings = Settings(source=source, warehouse=f"{request.param}://newsroom/warehouse", data=folder / "data")
        publish_edition(settings)
        article = next(source.rglob("2026-10-24-*.md"))
        article.write_text(article.read_text() + "\n\nOne more sentence.\n")
        login, load = LOGINS[request.param], "LOAD azure" if request.param == "az" else "LOAD httpfs"
        recipe = RECIPE.replace(LOGINS["s3"], secret).replace("s3://", f"{request.param}://")
        assert login in TEXT
        yield Edition(publish_edition(settings), recipe.replace("LOAD httpfs", load))


def run(command: list[str], home: Path) -> str:
    done = subprocess.run(command, env={"HOME": str(home)}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_recipe_prints_the_documented_output(edition, python):
    expected = TEXT.split("```text\n")[1].split("```")[0]
    assert run([str(python), "-c", edition.recipe], python.parents[2]) == expected


def test_all_tables_and_views_are_those_of_the_database(edition, python):
    database = edition.report.folder / "broadsheet.duckdb"
    command = [str(python), "-c", edition.recipe + COMPARE, str(database), *NAMES]
    differing = json.loads(run(command, python.parents[2]).splitlines()[-1])
    assert {name: count for name, count in differing.items() if count} == {}
    assert set(NAMES) <= set(differing)
