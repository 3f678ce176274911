"""The flow on a real Prefect server gives what `broadsheet run` gives."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, SEEDS, rows_of
from tests.prefect_server import Server, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with running_server(tmp_path_factory.mktemp("prefect")) as server:
        yield server


def run_flow(server: Server, source: Path, warehouse: Path) -> subprocess.CompletedProcess[str]:
    settings = {"BROADSHEET_SOURCE": str(source), "BROADSHEET_WAREHOUSE": str(warehouse)}
    environment = {**os.environ, **server.environment, **settings}
    command = [sys.executable, "-m", "flows.etl"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def test_the_flow_publishes_the_same_edition(server, demo, warehouse):
    done = run_flow(server, SEEDS, warehouse)
    assert done.returncode == 0, done.stderr
    assert rows_of(warehouse / "current") == rows_of(demo)
    (run,) = server.post("flow_runs/filter", flows={"name": {"any_": ["etl"]}}, sort="START_TIME_DESC", limit=1)
    assert run["state_type"] == "COMPLETED"
    tasks = server.post("task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}}, sort="EXPECTED_START_TIME_ASC")
    assert [(task["name"].rsplit("-", 1)[0], task["state_type"]) for task in tasks] == [
        (step, "COMPLETED")
        for step in ("extract", "transform", "settle", "write months", "write months", "load", "check", "publish")
    ]
    again = run_flow(server, SEEDS, warehouse)
    assert again.returncode == 0, again.stderr
    assert "Nothing is new" in again.stderr
    assert len(list((warehouse / "editions").iterdir())) == 1


def test_a_missing_source_fails_the_flow(server, tmp_path, warehouse):
    done = run_flow(server, tmp_path / "nowhere", warehouse)
    assert done.returncode == 1
    assert "nowhere is no folder" in done.stderr
    (run,) = server.post("flow_runs/filter", sort="START_TIME_DESC", limit=1)
    assert run["state_type"] == "FAILED"
    assert not warehouse.exists()
