"""What broadsheet up serves, writes and executes is closed to other pages, other users and other requests."""

import base64
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT
from tests.foreign_page import MARK, REBOUND, attack, foreign_site, rebound_browser
from tests.up_server import (  # noqa: F401
    Up,
    first_event,
    folder,
    log_in,
    run_in_thread,
    running_up,
    runs,
    wait_for,
)

pytestmark = pytest.mark.slow


OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


@pytest.fixture(scope="module")
def up(folder: Path) -> Iterator[Up]:
    """A broadsheet up that has published its first edition."""
    with running_up(folder) as up:
        up.read_until("First run")
        yield up


def server_contents(up: Up) -> dict[str, list[tuple]]:
    """Return the objects of the server that a page could list, create, change or delete."""
    fields = {
        "deployments": ("id", "paused", "description", "job_variables"),
        "work_pools": ("name", "is_paused", "description"),
        "flows": ("id",),
        "variables": ("name",),
        "automations": ("name", "enabled"),
    }
    found = {kind: up.api.post(f"/{kind}/filter", json={}).json() for kind in fields}
    marked = {
        "artifacts": {"artifacts": {"key": {"any_": [MARK]}}},
        "flow_runs": {"flow_runs": {"tags": {"any_": [MARK]}}},
    }
    found |= {kind: up.api.post(f"/{kind}/filter", json=wanted).json() for kind, wanted in marked.items()}
    return {
        kind: sorted(tuple(row[name] for name in fields.get(kind, ("id",))) for row in rows)
        for kind, rows in found.items()
    }


def test_a_page_of_another_origin_reaches_nothing_while_the_operator_is_logged_in(up, browser):
    """Try another port and another name of this machine, and a name with DNS rebinding to the server."""
    hourly = up.api.get("/deployments/name/etl/hourly").json()
    ids = {"deployment": hourly["id"], "flow": hourly["flow_id"]}
    before, own = server_contents(up), f"http://127.0.0.1:{up.port}/api"
    with foreign_site() as port, rebound_browser(browser) as context:
        operator = context.new_page()
        log_in(operator, up)
        for site, target in (
            (f"http://127.0.0.1:{port}", own),
            (f"http://localhost:{port}", own),
            (f"http://{REBOUND}:{up.port}", f"http://{REBOUND}:{up.port}/api"),
        ):
            page = context.new_page()
            page.goto(f"{site}/robots.txt")  # a page from the loopback address space
            assert attack(page, target, ids) == {}
            page.close()
        operator.goto(f"http://127.0.0.1:{up.port}/runs")
        operator.get_by_text("edition ").first.wait_for(timeout=60_000)
    assert server_contents(up) == before
    assert run_in_thread(first_event(up)) == f"{MARK}.ours"


def test_no_request_with_another_host_is_answered_without_the_password(up):
    with httpx.Client(base_url=f"http://127.0.0.1:{up.port}/api", headers={"Host": REBOUND}) as client:
        for method, path in (("POST", "/deployments/filter"), ("GET", "/admin/settings"), ("POST", "/flows/")):
            assert client.request(method, path, json={"name": MARK} if method == "POST" else None).status_code == 401
        assert (
            "access-control-allow-origin" not in client.get("/health", headers={"Origin": f"http://{REBOUND}"}).headers
        )


@pytest.mark.parametrize(
    "variables",
    [{"command": "true"}, {"env": {"PYTHONPATH": "/tmp"}}, {"env.PYTHONPATH": "/tmp"}, {"working_dir": "/tmp"}],
    ids=lambda variables: next(iter(variables)),
)
def test_no_request_for_a_run_decides_what_the_worker_executes(up, variables):
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    with pytest.raises(httpx.HTTPStatusError, match="not allowed"):
        up.api.post(f"/deployments/{hourly}/create_flow_run", json={"job_variables": variables})


def test_the_worker_ignores_the_command_of_a_run_without_a_deployment(up, tmp_path):
    """Prefect does not check the job variables of such a run."""
    variables = {"command": f"sh -c 'touch {tmp_path}/ran; exit 1'", "working_dir": str(tmp_path)}
    flow = up.api.get("/deployments/name/etl/hourly").json()["flow_id"]
    asked = {
        "flow_id": flow,
        "work_pool_name": "broadsheet",
        "job_variables": variables,
        "state": {"type": "SCHEDULED"},
    }
    run = up.api.post("/flow_runs/", json=asked).json()["id"]
    wait_for(up, lambda: run in runs(up, "FAILED", "CRASHED"))
    assert not (tmp_path / "ran").exists()


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of an edition's folders and files."""
    return {str(path.relative_to(folder)): path.stat().st_mode for path in (folder, *folder.rglob("*"))}


def test_its_files_are_private_but_its_editions_are_readable(up, demo):
    home, (edition,) = up.password_file.parent, (up.warehouse / "editions").glob("*Z")
    assert [path for path in (home, *home.rglob("*")) if path.stat().st_mode & 0o077] == []
    assert modes(edition) == modes(demo)
    assert up.warehouse.stat().st_mode == demo.parents[1].stat().st_mode


def test_the_password_is_in_no_other_file_and_in_no_command_line(up):
    secret = up.password.encode()
    forms = (secret.partition(b":")[2], base64.b64encode(secret))
    files = [path for path in (up.password_file.parents[1]).rglob("*") if path.is_file()]
    assert [path for path in files if any(form in path.read_bytes() for form in forms)] == [up.password_file]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, check=True).stdout
    assert not any(form in listed for form in forms)


def test_a_manual_flow_run_uses_the_password_as_documented(up):
    (exports,) = re.findall(r"  ```sh\n(  export PREFECT_API_URL=.*?)```", OPERATIONS, re.DOTALL)
    here = exports.replace(":4200", f":{up.port}").replace("data/prefect", shlex.quote(str(up.password_file.parent)))
    run = f"{here}\nexec {shlex.quote(sys.executable)} -m flows.etl"
    places = {"BROADSHEET_SOURCE": str(up.source), "BROADSHEET_WAREHOUSE": str(up.warehouse)}
    known = runs(up)
    variables = {**os.environ, **places, "PREFECT_HOME": str(up.password_file.parents[2] / "elsewhere")}
    done = subprocess.run(["bash", "-ec", run], cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert runs(up, "COMPLETED") - known
