"""What happens when parts of the schedule die in mid-run: `make chaos` kills them and prints how each case ended.

A server and a worker run as docs/operations.md says, and are started again as systemd would start them. Every run is a
scheduled one, and reads every file, so that it takes a while.
"""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.stage import LIMIT, Stage, standing
from tests.generated import write_source

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
            print("| what died in mid-run | how the run ended | known after | next edition after |\n|---|---|---|---|")
            for number in wanted:
                print(play(stage, CASES[number]), flush=True)


if __name__ == "__main__":
    main()
