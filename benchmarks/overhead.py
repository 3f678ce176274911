"""What a run costs in which nothing is new, beside an empty flow in the same worker: `make overhead`.

Both are runs of deployments with the same settings, in turn. A run's seconds are those between its start and its end as
the server knows them; its process takes longer, since it imports Prefect and the flow first.
"""

import os
import select
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import yaml

from benchmarks.stage import PROJECT, Stage, processes_of, standing
from tests.generated import write_source

ARTICLES = int(os.environ.get("ARTICLES", "20000"))
ROUNDS = int(os.environ.get("ROUNDS", "9"))
EMPTY, HOURLY = "empty/empty", "etl/hourly"


class Cost(NamedTuple):
    """Seconds of a run from its start to its end, and of its process."""

    run: float
    process: float


def deploy_empty(stage: Stage) -> None:
    """Deploy the empty flow just as prefect.yaml has the hourly one, without its schedule."""
    plan = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    hourly = next(one for one in plan["deployments"] if one["name"] == "hourly")
    plan["deployments"] = [{**hourly, "name": "empty", "entrypoint": "benchmarks.empty.empty", "schedules": []}]
    (stage.folder / "prefect.yaml").write_text(yaml.safe_dump(plan))
    stage.prefect("deploy", "--all", "--prefect-file", str(stage.folder / "prefect.yaml"))


def measure(stage: Stage, deployment: str) -> Cost:
    """The cost of a run of a deployment, from when a worker takes it to when its process is gone."""
    found = stage.api.get(f"deployments/name/{deployment}").json()
    run = stage.ask(f"deployments/{found['id']}/create_flow_run")
    while not (processes := list(processes_of(run["id"]))):
        time.sleep(0.02)
    began, process = _began(processes[0]), os.pidfd_open(processes[0])
    select.select([process], [], [])
    ended = time.clock_gettime(time.CLOCK_BOOTTIME)
    os.close(process)
    state = stage.run(run["id"])
    if state["state_type"] != "COMPLETED":
        raise SystemExit(f"{deployment} ended as {state['state']['name']}: {state['state']['message']}")
    return Cost(state["total_run_time"], ended - began)


def _began(process: int) -> float:
    """When a process began, in seconds since this machine did."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the median costs of both flows, and their difference."""
    with tempfile.TemporaryDirectory(prefix="broadsheet-overhead-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_source(folder / "source", ARTICLES)
        with standing(folder) as stage:
            deploy_empty(stage)
            for deployment in (EMPTY, HOURLY):  # the first of each compiles, caches, publishes
                measure(stage, deployment)
            rounds = [(measure(stage, EMPTY), measure(stage, HOURLY)) for _ in range(ROUNDS)]
    print(f"Medians of {ROUNDS} rounds, {ARTICLES:,} files, seconds:\n")
    print("| | empty flow | nothing new | more |\n|---|--:|--:|--:|")
    for field, what in (("run", "start to end of the run"), ("process", "whole process")):
        pairs = [(getattr(one, field), getattr(other, field)) for one, other in rounds]
        less, more = (median(values) for values in zip(*pairs, strict=True))
        print(f"| {what} | {less:.2f} | {more:.2f} | {median(b - a for a, b in pairs):.2f} |")


if __name__ == "__main__":
    main()
