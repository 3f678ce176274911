"""`broadsheet up`: from nothing to an hourly schedule in one command, with a server, a worker and a browser that are real."""

import asyncio
import base64
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, TextIO, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page
from prefect.client.base import PrefectHttpxSyncClient
from prefect.events import Event
from prefect.events.clients import PrefectEventSubscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.settings import PREFECT_API_AUTH_STRING, temporary_settings

from flows.warehouse.lock import writer_lock
from tests.conftest import BROADSHEET, ROOT, SEEDS, end, query, run_broadsheet
from tests.foreign_page import MARK, REBOUND, attack, foreign_site, rebound_browser
from tests.hostile import FILES, VARIABLES, homeless
from tests.prefect_server import free_port
from tests.process_tree import descendants, ended, watched

pytestmark = pytest.mark.slow

T = TypeVar("T")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
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
LIMIT = 300  # seconds for what the schedule and the alerts do by themselves


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

    def signed(self, request: httpx.Request) -> httpx.Request:
        """A request with the password, which is generated while `up` starts."""
        request.headers["Authorization"] = f"Basic {base64.b64encode(self.password.encode()).decode()}"
        return request

    def read_until(self, words: str) -> str:
        """The next line that it prints with these words."""
        return next(line for line in self.output if words in line)


@contextmanager
def started(folder: Path, *flags: str) -> Iterator[Up]:
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
    command = [*homeless(), "setsid", "--ctty", *COMMAND, "up", *map(str, places), *flags]
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
            api.auth = up.signed
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
    with started(folder) as up:
        yield up


@asynccontextmanager
async def events_heard(up: Up, prefix: str) -> AsyncIterator[AsyncIterator[Event]]:
    """Subscribe to the server's events of these names, those of the last minute first."""
    wanted = EventFilter(event=EventNameFilter(prefix=[prefix]))
    with temporary_settings({PREFECT_API_AUTH_STRING: up.password}):
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


def state_of(up: Up, run: str) -> tuple[str, str]:
    """The type of a flow run's state, and its message."""
    state = up.api.get(f"/flow_runs/{run}").json()["state"]
    return state["type"], state["message"]


def runs(up: Up, *states: str, **more: object) -> set[str]:
    """The flow runs that are in one of these states, or in any, `more` of which is known."""
    wanted = {**({"state": {"type": {"any_": states}}} if states else {}), **more}
    return {run["id"] for run in up.api.post("/flow_runs/filter", json={"flow_runs": wanted}).json()}


def complete_a_run(up: Up, deployment: str) -> None:
    """Run a deployment; a run that finds its slot taken by one that was due before is cancelled, and asked for again."""
    done: set[str] = set()
    while not done:
        run = up.api.post(f"/deployments/{deployment}/create_flow_run", json={}).json()["id"]
        awaited(up, lambda run=run: run in runs(up, "COMPLETED", "CANCELLED"))
        done = {run} & runs(up, "COMPLETED")


def latest(up: Up, key: str) -> dict:
    """The newest artifact of a key."""
    (found,) = up.api.post("/artifacts/latest/filter", json={"artifacts": {"key": {"any_": [key]}}}).json()
    return found


def run_of(up: Up, edition_id: str) -> dict:
    """The flow run that published an edition."""
    (run,) = up.api.post("/flow_runs/filter", json={"flow_runs": {"name": {"any_": [f"edition {edition_id}"]}}}).json()
    return run


def log_in(page: Page, up: Up) -> None:
    """Open the UI and answer its login page, as an operator does."""
    page.goto(f"http://127.0.0.1:{up.port}/")
    page.get_by_placeholder("admin:pass").fill(up.password)
    page.keyboard.press("Enter")
    page.get_by_text("Dashboard").first.wait_for(timeout=60_000)


def test_one_command_publishes_the_first_edition(up):
    assert f"http://127.0.0.1:{up.port}" in up.read_until("The schedule is on")
    assert up.read_until("password") == f"To see the user and password of its UI: cat {up.password_file}\n"
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
    assert "expected a key" in str(latest(up, "problems")["data"])


def test_a_browser_sees_the_run_and_the_brief(up, browser):
    run = run_of(up, (up.warehouse / "current").resolve().name)
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, up)
    page.goto(f"http://127.0.0.1:{up.port}/runs/flow-run/{run['id']}")
    page.get_by_text("Completed").first.wait_for(timeout=60_000)
    assert page.get_by_text(run["name"]).first.is_visible()
    page.goto(f"http://127.0.0.1:{up.port}/artifacts/artifact/{latest(up, 'brief')['latest_id']}")
    page.get_by_text("Canadian town teaches its snowploughs to sing").first.wait_for(timeout=60_000)
    page.close()
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}


