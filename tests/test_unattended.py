"""Run the schedule unattended: runs that take longer than their interval, an unreachable server, and alerts."""

import json
import os
import queue
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest
import yaml
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings

from flows.warehouse.lock import writer_lock
from tests.conftest import ROOT, SEEDS, query
from tests.process_tree import descendants, have_ended, open_pidfds
from tests.up_server import TIMEOUT, Up, run_in_thread, running_up, runs, state_of, wait_for

pytestmark = pytest.mark.slow

RECOVERY = ROOT / "automations" / "recovery.yaml"
ALERTS = ROOT / "automations" / "alerts.yaml"
INTERVAL = 10  # seconds between scheduled runs


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("unattended")
    (folder / "source").mkdir()
    for file in SEEDS.iterdir():
        (folder / "source" / file.name).write_bytes(file.read_bytes())
    with running_up(folder, "--cron", "*/30 * * * *", "--time-zone", "Asia/Tokyo") as up:
        up.read_until("The schedule is on, */30 * * * * Asia/Tokyo: ")
        up.read_until("First run completed")
        yield up


def scheduled_runs(up: Up, *states: str) -> set[str]:
    """Return the ids of scheduled runs in these states."""
    return runs(up, *states, tags={"all_": ["auto-scheduled"]})


@contextmanager
def frequent_schedule(up: Up) -> Iterator[None]:
    """Schedule the hourly deployment every INTERVAL seconds, until the end of the block."""
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    every = {"schedule": {"interval": INTERVAL}, "active": True}
    (made,) = up.api.post(f"/deployments/{hourly}/schedules", json=[every]).json()
    try:
        yield
    finally:
        up.api.delete(f"/deployments/{hourly}/schedules/{made['id']}")


def test_a_run_longer_than_the_interval_has_no_second_writer_and_loses_no_change(up):
    before = (up.warehouse / "current").resolve()
    seed = next(up.source.glob("*ART2611031140G1WBP6.md"))
    with (
        writer_lock(up.warehouse),
        frequent_schedule(up),
    ):  # scheduled runs wait for this lock, as for a long run
        (long,) = wait_for(up, lambda: scheduled_runs(up, "RUNNING"))
        left_out = wait_for(up, lambda: scheduled_runs(up, "CANCELLED"))
        seed.write_text(re.sub(r'^title: ".*"$', 'title: "Changed meanwhile"', seed.read_text(), flags=re.MULTILINE))
        assert scheduled_runs(up, "RUNNING") == {long}
        assert (up.warehouse / "current").resolve() == before
    wait_for(up, lambda: long not in scheduled_runs(up, "RUNNING"))
    assert long in scheduled_runs(up, "COMPLETED")
    assert long not in left_out
    assert scheduled_runs(up, "FAILED", "CRASHED") == set()
    assert query(up.warehouse / "current", "SELECT count(*) FROM articles WHERE title = 'Changed meanwhile'") == [(1,)]


@contextmanager
def fast_recovery(up: Up) -> Iterator[None]:
    """Mark runs as crashed 10 seconds after a heartbeat; heartbeats are 30 seconds apart."""
    recovery = yaml.safe_load(RECOVERY.read_text())[0]
    recovery["trigger"]["within"] = 10  # the minimum of Prefect
    made = up.api.post("/automations/", json=recovery).json()
    try:
        yield
    finally:
        up.api.delete(f"/automations/{made['id']}")


def test_a_run_that_publishes_while_the_server_is_away_ends_as_completed(up):
    rebuild = up.api.get("/deployments/name/etl/rebuild").json()["id"]
    before = (up.warehouse / "current").resolve()
    (server,) = descendants(up.process.pid, "prefect server start")
    with fast_recovery(up):
        with writer_lock(up.warehouse):
            run = up.api.post(f"/deployments/{rebuild}/create_flow_run", json={}).json()["id"]
            wait_for(up, lambda: run in runs(up, "CRASHED"))
            message = state_of(up, run)[1]
            os.kill(server, signal.SIGSTOP)
        try:
            limit = time.monotonic() + 60
            while (up.warehouse / "current").resolve() == before and time.monotonic() < limit:
                time.sleep(0.1)
            edition = (up.warehouse / "current").resolve()
        finally:
            os.kill(server, signal.SIGCONT)
        assert edition != before
        wait_for(up, lambda: run in runs(up, "COMPLETED"))
    assert message == (
        "No heartbeat for 90 seconds: the run has ended, or the server was unreachable. Run broadsheet editions to see whether it published."
    )
    assert state_of(up, run)[1].startswith(f"Published edition {edition.name}: ")


@contextmanager
def listening() -> Iterator[tuple[str, "queue.Queue[str]"]]:
    """Yield the address of a webhook and its messages, until the end of the block."""
    events: queue.Queue[str] = queue.Queue()

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            events.put(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Webhook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", events
        server.shutdown()


async def save_block(up: Up, url: str) -> UUID:
    """Return the id of a notification block that calls a webhook."""
    url_of_api = str(up.api.base_url).rstrip("/")
    with temporary_settings({PREFECT_API_URL: url_of_api, PREFECT_API_AUTH_STRING: up.password}):
        block = CustomWebhookNotificationBlock(name="alerts", url=url, json_data={"text": "{{subject}}: {{body}}"})
        return await block.asave("broadsheet-alerts", overwrite=True)


def notify(up: Up, url: str, **changes: float) -> None:
    """Create the alerts of automations/alerts.yaml, some with shorter times for the test."""
    identity = run_in_thread(save_block(up, url))
    for alert in yaml.safe_load(ALERTS.read_text().replace("BLOCK_ID", str(identity))):
        alert["trigger"]["within"] = changes.get(alert["name"], alert["trigger"]["within"])
        up.api.post("/automations/", json=alert)


def test_a_failed_run_and_old_data_send_notifications(up, tmp_path):
    with listening() as (url, events):
        notify(up, url, **{"Broadsheet: no edition for a day": 10})
        # Runs of this deployment are queued and never skipped.
        rebuild = up.api.get("/deployments/name/etl/rebuild").json()["id"]
        nowhere = {"parameters": {"source": str(tmp_path / "nowhere")}}
        up.api.post(f"/deployments/{rebuild}/create_flow_run", json=nowhere)
        wanted = {"Failed", "day"}  # last word of the subject of each alert
        while wanted:
            wanted.discard(events.get(timeout=TIMEOUT).split(": ", 2)[1].split()[-1])


def test_a_stop_ends_all_processes(up):
    parts = open_pidfds(*descendants(up.process.pid))
    assert len(parts) >= 3  # the server, the worker and the guard
    up.process.terminate()
    assert up.read_until("Stopped")
    assert up.process.wait(90) == 0
    assert have_ended(parts)
