"""The Prefect flows `etl` and `verify`. `python -m flows.etl` runs `etl` once."""

import sys
from asyncio import CancelledError
from functools import partial
from pathlib import Path
from typing import Any

from prefect import Flow, flow, get_client, get_run_logger
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.schemas.objects import FlowRun, State
from prefect.events import emit_event
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows.artifacts import read_brief, render_brief, render_failure, table_rows
from flows.display import visible
from flows.errors import RunError, first_line
from flows.pipeline.run import Report, publish_edition
from flows.pipeline.verify import verify_edition
from flows.schema import Edition
from flows.settings import Settings
from flows.tasks import open_runner
from flows.warehouse.storage import open_storage

PROJECT = Path(__file__).parents[1]
HOUR = 3600  # seconds


def create_failure_brief(_flow: Flow[..., Any], run: FlowRun, state: State[Any]) -> None:
    """Create a brief with the reason why a run failed or crashed, under the same key as the briefs of editions."""
    create_markdown_artifact(
        render_failure(state.message or f"The run ended as {state.name}."), key="brief", description=run.name
    )


OPTIONS: dict[str, Any] = {
    "persist_result": False,
    "timeout_seconds": 6 * HOUR,
    "on_failure": [create_failure_brief],
    "on_crashed": [create_failure_brief],
}


@flow(name="etl", **OPTIONS)
def etl(
    source: str | Path | None = None,
    warehouse: str | Path | None = None,
    rebuild: bool | None = None,
    verify_content: bool | None = None,
    allow_withdrawals: bool | None = None,
) -> State[Any]:
    """Read the source and publish an edition if anything changed; the message of the state reports the result.

    Args:
        source: Folder of the seed files, or a URL such as s3://bucket/prefix. Default: BROADSHEET_SOURCE, else seeds.
        warehouse: Folder of the editions, or a URL. Default: BROADSHEET_WAREHOUSE, else warehouse.
        rebuild: Read every file and publish, even without changes.
        verify_content: Read every file, even if its size and time are unchanged.
        allow_withdrawals: Publish even if more than half of the articles are gone.
    """
    try:
        given = {"rebuild": rebuild, "verify_content": verify_content, "allow_withdrawals": allow_withdrawals}
        settings = _settings(source=source, warehouse=warehouse, **given)
        with open_runner(settings) as runner:
            report = publish_edition(settings, runner)
    except RunError as error:
        return Failed(message=visible(str(error)))
    return Completed(message=_report(settings, report))


@flow(name="verify", **OPTIONS)
def verify(source: str | Path | None = None, warehouse: str | Path | None = None) -> State[Any]:
    """Read every file, publish an edition if anything changed, and compare the edition with a rebuild.

    Args:
        source: Folder of the seed files, or a URL such as s3://bucket/prefix. Default: BROADSHEET_SOURCE, else seeds.
        warehouse: Folder of the editions, or a URL. Default: BROADSHEET_WAREHOUSE, else warehouse.
    """
    try:
        settings = _settings(source=source, warehouse=warehouse)
        with open_runner(settings) as runner:
            _report(settings, publish_edition(settings.model_copy(update={"verify_content": True}), runner))
        differences = verify_edition(settings)
    except RunError as error:
        return Failed(message=visible(str(error)))
    for line in differences:
        get_run_logger().error(visible(line))
    if differences:
        count = f"{len(differences):,} difference{'s' if len(differences) > 1 else ''}"
        return Failed(message=visible(f"The edition differs from the source ({count}). First: {differences[0]}"))
    return Completed(message="The current edition matches the source.")


def _settings(**given: Any) -> Settings:
    """Return the settings of a flow run: it waits for other runs, and relative folders are below the project folder."""
    settings = Settings.given("parameter {}".format, **given, lock_timeout=HOUR)
    folders = {name: PROJECT / getattr(settings, name) for name in ("source", "warehouse", "data")}
    return settings.model_copy(update=folders)


def _location(settings: Settings, edition: Path) -> str:
    """Return the folder or URL of an edition."""
    return str(open_storage(settings).edition_location(edition.name))


def _report(settings: Settings, report: Report) -> str:
    """Create the artifacts of a new edition, send its event, and return a sentence that sums up the run."""
    edition = report.edition
    for warning in report.warnings:
        get_run_logger().warning(visible(warning))
    if edition is None:
        return f"No changes since edition {report.folder.name} ({report.files:,} files)."
    # The event is sent last, so that its receivers find the brief, and even if the brief cannot be created.
    for failure, step in (
        ("its brief could not be created", partial(_create_brief, edition, report)),
        ("its event could not be sent", partial(_send_event, settings, edition, report.folder)),
    ):
        try:
            step()
        # The edition is published, and a failed run would suggest that it is not. Prefect raises CancelledError in a
        # run that has lost its server.
        except (Exception, CancelledError) as error:
            get_run_logger().warning(visible(f"The edition is published, but {failure} ({first_line(error)})."))
    return (
        f"Published edition {edition.edition_id}: {edition.articles:,} articles, {edition.added:,} added,"
        f" {edition.corrected:,} corrected, {edition.withdrawn:,} withdrawn, {edition.rejected:,} files rejected."
    )


def _send_event(settings: Settings, edition: Edition, folder: Path) -> None:
    facts = edition._asdict() | {
        "published_at": edition.published_at.isoformat(),
        "folder": visible(_location(settings, folder)),
    }
    resource = {"prefect.resource.id": "broadsheet.edition", "prefect.resource.name": edition.edition_id}
    emit_event("broadsheet.edition.published", resource=resource, payload=facts)


def _create_brief(edition: Edition, report: Report) -> None:
    results, description = read_brief(report.folder), f"Edition {edition.edition_id}"
    create_markdown_artifact(render_brief(edition, results, report.warnings), key="brief", description=description)
    create_table_artifact(table_rows(results["categories"]), key="categories", description=description)
    create_table_artifact(table_rows(results["problems"]), key="problems", description=description)
    if flow_run.id:
        with get_client(sync_client=True) as client:
            client.update_flow_run(flow_run.id, name=f"edition {edition.edition_id}")


if __name__ == "__main__":
    sys.exit(not etl(return_state=True).is_completed())
