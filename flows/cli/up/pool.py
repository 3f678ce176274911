"""The work pool of `broadsheet up`, in which no request for a run decides what the worker executes.

Prefect's own template for process pools lets each run and each deployment set `command`, `env` and `working_dir`, and
each of them is enough to run anything. Without variables, the server refuses requests that have job variables, and the
worker ignores those of runs that were created past that check.
"""

import re
from typing import Any

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate

from flows.cli.up.environment import POOL

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
NO_VARIABLES = {"type": "object", "properties": {}, "additionalProperties": False}


def set_up_pool(client: SyncPrefectClient) -> None:
    """Create the work pool, or close one that lets runs set job variables, as earlier releases created it."""
    found = {pool.name: pool.base_job_template for pool in client.read_work_pools()}
    if POOL not in found:  # Prefect's own command would look for other types of pools on the internet
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", base_job_template=closed({})))
    elif not _is_closed(found[POOL]):
        client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=closed(found[POOL])))


def closed(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template without variables: each has its default, which an operator may have set, as a fixed value."""
    variables = template.get("variables", {}).get("properties", {})
    defaults = {name: variable.get("default") for name, variable in variables.items()}
    job = {"stream_output": True} | _filled(template.get("job_configuration", {}), defaults)  # Prefect refuses {}
    return {"job_configuration": job, "variables": NO_VARIABLES}


def _filled(value: Any, defaults: dict[str, Any]) -> Any:
    """Return a template's value with defaults in place of its variables, and without empty fields."""
    if isinstance(value, dict):
        filled = {name: _filled(item, defaults) for name, item in value.items()}
        return {name: item for name, item in filled.items() if item is not None}
    if isinstance(value, list):
        return [_filled(item, defaults) for item in value]
    if not isinstance(value, str):
        return value
    if whole := PLACEHOLDER.fullmatch(value):
        return defaults.get(whole[1])
    return PLACEHOLDER.sub(lambda found: str(defaults.get(found[1]) or ""), value)


def _is_closed(template: dict[str, Any]) -> bool:
    """Return whether a template allows only the variables that it lists, some perhaps added by an operator."""
    return template.get("variables", {}).get("additionalProperties") is False
