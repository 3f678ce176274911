"""`broadsheet up`: from nothing to an hourly schedule in one command, with a server, a worker and a browser that are real."""

import asyncio
import os
import re
import select
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

import pytest
from prefect.client.base import PrefectHttpxSyncClient
from prefect.events import Event
from prefect.events.clients import PrefectEventSubscriber
from prefect.events.filters import EventFilter, EventNameFilter

from flows.warehouse.lock import writer_lock
from tests.conftest import BROADSHEET, ROOT, SEEDS, end, query, run_broadsheet
from tests.prefect_server import free_port

T = TypeVar("T")
# Loaded by every Python that `up` starts: it notes each name and address that is looked for or sent to.
WATCH = """
import os, sys

NOTES = os.path.join(os.path.dirname(__file__), "reached.txt")
ASKED = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.connect", "socket.sendto", "socket.sendmsg"}

def watch(event, arguments):
    if event in ASKED:
        place = arguments[0] if event.startswith("socket.get") else arguments[1]
        host = place[0] if isinstance(place, tuple) else place
        with open(NOTES, "a") as notes:
            print(host, file=notes)

sys.addaudithook(watch)
"""
LIMIT = 300  # seconds for what the schedule and the alerts do by themselves


class Up(NamedTuple):
    """A running `broadsheet up`, and its server's API."""

    process: subprocess.Popen[str]
    port: int
    warehouse: Path
    source: Path
    api: PrefectHttpxSyncClient  # asks again where the server's database is busy, and raises all other errors

    def read_until(self, words: str) -> str:
        """The next line that it prints with these words."""
        assert self.process.stdout
        return next(line for line in self.process.stdout if words in line)


