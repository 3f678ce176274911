"""The steps as Prefect tasks: on this machine, a large step's in processes, or on a Dask cluster."""

import errno
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial, wraps
from inspect import signature
from typing import Any, cast
from uuid import UUID

import duckdb
from prefect import task, unmapped
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Failed
from prefect.task_runners import TaskRunner

from flows.display import visible
from flows.errors import ConfigurationError, RunError
from flows.pipeline import dask
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.plan import Plan
from flows.pipeline.process_pool import default_processes, translate_pool_errors, workers
from flows.pipeline.run import Steps, steps_for
from flows.settings import Settings

LONG = 20_000  # files to read; fewer are read before anyone has looked
# What a step may raise without being at fault. Prefect logs the traceback of what a task raises, and none of what it
# returns, so the task returns these as its state, and its caller raises them again.
EXPECTED = (RunError, OSError, duckdb.Error)
# These last longer than the retries: the next run of the schedule is the one to try again.
_LASTING = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENAMETOOLONG)


async def is_transient(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Return whether a failed task may succeed when it is run again: the disk or the network failed, not the data."""
    failure = await state.aresult(raise_on_failure=False)
    if not isinstance(failure, OSError) or isinstance(failure, FileNotFoundError | PermissionError):
        return False
    return failure.errno not in _LASTING


async def never(_task: object, _run: TaskRun, _state: State[Any]) -> bool:
    """Return False: publishing moves the edition to its place, which is done once."""
    return False


def _task(name: str, step: Any, retry: Any = is_transient) -> Any:
    """Return a step as a task: nothing is cached, since the folders that a step reads are not among its arguments."""

    @wraps(step)
    def run(*arguments: Any) -> Any:
        try:
            with translate_memory_errors():
                return step(*arguments)
        except EXPECTED as error:
            return Failed(message=visible(str(error)), data=error)

    return task(
        name=name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=3,
        retry_delay_seconds=[2, 10, 60],
        retry_condition_fn=retry,
    )(run)


def _step(name: str, step: Any, retry: Any = is_transient) -> Callable[..., Any]:
    """Return a function that runs a step as a task, returns what the step returns, and raises what it raises."""
    task_ = _task(name, step, retry)

    def call(*arguments: Any) -> Any:
        return task_(*arguments, return_state=True).result()

    return call


def _mapped(step: Any, plan: Plan, parts: Sequence[Any]) -> Iterator[int]:
    """A step for each part, as mapped task runs, a large one's in processes; a long one shows how far it is."""
    with workers(plan, len(parts)) as pool:
        task_ = _task(step.name, _in_pool(pool, step.fn.__wrapped__)) if pool else step
        yield from _results(task_, plan, [future.result for future in task_.map(unmapped(plan), list(parts))])


def _in_pool(pool: Executor, step: Any) -> Any:
    """A step in one of the pool's processes: task runs are threads of this one, which share a core."""

    @wraps(step)
    def run(*arguments: Any) -> int:
        with translate_pool_errors():
            return int(pool.submit(step, *arguments).result())

    return run


def _on_cluster(runner: TaskRunner[Any], step: Any, plan: Plan, parts: Sequence[Any]) -> Iterator[int]:
    """The same on a Dask cluster."""
    dask.require_workers(lambda: runner.client, plan.settings.scheduler)  # type: ignore[attr-defined]
    arguments = dict(zip(signature(step.fn).parameters, (unmapped(plan), list(parts)), strict=True))
    return _results(step, plan, [partial(dask.result_of, future) for future in runner.map(step, arguments)])


def _results(step: Any, plan: Plan, results: Sequence[Callable[[], int]]) -> Iterator[int]:
    """Yield the results of a step's parts in their order; where one fails, the others end before it is raised.

    Else they would still write when the warehouse has been given to the next run.
    """
    progress = create_progress_artifact(0, description=step.name) if plan.to_read > LONG else None
    try:
        for done, wait in enumerate(results, 1):
            yield wait()
            if progress:
                update_progress_artifact(cast(UUID, progress), 100 * done / len(results))
    except Exception:
        for wait in results:
            with suppress(Exception):
                wait()
        raise


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
    workers_of_the_run = settings.processes or default_processes()
    of_the_run = {"n_workers": workers_of_the_run, "threads_per_worker": 1, "dashboard_address": None}
    with DaskTaskRunner(
        address=settings.scheduler, cluster_kwargs=None if settings.scheduler else of_the_run
    ) as runner:
        yield _tasks(dask.steps_for(settings), partial(_on_cluster, runner))


def _tasks(steps: Steps, each: Callable[..., Iterator[int]]) -> Steps:
    return Steps(
        extract=_step("extract", steps.extract),
        transform=_task("transform", steps.transform),
        reconcile=_step("reconcile", steps.reconcile),
        write_months=_task("write months", steps.write_months),
        load=_step("load", steps.load),
        check=_step("check", steps.check),
        publish=_step("publish", steps.publish, never),
        each=each,
    )
