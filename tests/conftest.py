"""What the tests share: the demo's edition, and ways to run and read editions."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright

from flows.object_store.path import ObjectPath
from flows.pipeline import extract
from flows.pipeline.run import Report, publish_edition
from flows.settings import Settings
from flows.warehouse import local_storage, object_editions, object_storage, working_copy
from tests.newsroom import Newsroom
from tests.object_store import BUCKET, ObjectStore, running_store

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"
BROADSHEET = (sys.executable, "-c", "import sys; from flows.cli.main import main; sys.exit(main())")

# CI's few examples are the same at each run; `make fuzz` tries many new ones. An input may take 2 seconds.
settings.register_profile("ci", max_examples=200, derandomize=True, deadline=2000, database=None)
settings.register_profile("fuzz", max_examples=100_000, deadline=2000, suppress_health_check=list(HealthCheck))
settings.register_profile("soak", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

OURS = ("BROADSHEET_", "PREFECT_", "AWS_", "AZURE_", "GOOGLE_", "STORAGE_EMULATOR_HOST")  # variables that are read
FOREIGN = "Of another newspaper"  # the title of an article outside of the source
Publish = Callable[..., Report]


@pytest.fixture(scope="session", autouse=True)
def plain_environment() -> Iterator[None]:
    """No setting of this machine reaches a test, nor the ignored SIGINT of a shell's background job.

    Prefect's processes end on SIGTERM by sending themselves SIGINT: those that inherited it ignored would never end.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OURS)]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an edition of seeds/, for reading only."""
    warehouse = tmp_path_factory.mktemp("demo") / "warehouse"
    return publish_edition(Settings(source=SEEDS, warehouse=warehouse)).folder


@pytest.fixture(scope="module")
def object_store() -> Iterator[ObjectStore]:
    """A real S3 server on loopback."""
    with running_store() as running:
        yield running


@pytest.fixture(params=["disk", pytest.param("store", marks=pytest.mark.slow)])
def newsroom(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newsroom:
    """A source with one article, and a place for a warehouse on a disk, and once more in a store; the settings name them."""
    warehouse: Path | ObjectPath = tmp_path / "warehouse"
    if request.param == "store":
        request.getfixturevalue("object_store")
        warehouse = ObjectPath(BUCKET, tmp_path.name)
    made = Newsroom(tmp_path, warehouse)
    for name, place in (("source", made.source), ("warehouse", warehouse), ("data", tmp_path / "data")):
        monkeypatch.setenv(f"BROADSHEET_{name.upper()}", str(place))
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Set the clock of a run."""

    def set_clock(moment: datetime) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:
                return moment.astimezone(tz)

        for module in (extract, local_storage, object_storage, object_editions, working_copy):
            monkeypatch.setattr(module, "datetime", Clock)

    return set_clock


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An empty source."""
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    """A place for a warehouse that does not exist yet."""
    return tmp_path / "warehouse"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not below the source, with an article in it."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "secret.md").write_text(seed_file("S", title=FOREIGN))
    return folder


@pytest.fixture
def publish(source: Path, warehouse: Path) -> Publish:
    """Publish an edition of `source` into `warehouse`."""
    return lambda **settings: publish_edition(Settings(**{"source": source, "warehouse": warehouse, **settings}))


@pytest.fixture
def seeds(source: Path) -> Path:
    """A copy of seeds/ to change."""
    return Path(shutil.copytree(SEEDS, source, dirs_exist_ok=True))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium")
    assert chromium, "These tests look at pages in Chromium; run: apt-get install chromium"
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


# What takes a minute or more, most of it waiting, begins first: no worker then waits for another's last file.
LONGEST = ("failures", "etl", "incremental", "up", "unattended", "operations", "readme", "prefix", "readers", "crash")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that looks at a page is marked, for machines without a browser."""
    order = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")


def end(process: subprocess.Popen) -> None:
    """End a process as an operator does; one that does not end fails the test, and is killed."""
    process.terminate()
    try:
        process.communicate(timeout=90)
    finally:
        process.kill()


def run_broadsheet(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a separate process."""
    command = [*BROADSHEET, *map(str, arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False)


def query(edition: Path, sql: str) -> list[tuple]:
    """The rows of a query on an edition, as an analyst asks it."""
    with duckdb.connect(edition / "broadsheet.duckdb", read_only=True) as connection:
        return connection.execute(sql).fetchall()


def rows_of(edition: Path) -> dict[str, list[tuple]]:
    """Every row of the tables that are a pure function of the seed files."""
    return {
        table: query(edition, f"FROM {table} ORDER BY ALL") for table in ("articles", "images", "captions", "problems")
    }


def seed_file(
    code: str, title: str = "A title", date: str = "2026-10-24T05:00:00Z", body: str = "PARIS - Text."
) -> str:
    """The text of a small seed file."""
    return f'---\ncode: "{code}"\ntitle: "{title}"\ncategory: "WORLD"\ndate: {date}\n---\n\n{body}\n'