@pytest.mark.parametrize("ui", ["", "/v2"])  # Prefect has two: one renders cells of tables as Markdown
def test_hostile_articles_are_text_in_the_brief_and_its_tables(up, browser, ui):
    page = browser.new_page()
    asked, opened = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: opened.append(dialog.message))
    log_in(page, up)
    for key, text in (("brief", VISIBLE), ("categories", VISIBLE.upper()), ("problems", VISIBLE.replace("/", ":"))):
        page.goto(f"http://127.0.0.1:{up.port}{ui}/artifacts/artifact/{latest(up, key)['latest_id']}")
        page.get_by_text("Edition 20").first.wait_for(timeout=60_000)
        shown = page.get_by_text("pixel").first
        shown.wait_for(timeout=60_000)
        plain = re.sub(r"\\(?=[!-/:-@\[-`{-~])|`", "", shown.inner_text()) if ui else shown.inner_text()
        assert text.casefold() in plain.casefold().replace(r"\U", r"\u")
        assert page.locator("a[href*=foreign], a[href*='javascript:'], img[src*=foreign], main b, #root b").count() == 0
    page.close()
    assert opened == []
    assert not [url for url in asked if "foreign" in url]


def possessions(up: Up) -> dict[str, list[tuple]]:
    """What the server has that a page could list, create, change or delete."""
    fields = {
        "deployments": ("id", "paused", "description", "job_variables"),
        "work_pools": ("name", "is_paused", "description"),
        "flows": ("id",),
        "variables": ("name",),
        "automations": ("name", "enabled"),
    }
    found = {kind: up.api.post(f"/{kind}/filter", json={}).json() for kind in fields}
    marked = {
        "artifacts": {"artifacts": {"key": {"any_": [MARK]}}},
        "flow_runs": {"flow_runs": {"tags": {"any_": [MARK]}}},
    }
    found |= {kind: up.api.post(f"/{kind}/filter", json=wanted).json() for kind, wanted in marked.items()}
    return {
        kind: sorted(tuple(row[name] for name in fields.get(kind, ("id",))) for row in rows)
        for kind, rows in found.items()
    }


async def first_event(up: Up) -> str:
    """The first event with the attacker's mark that the server has; ours is sent last."""
    ours = {"event": f"{MARK}.ours", "id": str(uuid4()), "occurred": datetime.now(UTC).isoformat()}
    async with events_heard(up, MARK) as events:
        up.api.post("/events", json=[ours | {"resource": {"prefect.resource.id": MARK}}])
        return (await anext(events)).event


def test_a_page_of_another_origin_reaches_nothing_though_the_operator_is_logged_in(up, browser):
    """Neither from another port or name of this machine, nor from a name that was rebound to the server itself."""
    hourly = up.api.get("/deployments/name/etl/hourly").json()
    ids = {"deployment": hourly["id"], "flow": hourly["flow_id"]}
    before, own = possessions(up), f"http://127.0.0.1:{up.port}/api"
    with foreign_site() as port, rebound_browser(browser) as context:
        operator = context.new_page()
        log_in(operator, up)
        for site, target in (
            (f"http://127.0.0.1:{port}", own),
            (f"http://localhost:{port}", own),
            (f"http://{REBOUND}:{up.port}", f"http://{REBOUND}:{up.port}/api"),
        ):
            page = context.new_page()
            page.goto(f"{site}/robots.txt")  # a page that the browser knows to be from this machine
            assert attack(page, target, ids) == {}
            page.close()
        operator.goto(f"http://127.0.0.1:{up.port}/runs")
        operator.get_by_text("edition ").first.wait_for(timeout=60_000)
    assert possessions(up) == before
    assert aside(first_event(up)) == f"{MARK}.ours"


def test_no_request_with_another_host_is_answered_without_the_password(up):
    with httpx.Client(base_url=f"http://127.0.0.1:{up.port}/api", headers={"Host": REBOUND}) as anybody:
        for method, path in (("POST", "/deployments/filter"), ("GET", "/admin/settings"), ("POST", "/flows/")):
            assert anybody.request(method, path, json={"name": MARK} if method == "POST" else None).status_code == 401
        assert (
            "access-control-allow-origin" not in anybody.get("/health", headers={"Origin": f"http://{REBOUND}"}).headers
        )


