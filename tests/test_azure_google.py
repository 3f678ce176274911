"""A source and a warehouse on Azure Blob Storage and on Google Cloud Storage are as good as folders."""

import filecmp
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.cli.main import main
from flows.errors import ClockError, PublishConflictError, RunError
from flows.object_store import objects
from flows.object_store.azure_google import connection
from flows.object_store.azure_google.connection import connect
from flows.object_store.path import ObjectPath, parse
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from flows.warehouse import object_editions
from tests.azure_store import running_azure
from tests.conftest import SEEDS, query, rows_of, run_broadsheet, seed_file
from tests.dask_cluster import running_cluster
from tests.google_store import running_google
from tests.test_etl import server, start_flow  # noqa: F401
from tests.test_late_workers import published_bytes

pytestmark = pytest.mark.slow

AZURE = pytest.param("az", marks=pytest.mark.azure)
both = pytest.mark.parametrize("store", [AZURE, "gs"], indirect=True)
on_azure = pytest.mark.parametrize("store", [AZURE], indirect=True)
on_google = pytest.mark.parametrize("store", ["gs"], indirect=True)


@pytest.fixture(scope="module")
def stores() -> Iterator[Callable[[str], Any]]:
    """Start the server of a scheme once; this process and those that it starts find it by their environment."""
    running: dict[str, Any] = {}
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())

        def start(scheme: str) -> Any:
            if scheme not in running:
                running[scheme] = stack.enter_context(running_azure() if scheme == "az" else running_google())
                if scheme == "az":
                    patch.setenv("AZURE_STORAGE_CONNECTION_STRING", running["az"].connection_string)
                else:
                    patch.setenv("STORAGE_EMULATOR_HOST", running["gs"].url)
            return running[scheme]

        yield start
        connect.cache_clear()


@pytest.fixture
def store(request: pytest.FixtureRequest, stores: Callable[[str], Any]) -> Any:
    """The server of a scheme, connected again by each test."""
    running = stores(request.param)
    connect.cache_clear()
    yield running
    connect.cache_clear()


@pytest.fixture
def place(request: pytest.FixtureRequest, store: Any, tmp_path: Path) -> ObjectPath:
    """A separate prefix for each test."""
    return parse(f"{request.node.callspec.params['store']}://newsroom/{tmp_path.name}")


@pytest.fixture
def settings(place: ObjectPath, tmp_path: Path) -> Settings:
    """A run from a source to a warehouse, both in the store."""
    for code in "ABC":
        objects.write(place / f"articles/{code}.md", seed_file(code).encode())
    return Settings(source=place / "articles", warehouse=place / "warehouse", data=tmp_path / "data")


def upload_seeds(place: ObjectPath) -> None:
    for file in SEEDS.rglob("*"):
        if file.is_file():
            objects.write(place / file.relative_to(SEEDS).as_posix(), file.read_bytes())


def told(settings: Settings) -> str:
    """What a run says that fails."""
    with pytest.raises(RunError) as error:
        publish_edition(settings)
    assert "\n" not in str(error.value)
    return str(error.value)


@both
def test_an_edition_equals_that_of_a_folder(place, tmp_path):
    """With an article that is new, one that is corrected and one that is deleted, from another machine each."""
    source = Path(shutil.copytree(SEEDS, tmp_path / "source"))
    local = Settings(source=source, warehouse=tmp_path / "warehouse")
    upload_seeds(place / "articles")
    first, last = sorted(path for path in source.rglob("2026-11-*.md") if path.is_file())[:2]
    for machine in ("one", "two", "three"):
        remote = Settings(source=place / "articles", warehouse=place / "warehouse", data=tmp_path / machine)
        ours, theirs = publish_edition(remote).folder, publish_edition(local).folder
        assert rows_of(ours) == rows_of(theirs)
        for month in (theirs / "articles").iterdir():
            assert filecmp.cmp(month / "articles.parquet", ours / "articles" / month.name / "articles.parquet", False)
        assert verify_edition(remote) == []
        assert publish_edition(remote).edition is None
        if machine == "one":
            first.write_text(first.read_text() + "\n\nOne more sentence.\n")
            (source / "new.md").write_text(seed_file("NEW"))
            objects.write(place / "articles" / first.relative_to(source).as_posix(), first.read_bytes())
            objects.write(place / "articles/new.md", seed_file("NEW").encode())
        elif machine == "two":
            last.unlink()
            objects.remove_object(place / "articles" / last.relative_to(source).as_posix())
    kept = [found.name for found in objects.list_objects(place / "warehouse") if found.name.endswith("edition.json")]
    assert len(kept) == 3


