"""The steps as Prefect tasks: on this machine, a large step's in processes, or on a Dask cluster."""

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
LONG = 20_000  # files to read; fewer are read in seconds
# Expected exceptions of a step. Prefect logs the traceback of an exception that a task raises, but not of one that it
# returns, so the task returns these as its state, and its caller raises them.
EXPECTED = (RunError, OSError, duckdb.Error)
# These last longer than the retries: the next scheduled run tries again.
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


def _task(step: Callable[..., R], work: Callable[..., R] | None = None) -> Any:
    """Return a step as a task, which calls `work`, by default the step itself.

    Nothing is cached, since the folders that a step reads are not among its arguments.
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
        retry_condition_fn=never if step is publish else is_transient,
    )(run)


class PrefectRunner:
    """The runner whose steps are tasks on this machine, a large step's in processes."""

    distributed = False

    def call(self, step: Callable[..., R], *arguments: Any) -> R:
        """Run a step as a task, return what it returns, and raise what it raises."""
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
    """The runner whose mapped steps are tasks on the workers of a Dask cluster."""

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

    Otherwise they would still write when the next run has the warehouse.
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
def runner_of(settings: Settings) -> Iterator[PrefectRunner]:
    """Yield the runner of the settings: on this machine, or on a Dask cluster until the end of the block.

    Raise ConfigurationError without the extra dask.
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
    temporary = {"n_workers": processes, "threads_per_worker": 1, "dashboard_address": None}
    cluster_kwargs = None if settings.scheduler else temporary
    with DaskTaskRunner(address=settings.scheduler, cluster_kwargs=cluster_kwargs) as task_runner:
        yield DaskRunner(task_runner, settings.scheduler)