@contextmanager
def started(folder: Path) -> Iterator[Up]:
    """`broadsheet up` with all its files in a folder, until the end of the block."""
    port = free_port()
    source, warehouse = folder / "source", folder / "warehouse"
    places = ["--source", source, "--warehouse", warehouse, "--data", folder / "data", "--port", port]
    command = [*BROADSHEET, "up", *map(str, places)]
    (folder / "sitecustomize.py").write_text(WATCH)
    watched = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=watched, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        with PrefectHttpxSyncClient(base_url=f"http://127.0.0.1:{port}/api", timeout=60) as api:
            yield Up(process, port, warehouse, source, api)
    finally:
        end(process)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of seeds/ as the source."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "source").mkdir()
    for file in SEEDS.iterdir():
        (folder / "source" / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    with started(folder) as up:
        yield up


@asynccontextmanager
async def events_heard(up: Up, prefix: str) -> AsyncIterator[AsyncIterator[Event]]:
    """The events of these names as the server tells them to whoever listens, those of the last minute first."""
    wanted = EventFilter(event=EventNameFilter(prefix=[prefix]))
    async with PrefectEventSubscriber(api_url=str(up.api.base_url), filter=wanted) as heard, asyncio.timeout(LIMIT):
        yield heard


def aside(work: Coroutine[None, None, T]) -> T:
    """What a coroutine returns; the browser's loop runs in this thread, so it is run in another."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def awaited(up: Up, look: Callable[[], T]) -> T:
    """What is there as soon as there is something; looked for at each event of a flow run."""

    async def wait() -> T:
        async with events_heard(up, "prefect.flow-run.") as events:
            while not (found := look()):
                await anext(events)
            return found

    return aside(wait())


def runs(up: Up, *states: str, **more: object) -> set[str]:
    """The flow runs that are in one of these states, `more` of which is known."""
    wanted = {"state": {"type": {"any_": states}}, **more}
    return {run["id"] for run in up.api.post("/flow_runs/filter", json={"flow_runs": wanted}).json()}


def latest(up: Up, key: str) -> dict:
    """The newest artifact of a key."""
    (found,) = up.api.post("/artifacts/latest/filter", json={"artifacts": {"key": {"any_": [key]}}}).json()
    return found


def run_of(up: Up, edition_id: str) -> dict:
    """The flow run that published an edition."""
    (run,) = up.api.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [f"edition {edition_id}"]}}}).json()
    return run


def test_one_command_publishes_the_first_edition(up):
    assert f"http://127.0.0.1:{up.port}" in up.read_until("The schedule is on")
    line = up.read_until("First run")
    edition = (up.warehouse / "current").resolve().name
    assert line.startswith(f"First run completed: Published edition {edition}: 24 articles, 24 added")
    assert run_of(up, edition)["state_type"] == "COMPLETED"


def test_the_brief_and_its_tables_tell_what_the_run_did(up):
    text = latest(up, "brief")["data"]
    assert "## Published: 24" in text
    assert "## Rejected: 2" in text
    assert "Save it as UTF" in text
    assert "WORLD" in str(latest(up, "categories")["data"])
    assert "here must stand a key" in str(latest(up, "problems")["data"])


def test_a_browser_sees_the_run_and_the_brief(up, browser):
    run = run_of(up, (up.warehouse / "current").resolve().name)
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"http://127.0.0.1:{up.port}/runs/flow-run/{run['id']}")
    page.get_by_text("Completed").first.wait_for(timeout=60_000)
    assert page.get_by_text(run["name"]).first.is_visible()
    page.goto(f"http://127.0.0.1:{up.port}/artifacts/artifact/{latest(up, 'brief')['latest_id']}")
    page.get_by_text("Canadian town teaches its snowploughs to sing").first.wait_for(timeout=60_000)
    page.close()
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}


def test_deployments_are_what_an_operator_expects(up):
    found = {row["name"]: row for row in up.api.post("/deployments/filter", json={}).json()}
    assert set(found) == {"hourly", "rebuild", "weekly"}
    assert [schedule["schedule"]["cron"] for schedule in found["hourly"]["schedules"]] == ["0 * * * *"]
    collisions = {name: row["concurrency_options"]["collision_strategy"] for name, row in found.items()}
    assert collisions == {"hourly": "CANCEL_NEW", "rebuild": "ENQUEUE", "weekly": "CANCEL_NEW"}
    assert all(row["global_concurrency_limit"]["limit"] == 1 for row in found.values())
    for row in found.values():
        assert row["enforce_parameter_schema"]
        assert all(field["description"] for field in row["parameter_openapi_schema"]["properties"].values())
    names = {automation["name"] for automation in up.api.post("/automations/filter", json={}).json()}
    assert "Broadsheet: a run without heartbeats has crashed" in names


async def publish_on_schedule(up: Up) -> list[dict]:
    """Two scheduled runs, each after a change of the source; the payloads of their events."""
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    seed = next(up.source.glob("*ART2611031140G1WBP6.md"))
    heard = []
    async with events_heard(up, "broadsheet.edition.") as editions:
        for title in ("First correction", "Second correction"):
            seed.write_text(re.sub(r'^title: ".*"$', f'title: "{title}"', seed.read_text(), flags=re.MULTILINE))
            if not heard:
                every = {"schedule": {"interval": 15}, "active": True}
                up.api.post(f"/deployments/{hourly}/schedules", json=[every])
            async for event in editions:  # the first may be the one that was published before
                folder = up.warehouse / "editions" / event.payload["edition_id"]
                if query(folder, f"SELECT title FROM articles WHERE title = '{title}'"):
                    heard.append(event.payload)
                    break
    return heard


def test_scheduled_runs_publish_what_was_corrected(up):
    heard = aside(publish_on_schedule(up))
    assert [(facts["corrected"], facts["added"], facts["articles"]) for facts in heard] == [(1, 0, 24), (1, 0, 24)]
    for facts in heard:
        assert run_of(up, facts["edition_id"])["auto_scheduled"]
    assert "Second correction" in latest(up, "brief")["data"]


def test_a_port_in_use_is_one_plain_sentence(up, folder):
    done = run_broadsheet("up", "--data", folder / "other", "--port", up.port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"broadsheet: Port {up.port} is in use")
    assert done.stderr.count("\n") == 1


def test_a_second_one_with_the_same_data_is_one_plain_sentence(up, folder):
    """It would mark the first one's runs as crashed, and its worker would publish into another warehouse for them."""
    done = run_broadsheet("up", "--data", folder / "data", "--port", free_port())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: Another broadsheet up works in {folder / 'data' / 'prefect'};"
        " stop that one, or name another folder with --data.\n"
    )


def descendants(process: int) -> list[int]:
    """The processes that a process started, and those that they started."""
    found = subprocess.run(["ps", "--ppid", str(process), "-o", "pid="], capture_output=True, text=True, check=False)
    children = [int(line) for line in found.stdout.split()]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def test_stopping_in_mid_run_leaves_nothing_and_starting_again_goes_on(folder, up):
    parts = [os.pidfd_open(part) for part in descendants(up.process.pid)]
    assert len(parts) >= 2  # the server and the worker
    known = runs(up, "COMPLETED")
    assert len(known) >= 1
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    with writer_lock(up.warehouse):  # a run waits for us, as for one that takes long
        up.api.post(f"/deployments/{hourly}/create_flow_run", json={})
        (lost,) = awaited(up, lambda: runs(up, "RUNNING"))
        up.process.send_signal(signal.SIGTERM)
        assert up.read_until("Stopped")
        assert up.process.wait(90) == 0
    for part in parts:
        assert select.select([part], [], [], 0)[0], "a part of up outlived it"
        os.close(part)
    with started(folder) as again:
        again.read_until("The schedule is on")
        assert lost in runs(again, "CRASHED")
        assert runs(again, "COMPLETED") >= known
        line = again.read_until("First run")
        assert "completed: " in line or "another one is under way" in line  # a tick was due meanwhile


def test_nothing_reached_out(folder, up):
    reached = set((folder / "reached.txt").read_text().splitlines())
    assert reached == {"127.0.0.1"}
