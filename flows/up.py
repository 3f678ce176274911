"""`broadsheet up`: a Prefect server, the deployments of prefect.yaml and a worker on this machine, until it is stopped.

Prefect is driven from outside, by its commands and its API: all of it runs in processes of its own.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml
from filelock import FileLock, Timeout

from flows.errors import ScheduleError
from flows.objects.prefix import Prefix
from flows.say import say
from flows.settings import Settings

PROJECT = Path(__file__).parents[1]
RECOVERY = PROJECT / "automations" / "recovery.yaml"
POOL = "broadsheet"
LOCK = ".lock"  # in Prefect's home
FIRST = "etl/hourly"  # the deployment that runs at once
PREFECT = (sys.executable, "-m", "prefect")
START_LIMIT = 180.0  # seconds until the server must answer; its first start migrates its database
STOP_LIMIT = 30.0  # seconds for a process to end before it is killed
PAUSE = 0.3  # seconds between two looks at what is awaited
LOST = "The schedule was stopped in mid-run. The edition before is whole."

Ask = Callable[..., Any]  # method, path and the fields of the body; gives the server's answer


class Part(NamedTuple):
    """A process that must live as long as `up` does; `log` has what it says."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


def up(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; raises RunError where the server or the worker cannot start, or dies."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # also where a shell started us with SIGINT ignored
    _require_free(settings.port)
    home = (settings.data / "prefect").absolute()
    environment = _environment(settings, home)
    url = environment["PREFECT_API_URL"]
    try:
        home.mkdir(parents=True, exist_ok=True)
        server_command = ("server", "start", "--host", "127.0.0.1", "--port", str(settings.port))
        with (
            _alone(home),
            httpx.Client(base_url=url, timeout=30) as api,
            _running("server", server_command, environment, home) as server,
        ):
            say("Prefect's server starts; its first start takes half a minute.")
            ask = partial(_ask, api, server)
            ask("GET", "health")
            _set_up(ask, environment)
            _end_lost_runs(ask)
            with _running("worker", ("worker", "start", "--pool", POOL), environment, home) as worker:
                say(f"The schedule is on, every hour: {url.removesuffix('/api')}  (stop it with Ctrl-C)")
                _await_first_run(ask, worker)
                while True:
                    _require_alive(server, worker)
                    time.sleep(PAUSE)
    except OSError as error:
        raise ScheduleError(
            f"The folder {home} cannot be written ({error.strerror}); name another with --data."
        ) from None


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Be the only one with this home: two would end each other's runs, and their workers take them from each other."""
    try:
        with FileLock(home / LOCK, timeout=0):
            yield
    except Timeout:
        raise ScheduleError(
            f"Another broadsheet up works in {home}; stop that one, or name another folder with --data."
        ) from None


def _environment(settings: Settings, home: Path) -> dict[str, str]:
    """Prefect on loopback with a home of its own, that tells nobody outside and keeps its slots over a restart."""
    foreign = ("PREFECT_PROFILE", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING")
    return {
        **{name: value for name, value in os.environ.items() if name not in foreign},
        "PYTHONUNBUFFERED": "1",
        "DO_NOT_TRACK": "1",
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"http://127.0.0.1:{settings.port}/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # else its database only ever grows
        "BROADSHEET_SOURCE": _from_anywhere(settings.source),
        "BROADSHEET_WAREHOUSE": _from_anywhere(settings.warehouse),
        "BROADSHEET_DATA": _from_anywhere(settings.data),
    }


def _from_anywhere(place: Path | Prefix) -> str:
    return str(place.absolute() if isinstance(place, Path) else place)


def _require_free(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            raise ScheduleError(
                f"Port {port} is in use, perhaps by another broadsheet up; stop that one, or name a port with --port."
            ) from None


@contextmanager
def _running(name: str, command: tuple[str, ...], environment: dict[str, str], home: Path) -> Iterator[Part]:
    """A part of Prefect, until the end of the block."""
    log = home / f"{name}.log"
    with log.open("ab") as opened:
        # In a session of its own, a Ctrl-C reaches us alone, and we stop the parts in their order.
        process = subprocess.Popen(
            [*PREFECT, *command], env=environment, cwd=PROJECT, stdout=opened, stderr=opened, start_new_session=True
        )
    try:
        yield Part(name, process, log)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process within STOP_LIMIT seconds, and whatever it left in its session."""
    for again in (signal.SIGINT, signal.SIGTERM):
        signal.signal(again, signal.SIG_IGN)  # stopping is under way and takes its time
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _require_alive(*parts: Part) -> None:
    for part in parts:
        if part.process.poll() is not None:
            last = part.log.read_text(errors="replace").split("\n")[-2:]
            raise ScheduleError(
                f"Prefect's {part.name} ended with status {part.process.returncode}"
                f" ({' '.join(last).strip()[-200:]}); {part.log} says why. Start broadsheet up again."
            )


def _set_up(ask: Ask, environment: dict[str, str]) -> None:
    """The work pool and the recovery where they are missing, and every deployment of prefect.yaml."""
    pools = {pool["name"] for pool in ask("POST", "work_pools/filter")}
    if POOL not in pools:  # Prefect's command for it would look for other types of pools on the net
        ask("POST", "work_pools/", name=POOL, type="process")
    _prefect(environment, "deploy", "--all", "--prefect-file", str(PROJECT / "prefect.yaml"))
    known = {automation["name"] for automation in ask("POST", "automations/filter")}
    for automation in yaml.safe_load(RECOVERY.read_text()):
        if automation["name"] not in known:
            ask("POST", "automations/", **automation)


def _end_lost_runs(ask: Ask) -> None:
    """Mark as crashed what was under way when the schedule stopped: it would hold its deployment's slot."""
    under_way = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    for run in ask("POST", "flow_runs/filter", flow_runs=under_way, work_pools={"name": {"any_": [POOL]}}):
        ask("POST", f"flow_runs/{run['id']}/set_state", state={"type": "CRASHED", "name": "Crashed", "message": LOST})


def _prefect(environment: dict[str, str], *command: str) -> None:
    """A command of Prefect; raises RunError with what it says where it fails."""
    done = subprocess.run(
        [*PREFECT, "--no-prompt", *command], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())
        raise ScheduleError(f"prefect {' '.join(command)} failed: {said[-500:]}")


def _ask(api: httpx.Client, server: Part, method: str, path: str, **body: Any) -> Any:
    """Ask the server, again while it starts or is too busy to answer. Raises RunError where it dies or never does."""
    limit = time.monotonic() + START_LIMIT
    while True:
        try:
            answer = api.request(method, path, json=body)
            return answer.raise_for_status().json()
        except httpx.HTTPError as error:
            _require_alive(server)
            if not _is_busy(error) or time.monotonic() > limit:
                raise ScheduleError(
                    f"Prefect's server does not answer as it should ({error}); {server.log} says more."
                ) from None
            time.sleep(PAUSE)


def _is_busy(error: httpx.HTTPError) -> bool:
    """Whether a server is starting or under load: its database answers with 503 while another writer holds it."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return isinstance(error, httpx.TransportError)


def _await_first_run(ask: Ask, worker: Part) -> None:
    """Run the hourly deployment at once, and print how it ended."""
    deployment = ask("GET", f"deployments/name/{FIRST}")
    run = ask("POST", f"deployments/{deployment['id']}/create_flow_run")
    while (state := run["state"])["type"] in ("SCHEDULED", "PENDING", "RUNNING"):
        _require_alive(worker)
        time.sleep(PAUSE)
        run = ask("GET", f"flow_runs/{run['id']}")
    if state["type"] == "CANCELLED":  # the deployment's limit: a scheduled run was first
        say("First run left out: another one is under way.")
    else:
        say(f"First run {state['name'].lower()}: {state['message']}")
