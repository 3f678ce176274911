"""Set up the Prefect server of `broadsheet up`: the work pool, deployments, automations and the schedule."""

import time
from pathlib import Path
from typing import Any

import yaml

from flows.cli.output import write_line
from flows.cli.up.api import Api
from flows.cli.up.environment import DEPLOYMENTS, PROJECT
from flows.cli.up.pool import POOL, set_up_pool
from flows.cli.up.processes import PAUSE, Part, require_alive, run_prefect, writing
from flows.display import visible
from flows.settings import Settings

RECOVERY = PROJECT / "automations" / "recovery.yaml"
HOURLY, SLUG = "etl/hourly", "hourly"  # the deployment that runs at once, and the schedule that --cron sets
PUBLISHED = "edition "  # what the name of a flow run starts with once it has published


def set_up(api: Api, settings: Settings, environment: dict[str, str], home: Path) -> None:
    """Create the work pool and the automations if they are missing, and deploy prefect.yaml."""
    set_up_pool(api)
    _deploy(api, environment, home)
    if settings.cron:
        _set_cron(api, {"cron": settings.cron, "timezone": settings.time_zone})
    known = {automation["name"] for automation in api("POST", "automations/filter", {})}
    for automation in yaml.safe_load(RECOVERY.read_text()):
        if automation["name"] not in known:
            api("POST", "automations/", automation)


def _deploy(api: Api, environment: dict[str, str], home: Path) -> None:
    """Deploy prefect.yaml, but leave schedules and pauses of deployments that exist: they may be the operator's.

    The work pool takes no job variables; the worker has those of prefect.yaml in its environment.
    """
    plan = yaml.safe_load(DEPLOYMENTS.read_text())
    paused = {row["name"]: row["paused"] for row in api("POST", "deployments/filter", {})}
    for deployment in plan["deployments"]:
        deployment["work_pool"].pop("job_variables", None)
        if deployment["name"] in paused:
            deployment["paused"] = paused[deployment["name"]]  # Prefect would resume it
            deployment.pop("schedules", None)
    file = home / DEPLOYMENTS.name
    with writing(home):
        file.write_text(yaml.safe_dump(plan))
    run_prefect(environment, home, "deploy", "--all", "--prefect-file", str(file))


def _set_cron(api: Api, wanted: dict[str, str]) -> None:
    """Set the times of the hourly deployment's schedule; if it is paused, it stays paused."""
    hourly = api("GET", f"deployments/name/{HOURLY}")
    schedules = f"deployments/{hourly['id']}/schedules"
    ours = [schedule["id"] for schedule in hourly["schedules"] if schedule["slug"] == SLUG]
    if ours:
        api("PATCH", f"{schedules}/{ours[0]}", {"schedule": wanted})
    else:
        api("POST", schedules, [{"slug": SLUG, "schedule": wanted, "active": True}])


def end_lost_runs(api: Api) -> None:
    """Mark runs that were under way when `up` ended as crashed: each would hold its deployment's only slot."""
    under_way = {"state": {"type": {"any_": ["PENDING", "RUNNING", "CANCELLING"]}}}
    for run in api("POST", "flow_runs/filter", {"flow_runs": under_way, "work_pools": {"name": {"any_": [POOL]}}}):
        state = {"type": "CRASHED", "name": "Crashed", "message": _what_is_known(run["name"])}
        api("POST", f"flow_runs/{run['id']}/set_state", {"state": state})


def _what_is_known(name: str) -> str:
    published = (
        f"It had published {name}."
        if name.startswith(PUBLISHED)
        else "Run broadsheet editions to see whether it published."
    )
    return f"broadsheet up ended while this run was under way. {published}"


def times(api: Api) -> str:
    """Return when the hourly deployment runs, for the operator; an empty string if it is paused."""
    hourly, pool = api("GET", f"deployments/name/{HOURLY}"), api("GET", f"work_pools/{POOL}")
    if hourly["paused"] or pool["is_paused"]:
        return ""
    return " and ".join(_readable(row["schedule"]) for row in hourly["schedules"] if row["active"])


def _readable(schedule: dict[str, Any]) -> str:
    if "interval" in schedule:
        return f"every {schedule['interval']:.0f} seconds"
    return f"{schedule.get('cron') or schedule.get('rrule')} {schedule.get('timezone') or 'UTC'}"


def run_now(api: Api, worker: Part) -> None:
    """Run the hourly deployment at once, and print how it ended."""
    hourly = api("GET", f"deployments/name/{HOURLY}")
    run = api("POST", f"deployments/{hourly['id']}/create_flow_run", {})
    while (state := run["state"])["type"] in ("SCHEDULED", "PENDING", "RUNNING", "CANCELLING"):
        require_alive(worker)
        time.sleep(PAUSE)
        run = api("GET", f"flow_runs/{run['id']}")
    if state["type"] == "CANCELLED":  # the deployment's limit: a scheduled run was first
        write_line("First run skipped: another one is under way.")
    else:
        write_line(f"First run {state['name'].lower()}: {visible(state['message'] or 'no message')}")
