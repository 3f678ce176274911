"""Start an hourly schedule with `broadsheet up`, with a real server, worker and browser."""

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import BROADSHEET, ROOT, query, run_broadsheet
from tests.hostile import without_home
from tests.prefect_server import free_port
from tests.up_server import (  # noqa: F401
    VISIBLE,
    Up,
    folder,
    latest_artifact,
    log_in,
    run_in_thread,
    run_of_edition,
    runs,
    subscribe_to_events,
    up,
    wait_for,
)

pytestmark = pytest.mark.slow


def test_one_command_publishes_the_first_edition(up):
    assert f"http://127.0.0.1:{up.port}" in up.read_until("The schedule is on")
    assert up.read_until("password") == f"User and password of the UI: cat {up.password_file}\n"
    line = up.read_until("First run")
    edition = (up.warehouse / "current").resolve().name
    assert line.startswith(f"First run completed: Published edition {edition}: 24 articles, 24 added")
    assert run_of_edition(up, edition)["state_type"] == "COMPLETED"


def test_the_brief_and_its_tables_describe_the_run(up):
    text = latest_artifact(up, "brief")["data"]
    assert "## Published: 24" in text
    assert "## Rejected: 2" in text
    assert "Save the file as UTF" in text
    assert "WORLD" in str(latest_artifact(up, "categories")["data"])
    assert "expected a key" in str(latest_artifact(up, "problems")["data"])


def test_a_browser_sees_the_run_and_the_brief(up, browser):
    run = run_of_edition(up, (up.warehouse / "current").resolve().name)
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, up)
    page.goto(f"http://127.0.0.1:{up.port}/runs/flow-run/{run['id']}")
    page.get_by_text("Completed").first.wait_for(timeout=60_000)
    assert page.get_by_text(run["name"]).first.is_visible()
    page.goto(f"http://127.0.0.1:{up.port}/artifacts/artifact/{latest_artifact(up, 'brief')['latest_id']}")
    page.get_by_text("Canadian town teaches its snowploughs to sing").first.wait_for(timeout=60_000)
    page.close()
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"127.0.0.1"}


@pytest.mark.parametrize("ui", ["", "/v2"])  # Prefect has two: one renders cells of tables as Markdown
def test_hostile_articles_are_text_in_the_brief_and_its_tables(up, browser, ui):
    page = browser.new_page()
    asked, opened = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: opened.append(dialog.message))
    log_in(page, up)
    for key, text in (("brief", VISIBLE), ("categories", VISIBLE.upper()), ("problems", VISIBLE.replace("/", ":"))):
        page.goto(f"http://127.0.0.1:{up.port}{ui}/artifacts/artifact/{latest_artifact(up, key)['latest_id']}")
        page.get_by_text("Edition 20").first.wait_for(timeout=60_000)
        shown = page.get_by_text("pixel").first
        shown.wait_for(timeout=60_000)
        plain = re.sub(r"\\(?=[!-/:-@\[-`{-~])|`", "", shown.inner_text()) if ui else shown.inner_text()
        assert text.casefold() in plain.casefold().replace(r"\U", r"\u")
        assert page.locator("a[href*=foreign], a[href*='javascript:'], img[src*=foreign], main b, #root b").count() == 0
    page.close()
    assert opened == []
    assert not [url for url in asked if "foreign" in url]


def test_deployments_are_what_an_operator_expects(up):
    found = {row["name"]: row for row in up.api.post("/deployments/filter", json={}).json()}
    assert set(found) == {"hourly", "rebuild", "weekly"}
    assert [schedule["schedule"]["cron"] for schedule in found["hourly"]["schedules"]] == ["0 * * * *"]
    collisions = {name: row["concurrency_options"]["collision_strategy"] for name, row in found.items()}
    assert collisions == {"hourly": "CANCEL_NEW", "rebuild": "ENQUEUE", "weekly": "CANCEL_NEW"}
    assert all(row["global_concurrency_limit"]["limit"] == 1 for row in found.values())
    for row in found.values():
        assert row["enforce_parameter_schema"]
        assert all(field["description"] for field in row["parameter_openapi_schema"]["properties"].values())
    names = {automation["name"] for automation in up.api.post("/automations/filter", json={}).json()}
    assert "Broadsheet: a run without heartbeats has crashed" in names


async def publish_on_schedule(up: Up) -> list[dict]:
    """Correct the source twice, wait for a scheduled run each time, and return the payloads of their events."""
    hourly = up.api.get("/deployments/name/etl/hourly").json()["id"]
    seed = next(up.source.glob("*ART2611031140G1WBP6.md"))
    events = []
    async with subscribe_to_events(up, "broadsheet.edition.") as editions:
        for title in ("First correction", "Second correction"):
            seed.write_text(re.sub(r'^title: ".*"$', f'title: "{title}"', seed.read_text(), flags=re.MULTILINE))
            if not events:
                every = {"schedule": {"interval": 10}, "active": True}
                up.api.post(f"/deployments/{hourly}/schedules", json=[every])
            async for event in editions:  # the first event may be of the previous edition
                folder = up.warehouse / "editions" / event.payload["edition_id"]
                if query(folder, f"SELECT title FROM articles WHERE title = '{title}'"):
                    events.append(event.payload)
                    break
    return events


def test_scheduled_runs_publish_corrections(up):
    events = run_in_thread(publish_on_schedule(up))
    assert [(facts["corrected"], facts["added"], facts["articles"]) for facts in events] == [(1, 0, 24), (1, 0, 24)]
    for facts in events:
        assert run_of_edition(up, facts["edition_id"])["auto_scheduled"]
    assert "Second correction" in latest_artifact(up, "brief")["data"]


def test_a_port_in_use_is_reported_in_one_sentence(up, folder):
    done = run_broadsheet("up", "--data", folder / "other", "--port", up.port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: Port {up.port} is in use. Stop the program that is using it, or pass another port with --port.\n"
    )


def test_a_privileged_port_is_reported_in_one_sentence(folder):
    refused = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) - 1
    if refused < 1:
        return  # in this container any user may listen on any port
    command = [*without_home(), *BROADSHEET, "up", "--data", folder / "other", "--port", str(refused)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: This user may not listen on port {refused}. Pass a port of at least 1024 with --port, such as 4200.\n"
    )


def test_neither_the_shell_nor_the_current_folder_reaches_its_prefect(up, folder):
    """The other tests show it too: they would find no server, or one with another password."""
    server = up.api.get("/admin/settings").json()["server"]
    assert server["api"]["base_path"] is None
    assert (folder / "data" / "prefect" / "prefect.db").exists()
    assert (
        " | DEBUG " in (folder / "data" / "prefect" / "worker.log").read_text()
    )  # the log level is inherited from the shell


def test_a_second_up_with_the_same_data_is_reported_in_one_sentence(up, folder):
    """It would mark runs of the first one as crashed, and its worker would publish them into another warehouse."""
    done = run_broadsheet("up", "--data", folder / "data", "--port", free_port())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: Another broadsheet up is using {folder / 'data' / 'prefect'}."
        " Stop it, or pass another folder with --data.\n"
    )


def test_no_process_contacts_another_host(folder, up):
    reached = set((folder / "reached.txt").read_text().splitlines())
    assert reached == {"127.0.0.1"}
