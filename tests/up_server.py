"""A real broadsheet up on loopback, whose shell, current folder and articles are hostile."""

import asyncio
import base64
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page
from prefect.client.base import PrefectHttpxSyncClient
from prefect.events import Event
from prefect.events.clients import PrefectEventSubscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings

from tests.conftest import ROOT, SEEDS, end
from tests.foreign_page import MARK
from tests.hostile import FILES, VARIABLES, without_home
from tests.prefect_server import free_port

T = TypeVar("T")


# Loaded by every Python process that `up` starts: logs each host name and address that it contacts.
WATCH = """
import os, sys

LOG = os.path.join(os.path.dirname(__file__), "reached.txt")
NETWORK_EVENTS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.connect", "socket.sendto", "socket.sendmsg"}

def watch(event, arguments):
    if event in NETWORK_EVENTS:
        address = arguments[0] if event.startswith("socket.get") else arguments[1]
        host = address[0] if isinstance(address, tuple) else address
        with open(LOG, "a") as log:
            print(host, file=log)

sys.addaudithook(watch)
"""


HOSTILE = (
    "![pixel](http://foreign.example/a.png) [link](javascript:alert%281%29) <img src=http://foreign.example/b.png>"
    " <b>bold</b> www.foreign.example *a* \u202e"
)


VISIBLE = HOSTILE.replace("\u202e", r"\u202e")


TIMEOUT = 300  # seconds to wait for the schedule and the alerts


COMMAND = (sys.executable, "-P", "-c", "import sys; from flows.cli.main import main; sys.exit(main())")


class Up(NamedTuple):
    """A running `broadsheet up`, and its server's API."""

    process: subprocess.Popen[str]
    output: TextIO
    port: int
    warehouse: Path
    source: Path
    api: PrefectHttpxSyncClient  # retries while the database is busy, and raises all other errors
    password_file: Path

    @property
    def password(self) -> str:
        """Return user:password, as the UI and Prefect's clients expect it."""
        return self.password_file.read_text().strip()

    def add_credentials(self, request: httpx.Request) -> httpx.Request:
        """Add the password to a request; it is generated while `up` starts."""
        request.headers["Authorization"] = f"Basic {base64.b64encode(self.password.encode()).decode()}"
        return request

    def read_until(self, words: str) -> str:
        """Return the next printed line that contains a text."""
        return next(line for line in self.output if words in line)


@contextmanager
def running_up(folder: Path, *flags: str) -> Iterator[Up]:
    """Run `broadsheet up` on a separate terminal, with all of its files in a folder, until the end of the block.

    Its shell and its current folder are hostile: proxies, settings of another Prefect, and no home folder.
    """
    port = free_port()
    source, warehouse, cwd = folder / "source", folder / "warehouse", folder / "cwd"
    places = ["--source", source, "--warehouse", warehouse, "--data", folder / "data", "--port", port]
    (folder / "sitecustomize.py").write_text(WATCH)
    for name, text in FILES.items():
        (cwd / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / name).write_text(text)
    environment = VARIABLES | {"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    keyboard, terminal = os.openpty()
    # A session of this terminal: it receives SIGHUP when `output` is closed.
    command = [*without_home(), "setsid", "--ctty", *COMMAND, "up", *map(str, places), *flags]
    process = subprocess.Popen(
        command, cwd=cwd, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, text=True
    )
    os.close(terminal)
    try:
        with (
            open(keyboard, encoding="utf-8") as output,
            PrefectHttpxSyncClient(base_url=f"http://127.0.0.1:{port}/api", timeout=60) as api,
        ):
            up = Up(process, output, port, warehouse, source, api, folder / "data" / "prefect" / "password")
            api.auth = up.add_credentials
            yield up
            if not output.closed:
                end(process)
    finally:
        process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a copy of seeds/ as the source, with a hostile article and a hostile rejected file."""
    folder = tmp_path_factory.mktemp("up")
    (folder / "source").mkdir()
    for file in SEEDS.iterdir():
        (folder / "source" / file.name).write_bytes(file.read_bytes())
    article = next((folder / "source").glob("*ART2611101628A7GPK9.md"))
    for key in ("title", "category"):
        article.write_text(re.sub(f"^{key}: .*$", f"{key}: '{HOSTILE}'", article.read_text(), flags=re.MULTILINE))
    rejected = next((folder / "source").glob("*ART2611051820D9XJN3.md"))
    rejected.rename(rejected.with_name(f"{HOSTILE.replace('/', ':')}.md"))
    return folder


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    with running_up(folder) as up:
        yield up


def run_in_thread(coroutine: Coroutine[None, None, T]) -> T:
    """Run a coroutine in another thread, since the browser's event loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def wait_for(up: Up, look: Callable[[], T]) -> T:
    """Return the first true result of `look`, which is called at each event of a flow run."""

    async def wait() -> T:
        async with subscribe_to_events(up, "prefect.flow-run.") as events:
            while not (found := look()):
                await anext(events)
            return found

    return run_in_thread(wait())


def state_of(up: Up, run: str) -> tuple[str, str]:
    """Return the type of a flow run's state, and its message."""
    state = up.api.get(f"/flow_runs/{run}").json()["state"]
    return state["type"], state["message"]


def runs(up: Up, *states: str, **more: object) -> set[str]:
    """Return the ids of flow runs in these states, or in any state if none is passed, with more filters."""
    wanted = {**({"state": {"type": {"any_": states}}} if states else {}), **more}
    return {run["id"] for run in up.api.post("/flow_runs/filter", json={"flow_runs": wanted}).json()}


def complete_run(up: Up, deployment: str) -> None:
    """Run a deployment until a run completes; a run is cancelled while another one holds the deployment's slot."""
    done: set[str] = set()
    while not done:
        run = up.api.post(f"/deployments/{deployment}/create_flow_run", json={}).json()["id"]
        wait_for(up, lambda run=run: run in runs(up, "COMPLETED", "CANCELLED"))
        done = {run} & runs(up, "COMPLETED")


def latest_artifact(up: Up, key: str) -> dict:
    """Return the newest artifact of a key."""
    (found,) = up.api.post("/artifacts/latest/filter", json={"artifacts": {"key": {"any_": [key]}}}).json()
    return found


def run_of_edition(up: Up, edition_id: str) -> dict:
    """Return the flow run that published an edition."""
    (run,) = up.api.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [f"edition {edition_id}"]}}}).json()
    return run


def log_in(page: Page, up: Up) -> None:
    """Log in to the UI as an operator does."""
    page.goto(f"http://127.0.0.1:{up.port}/")
    page.get_by_placeholder("admin:pass").fill(up.password)
    page.keyboard.press("Enter")
    page.get_by_text("Dashboard").first.wait_for(timeout=60_000)


@asynccontextmanager
async def subscribe_to_events(up: Up, prefix: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Subscribe to the server's events whose names start with a prefix, including those of the last minute."""
    wanted = EventFilter(event=EventNameFilter(prefix=[prefix]))
    with temporary_settings({PREFECT_API_AUTH_STRING: up.password}):
        async with (
            PrefectEventSubscriber(api_url=str(up.api.base_url), filter=wanted) as events,
            asyncio.timeout(TIMEOUT),
        ):
            yield events


async def first_event(up: Up) -> str:
    """Return the name of the first event with the attacker's mark; this function sends the last one."""
    ours = {"event": f"{MARK}.ours", "id": str(uuid4()), "occurred": datetime.now(UTC).isoformat()}
    async with subscribe_to_events(up, MARK) as events:
        up.api.post("/events", json=[ours | {"resource": {"prefect.resource.id": MARK}}])
        return (await anext(events)).event
