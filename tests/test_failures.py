"""Each failure ends alike wherever it is met: one sentence, nothing published, and the next run goes on.

The command line, the flow on a real Prefect server, and the flow on a real Dask cluster, with the warehouse in a folder
and in an object store.
"""

import ast
import re
import time
from asyncio import CancelledError
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from prefect.logging.handlers import APILogHandler
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import errors, etl
from flows.cli.main import main
from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.pipeline.run import STEPS, publish_edition
from flows.settings import Settings
from flows.warehouse.edition_ids import is_id
from tests.conftest import ROOT
from tests.dask_cluster import Cluster, running_cluster
from tests.failing_newsroom import Newsroom
from tests.failures import FAILURES, Failure
from tests.object_store import BUCKET
from tests.prefect_server import Server, running_server


class Outcome(NamedTuple):
    """How a run ended: whether it failed, and all that an operator reads of it."""

    failed: bool
    message: str
    told: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with (
        running_server(tmp_path_factory.mktemp("prefect")) as server,
        temporary_settings({PREFECT_API_URL: server.url}),
    ):
        yield server


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, object_store: object) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("dask")) as cluster:
        yield cluster


@pytest.fixture
def newsroom(request, tmp_path, monkeypatch) -> Newsroom:
    """Its warehouse is where the run's name says: in a folder, or in a store."""
    run = request.node.callspec.params["run"]
    in_store = run.endswith("store")
    newsroom = Newsroom(
        tmp_path, ObjectPath(BUCKET, tmp_path.name) / "warehouse" if in_store else tmp_path / "warehouse", monkeypatch
    )
    if in_store:
        newsroom.store = request.getfixturevalue("object_store")
    if run.startswith("dask"):
        newsroom.set(runner="dask", scheduler=request.getfixturevalue("cluster").address)
    return newsroom


@pytest.fixture
def newsroom_of_flow(tmp_path, monkeypatch) -> Newsroom:
    """A newsroom with a folder as its warehouse."""
    return Newsroom(tmp_path, tmp_path / "warehouse", monkeypatch)


@pytest.fixture
def execute(request, capsys):
    """A function that does the run as its name says, and returns its outcome."""
    if request.node.callspec.params["run"].startswith("cli"):
        return lambda: by_command(capsys)
    return lambda: by_flow(request.getfixturevalue("server"))


def by_command(capsys) -> Outcome:
    status = main(["run"])
    printed = capsys.readouterr()
    assert status == 0 or printed.out == ""
    return Outcome(status != 0, printed.err.removeprefix("broadsheet: ").strip(), printed.err)


def by_flow(server: Server) -> Outcome:
    state = etl.etl(return_state=True)
    APILogHandler().flush()
    run = str(state.state_details.flow_run_id)
    stored = server.client.get(f"flow_runs/{run}").json()["state"]
    assert stored["message"] == state.message
    lines = awaited_logs(server, run, state.message)
    assert state.message in lines
    told = brief_of(server, run)
    assert told.startswith("# The run failed\n") == state.is_failed()
    return Outcome(state.is_failed(), state.message, f"{lines}\n{told}")


def awaited_logs(server: Server, run: str, message: str) -> str:
    """What a run logged, once its end is there: Prefect's thread of logs may still be at it."""
    limit = time.monotonic() + 30
    while message not in (lines := logs_of(server, run)) and time.monotonic() < limit:
        time.sleep(0.1)
    return lines


def logs_of(server: Server, run: str) -> str:
    """What a run logged, as its page in Prefect's UI has it."""
    logs = server.post("logs/filter", logs={"flow_run_id": {"any_": [run]}}, limit=200)
    return "\n".join(line["message"] for line in logs)


def brief_of(server: Server, run: str) -> str:
    """The brief that a run left."""
    found = server.post("artifacts/filter", artifacts={"flow_run_id": {"any_": [run]}, "key": {"any_": ["brief"]}})
    return "\n".join(artifact["data"] for artifact in found)