@pytest.mark.parametrize(
    "variables",
    [{"command": "true"}, {"env": {"PYTHONPATH": "/tmp"}}, {"env.PYTHONPATH": "/tmp"}, {"working_dir": "/tmp"}],
    ids=lambda variables: next(iter(variables)),
)
def test_no_request_for_a_run_decides_what_the_worker_executes(up, variables):
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    with pytest.raises(httpx.HTTPStatusError, match="not allowed"):
        up.api.post(f"/deployments/{hourly}/create_flow_run", json={"job_variables": variables})


def test_the_worker_ignores_the_command_of_a_run_that_no_deployment_has(up, tmp_path):
    """Prefect does not check the job variables of such a run."""
    variables = {"command": f"sh -c 'touch {tmp_path}/ran; exit 1'", "working_dir": str(tmp_path)}
    flow = up.api.get("/deployments/name/etl/hourly").json()["flow_id"]
    asked = {
        "flow_id": flow,
        "work_pool_name": "broadsheet",
        "job_variables": variables,
        "state": {"type": "SCHEDULED"},
    }
    run = up.api.post("/flow_runs/", json=asked).json()["id"]
    awaited(up, lambda: run in runs(up, "FAILED", "CRASHED"))
    assert not (tmp_path / "ran").exists()


def modes(folder: Path) -> dict[str, int]:
    """The permissions of an edition's folders and files."""
    return {str(path.relative_to(folder)): path.stat().st_mode for path in (folder, *folder.rglob("*"))}


def test_its_files_are_private_and_its_editions_are_not(up, demo):
    home, (edition,) = up.password_file.parent, (up.warehouse / "editions").glob("*Z")
    assert [path for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []
    assert modes(edition) == modes(demo)
    assert up.warehouse.stat().st_mode == demo.parents[1].stat().st_mode


def test_the_password_is_in_no_other_file_and_in_no_command_line(up):
    secret = up.password.encode()
    forms = (secret.partition(b":")[2], base64.b64encode(secret))
    files = [path for path in (up.password_file.parents[1]).rglob("*") if path.is_file()]
    assert [path for path in files if any(form in path.read_bytes() for form in forms)] == [up.password_file]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout
    assert not any(form in listed for form in forms)


def test_the_commands_of_prefect_and_a_flow_by_hand_use_the_password_as_the_page_says(up):
    (exports,) = re.findall(r"  ```sh\n(  export PREFECT_API_URL=.*?)```", OPERATIONS, re.DOTALL)
    here = exports.replace(":4200", f":{up.port}").replace("data/prefect", shlex.quote(str(up.password_file.parent)))
    run = f"{here}\nexec {shlex.quote(sys.executable)} -m flows.etl"
    places = {"BROADSHEET_SOURCE": str(up.source), "BROADSHEET_WAREHOUSE": str(up.warehouse)}
    known = runs(up)
    variables = {**os.environ, **places, "PREFECT_HOME": str(up.password_file.parents[2] / "elsewhere")}
    done = subprocess.run(["bash", "-ec", run], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert runs(up, "COMPLETED") - known


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
                every = {"schedule": {"interval": 10}, "active": True}
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
    assert done.stderr == (
        f"broadsheet: Port {up.port} is in use. Stop the program that is using it, or pass another port with --port.\n"
    )


def test_a_port_that_the_user_may_not_use_is_another_plain_sentence(folder):
    refused = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) - 1
    if refused < 1:
        return  # a container in which any user may listen on any port: nothing to refuse
    command = [*homeless(), *BROADSHEET, "up", "--data", folder / "other", "--port", str(refused)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: This user may not listen on port {refused}. Pass a port from 1024 on with --port, such as 4200.\n"
    )


def test_neither_the_shell_nor_the_current_folder_reaches_its_prefect(up, folder):
    """As the other tests show: they would find no server, or one that wants a password."""
    server = up.api.get("/admin/settings").json()["server"]
    assert server["api"]["base_path"] is None
    assert (folder / "data" / "prefect" / "prefect.db").exists()
    assert (
        " | DEBUG " in (folder / "data" / "prefect" / "worker.log").read_text()
    )  # the level of its log is the shell's


def test_a_second_one_with_the_same_data_is_one_plain_sentence(up, folder):
    """It would mark the first one's runs as crashed, and its worker would publish into another warehouse for them."""
    done = run_broadsheet("up", "--data", folder / "data", "--port", free_port())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: Another broadsheet up is using {folder / 'data' / 'prefect'}."
        " Stop it, or pass another folder with --data.\n"
    )


def schedules(up: Up, deployment: str) -> list[dict]:
    """The schedules of a deployment, as it was created."""
    return sorted(up.api.get(f"/deployments/name/{deployment}").json()["schedules"], key=lambda row: row["created"])


