"""Run large steps in worker processes, and small ones in this process."""

import gc
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from errno import EBADF
from functools import partial
from threading import Thread
from types import ModuleType
from typing import Any, TypeVar

from flows import resources
from flows.errors import WorkerLostError
from flows.pipeline.plan import Plan

R = TypeVar("R")
MIN_WORKER_FILES = 2_000  # files to read; fewer are read before a worker has started
# Bytes, measured with a million articles: for a worker that writes months, and for the process that starts them.
WORKER_MEMORY, MAIN_MEMORY = 515_000_000, 300_000_000


class ProcessRunner:
    """Run steps in this process, with worker processes for large mapped steps."""

    distributed = False

    def call(self, step: Callable[..., R], *arguments: Any) -> R:
        """Run a step in this process."""
        return step(*arguments)

    def map(self, step: Callable[..., R], plan: Plan, parts: Sequence[Any]) -> Iterator[R]:
        """Run a step for each part, in worker processes if the work is large enough; the first error ends them all."""
        with workers(plan, len(parts)) as pool:
            if pool is None:
                yield from map(partial(step, plan), parts)
                return
            with translate_pool_errors():
                futures = [pool.submit(step, plan, part) for part in parts]
                waiting = deque(futures)
                for future in as_completed(futures):
                    future.result()
                    while waiting and waiting[0].done():
                        yield waiting.popleft().result()


@contextmanager
def workers(plan: Plan, parts: int) -> Iterator[Executor | None]:
    """Yield a process pool for a number of parts, or None if starting workers would take longer than it saves."""
    processes = min(plan.settings.processes or default_processes(), parts)
    if processes < 2 or plan.to_read < 2 * MIN_WORKER_FILES:
        yield None
        return
    with _without_main(), ProcessPoolExecutor(processes, _context(), _initialize) as pool:
        try:
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def translate_pool_errors() -> Iterator[None]:
    """Raise WorkerLostError if a process of the pool was killed, even if a part is submitted only afterwards."""
    try:
        yield
    except (BrokenProcessPool, OSError) as error:
        # A part that is submitted while the pool breaks finds its pipe closed, or closed in the middle of a call.
        if isinstance(error, OSError) and error.errno != EBADF and str(error) != "handle is closed":
            raise
        raise WorkerLostError(
            "A worker process was killed, possibly because the machine or container ran out of memory; nothing was"
            " published. Run again; if it happens again, set BROADSHEET_PROCESSES=1 or provide more memory."
        ) from None


def default_processes() -> int:
    """Return how many processes the CPUs and the memory of this machine or container allow, at least 1."""
    by_memory = (resources.usable_memory() - MAIN_MEMORY) // WORKER_MEMORY
    return max(1, min(resources.usable_cpus(), by_memory))


def _context() -> Any:
    """Return a context that forks workers from a server with preloaded modules: a second pool starts quickly."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["flows.pipeline.transform", "flows.pipeline.load"])
    return context


def _initialize() -> None:
    """Initialize a worker process."""
    gc.disable()  # reading creates no cycles, and garbage collection takes 5 % of the time
    _exit_with_run()


def _exit_with_run() -> None:
    """Exit when the run that started this worker ends: later writes could reach the staging folder of the next run."""
    run = multiprocessing.parent_process()

    def watch() -> None:
        if run:
            run.join()
            os._exit(1)

    Thread(target=watch, daemon=True).start()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module, which may be an orchestrator: workers would import it, and do not need it."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
