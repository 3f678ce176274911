"""A Prefect server and a worker as in docs/operations.md, to measure a schedule."""

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
TIMEOUT = 400  # seconds for anything to happen


class PrefectStack:
    """The processes of a schedule, which a case may kill and start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        self.api = httpx.Client(base_url=self.url, transport=httpx.HTTPTransport(retries=9), timeout=60)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.project = folder / "project"  # a copy of the code, which a case may change
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
        """Start the process with this name: server or worker."""
        last = ("--port", str(self.port), "--no-ui") if name == "server" else ("--pool", "broadsheet")
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*PREFECT, name, "start", *last], env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, name: str, how: signal.Signals) -> None:
        """Send a signal to a process, and wait until it ends."""
        self.processes[name].send_signal(how)
        self.processes[name].wait(TIMEOUT)

    def prefect(self, *command: str) -> None:
        """Run a command of Prefect."""
        subprocess.run([*PREFECT, "--no-prompt", *command], env=self.environment, check=True, capture_output=True)

    def post(self, path: str, **body: object) -> Any:
        """Return the response of the server; wait while it is unavailable."""
        while True:
            try:
                return self.api.post(path, json=body).raise_for_status().json()
            except httpx.HTTPError:
                time.sleep(0.5)

    def run(self, run_id: str) -> Any:
        """Return a flow run as the server stores it."""
        return self.post("flow_runs/filter", flow_runs={"id": {"any_": [run_id]}})[0]

    def await_run(self, *states: str) -> Any:
        """Wait for a flow run in one of these states, and return it."""
        while not (found := self.post("flow_runs/filter", flow_runs={"state": {"type": {"any_": states}}})):
            time.sleep(0.2)
        return found[0]

    def await_publishing_run(self) -> Any:
        """Wait for a flow run that is building an edition, and return it."""
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
        """Return the ID of the current edition; exit if the edition is incomplete."""
        folder = (self.folder / "warehouse" / "current").resolve()
        with duckdb.connect(folder / "broadsheet.duckdb", read_only=True) as connection:
            (row,) = connection.execute("SELECT max(edition_id), count(*) FROM editions").fetchall()
            (found,) = connection.execute("SELECT count(*) FROM sources").fetchall()
        if (row[0], found[0]) != (folder.name, files):
            raise SystemExit(f"The edition {folder} is incomplete: {row}, {found}")
        return folder.name


def processes_of(run_id: str) -> Iterator[int]:
    """Yield the IDs of the processes of a flow run."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = (process / "environ").read_bytes()
        except OSError:
            continue
        if f"PREFECT__FLOW_RUN_ID={run_id}".encode() in variables:
            yield int(process.name)


@contextmanager
def running_stack(folder: Path) -> Iterator[PrefectStack]:
    """Run a server with the automations and deployments, and a worker, until the end of the block."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            stop, signal.default_int_handler
        )  # a shell that starts this with & ignores SIGINT, also in children
    stack = PrefectStack(folder)
    stack.start("server")
    try:
        stack.post("flows/filter")
        stack.prefect("work-pool", "create", "broadsheet", "--type", "process")
        stack.prefect("automation", "create", "--from-file", str(PROJECT / "automations" / "recovery.yaml"))
        stack.prefect("deploy", "--all", "--prefect-file", str(PROJECT / "prefect.yaml"))
        stack.start("worker")
        yield stack
    finally:
        for process in reversed(stack.processes.values()):
            process.kill()
            process.wait()
