"""Run the steps as Prefect tasks, on this machine or on a Dask cluster. Large steps run in parallel processes."""

import errno
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from functools import partial, wraps
from inspect import signature
from typing import Any, TypeVar, cast
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
from flows.pipeline.publish import publish
from flows.settings import Settings

R = TypeVar("R")
MIN_PROGRESS_FILES = 20_000  # files to read; fewer take only seconds, so progress is not reported
# Expected exceptions of a step. Prefect logs the traceback of an exception that a task raises, but not of one that it
# returns, so the task returns these as its state, and its caller raises them.
EXPECTED = (RunError, OSError, duckdb.Error)
# These errors outlast the retries; the next scheduled run tries again.
_PERSISTENT = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EMFILE, errno.ENAMETOOLONG)


async def is_transient(_task: object, _run: TaskRun, state: State[Any]) -> bool:
    """Return whether a failed task may succeed on a retry: the disk or the network failed, not the data."""
    failure = await state.aresult(raise_on_failure=False)
    if not isinstance(failure, OSError) or isinstance(failure, FileNotFoundError | PermissionError):
        return False
    return failure.errno not in _PERSISTENT


async def never_retry(_task: object, _run: TaskRun, _state: State[Any]) -> bool:
    """Return False: publishing moves the staged edition, so it cannot run twice."""
    return False


def _task(step: Callable[..., R], work: Callable[..., R] | None = None) -> Any:
    """Return a task named after a step; it calls `work`, by default the step itself.

    Results are not cached, since they depend on folders that are not among the arguments.
    """

    @wraps(step)
    def run(*arguments: Any) -> Any:
        try:
            with translate_memory_errors():
                return (work or step)(*arguments)
        except EXPECTED as error:
            return Failed(message=visible(str(error)), data=error)

    return task(
        name=step.__name__.replace("_", " "),
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=3,
        retry_delay_seconds=[2, 10, 60],
        retry_condition_fn=never_retry if step is publish else is_transient,
    )(run)


class PrefectRunner:
    """Run steps as tasks on this machine, with worker processes for large mapped steps."""

    distributed = False

    def call(self, step: Callable[..., R], *arguments: Any) -> R:
        """Run a step as a task; return its result or raise its exception."""
        return cast(R, _task(step)(*arguments, return_state=True).result())

    def map(self, step: Callable[..., R], plan: Plan, parts: Sequence[Any]) -> Iterator[R]:
        """Run a step for each part as mapped tasks, a large one's in processes; a long one reports its progress."""
        with workers(plan, len(parts)) as pool:
            task_ = _task(step, _in_pool(pool, step) if pool else None)
            yield from _results(task_, plan, [future.result for future in task_.map(unmapped(plan), list(parts))])


def _in_pool(pool: Executor, step: Callable[..., R]) -> Callable[..., R]:
    """Return a step that runs in one of the pool's processes: tasks are threads of this one, which share a core."""

    def run(*arguments: Any) -> R:
        with translate_pool_errors():
            return pool.submit(step, *arguments).result()

    return run


class DaskRunner(PrefectRunner):
    """Run mapped steps as tasks on the workers of a Dask cluster."""

    distributed = True

    def __init__(self, task_runner: TaskRunner[Any], scheduler: str | None) -> None:
        self.task_runner, self.scheduler = task_runner, scheduler

    def map(self, step: Callable[..., R], plan: Plan, parts: Sequence[Any]) -> Iterator[R]:
        """Run a step for each part as mapped tasks of the cluster."""
        dask.require_workers(lambda: self.task_runner.client, self.scheduler)  # type: ignore[attr-defined]
        task_ = _task(step)
        arguments = dict(zip(signature(step).parameters, (unmapped(plan), list(parts)), strict=True))
        futures = self.task_runner.map(task_, arguments)
        yield from _results(task_, plan, [partial(dask.result_of, future) for future in futures])


def _results(step: Any, plan: Plan, results: Sequence[Callable[[], R]]) -> Iterator[R]:
    """Yield the results of a step's parts in order; if one fails, wait for the others before raising its error.

    Without the wait, they would still be writing while the next run holds the lock of the warehouse.
    """
    progress = create_progress_artifact(0, description=step.name) if plan.to_read > MIN_PROGRESS_FILES else None
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
def open_runner(settings: Settings) -> Iterator[PrefectRunner]:
    """Yield the runner that the settings select. A Dask cluster that it starts is stopped at the end of the block.

    Raise ConfigurationError if the extra dask is not installed.
    """
    if settings.runner == "local":
        yield PrefectRunner()
        return
    try:
        from prefect_dask.task_runners import DaskTaskRunner
    except ModuleNotFoundError:
        raise ConfigurationError(
            "The dask runner needs the extra dask. Run pip install '.[dask]' in Broadsheet's folder."
        ) from None
    processes = settings.processes or default_processes()
    local_cluster = {"n_workers": processes, "threads_per_worker": 1, "dashboard_address": None}
    cluster_kwargs = None if settings.scheduler else local_cluster
    with DaskTaskRunner(address=settings.scheduler, cluster_kwargs=cluster_kwargs) as task_runner:
        yield DaskRunner(task_runner, settings.scheduler)