@both
def test_a_change_within_a_second_is_read(settings):
    """Each content has the same size, and a store gives times to the second."""
    for number in range(100, 110):
        objects.write(settings.source / "A.md", seed_file("A", f"Title {number}").encode())
        edition = publish_edition(settings).folder
        assert query(edition, "SELECT title FROM articles WHERE article_id = 'A'") == [(f"Title {number}",)]


@both
def test_commands_read_the_warehouse(settings, monkeypatch, capsys):
    monkeypatch.setenv("BROADSHEET_SOURCE", str(settings.source))
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", str(settings.warehouse))
    monkeypatch.setenv("BROADSHEET_DATA", str(settings.data))
    assert main(["run"]) == 0
    objects.write(settings.source / "D.md", seed_file("D").encode())
    done = run_broadsheet("run")
    assert "articles           4" in done.stdout, done.stderr
    assert main(["verify"]) == 0
    assert main(["query", "SELECT count(*) AS n FROM articles", "--format", "csv"]) == 0
    assert capsys.readouterr().out.endswith("n\n4\n")
    (older,) = [line for line in run_broadsheet("editions").stdout.splitlines()[1:] if not line.startswith("*")]
    assert main(["rollback", older.split()[0]]) == 0
    assert main(["query", "SELECT count(*) AS n FROM articles", "--format", "csv"]) == 0
    assert capsys.readouterr().out.endswith("n\n3\n")


@both
def test_one_of_two_runs_publishes(settings, tmp_path, monkeypatch):
    """Both have read the pointer before one of them replaces it."""
    publish_edition(settings)
    objects.write(settings.source / "D.md", seed_file("D").encode())
    meeting, point_at = threading.Barrier(2, timeout=60), object_editions._point_at

    def meet(*arguments: Any) -> None:
        meeting.wait()
        point_at(*arguments)

    monkeypatch.setattr(object_editions, "_point_at", meet)
    results: list[object] = []

    def publish(data: Path) -> None:
        try:
            results.append(publish_edition(settings.model_copy(update={"data": data})))
        except RunError as error:
            results.append(error)

    runs = [threading.Thread(target=publish, args=[tmp_path / name]) for name in ("one", "two")]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    failed = [result for result in results if isinstance(result, RunError)]
    assert [type(error) for error in failed] == [PublishConflictError]
    assert verify_edition(settings) == []


@both
def test_a_damaged_object_is_replaced_from_the_working_copy(settings):
    publish_edition(settings)
    expected = published_bytes(settings)
    edition = settings.warehouse / "editions" / objects.read(settings.warehouse / "current").decode()
    (name,) = [found.name for found in objects.list_objects(edition) if found.name.startswith("articles/")]
    objects.write(edition / name, b"damaged")
    objects.write(settings.source / "D.md", seed_file("D", date="2026-11-02").encode())
    publish_edition(settings)
    assert published_bytes(settings)[name] == expected[name]
    assert verify_edition(settings) == []