def change_schedules(up: Up, deployment: str, **changes: object) -> None:
    """Change all schedules of a deployment as Prefect's UI does."""
    for row in schedules(up, deployment):
        up.api.patch(f"/deployments/{row['deployment_id']}/schedules/{row['id']}", json=changes)


def seen(schedule: dict) -> tuple:
    """What an operator sees of a schedule."""
    times = schedule["schedule"]
    return schedule["slug"], times.get("cron") or times["interval"], times["timezone"], schedule["active"]


def open_template(working_dir: Path) -> dict:
    """Prefect's own template for process pools, with a default that an operator has set."""
    properties = {
        "command": {"type": "string"},
        "env": {"type": "object"},
        "working_dir": {"type": "string", "default": str(working_dir)},
        "stream_output": {"type": "boolean", "default": True},
    }
    job = {name: f"{{{{ {name} }}}}" for name in properties}
    return {"job_configuration": job, "variables": {"type": "object", "properties": properties}}


def test_a_killed_up_is_cleared_away_by_the_next_one_that_keeps_changed_schedules(folder, up):
    """Its guard is killed as well, and the next one uses another port.

    What an earlier release left is closed: a work pool and deployments with job variables, and a home that others can open.
    """
    home, password = up.password_file.parent, up.password
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    up.api.patch(f"/deployments/{hourly}", json={"job_variables": {"env": {"DO_NOT_TRACK": "1"}}})
    pool = {"base_job_template": open_template(working_dir=folder), "concurrency_limit": 3}
    up.api.patch("/work_pools/broadsheet", json=pool)
    home.chmod(0o755)
    (home / "prefect.db").chmod(0o644)
    change_schedules(up, "verify/weekly", schedule={"cron": "0 4 * * *", "timezone": "Asia/Tokyo"}, active=False)
    weekly = up.api.get("/deployments/name/verify/weekly").json()["id"]
    up.api.patch(f"/deployments/{weekly}", json={"paused": True})
    change_schedules(up, "etl/hourly", active=False)
    known = runs(up, "COMPLETED")
    with ExitStack() as stack:
        with writer_lock(up.warehouse):  # a run waits for us, as for one that takes long
            up.api.post(f"/deployments/{hourly}/create_flow_run", json={})
            (lost,) = awaited(up, lambda: runs(up, "RUNNING"))
            named = {"name": "edition 20261101T000000Z", "state": {"type": "RUNNING"}}  # as it is once it has published
            published = up.api.post(f"/deployments/{hourly}/create_flow_run", json=named).json()["id"]
            (guard,) = descendants(up.process.pid, "flows.cli.up.orphans")
            parts = watched(*descendants(up.process.pid, "prefect"))
            assert len(parts) >= 3  # the server, the worker and the run
            for process in (guard, up.process.pid):
                os.kill(process, signal.SIGKILL)
            up.process.wait()
            assert not ended(parts)
            again = stack.enter_context(started(folder, "--cron", "5 * * * *"))
            again.read_until("The schedule is paused")
            assert ended(parts)
        assert (again.password, [path for path in (home, home / "prefect.db") if path.stat().st_mode & 0o077]) == (
            password,
            [],
        )
        pool = again.api.get("/work_pools/broadsheet").json()
        assert pool["base_job_template"]["job_configuration"] == {"stream_output": True, "working_dir": str(folder)}
        assert pool["base_job_template"]["variables"]["properties"] == {}
        assert pool["concurrency_limit"] == 3
        stopped = "broadsheet up ended while this run was under way."
        unknown = "Run broadsheet editions to see whether it published."
        assert state_of(again, lost) == ("CRASHED", f"{stopped} {unknown}")
        assert state_of(again, published) == ("CRASHED", f"{stopped} It had published edition 20261101T000000Z.")
        assert runs(again, "COMPLETED") >= known
        assert [seen(row) for row in schedules(again, "verify/weekly")] == [
            ("weekly", "0 4 * * *", "Asia/Tokyo", False)
        ]
        assert again.api.get(f"/deployments/{weekly}").json()["paused"]
        times = [("hourly", "5 * * * *", "UTC", False), (None, 10.0, "UTC", False)]
        assert [seen(row) for row in schedules(again, "etl/hourly")] == times
        before = runs(again, tags={"all_": ["auto-scheduled"]})
        complete_a_run(again, hourly)
        assert runs(again, tags={"all_": ["auto-scheduled"]}) == before  # nothing is due while the schedule is paused
        parts = watched(*descendants(again.process.pid))
        again.output.close()
        assert again.process.wait(90) == 0
        assert ended(parts)


def test_nothing_reached_out(folder, up):
    reached = set((folder / "reached.txt").read_text().splitlines())
    assert reached == {"127.0.0.1"}
