"""Kill parts of a schedule during a run, and print how each case ends: `make chaos`.

A server and a worker run as in docs/operations.md, and are restarted as systemd would restart them. Every run is a
scheduled one that reads all files, so that it takes long enough to be killed.
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

from benchmarks.prefect_stack import TIMEOUT, PrefectStack, running_stack
from tests.generated import write_source
from tests.object_store import BUCKET, running_store
from tests.prefect_server import free_port

ARTICLES = int(os.environ.get("ARTICLES", "20000"))
INTERVAL = 20  # seconds between two scheduled runs
RESTART = 5  # seconds after which systemd starts a service again
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def kill_flow(stack: PrefectStack, run: Any) -> None:
    stack.kill_flow(run["id"])


def kill_worker(stack: PrefectStack, _: Any) -> None:
    stack.stop("worker", signal.SIGKILL)
    time.sleep(RESTART)
    stack.start("worker")


def kill_both(stack: PrefectStack, run: Any) -> None:
    stack.stop("worker", signal.SIGKILL)
    stack.kill_flow(run["id"])
    time.sleep(RESTART)
    stack.start("worker")


def terminate_worker(stack: PrefectStack, _: Any) -> None:
    stack.stop("worker", signal.SIGTERM)
    time.sleep(RESTART)
    stack.start("worker")


def restart_server(stack: PrefectStack, _: Any) -> None:
    stack.stop("server", signal.SIGTERM)
    stack.start("server")


def kill_server(stack: PrefectStack, _: Any) -> None:
    stack.stop("server", signal.SIGKILL)
    time.sleep(RESTART)
    stack.start("server")


def cut_power(stack: PrefectStack, run: Any) -> None:
    stack.stop("server", signal.SIGKILL)
    stack.stop("worker", signal.SIGKILL)
    stack.kill_flow(run["id"])
    time.sleep(RESTART)
    stack.start("server")
    stack.start("worker")


def fail_a_check(stack: PrefectStack, run: Any) -> None:
    """Add a check to sql/checks that fails, until the run has ended."""
    check = stack.project / "sql" / "checks" / "never.sql"
    check.write_text("-- Always fails.\nSELECT 'broken' AS what")
    while stack.run(run["id"])["state"]["type"] not in ENDED:
        time.sleep(0.2)
    check.unlink()


class Case(NamedTuple):
    """A failure: its name, how to wait for the run that it affects, and how to cause it."""

    name: str
    target: Callable[[PrefectStack], Any]
    act: Callable[[PrefectStack, Any], None]


CASES = (
    Case("flow killed", PrefectStack.await_publishing_run, kill_flow),
    Case("worker killed", PrefectStack.await_publishing_run, kill_worker),
    Case("flow and worker killed", PrefectStack.await_publishing_run, kill_both),
    Case("SIGTERM sent to the worker, as by `systemctl restart`", PrefectStack.await_publishing_run, terminate_worker),
    Case("server restarted", PrefectStack.await_publishing_run, restart_server),
    Case("server killed", PrefectStack.await_publishing_run, kill_server),
    Case("everything killed, as in a power failure", PrefectStack.await_publishing_run, cut_power),
    Case("a check of the new edition fails", PrefectStack.await_publishing_run, fail_a_check),
    # This case is last, so that scheduled runs are older than 5 minutes, as in an hourly schedule: the server delays
    # the events of younger ones for up to 15 minutes.
    Case("flow and worker killed before the run started", lambda stack: stack.await_run("PENDING"), kill_both),
)


def run_case(stack: PrefectStack, case: Case) -> str:
    """Run a case, and return its row of the table."""
    run = case.target(stack)
    previous, started = stack.edition(ARTICLES), time.monotonic()
    case.act(stack, run)
    ended: tuple[str, float] | None = None
    next_edition: float | None = None
    while not (ended and next_edition) and time.monotonic() - started < TIMEOUT:
        time.sleep(0.5)
        if not ended and (state := stack.run(run["id"])["state"])["type"] in ENDED:
            ended = f"{state['name']}: {state['message'] or ''}".strip(": "), time.monotonic() - started
        if not next_edition and stack.edition(ARTICLES) != previous:
            next_edition = time.monotonic() - started
    how, known = ended or ("not at all", TIMEOUT)
    return f"| {case.name} | {how[:120]} | {known:.0f} s | {next_edition or TIMEOUT:.0f} s |"


def race(stack: PrefectStack) -> str:
    """Publish from two machines into one object store at once, and return the row of the run that failed."""
    with running_store():
        warehouse = {"BROADSHEET_WAREHOUSE": f"s3://{BUCKET}/warehouse", "BROADSHEET_REBUILD": "true"}

        def start(machine: str) -> subprocess.Popen[str]:
            data = {"BROADSHEET_DATA": str(stack.folder / machine)}
            environment = {**os.environ, **stack.environment, **warehouse, **data}
            command = [sys.executable, "-m", "flows.etl"]
            return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

        def end(run: subprocess.Popen[str]) -> tuple[str, float]:
            return run.communicate(timeout=TIMEOUT)[1].strip().splitlines()[-1], time.monotonic()

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
        f"| two machines publish to one object store at the same time | {how[:160]} |"
        f" {known - published:.0f} s after the winner | {again - began:.0f} s |"
    )


class Up:
    """A `broadsheet up` on the articles of the stack, with its own warehouse."""

    def __init__(self, stack: PrefectStack) -> None:
        self.data, self.warehouse, port = stack.folder / "up", stack.folder / "warehouse of up", free_port()
        places = ("--source", stack.folder / "source", "--warehouse", self.warehouse, "--data", self.data)
        command = [Path(sys.executable).with_name("broadsheet"), "up", *map(str, places), "--port", str(port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.url = f"http://127.0.0.1:{port}/api"

    def read_until(self, words: str) -> None:
        """Read its output up to a line with these words."""
        next(line for line in self.process.stdout or () if words in line)

    def runs(self, **wanted: object) -> Any:
        """Return the flow runs that the server has."""
        user, _, password = (self.data / "prefect" / "password").read_text().strip().partition(":")
        found = httpx.post(f"{self.url}/flow_runs/filter", json=wanted, auth=(user, password), timeout=60)
        return found.raise_for_status().json()


def kill_up(stack: PrefectStack) -> str:
    """Kill `broadsheet up` during a run, start it again, and return its row."""
    up = Up(stack)
    up.read_until("The schedule is on")
    while not any((up.warehouse / "editions" / ".staging").glob("*")):
        time.sleep(0.1)
    (run,) = up.runs(flow_runs={"state": {"type": {"any_": ["RUNNING"]}}})
    began = time.monotonic()
    up.process.kill()
    up.process.wait()
    again = Up(stack)
    again.read_until("The schedule is on")
    (state,) = [found["state"] for found in again.runs(flow_runs={"id": {"any_": [run["id"]]}})]
    known = time.monotonic() - began
    while not (up.warehouse / "current").exists():
        time.sleep(0.1)
    published = time.monotonic() - began
    again.process.terminate()
    again.process.wait(TIMEOUT)
    how = f"{state['name']}: {state['message']}"
    return (
        f"| `broadsheet up` killed with SIGKILL and started again | {how[:160]} | {known:.0f} s | {published:.0f} s |"
    )


@contextmanager
def schedule(folder: Path) -> Iterator[PrefectStack]:
    """Run a server and a worker that publish every INTERVAL seconds, until the end of the block."""
    with running_stack(folder) as stack:
        deployment = stack.api.get("deployments/name/etl/hourly").json()["id"]
        added = {"schedule": {"interval": INTERVAL}, "active": True, "parameters": {"rebuild": True}}
        stack.api.post(f"deployments/{deployment}/schedules", json=[added]).raise_for_status()
        stack.await_run("COMPLETED")
        yield stack


def main() -> None:
    """Run all cases, or those with the numbers on the command line."""
    wanted = [int(number) for number in sys.argv[1:]] or range(len(CASES))
    with tempfile.TemporaryDirectory(prefix="broadsheet-chaos-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_source(folder / "source", ARTICLES)
        with schedule(folder) as stack:
            print("| failure during a run | outcome of the run | detected after | next edition published after |")
            print("|---|---|---|---|")
            for number in wanted:
                print(run_case(stack, CASES[number]), flush=True)
            stack.stop("worker", signal.SIGTERM)
            print(race(stack), flush=True)
            print(kill_up(stack), flush=True)


if __name__ == "__main__":
    main()
