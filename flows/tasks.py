"""The steps as Prefect tasks: on this machine, a large step's in processes, or on a Dask cluster."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial, wraps
from inspect import signature
from typing import Any, cast
from uuid import UUID

from prefect import task, unmapped
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Failed
from prefect.task_runners import TaskRunner

from flows import cluster
from flows.errors import ConfigurationError, RunError
from flows.pipeline import Steps, steps_for
from flows.plan import Plan
from flows.settings import Settings
from flows.workers import killed_in_words, workers

LONG = 20_000  # files to read; fewer are read before anyone has looked


async def is_transient(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Whether a failed task may succeed when it is run again: the disk or the network failed, not the data."""
    failure = await state.aresult(raise_on_failure=False)
    return isinstance(failure, OSError) and not isinstance(failure, FileNotFoundError | PermissionError)


def _task(name: str, step: Any, retries: int = 3) -> Any:
    """A step as a task: nothing is cached, since the folders that a step reads are no part of its arguments."""

    @wraps(step)
    def run(*arguments: Any) -> Any:
        try:
            return step(*arguments)
        except RunError as error:  # a sentence for the operator, and no traceback
            return Failed(message=str(error), data=error)

    return task(
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=retries,
        retry_delay_seconds=[2, 10, 60],
        retry_condition_fn=is_transient,
    )(run)


def _mapped(step: Any, plan: Plan, parts: Sequence[Any]) -> Iterator[int]:
    """A step for each part, as mapped task runs, a large one's in processes; a long one shows how far it is."""
    with workers(plan, len(parts)) as pool:
        task_ = _task(step.name, _in_pool(pool, step.fn.__wrapped__)) if pool else step
        yield from _results(task_, plan, [future.result for future in task_.map(unmapped(plan), list(parts))])


def _in_pool(pool: Executor, step: Any) -> Any:
    """A step in one of the pool's processes: task runs are threads of this one, which share a core."""

    @wraps(step)
    def run(*arguments: Any) -> int:
        with killed_in_words():
            return int(pool.submit(step, *arguments).result())

    return run


def _on_cluster(runner: TaskRunner[Any], step: Any, plan: Plan, parts: Sequence[Any]) -> Iterator[int]:
    """The same on a Dask cluster."""
    cluster.require_workers(lambda: runner.client, plan.settings.scheduler)  # type: ignore[attr-defined]
    arguments = dict(zip(signature(step.fn).parameters, (unmapped(plan), list(parts)), strict=True))
    return _results(step, plan, [partial(cluster.result_of, future) for future in runner.map(step, arguments)])


def _results(step: Any, plan: Plan, results: Sequence[Callable[[], int]]) -> Iterator[int]:
    progress = create_progress_artifact(0, description=step.name) if plan.to_read > LONG else None
    for done, wait in enumerate(results, 1):
        yield wait()
        if progress:
            update_progress_artifact(cast(UUID, progress), 100 * done / len(results))


@contextmanager
def running(settings: Settings) -> Iterator[Steps]:
    """The steps as tasks, on this machine or on a Dask cluster until the end of the block; raises RunError."""
    if settings.runner == "local":
        yield _tasks(steps_for(settings), _mapped)
        return
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ModuleNotFoundError:
        raise ConfigurationError(
            "The dask runner needs the extra dask; run pip install '.[dask]' in Broadsheet's folder."
        ) from None
    of_the_run = {"n_workers": settings.processes, "threads_per_worker": 1, "dashboard_address": None}
    with DaskTaskRunner(
        address=settings.scheduler, cluster_kwargs=None if settings.scheduler else of_the_run
    ) as runner:
        yield _tasks(cluster.steps_for(settings), partial(_on_cluster, runner))


def _tasks(steps: Steps, each: Callable[..., Iterator[int]]) -> Steps:
    return Steps(
        extract=_task("extract", steps.extract),
        transform=_task("transform", steps.transform),
        settle=_task("settle", steps.settle),
        write_months=_task("write months", steps.write_months),
        load=_task("load", steps.load),
        check=_task("check", steps.check),
        publish=_task("publish", steps.publish, retries=0),  # it moves the edition to its place, once
        each=each,
    )
