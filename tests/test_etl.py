"""The flow on a real Prefect server publishes what `broadsheet run` publishes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.pipeline.run import publish_edition
from flows.schema import CONTENT
from flows.settings import Settings
from flows.warehouse.database import derive_database
from tests.conftest import ROOT, SEEDS, rows_of, seed_file
from tests.dask_cluster import running_cluster
from tests.object_store import BUCKET
from tests.prefect_server import Server, running_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


def start_flow(server: Server, **settings: object) -> subprocess.Popen[str]:
    variables = {f"BROADSHEET_{name.upper()}": str(value) for name, value in settings.items()}
    environment = {**os.environ, **server.environment, **variables}
    command = [sys.executable, "-m", "flows.etl"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run_flow(server: Server, **settings: object) -> subprocess.CompletedProcess[str]:
    with start_flow(server, **settings) as flow:
        said, errors = flow.communicate(timeout=300)
    return subprocess.CompletedProcess(flow.args, flow.returncode, said, errors)


def test_the_flow_publishes_the_same_edition(server, demo, warehouse):
    done = run_flow(server, source=SEEDS, warehouse=warehouse)
    assert done.returncode == 0, done.stderr
    assert rows_of(warehouse / "current") == rows_of(demo)
    (run,) = server.post("flow_runs/filter", flows={"name": {"any_": ["etl"]}}, sort="START_TIME_DESC", limit=1)
    assert run["state_type"] == "COMPLETED"
    tasks = server.post("task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}}, sort="EXPECTED_START_TIME_ASC")
    assert [(task["name"].rsplit("-", 1)[0], task["state_type"]) for task in tasks] == [
        (step, "COMPLETED")
        for step in (
            "extract",
            "transform",
            "reconcile",
            "write partitions",
            "write partitions",
            "load",
            "check",
            "publish",
        )
    ]
    again = run_flow(server, source=SEEDS, warehouse=warehouse)
    assert again.returncode == 0, again.stderr
    assert "No changes since" in again.stderr
    assert len(list((warehouse / "editions").iterdir())) == 1


def test_a_large_step_of_the_flow_is_done_in_processes(server, source, tmp_path, warehouse):
    for number in range(4_100):
        (source / f"{number}.md").write_text(seed_file(f"A{number}"))
    done = run_flow(server, source=source, warehouse=warehouse, processes=2)
    assert done.returncode == 0, done.stderr
    plain = publish_edition(Settings(source=source, warehouse=tmp_path / "plain", processes=1)).folder
    assert rows_of(warehouse / "current") == rows_of(plain)


def test_a_failure_names_a_hostile_path_without_what_could_control_a_screen(server, tmp_path, warehouse):
    done = run_flow(server, source=tmp_path / "no\x1b[31m\u202e\nForged: done", warehouse=warehouse)
    assert done.returncode == 1
    (run,) = server.post("flow_runs/filter", sort="START_TIME_DESC", limit=1)
    (brief,) = server.post("artifacts/latest/filter", artifacts={"key": {"any_": ["brief"]}})
    logs = server.post("logs/filter", logs={"flow_run_id": {"any_": [run["id"]]}})
    for text in (done.stderr, run["state"]["message"], brief["data"], *(log["message"] for log in logs)):
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\nForged" not in text
    assert r"no\x1b[31m\u202e\nForged: done. Pass" in run["state"]["message"]
    assert "Forged: done" in done.stderr


def test_a_dask_worker_that_is_killed_in_mid_run_loses_no_row(server, object_store, tmp_path, warehouse):
    """Source and warehouse are in a store, which holds the answer to a worker until the worker is dead."""
    place = ObjectPath(BUCKET, "flow")
    transfers.upload_all(SEEDS, place / "source")
    object_store.gated = "source/2026-10-24-ART2610240536KQ7ZN2.md"
    settings = {"source": place / "source", "warehouse": place / "warehouse", "data": tmp_path / "data"}
    with running_cluster(tmp_path) as cluster:
        flow = start_flow(server, **settings, runner="dask", scheduler=cluster.address)
        try:
            assert object_store.reached.wait(120)
            (worker,) = cluster.at_work()
            os.kill(worker, signal.SIGKILL)
            object_store.opened.set()
            _, errors = flow.communicate(timeout=300)
        finally:
            flow.kill()
            object_store.opened.set()
        assert flow.returncode == 0, errors
        assert len(cluster.client.scheduler_info()["workers"]) == 1
    edition = tmp_path / "edition"
    transfers.download_all(
        place / "warehouse" / "editions" / objects.read(place / "warehouse" / "current").decode(), edition
    )
    derive_database(edition)
    local = publish_edition(Settings(**{**settings, "warehouse": warehouse})).folder
    assert rows_of(edition) == rows_of(local)
    assert content_of(edition) == content_of(local)
    left = {found.name.split("/")[0] for found in objects.list_objects(place / "warehouse")}
    assert left == {"current", "editions"}


def content_of(edition: Path) -> dict[str, bytes]:
    """The Parquet of an edition that depends on nothing but the seed files."""
    files = [file for table in CONTENT for file in (edition / table.name).rglob("*.parquet")]
    return {str(file.relative_to(edition)): file.read_bytes() for file in (*files, edition / "problems.parquet")}


def test_a_temporary_dask_cluster_publishes_into_a_folder(server, demo, warehouse):
    done = run_flow(server, source=SEEDS, warehouse=warehouse, runner="dask", processes=1)
    assert done.returncode == 0, done.stderr
    assert rows_of(warehouse / "current") == rows_of(demo)
    assert content_of(warehouse / "current") == content_of(demo)