@on_azure
def test_a_large_file_is_transferred_in_parts(place, tmp_path, monkeypatch):
    monkeypatch.setattr("flows.object_store.azure_google.calls.MULTIPART_THRESHOLD", 1)
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * 50_000)
    objects.upload(file, place / "large", create=True)
    objects.download(place / "large", tmp_path / "again" / "large")
    assert filecmp.cmp(file, tmp_path / "again" / "large", shallow=False)
    assert [path.name for path in (tmp_path / "again").iterdir()] == ["large"]


@both
@pytest.mark.parametrize("create", [True, False])
def test_an_empty_file_is_uploaded(place, tmp_path, create):
    (tmp_path / "empty").touch()
    objects.upload(tmp_path / "empty", place / "empty", create=create)
    assert (objects.read(place / "empty"), objects.read(place / "empty", 10)) == (b"", b"")


@both
def test_only_the_wanted_bytes_are_returned(place):
    objects.write(place / "long", b"x" * 100_000)
    assert objects.read(place / "long", 10) == b"x" * 10
    assert objects.read(place / "long", 100_000) == b"x" * 100_000


@both
def test_a_flow_on_a_dask_cluster_publishes(server, settings, tmp_path):
    for number in range(600):
        objects.write(
            settings.source / f"{number}.md", seed_file(f"N{number}", date=f"2026-0{1 + number % 5}-01").encode()
        )
    with running_cluster(tmp_path) as cluster:
        places = {name: str(getattr(settings, name)) for name in ("source", "warehouse", "data")}
        flow = start_flow(server, **places, runner="dask", scheduler=cluster.address)
        output, _ = flow.communicate(timeout=120)
    assert flow.returncode == 0, output
    assert verify_edition(settings) == []
    assert objects.list_folders(settings.warehouse / ".staging") == []


@both
def test_a_bucket_that_does_not_exist_is_named(settings):
    elsewhere = parse(f"{settings.warehouse.scheme}://nowhere/x")
    for place in ("source", "warehouse"):
        assert told(settings.model_copy(update={place: elsewhere})) == (
            "Bucket not found: nowhere. Create it, or pass another with --source or --warehouse."
        )


@both
def test_a_wrong_clock_is_noticed(settings, monkeypatch):
    time_of = objects.time_of
    monkeypatch.setattr(objects, "time_of", lambda prefix: time_of(prefix) - timedelta(days=2))
    with pytest.raises(ClockError, match="Set the clock"):
        publish_edition(settings)


@both
def test_a_store_that_does_not_answer(settings, monkeypatch, store):
    monkeypatch.setattr(connection, "RETRIES", 0)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    if settings.source.scheme == "az":
        monkeypatch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING", store.connection_string.replace(store.url, "http://127.0.0.1:9/x")
        )
    connect.cache_clear()
    assert told(settings) == (
        f"The store of {settings.source} does not answer (HTTP error: error sending request: Connection refused). Check"
        " the network, the proxy variables and the endpoint, then run again."
    )


@both
def test_an_object_whose_name_cannot_be_used_is_reported(settings, store):
    name = f"{settings.source.key}/a//b.md"
    if settings.source.scheme == "az":
        store.container.upload_blob(name, b"x")
    else:
        store.put(name, b"x")
    assert told(settings) == (
        f"{settings.source.scheme}://newsroom contains an object whose name has an empty part, a part . or .., or a"
        f" control character, so it cannot be listed: {name!r}. Rename or remove the object."
    )


@both
def test_an_object_that_marks_a_folder_is_no_seed_file(settings, store):
    for name in (f"{settings.source.key}/", f"{settings.source.key}/folder/"):
        if settings.source.scheme == "az":
            store.container.upload_blob(name, b"")
        else:
            store.put(name, b"")
    report = publish_edition(settings)
    assert (report.edition.articles, report.edition.rejected) == (3, 0)


