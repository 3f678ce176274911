"""A server and a worker as docs/operations.md says, for those who measure what a schedule does."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import httpx

from tests.prefect_server import free_port

PROJECT = Path(__file__).parents[1]
PREFECT = (sys.executable, "-m", "prefect")
LIMIT = 400  # seconds for whatever is waited for


class Stage:
    """The processes of the schedule, which a case may kill and start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.api = httpx.Client(base_url=self.url, transport=httpx.HTTPTransport(retries=9), timeout=60)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.project = folder / "project"  # a copy of what the flow imports, which a case may change
        for part in ("flows", "sql"):
            shutil.copytree(PROJECT / part, self.project / part)
        self.environment = {
            **os.environ,
            "DO_NOT_TRACK": "1",
            "PYTHONPATH": str(self.project),
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
            if any((self.folder / "warehouse" / "editions" / ".staging").glob("*")):
                return run
            time.sleep(0.1)

    def kill_flow(self, run_id: str) -> None:
        """Kill every process of a flow run at once."""
        for process in processes_of(run_id):
            os.kill(process, signal.SIGKILL)

    def edition(self, files: int) -> str:
        """The id of the current edition, which must be whole."""
        folder = (self.folder / "warehouse" / "current").resolve()
        with duckdb.connect(folder / "broadsheet.duckdb", read_only=True) as connection:
            (row,) = connection.execute("SELECT max(edition_id), count(*) FROM editions").fetchall()
            (found,) = connection.execute("SELECT count(*) FROM sources").fetchall()
        if (row[0], found[0]) != (folder.name, files):
            raise SystemExit(f"The edition {folder} is not whole: {row}, {found}")
        return folder.name


def processes_of(run_id: str) -> Iterator[int]:
    """The processes of a flow run."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes()
        except OSError:
            continue
        if f"PREFECT__FLOW_RUN_ID={run_id}".encode() in variables:
            yield int(process.name)


@contextmanager
def standing(folder: Path) -> Iterator[Stage]:
    """A server with the recovery and the deployments, and a worker, until the end of the block."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # a shell's & has SIGINT ignored, also by those we start
    stage = Stage(folder)
    stage.start("server")
    try:
        stage.ask("flows/filter")
        stage.prefect("work-pool", "create", "broadsheet", "--type", "process")
        stage.prefect("automation", "create", "--from-file", str(PROJECT / "automations" / "recovery.yaml"))
        stage.prefect("deploy", "--all", "--prefect-file", str(PROJECT / "prefect.yaml"))
        stage.start("worker")
        yield stage
    finally:
        for process in reversed(stage.processes.values()):
            process.kill()
            process.wait()
