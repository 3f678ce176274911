"""What happens when parts of the schedule die in mid-run: `make chaos` kills them and prints how each case ended.

A server and a worker run as docs/operations.md says, and are started again as systemd would start them. Every run is a
scheduled one, and reads every file, so that it takes a while.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import httpx

from tests.generated import write_source
from tests.prefect_server import free_port

PROJECT = Path(__file__).parents[1]
PREFECT = (sys.executable, "-m", "prefect")
ARTICLES = int(os.environ.get("ARTICLES", "20000"))
INTERVAL = 20  # seconds between two ticks of the schedule
RESTART = 5  # seconds after which systemd starts a service again
LIMIT = 400  # seconds for a case
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


class Stage:
    """The processes of the schedule, which a case may kill and start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.api = httpx.Client(base_url=self.url, transport=httpx.HTTPTransport(retries=9), timeout=60)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "DO_NOT_TRACK": "1",
            "PREFECT_HOME": str(folder / "prefect"),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": os.environ.get(
                "LEASES", "prefect.server.concurrency.lease_storage.filesystem"
            ),
            "BROADSHEET_SOURCE": str(folder / "source"),
            "BROADSHEET_WAREHOUSE": str(folder / "warehouse"),
        }

    def start(self, name: str) -> None:
        """Start the server, or the worker."""
        last = ("--port", str(self.port), "--no-ui") if name == "server" else ("--pool", "broadsheet")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*PREFECT, name, "start", *last], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, name: str, how: signal.Signals) -> None:
        """Send a part a signal, and wait for its end."""
        self.processes[name].send_signal(how)
        self.processes[name].wait(LIMIT)

    def prefect(self, *command: str) -> None:
        """A command of Prefect."""
        subprocess.run([*PREFECT, "--no-prompt", *command], env=self.environment, check=True, capture_output=True)

    def ask(self, path: str, **body: object) -> Any:
        """Ask the server, and wait while it is away."""
        while True:
            try:
                return self.api.post(path, json=body).raise_for_status().json()
            except httpx.HTTPError:
                time.sleep(0.5)

    def run(self, run_id: str) -> Any:
        """A flow run as the server knows it."""
        return self.ask("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0]

    def await_run(self, *states: str) -> Any:
        """The next flow run that is in one of these states."""
        while not (found := self.ask("flow_runs/filter", flow_runs={"state": {"type": {"any_": states}}})):
            time.sleep(0.2)
        return found[0]

    def await_mid_run(self) -> Any:
        """A flow run that is building an edition."""
        while True:
            run = self.await_run("RUNNING")
            if any((self.folder / "warehouse" / ".staging").glob("*")):
                return run
            time.sleep(0.1)

    def kill_flow(self, run_id: str) -> None:
        """Kill every process of a flow run at once."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "environ").read_bytes()
            except OSError:
                continue
            if f"PREFECT__FLOW_RUN_ID={run_id}".encode() in words:
                os.kill(int(process.name), signal.SIGKILL)

    def edition(self) -> str:
        """The id of the current edition, which must be whole."""
        folder = (self.folder / "warehouse" / "current").resolve()
        with duckdb.connect(folder / "broadsheet.duckdb", read_only=True) as connection:
            (row,) = connection.execute("SELECT max(edition_id), count(*) FROM editions").fetchall()
            (files,) = connection.execute("SELECT count(*) FROM sources").fetchall()
        if (row[0], files[0]) != (folder.name, ARTICLES):
            raise SystemExit(f"The edition {folder} is not whole: {row}, {files}")
        return folder.name


def kill_flow(stage: Stage, run: Any) -> None:
    stage.kill_flow(run["id"])


def kill_worker(stage: Stage, _: Any) -> None:
    stage.stop("worker", signal.SIGKILL)
    time.sleep(RESTART)
    stage.start("worker")


def kill_both(stage: Stage, run: Any) -> None:
    stage.stop("worker", signal.SIGKILL)
    stage.kill_flow(run["id"])
    time.sleep(RESTART)
    stage.start("worker")


def terminate_worker(stage: Stage, _: Any) -> None:
    stage.stop("worker", signal.SIGTERM)
    time.sleep(RESTART)
    stage.start("worker")


def restart_server(stage: Stage, _: Any) -> None:
    stage.stop("server", signal.SIGTERM)
    stage.start("server")


def kill_server(stage: Stage, _: Any) -> None:
    stage.stop("server", signal.SIGKILL)
    time.sleep(RESTART)
    stage.start("server")


def cut_power(stage: Stage, run: Any) -> None:
    stage.stop("server", signal.SIGKILL)
    stage.stop("worker", signal.SIGKILL)
    stage.kill_flow(run["id"])
    time.sleep(RESTART)
    stage.start("server")
    stage.start("worker")


class Case(NamedTuple):
    """What is done, to which run, and how."""

    name: str
    victim: Callable[[Stage], Any]
    act: Callable[[Stage, Any], None]


CASES = (
    Case("flow killed", Stage.await_mid_run, kill_flow),
    Case("worker killed", Stage.await_mid_run, kill_worker),
    Case("flow and worker killed", Stage.await_mid_run, kill_both),
    Case("SIGTERM to the worker", Stage.await_mid_run, terminate_worker),
    Case("server restarted", Stage.await_mid_run, restart_server),
    Case("server killed", Stage.await_mid_run, kill_server),
    Case("everything killed", Stage.await_mid_run, cut_power),
    # Last, when ticks are older than 5 minutes, as they are in an hourly schedule: of younger ones the server holds
    # events back, for up to 15 minutes.
    Case("flow and worker killed before the run began", lambda stage: stage.await_run("PENDING"), kill_both),
)


def play(stage: Stage, case: Case) -> str:
    """Play a case; returns its row of the table."""
    run = case.victim(stage)
    before, began = stage.edition(), time.monotonic()
    case.act(stage, run)
    ended: tuple[str, float] | None = None
    again: float | None = None
    own: str | None = None
    while not (ended and again) and time.monotonic() - began < LIMIT:
        time.sleep(0.5)
        if not ended and (state := stage.run(run["id"])["state"])["type"] in ENDED:
            ended = f"{state['name']}: {state['message'] or ''}".strip(": "), time.monotonic() - began
            own = stage.run(run["id"])["name"].removeprefix("edition ")
        if not again and stage.edition() not in (before, own):
            again = time.monotonic() - began
    how, known = ended or ("not at all", LIMIT)
    return f"| {case.name} | {how[:120]} | {known:.0f} s | {again or LIMIT:.0f} s |"


@contextmanager
def schedule(folder: Path) -> Iterator[Stage]:
    """A server and a worker that publish every INTERVAL seconds, until the end of the block."""
    stage = Stage(folder)
    stage.start("server")
    try:
        stage.ask("flows/filter")
        stage.prefect("work-pool", "create", "broadsheet", "--type", "process")
        stage.prefect("automation", "create", "--from-file", str(PROJECT / "automations" / "recovery.yaml"))
        stage.prefect("deploy", "--all", "--prefect-file", str(PROJECT / "prefect.yaml"))
        stage.start("worker")
        deployment = stage.api.get("deployments/name/etl/hourly").json()["id"]
        tick = {"schedule": {"interval": INTERVAL}, "active": True, "parameters": {"rebuild": True}}
        stage.api.post(f"deployments/{deployment}/schedules", json=[tick]).raise_for_status()
        stage.await_run("COMPLETED")
        yield stage
    finally:
        for process in reversed(stage.processes.values()):
            process.kill()
            process.wait()


def main() -> None:
    """Play the cases, or those that the command line names by number."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # a shell's & has SIGINT ignored, also by those we start
    wanted = [int(number) for number in sys.argv[1:]] or range(len(CASES))
    with tempfile.TemporaryDirectory(prefix="broadsheet-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_source(folder / "source", ARTICLES)
        with schedule(folder) as stage:
            print("| what died in mid-run | how the run ended | known after | next edition after |\n|---|---|---|---|")
            for number in wanted:
                print(play(stage, CASES[number]), flush=True)


if __name__ == "__main__":
    main()