@on_azure
def test_an_archived_object_is_a_rejected_file(settings, store):
    store.container.get_blob_client(f"{settings.source.key}/B.md").set_standard_blob_tier("Archive")
    report = publish_edition(settings)
    assert report.edition.articles == 2
    assert query(report.folder, "SELECT source_path, message FROM problems") == [
        ("B.md", "The file cannot be read: it is archived (BlobArchived).")
    ]


@on_azure
def test_credentials_that_are_not_accepted(settings, store, monkeypatch):
    monkeypatch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING", f"AccountName=devstoreaccount1;AccountKey=AAAA;BlobEndpoint={store.url}"
    )
    connect.cache_clear()
    assert "(AuthorizationFailure). Grant these credentials Storage Blob Data Contributor on the container." in told(
        settings
    )


@on_google
def test_an_object_that_may_not_be_read_is_a_rejected_file(settings, store, monkeypatch):
    monkeypatch.setitem(store.refused, f"{settings.source.key}/B.md", (403, "AccessDenied"))
    report = publish_edition(settings)
    assert report.edition.articles == 2
    assert query(report.folder, "SELECT message FROM problems") == [
        ("The file cannot be read: the store refuses it (AccessDenied).",)
    ]
    monkeypatch.setitem(store.refused, f"{settings.source.key}/B.md", (401, "AuthenticationRequired"))
    assert "does not accept the credentials (AuthenticationRequired). Set or correct the credentials of Google" in told(
        settings
    )


@on_google
def test_a_store_that_ignores_conditions_is_refused(settings, store, monkeypatch):
    monkeypatch.setattr(store, "ignores_conditions", True)
    assert "ignores If-None-Match, so concurrent runs could damage an edition; nothing was published." in told(settings)
    assert list(objects.list_objects(settings.warehouse / "editions")) == []


MALFORMED = [
    ({}, "Account must be specified. Set AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_CONNECTION_STRING."),
    ({"AZURE_STORAGE_CONNECTION_STRING": "nonsense"}, "AZURE_STORAGE_CONNECTION_STRING has no AccountName."),
    ({"AZURE_STORAGE_ACCOUNT_NAME": "x", "AZURE_STORAGE_ACCOUNT_KEY": "a b"}, "Correct AZURE_STORAGE_ACCOUNT_KEY or"),
    ({"AZURE_STORAGE_ACCOUNT_NAME": "x", "AZURE_STORAGE_ENDPOINT": "nonsense"}, "AZURE_STORAGE_ENDPOINT is not the URL"),
    ({"AZURE_STORAGE_USE_EMULATOR": "maybe"}, "Correct AZURE_STORAGE_USE_EMULATOR."),
    ({"STORAGE_EMULATOR_HOST": "http://127.0.0.1:port"}, "STORAGE_EMULATOR_HOST is not the URL of a server"),
    ({"GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/a.json"}, "Correct GOOGLE_APPLICATION_CREDENTIALS."),
    ({"GOOGLE_SERVICE_ACCOUNT_KEY": "{"}, "Correct the GOOGLE_* variables."),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "said"), MALFORMED, ids=[said for _, said in MALFORMED])
def test_a_malformed_variable_is_named(monkeypatch, capsys, variables, said):
    for name in ("AZURE_STORAGE_CONNECTION_STRING", "STORAGE_EMULATOR_HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    connect.cache_clear()
    scheme = "gs" if any("AZURE" not in name for name in variables) else "az"
    assert main(["editions", "--warehouse", f"{scheme}://newsroom/warehouse"]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("scheme", ["az", "gs"])
def test_a_store_without_its_extra(monkeypatch, capsys, scheme):
    connect.cache_clear()
    monkeypatch.setitem(sys.modules, "obstore", None)
    assert main(["editions", "--warehouse", f"{scheme}://newsroom/warehouse"]) == 1
    assert capsys.readouterr().err == (
        f"broadsheet: A URL with {scheme}:// needs the extra {scheme}. Run pip install '.[{scheme}]' in Broadsheet's"
        " folder.\n"
    )
