"""The Prefect flow `etl`: the pipeline's steps as tasks. `python -m flows.etl` runs it on a temporary server."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task, unmapped
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun

from flows import pipeline
from flows.pipeline import PLAIN
from flows.plan import Plan
from flows.settings import Settings


async def is_transient(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task may succeed when it is run again: the disk or the network failed, not the data."""
    failure = await state.aresult(raise_on_failure=False)
    return isinstance(failure, OSError) and not isinstance(failure, FileNotFoundError | PermissionError)


def _task(name: str, step: Any, retries: int = 3) -> Any:
    """A step as a task: nothing is cached, since the folders that a step reads are no part of its arguments."""
    return task(
        step,
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=retries,
        retry_delay_seconds=[2, 10, 60],
        retry_condition_fn=is_transient,
    )


def _mapped(step: Any, plan: Plan, parts: Sequence[Any]) -> Iterator[int]:
    """A step for each part, as mapped task runs."""
    for future in step.map(unmapped(plan), list(parts)):
        yield future.result()


TASKS = pipeline.Steps(
    extract=_task("extract", PLAIN.extract),
    transform=_task("transform", PLAIN.transform),
    settle=_task("settle", PLAIN.settle),
    write_months=_task("write months", PLAIN.write_months),
    load=_task("load", PLAIN.load),
    check=_task("check", PLAIN.check),
    publish=_task("publish", PLAIN.publish, retries=0),  # it moves the edition to its place, once
    each=_mapped,
)


@flow(name="etl", persist_result=False)
def etl(source: Path | None = None, warehouse: Path | None = None, rebuild: bool | None = None) -> str:
    """Read the source and publish an edition, or nothing where nothing is new; returns the current edition's id.

    Args:
        source: Folder of the seed files; BROADSHEET_SOURCE, or seeds, where it is left out.
        warehouse: Folder of the editions; BROADSHEET_WAREHOUSE, or warehouse, where it is left out.
        rebuild: Read every file and publish, even where nothing is new.
    """
    settings = Settings.given(source=source, warehouse=warehouse, rebuild=rebuild)
    logger = get_run_logger()
    report = pipeline.publish_edition(settings, TASKS)
    if report.edition is None:
        logger.info("Nothing is new: edition %s has all %d files.", report.folder.name, report.files)
    else:
        logger.info(
            "Published edition %s: %d articles, %d images, %d captions, %d files rejected.",
            *(report.edition.edition_id, report.edition.articles, report.edition.images),
            *(report.edition.captions, report.edition.rejected),
        )
    return report.folder.name


if __name__ == "__main__":
    etl()
