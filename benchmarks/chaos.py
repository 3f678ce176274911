"""Kill parts of a running schedule, and print how each case ended: `make chaos`.

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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from benchmarks.stage import LIMIT, Stage, standing
from tests.generated import write_source
from tests.object_store import BUCKET, running_store
from tests.prefect_server import free_port

ARTICLES = int(os.environ.get("ARTICLES", "20000"))
INTERVAL = 20  # seconds between two ticks of the schedule
RESTART = 5  # seconds after which systemd starts a service again
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


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


def fail_a_check(stage: Stage, run: Any) -> None:
    """Let a check of sql/checks return a row, until the run has ended."""
    check = stage.project / "sql" / "checks" / "never.sql"
    check.write_text("-- Always fails.\nSELECT 'broken' AS what")
    while stage.run(run["id"])["state"]["type"] not in ENDED:
        time.sleep(0.2)
    check.unlink()


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
    Case("a check fails", Stage.await_mid_run, fail_a_check),
    # Last, when ticks are older than 5 minutes, as they are in an hourly schedule: of younger ones the server holds
    # events back, for up to 15 minutes.
    Case("flow and worker killed before the run began", lambda stage: stage.await_run("PENDING"), kill_both),
)


def play(stage: Stage, case: Case) -> str:
    """Play a case; returns its row of the table."""
    run = case.victim(stage)
    before, began = stage.edition(ARTICLES), time.monotonic()
    case.act(stage, run)
    ended: tuple[str, float] | None = None
    again: float | None = None
    while not (ended and again) and time.monotonic() - began < LIMIT:
        time.sleep(0.5)
        if not ended and (state := stage.run(run["id"])["state"])["type"] in ENDED:
            ended = f"{state['name']}: {state['message'] or ''}".strip(": "), time.monotonic() - began
        if not again and stage.edition(ARTICLES) != before:
            again = time.monotonic() - began
    how, known = ended or ("not at all", LIMIT)
    return f"| {case.name} | {how[:120]} | {known:.0f} s | {again or LIMIT:.0f} s |"


def race(stage: Stage) -> str:
    """Let two machines publish into one object store at once; returns the row of the one that loses."""
    with running_store():
        warehouse = {"BROADSHEET_WAREHOUSE": f"s3://{BUCKET}/warehouse", "BROADSHEET_REBUILD": "true"}

        def start(machine: str) -> subprocess.Popen[str]:
            data = {"BROADSHEET_DATA": str(stage.folder / machine)}
            environment = {**os.environ, **stage.environment, **warehouse, **data}
            command = [sys.executable, "-m", "flows.etl"]
            return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

        def end(run: subprocess.Popen[str]) -> tuple[str, float]:
            return run.communicate(timeout=LIMIT)[1].strip().splitlines()[-1], time.monotonic()

        began = time.monotonic()
        with ThreadPoolExecutor() as pool:
            ended = list(pool.map(end, [start("one"), start("two")]))
        ((said, known),) = [(line, at) for line, at in ended if "Failed(" in line]
        published = min(at for line, at in ended if "Completed(" in line)
        last, again = end(start("two"))
        if "Published edition" not in last:
            raise SystemExit(f"The next run did not publish: {last}")
    how = said.partition("Finished in state ")[2].replace("Failed(", "Failed: ").strip("()'\"")
    return (
        f"| two machines publish into one object store at once: the loser | {how[:160]} |"
        f" {known - published:.0f} s after the winner | {again - began:.0f} s |"
    )


class Up:
    """A `broadsheet up` over the articles of the stage, with its own warehouse."""

    def __init__(self, stage: Stage) -> None:
        self.data, self.warehouse, port = stage.folder / "up", stage.folder / "warehouse of up", free_port()
        places = ("--source", stage.folder / "source", "--warehouse", self.warehouse, "--data", self.data)
        command = [Path(sys.executable).with_name("broadsheet"), "up", *map(str, places), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.url = f"http://127.0.0.1:{port}/api"

    def read_until(self, words: str) -> None:
        """Read what it prints, up to a line with these words."""
        next(line for line in self.process.stdout or () if words in line)

    def runs(self, **wanted: object) -> Any:
        """The flow runs that the server knows."""
        user, _, password = (self.data / "prefect" / "password").read_text().strip().partition(":")
        found = httpx.post(f"{self.url}/flow_runs/filter", json=wanted, auth=(user, password), timeout=60)
        return found.raise_for_status().json()


def kill_up(stage: Stage) -> str:
    """Kill `broadsheet up` with a run under way and start it again; returns its row."""
    up = Up(stage)
    up.read_until("The schedule is on")
    while not any((up.warehouse / "editions" / ".staging").glob("*")):
        time.sleep(0.1)
    (run,) = up.runs(flow_runs={"state": {"type": {"any_": ["RUNNING"]}}})
    began = time.monotonic()
    up.process.kill()
    up.process.wait()
    again = Up(stage)
    again.read_until("The schedule is on")
    (state,) = [found["state"] for found in again.runs(flow_runs={"id": {"any_": [run["id"]]}})]
    known = time.monotonic() - began
    while not (up.warehouse / "current").exists():
        time.sleep(0.1)
    published = time.monotonic() - began
    again.process.terminate()
    again.process.wait(LIMIT)
    how = f"{state['name']}: {state['message']}"
    return f"| `broadsheet up` killed, and started again | {how[:160]} | {known:.0f} s | {published:.0f} s |"


@contextmanager
def schedule(folder: Path) -> Iterator[Stage]:
    """A server and a worker that publish every INTERVAL seconds, until the end of the block."""
    with standing(folder) as stage:
        deployment = stage.api.get("deployments/name/etl/hourly").json()["id"]
        tick = {"schedule": {"interval": INTERVAL}, "active": True, "parameters": {"rebuild": True}}
        stage.api.post(f"deployments/{deployment}/schedules", json=[tick]).raise_for_status()
        stage.await_run("COMPLETED")
        yield stage


def main() -> None:
    """Play the cases, or those that the command line names by number."""
    wanted = [int(number) for number in sys.argv[1:]] or range(len(CASES))
    with tempfile.TemporaryDirectory(prefix="broadsheet-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_source(folder / "source", ARTICLES)
        with schedule(folder) as stage:
            print("| killed during a run | how the run ended | known after | next edition after |\n|---|---|---|---|")
            for number in wanted:
                print(play(stage, CASES[number]), flush=True)
            stage.stop("worker", signal.SIGTERM)
            print(race(stage), flush=True)
            print(kill_up(stage), flush=True)


if __name__ == "__main__":
    main()
