"""The schedule when nobody looks: runs that take longer than their interval, and alerts that reach somebody."""

import json
import queue
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.warehouse.lock import writer_lock
from tests.conftest import ROOT, SEEDS, query
from tests.test_up import Up, started

ALERTS = ROOT / "automations" / "alerts.yaml"
INTERVAL = 10  # seconds between two ticks


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("unattended")
    (folder / "source").mkdir()
    for file in SEEDS.iterdir():
        (folder / "source" / file.name).write_bytes(file.read_bytes())
    with started(folder) as up:
        up.read_until("First run completed")
        yield up


def ask(up: Up, path: str, **body: object) -> Any:
    """Ask the server, again while its database is held by another writer."""
    while (answer := up.api.post(path, json=body)).status_code == httpx.codes.SERVICE_UNAVAILABLE:
        threading.Event().wait(0.3)
    return answer.raise_for_status().json()


def scheduled_runs(up: Up, *states: str) -> list[dict]:
    """The runs of the hourly deployment's schedule in these states, the latest first."""
    wanted = {"state": {"type": {"any_": states}}, "tags": {"all_": ["auto-scheduled"]}}
    return list(ask(up, "/flow_runs/filter", flow_runs=wanted, sort="EXPECTED_START_TIME_DESC"))


def await_runs(up: Up, *states: str) -> list[dict]:
    """The same, as soon as there is one."""
    while not (found := scheduled_runs(up, *states)):
        threading.Event().wait(0.3)
    return found


@contextmanager
def ticks(up: Up) -> Iterator[None]:
    """The hourly deployment runs every INTERVAL seconds, until the end of the block."""
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    every = {"schedule": {"interval": INTERVAL}, "active": True}
    (made,) = up.api.post(f"/deployments/{hourly}/schedules", json=[every]).raise_for_status().json()
    yield
    up.api.delete(f"/deployments/{hourly}/schedules/{made['id']}").raise_for_status()


def test_a_run_longer_than_the_interval_has_no_second_writer_and_loses_no_change(up):
    before = (up.warehouse / "current").resolve()
    seed = next(up.source.glob("*ART2611031140G1WBP6.md"))
    with writer_lock(up.warehouse), ticks(up):  # who is scheduled waits for us, as for a run that takes long
        (waiting,) = await_runs(up, "RUNNING")
        left_out = await_runs(up, "CANCELLED")
        seed.write_text(re.sub(r'^title: ".*"$', 'title: "Changed meanwhile"', seed.read_text(), flags=re.MULTILINE))
        assert [run["id"] for run in scheduled_runs(up, "RUNNING")] == [waiting["id"]]
        assert (up.warehouse / "current").resolve() == before
    while ask(up, "/flow_runs/filter", flow_runs={"id": {"any_": [waiting["id"]]}})[0]["state_type"] == "RUNNING":
        threading.Event().wait(0.3)
    assert query(up.warehouse / "current", "SELECT count(*) FROM articles WHERE title = 'Changed meanwhile'") == [(1,)]
    assert waiting["id"] not in {run["id"] for run in left_out}
    assert scheduled_runs(up, "FAILED", "CRASHED") == []


@contextmanager
def listening() -> Iterator[tuple[str, "queue.Queue[str]"]]:
    """The address of a webhook, and what it is told, until the end of the block."""
    heard: queue.Queue[str] = queue.Queue()

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.put(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", heard
        server.shutdown()


def notify(up: Up, url: str, **changes: float) -> None:
    """Create the alerts of automations/alerts.yaml, with other times where the test cannot wait."""
    with temporary_settings({PREFECT_API_URL: str(up.api.base_url).rstrip("/")}):
        block = CustomWebhookNotificationBlock(name="alerts", url=url, json_data={"text": "{{subject}}: {{body}}"})
        identity = block.save("broadsheet-alerts", overwrite=True)
    for alert in yaml.safe_load(ALERTS.read_text().replace("BLOCK_ID", str(identity))):
        alert["trigger"]["within"] = changes.get(alert["name"], alert["trigger"]["within"])
        ask(up, "/automations/", **alert)


def test_a_failed_run_and_old_data_reach_whoever_is_to_know(up, tmp_path):
    with listening() as (url, heard):
        notify(up, url, **{"Broadsheet: no edition for a day": 10})
        # Runs of this deployment wait for each other, and none is left out.
        rebuild = up.api.get("/deployments/name/etl/rebuild").json()["id"]
        ask(up, f"/deployments/{rebuild}/create_flow_run", parameters={"source": str(tmp_path / "nowhere")})
        wanted = {"Failed", "day"}  # the last word of each alert's subject
        while wanted:
            wanted.discard(heard.get(timeout=180).split(": ", 2)[1].split()[-1])