ROWS = [
    pytest.param(
        failure,
        run,
        id=f"{run}: {failure.happens.__name__}",
        marks=() if run == "cli folder" else pytest.mark.slow,
    )
    for failure in FAILURES
    for run in failure.runs
]


@pytest.mark.parametrize(("failure", "run"), ROWS)
def test_a_failure_is_a_sentence_and_publishes_nothing(failure: Failure, run: str, newsroom, execute):
    if failure.after:
        publish_edition(Settings())
        newsroom.write(0, "A title to publish")
    before = newsroom.current()
    with failure.happens(newsroom):
        outcome = execute()
        assert outcome.failed
        assert re.fullmatch(failure.message, outcome.message)
        assert "Traceback" not in outcome.told
    if failure.kind is not errors.PublishConflictError:  # which says that another run has published
        assert newsroom.current() == before
    assert publish_edition(Settings()).edition
    assert leftovers(newsroom) == []


@pytest.mark.slow
def test_only_editions_that_are_published_are_events(server, newsroom_of_flow, capsys):
    """The runs above failed, and sent none; an event that is late would be one of theirs."""
    by_flow(server)
    runs = server.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": ["COMPLETED"]}}})
    published = {run["state"]["message"].split()[2].rstrip(":") for run in runs}
    heard: set[str] = set()
    limit = time.monotonic() + 60
    while not heard >= published and time.monotonic() < limit:
        wanted = {"event": {"name": ["broadsheet.edition.published"]}}
        heard = {event["payload"]["edition_id"] for event in server.post("events/filter", filter=wanted)["events"]}
    assert heard == published


@pytest.mark.slow
@pytest.mark.parametrize("error", [OSError("The server is away."), CancelledError()], ids=repr)
def test_a_run_whose_brief_fails_is_completed(server, newsroom_of_flow, monkeypatch, error):
    """The brief of a failed run would say that nothing was published. Prefect cancels a run that lost its server."""

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr(etl, "read_brief", fail)
    outcome = by_flow(server)
    assert not outcome.failed
    assert outcome.message.startswith(f"Published edition {newsroom_of_flow.current()}")
    assert "The edition is published, but its brief could not be created (" in outcome.told
    assert "Traceback" not in outcome.told


def leftovers(newsroom: Newsroom) -> list[str]:
    """What a run left that is neither an edition nor the pointer to one."""
    known = {"current", "editions", ".lock", ".touched.parquet"}
    if newsroom.in_store:
        names = {found.name.split("/")[0] for found in objects.list_objects(newsroom.warehouse)}
        return sorted(names - known)
    left = {entry.name for entry in newsroom.warehouse.iterdir()} - known
    return sorted(left | {entry.name for entry in (newsroom.warehouse / "editions").iterdir() if not is_id(entry.name)})


def raised() -> set[type[errors.RunError]]:
    """The kinds of failure that the code makes."""
    calls = {
        node.func.id
        for file in (ROOT / "flows").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    return {kind for name, kind in vars(errors).items() if name in calls and name.endswith("Error")}


# Kinds that no run meets, and the commands that do.
ELSEWHERE = {
    errors.SeedFileNotFoundError: "explain",
    errors.NoEditionError: "query and verify",
    errors.QueryError: "query",
    errors.ScheduleLockedError: "up",
    errors.DataUnwritableError: "up",
    errors.DataExposedError: "up",
    errors.PortInUseError: "up",
    errors.PortForbiddenError: "up",
    errors.PrefectError: "up",
    errors.ScheduleError: "up",
}


def test_every_kind_of_failure_has_a_row():
    assert raised() - {failure.kind for failure in FAILURES} <= set(ELSEWHERE)


def test_every_step_has_a_failure():
    steps = {step.__name__ for step in STEPS}
    assert {failure.step for failure in FAILURES} >= steps
