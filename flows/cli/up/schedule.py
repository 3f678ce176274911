"""Set up the Prefect server of `broadsheet up`: the work pool, deployments, automations and the schedule."""

import time
from pathlib import Path

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.schedules import (
    SCHEDULE_TYPES,
    CronSchedule,
    IntervalSchedule,
    NoSchedule,
    RRuleSchedule,
)
from prefect.events.schemas.automations import AutomationCore
from prefect.states import Crashed

from flows.cli.output import write_line
from flows.cli.up.environment import DEPLOYMENTS, POOL, PROJECT
from flows.cli.up.pool import set_up_pool
from flows.cli.up.processes import PAUSE, PrefectProcess, require_alive, run_prefect, translate_write_errors
from flows.display import visible
from flows.errors import PrefectError
from flows.settings import Settings

RECOVERY = PROJECT / "automations" / "recovery.yaml"
HOURLY, SLUG = "etl/hourly", "hourly"  # the deployment that runs at once, and the schedule that --cron sets
PUBLISHED = "edition "  # prefix of the name of a flow run that has published
ACTIVE = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)


def set_up(client: SyncPrefectClient, settings: Settings, environment: dict[str, str], home: Path) -> None:
    """Create the work pool and the automations if they are missing, and deploy prefect.yaml."""
    set_up_pool(client)
    _deploy(client, environment, home)
    if settings.cron:
        _set_cron(client, CronSchedule(cron=settings.cron, timezone=settings.time_zone))
    known = {automation.name for automation in client.read_automations()}
    for automation in yaml.safe_load(RECOVERY.read_text()):
        if automation["name"] not in known:
            client.create_automation(AutomationCore.model_validate(automation))


def _deploy(client: SyncPrefectClient, environment: dict[str, str], home: Path) -> None:
    """Deploy prefect.yaml, but leave schedules and pauses of deployments that exist: they may be the operator's.

    The work pool takes no job variables; the worker has those of prefect.yaml in its environment.
    """
    plan = yaml.safe_load(DEPLOYMENTS.read_text())
    paused = {deployment.name: deployment.paused for deployment in client.read_deployments()}
    for deployment in plan["deployments"]:
        deployment["work_pool"].pop("job_variables", None)
        if deployment["name"] in paused:
            deployment["paused"] = paused[deployment["name"]]  # Prefect would resume it
            deployment.pop("schedules", None)
    file = home / DEPLOYMENTS.name
    with translate_write_errors(home):
        file.write_text(yaml.safe_dump(plan))
    run_prefect(environment, home, "deploy", "--all", "--prefect-file", str(file))


def _set_cron(client: SyncPrefectClient, cron: CronSchedule) -> None:
    """Set the times of the hourly deployment's schedule; if it is paused, it stays paused."""
    hourly = client.read_deployment_by_name(HOURLY)
    existing = [schedule.id for schedule in hourly.schedules if schedule.slug == SLUG]
    if existing:
        client.update_deployment_schedule(hourly.id, existing[0], schedule=cron)
    else:
        client.create_deployment_schedules(hourly.id, [DeploymentScheduleCreate(slug=SLUG, schedule=cron, active=True)])


def crash_lost_runs(client: SyncPrefectClient) -> None:
    """Mark runs that were active when `up` ended as crashed: each would hold its deployment's only slot."""
    active = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(ACTIVE))))
    pool = WorkPoolFilter(name=WorkPoolFilterName(any_=[POOL]))
    for run in client.read_flow_runs(flow_run_filter=active, work_pool_filter=pool):
        client.set_flow_run_state(run.id, Crashed(message=_crash_message(run.name)))


def _crash_message(name: str) -> str:
    published = (
        f"It had published {name}."
        if name.startswith(PUBLISHED)
        else "Run broadsheet editions to see whether it published."
    )
    return f"broadsheet up ended during this run. {published}"


def describe_schedule(client: SyncPrefectClient) -> str:
    """Return the times of the hourly deployment as text, or an empty string if it is paused."""
    hourly, pool = client.read_deployment_by_name(HOURLY), client.read_work_pool(POOL)
    if hourly.paused or pool.is_paused:
        return ""
    return " and ".join(_format(row.schedule) for row in hourly.schedules if row.active)


def _format(schedule: SCHEDULE_TYPES) -> str:
    match schedule:
        case IntervalSchedule():
            return f"every {schedule.interval.total_seconds():.0f} seconds"
        case CronSchedule():
            return f"{schedule.cron} {schedule.timezone or 'UTC'}"
        case RRuleSchedule():
            return f"{schedule.rrule} {schedule.timezone or 'UTC'}"
        case NoSchedule():
            return "never"


def run_now(client: SyncPrefectClient, worker: PrefectProcess) -> None:
    """Run the hourly deployment now, and print its final state."""
    run = client.create_flow_run_from_deployment(client.read_deployment_by_name(HOURLY).id)
    while (state := _state(run)).type in (StateType.SCHEDULED, *ACTIVE):
        require_alive(worker)
        time.sleep(PAUSE)
        run = client.read_flow_run(run.id)
    if state.type == StateType.CANCELLED:  # by the deployment's limit, because of a scheduled run
        write_line("First run skipped: another run is in progress.")
    else:
        write_line(f"First run {str(state.name).lower()}: {visible(state.message or 'no message')}")


def _state(run: FlowRun) -> State:
    """Return the state of a run of a deployment, which always has one."""
    if run.state is None:
        raise PrefectError(f"Prefect's flow run {run.name} has no state. Start broadsheet up again.")
    return run.state
