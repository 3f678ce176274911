"""Compare the cost of a run without changes with an empty flow in the same worker: `make overhead`.

Both are runs of deployments with the same settings, in turn. The duration of a run is from its start to its end on the
server. Its process takes longer, because it imports Prefect and the flow first.
"""

import os
import select
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

import yaml

from benchmarks.prefect_stack import PROJECT, PrefectStack, processes_of, running_stack
from tests.generated import write_source

ARTICLES = int(os.environ.get("ARTICLES", "20000"))
ROUNDS = int(os.environ.get("ROUNDS", "9"))
EMPTY, HOURLY = "empty/empty", "etl/hourly"


class Cost(NamedTuple):
    """Seconds of a flow run, and of its process."""

    run: float
    process: float


def deploy_empty(stack: PrefectStack) -> None:
    """Deploy the empty flow with the settings of the hourly deployment, but without a schedule."""
    plan = yaml.safe_load((PROJECT / "prefect.yaml").read_text())
    hourly = next(one for one in plan["deployments"] if one["name"] == "hourly")
    plan["deployments"] = [{**hourly, "name": "empty", "entrypoint": "benchmarks.empty.empty", "schedules": []}]
    (stack.folder / "prefect.yaml").write_text(yaml.safe_dump(plan))
    stack.prefect("deploy", "--all", "--prefect-file", str(stack.folder / "prefect.yaml"))


def measure(stack: PrefectStack, deployment: str) -> Cost:
    """Run a deployment, and return its cost when its process has ended."""
    found = stack.api.get(f"deployments/name/{deployment}").json()
    run = stack.post(f"deployments/{found['id']}/create_flow_run")
    while not (processes := list(processes_of(run["id"]))):
        time.sleep(0.02)
    started, process = _start_of(processes[0]), os.pidfd_open(processes[0])
    select.select([process], [], [])
    ended = time.clock_gettime(time.CLOCK_BOOTTIME)
    os.close(process)
    state = stack.run(run["id"])
    if state["state_type"] != "COMPLETED":
        raise SystemExit(f"{deployment} ended as {state['state']['name']}: {state['state']['message']}")
    return Cost(state["total_run_time"], ended - started)


def _start_of(process: int) -> float:
    """Return when a process started, in seconds since boot."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Print the median costs of both flows, and their difference."""
    with tempfile.TemporaryDirectory(prefix="broadsheet-overhead-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        write_source(folder / "source", ARTICLES)
        with running_stack(folder) as stack:
            deploy_empty(stack)
            for deployment in (EMPTY, HOURLY):  # the first run of each compiles, fills caches, and publishes
                measure(stack, deployment)
            rounds = [(measure(stack, EMPTY), measure(stack, HOURLY)) for _ in range(ROUNDS)]
    print(f"Medians of {ROUNDS} rounds, {ARTICLES:,} files, in seconds:\n")
    print("| | empty flow | no changes | difference |\n|---|--:|--:|--:|")
    for field, label in (("run", "flow run"), ("process", "process")):
        pairs = [(getattr(one, field), getattr(other, field)) for one, other in rounds]
        less, more = (median(values) for values in zip(*pairs, strict=True))
        print(f"| {label} | {less:.2f} | {more:.2f} | {median(b - a for a, b in pairs):.2f} |")


if __name__ == "__main__":
    main()
