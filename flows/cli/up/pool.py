"""Set up the work pool of `broadsheet up` so that no request for a run decides what the worker executes.

Prefect's own template for process pools lets each run and each deployment set `command`, `env` and `working_dir`, and
each of them is enough to run anything. Without variables in the template, the server refuses requests with job
variables, and the worker ignores the job variables of runs that bypassed this check.
"""

import re
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate

from flows.cli.up.environment import POOL

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
NO_VARIABLES = {"type": "object", "properties": {}, "additionalProperties": False}


def set_up_pool(client: SyncPrefectClient) -> None:
    """Create the work pool, or close one of an earlier release that lets runs set job variables."""
    found = {pool.name: pool.base_job_template for pool in client.read_work_pools()}
    if POOL not in found:  # Prefect's own command would look for other types of pools on the internet
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=close_template({})))
    elif not _is_closed(found[POOL]):
        client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=close_template(found[POOL])))


def close_template(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without variables: each is replaced by its default, which an operator may have set."""
    variables = template.get("variables", {}).get("properties", {})
    defaults = {name: variable.get("default") for name, variable in variables.items()}
    job = {"stream_output": True} | _fill(template.get("job_configuration", {}), defaults)  # Prefect refuses {}
    return {"job_configuration": job, "variables": NO_VARIABLES}


def _fill(value: Any, defaults: dict[str, Any]) -> Any:
    """Return a template's value with defaults in place of its variables, and without empty fields."""
    if isinstance(value, dict):
        filled = {name: _fill(item, defaults) for name, item in value.items()}
        return {name: item for name, item in filled.items() if item is not None}
    if isinstance(value, list):
        return [_fill(item, defaults) for item in value]
    if not isinstance(value, str):
        return value
    if whole := PLACEHOLDER.fullmatch(value):
        return defaults.get(whole[1])
    return PLACEHOLDER.sub(lambda found: str(defaults.get(found[1]) or ""), value)


def _is_closed(template: dict[str, Any]) -> bool:
    """Return whether a template allows only the variables that it lists; an operator may have added some."""
    return template.get("variables", {}).get("additionalProperties") is False
