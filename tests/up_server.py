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


HOSTILE = (
    "![pixel](http://foreign.example/a.png) [link](javascript:alert%281%29) <img src=http://foreign.example/b.png>"
    " <b>bold</b> www.foreign.example *a* \u202e"
)


VISIBLE = HOSTILE.replace("\u202e", r"\u202e")


TIMEOUT = 300  # seconds for what the schedule and the alerts do by themselves


COMMAND = (sys.executable, "-P", "-c", "import sys; from flows.cli.main import main; sys.exit(main())")


class Up(NamedTuple):
    """A running `broadsheet up`, and its server's API."""

    process: subprocess.Popen[str]
    output: TextIO
    port: int
    warehouse: Path
    source: Path
    api: PrefectHttpxSyncClient  # asks again where the server's database is busy, and raises all other errors
    password_file: Path

    @property
    def password(self) -> str:
        """The user and password, as its UI and Prefect's clients take them."""
        return self.password_file.read_text().strip()

    def add_credentials(self, request: httpx.Request) -> httpx.Request:
        """A request with the password, which is generated while `up` starts."""
        request.headers["Authorization"] = f"Basic {base64.b64encode(self.password.encode()).decode()}"
        return request

    def read_until(self, words: str) -> str:
        """The next line that it prints with these words."""
        return next(line for line in self.output if words in line)


@contextmanager
def running_up(folder: Path, *flags: str) -> Iterator[Up]:
    """`broadsheet up` on its own terminal with all its files in a folder, until the end of the block.

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
    # A session whose terminal this is: it hangs up when `output` is closed.
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
    """A folder with a copy of seeds/ as the source, in which an article and a rejected file are hostile."""
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


def run_in_thread(work: Coroutine[None, None, T]) -> T:
    """What a coroutine returns; the browser's loop runs in this thread, so it is run in another."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def wait_for(up: Up, look: Callable[[], T]) -> T:
    """What is there as soon as there is something; looked for at each event of a flow run."""

    async def wait() -> T:
        async with subscribe_to_events(up, "prefect.flow-run.") as events:
            while not (found := look()):
                await anext(events)
            return found

    return run_in_thread(wait())


def state_of(up: Up, run: str) -> tuple[str, str]:
    """The type of a flow run's state, and its message."""
    state = up.api.get(f"/flow_runs/{run}").json()["state"]
    return state["type"], state["message"]


def runs(up: Up, *states: str, **more: object) -> set[str]:
    """The flow runs that are in one of these states, or in any, `more` of which is known."""
    wanted = {**({"state": {"type": {"any_": states}}} if states else {}), **more}
    return {run["id"] for run in up.api.post("/flow_runs/filter", json={"flow_runs": wanted}).json()}


def complete_run(up: Up, deployment: str) -> None:
    """Run a deployment; a run that finds its slot taken by one that was due before is cancelled, and asked for again."""
    done: set[str] = set()
    while not done:
        run = up.api.post(f"/deployments/{deployment}/create_flow_run", json={}).json()["id"]
        wait_for(up, lambda run=run: run in runs(up, "COMPLETED", "CANCELLED"))
        done = {run} & runs(up, "COMPLETED")


def latest_artifact(up: Up, key: str) -> dict:
    """The newest artifact of a key."""
    (found,) = up.api.post("/artifacts/latest/filter", json={"artifacts": {"key": {"any_": [key]}}}).json()
    return found


def run_of_edition(up: Up, edition_id: str) -> dict:
    """The flow run that published an edition."""
    (run,) = up.api.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [f"edition {edition_id}"]}}}).json()
    return run


def log_in(page: Page, up: Up) -> None:
    """Open the UI and answer its login page, as an operator does."""
    page.goto(f"http://127.0.0.1:{up.port}/")
    page.get_by_placeholder("admin:pass").fill(up.password)
    page.keyboard.press("Enter")
    page.get_by_text("Dashboard").first.wait_for(timeout=60_000)


@asynccontextmanager
async def subscribe_to_events(up: Up, prefix: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Subscribe to the server's events of these names, those of the last minute first."""
    wanted = EventFilter(event=EventNameFilter(prefix=[prefix]))
    with temporary_settings({PREFECT_API_AUTH_STRING: up.password}):
        async with (
            PrefectEventSubscriber(api_url=str(up.api.base_url), filter=wanted) as events,
            asyncio.timeout(TIMEOUT),
        ):
            yield events


async def first_event(up: Up) -> str:
    """The first event with the attacker's mark that the server has; ours is sent last."""
    ours = {"event": f"{MARK}.ours", "id": str(uuid4()), "occurred": datetime.now(UTC).isoformat()}
    async with subscribe_to_events(up, MARK) as events:
        up.api.post("/events", json=[ours | {"resource": {"prefect.resource.id": MARK}}])
        return (await anext(events)).event
