"""Failures of settings, stores, clusters and workers; within each block the failure is there."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

import dask
import pytest

from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.object_store.s3.connection import client
from flows.pipeline.code import CODE
from flows.pipeline.plan import Attempt, Plan
from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.conftest import ROOT
from tests.failing_newsroom import Newsroom


@contextmanager
def setting_is_wrong(room: Newsroom) -> Iterator[None]:
    with room.setting(time_zone="Mars/Olympus"):
        yield


@contextmanager
def dask_on_the_command_line(room: Newsroom) -> Iterator[None]:
    with room.setting(runner="dask"):
        yield


@contextmanager
def cluster_is_not_there(room: Newsroom) -> Iterator[None]:
    with room.setting(scheduler="tcp://127.0.0.1:9"), dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        yield


@contextmanager
def workers_are_blind(room: Newsroom) -> Iterator[None]:
    """A warehouse below the current folder, which is another one for each process."""
    room.patch.chdir(room.folder)
    with room.setting(warehouse="/proc/self/cwd/warehouse-of-the-flow"):
        yield
    room.patch.chdir(ROOT)


@contextmanager
def workers_run_other_code(room: Newsroom) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.pipeline.extract.CODE", CODE._replace(parser=0))
        yield


@contextmanager
def staged_rows_are_lost(room: Newsroom) -> Iterator[None]:
    """The disk that the machines share loses what the workers have written."""

    def lose(plan: Plan, attempts: list[Attempt]) -> None:
        for attempt in attempts:
            for file in attempt.files:
                (plan.work / file.path).unlink()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.pipeline.reconcile.require_same_code", lose)
        yield


@contextmanager
def store_is_down(room: Newsroom) -> Iterator[None]:
    with store_at(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"):
        yield


@contextmanager
def bucket_is_missing(room: Newsroom) -> Iterator[None]:
    with room.setting(warehouse="s3://no-such-bucket/warehouse"):
        yield


@contextmanager
def profile_is_unknown(room: Newsroom) -> Iterator[None]:
    with store_at(AWS_PROFILE="nobody"):
        yield


@contextmanager
def store_at(**variables: str) -> Iterator[None]:
    """Another environment for the client of the store, until the end of the block."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        client.cache_clear()
        yield
    client.cache_clear()


@contextmanager
def another_run_publishes_first(room: Newsroom) -> Iterator[None]:
    """While this run puts its manifest, a run of another machine publishes."""
    assert room.in_store
    other = Settings().model_copy(update={"data": room.folder / "other machine"})
    write_if = objects.write_if
    with pytest.MonkeyPatch.context() as patch:

        def write_after_the_other(place: ObjectPath, content: bytes, etag: str | None) -> bool:
            if place.key.endswith("/edition.json"):
                patch.undo()
                publish_edition(other)
            return write_if(place, content, etag)

        patch.setattr(objects, "write_if", write_after_the_other)
        yield
    room.write(0, "Written after the race")


@contextmanager
def path_has_a_question_mark(room: Newsroom) -> Iterator[None]:
    with room.setting(**{"warehouse" if not room.in_store else "data": room.folder / "why?"}):
        yield


@contextmanager
def database_gets_no_memory(room: Newsroom) -> Iterator[None]:
    """DuckDB may take a kilobyte, also where the work that did not fit is done again."""
    with room.setting(rebuild=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.warehouse.database.MIN_MEMORY", 1_000)
        patch.setattr("flows.resources.usable_memory", lambda: 0)
        yield


@contextmanager
def workers_are_killed(room: Newsroom) -> Iterator[None]:
    """Each process that reads files is killed as soon as it is there, as the kernel does where memory ends."""
    with room.setting(rebuild=True, processes=2), pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.pipeline.plan.MIN_BATCH_FILES", 1)
        patch.setattr("flows.pipeline.process_pool.MIN_WORKER_FILES", 1)
        done = Event()
        killer = Thread(target=_kill_workers, args=(done,))
        killer.start()
        try:
            yield
        finally:
            done.set()
            killer.join()


def _kill_workers(done: Event) -> None:
    """Kill the processes that this process's server of worker processes forks."""
    while not done.wait(0.001):
        for server in filter(_is_fork_server, _children(os.getpid())):
            for worker in _children(server):
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


def _is_fork_server(process: int) -> bool:
    try:
        return b"multiprocessing.forkserver" in Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False


def _children(process: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text().split())
    return found


@contextmanager
def store_has_no_etags(room: Newsroom) -> Iterator[None]:
    assert room.store
    room.store.tagged = False
    yield
    room.store.tagged = True


@contextmanager
def pointer_is_forbidden(room: Newsroom) -> Iterator[None]:
    assert room.store
    assert room.in_store
    room.store.refused = {f"{room.warehouse.key}/current": "AccessDenied"}
    yield
    room.store.refused = {}
