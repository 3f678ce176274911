"""A killed broadsheet up leaves nothing running, and the next one takes over."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flows.warehouse.lock import writer_lock
from tests.process_tree import descendants, have_ended, open_pidfds
from tests.up_server import (  # noqa: F401
    Up,
    complete_run,
    folder,
    running_up,
    runs,
    state_of,
    wait_for,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """A broadsheet up that has published its first edition."""
    with running_up(folder) as up:
        up.read_until("First run")
        yield up


def schedules(up: Up, deployment: str) -> list[dict]:
    """Return the schedules of a deployment in their order of creation."""
    return sorted(up.api.get(f"/deployments/name/{deployment}").json()["schedules"], key=lambda row: row["created"])


def change_schedules(up: Up, deployment: str, **changes: object) -> None:
    """Change all schedules of a deployment as Prefect's UI does."""
    for row in schedules(up, deployment):
        up.api.patch(f"/deployments/{row['deployment_id']}/schedules/{row['id']}", json=changes)


def visible_fields(schedule: dict) -> tuple:
    """Return the fields of a schedule that an operator sees."""
    times = schedule["schedule"]
    return schedule["slug"], times.get("cron") or times["interval"], times["timezone"], schedule["active"]


def open_template(working_dir: Path) -> dict:
    """Return Prefect's own template for process pools, with a default that an operator has set."""
    properties = {
        "command": {"type": "string"},
        "env": {"type": "object"},
        "working_dir": {"type": "string", "default": str(working_dir)},
        "stream_output": {"type": "boolean", "default": True},
    }
    job = {name: f"{{{{ {name} }}}}" for name in properties}
    return {"job_configuration": job, "variables": {"type": "object", "properties": properties}}


def require_private(up: Up, password: str) -> None:
    """Require the same password, and that no other user can open the home."""
    home = up.password_file.parent
    assert up.password == password
    assert [path for path in (home, home / "prefect.db") if path.stat().st_mode & 0o077] == []


def require_closed_pool(up: Up, folder: Path) -> None:
    """Require a work pool without variables that keeps the operator's settings."""
    pool = up.api.get("/work_pools/broadsheet").json()
    assert pool["base_job_template"]["job_configuration"] == {"stream_output": True, "working_dir": str(folder)}
    assert pool["base_job_template"]["variables"]["properties"] == {}
    assert pool["concurrency_limit"] == 3


def require_crashed(up: Up, lost: str, published: str) -> None:
    """Require that lost runs are marked as crashed, with a message that says whether they published."""
    stopped = "broadsheet up ended during this run."
    unknown = "Run broadsheet editions to see whether it published."
    assert state_of(up, lost) == ("CRASHED", f"{stopped} {unknown}")
    assert state_of(up, published) == ("CRASHED", f"{stopped} It had published edition 20261101T000000Z.")


def require_kept_schedules(up: Up, weekly: str) -> None:
    """Require the schedules of the operator, and the one that --cron sets."""
    assert [visible_fields(row) for row in schedules(up, "verify/weekly")] == [
        ("weekly", "0 4 * * *", "Asia/Tokyo", False)
    ]
    assert up.api.get(f"/deployments/{weekly}").json()["paused"]
    times = [("hourly", "5 * * * *", "UTC", False), (None, 10.0, "UTC", False)]
    assert [visible_fields(row) for row in schedules(up, "etl/hourly")] == times


def test_the_next_up_cleans_up_after_a_killed_one_and_keeps_changed_schedules(folder, up):
    """Its guard is killed as well, and the next one uses another port.

    It also closes what an earlier release left open: a work pool and deployments with job variables, and a home that others can open.
    """
    home, password = up.password_file.parent, up.password
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    up.api.patch(f"/deployments/{hourly}", json={"job_variables": {"env": {"DO_NOT_TRACK": "1"}}})
    pool = {"base_job_template": open_template(working_dir=folder), "concurrency_limit": 3}
    up.api.patch("/work_pools/broadsheet", json=pool)
    home.chmod(0o755)
    (home / "prefect.db").chmod(0o644)
    change_schedules(up, "verify/weekly", schedule={"cron": "0 4 * * *", "timezone": "Asia/Tokyo"}, active=False)
    weekly = up.api.get("/deployments/name/verify/weekly").json()["id"]
    up.api.patch(f"/deployments/{weekly}", json={"paused": True})
    often = {"schedule": {"interval": 10}, "active": False}  # one that the operator added
    up.api.post(f"/deployments/{hourly}/schedules", json=[often])
    change_schedules(up, "etl/hourly", active=False)
    known = runs(up, "COMPLETED")
    with ExitStack() as stack:
        with writer_lock(up.warehouse):  # the run waits for this lock, as for a long run
            up.api.post(f"/deployments/{hourly}/create_flow_run", json={})
            (lost,) = wait_for(up, lambda: runs(up, "RUNNING"))
            named = {
                "name": "edition 20261101T000000Z",
                "state": {"type": "RUNNING"},
            }  # the name of a run that has published
            published = up.api.post(f"/deployments/{hourly}/create_flow_run", json=named).json()["id"]
            (guard,) = descendants(up.process.pid, "flows.cli.up.orphans")
            parts = open_pidfds(*descendants(up.process.pid, "prefect"))
            assert len(parts) >= 3  # the server, the worker and the run
            for process in (guard, up.process.pid):
                os.kill(process, signal.SIGKILL)
            up.process.wait()
            assert not have_ended(parts)
            again = stack.enter_context(running_up(folder, "--cron", "5 * * * *"))
            again.read_until("The schedule is paused")
            assert have_ended(parts)
        require_private(again, password)
        require_closed_pool(again, folder)
        require_crashed(again, lost, published)
        assert runs(again, "COMPLETED") >= known
        require_kept_schedules(again, weekly)
        before = runs(again, tags={"all_": ["auto-scheduled"]})
        complete_run(again, hourly)
        assert runs(again, tags={"all_": ["auto-scheduled"]}) == before  # nothing is due while the schedule is paused
        parts = open_pidfds(*descendants(again.process.pid))
        again.output.close()
        assert again.process.wait(90) == 0
        assert have_ended(parts)
