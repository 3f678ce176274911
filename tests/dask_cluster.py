"""A real Dask cluster on loopback: a scheduler, and workers in separate processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from distributed import Client

from tests.conftest import ROOT, end
from tests.prefect_server import free_port

WORKERS = 2


class Cluster(NamedTuple):
    """Where the scheduler listens, and a client of it."""

    address: str
    client: Client

    def at_work(self) -> set[int]:
        """The processes of the workers that have a task."""
        processes = self.client.run(os.getpid)
        return {processes[worker] for worker, tasks in self.client.processing().items() if tasks}


@contextmanager
def running_cluster(folder: Path, worker_ttl: str = "5 minutes") -> Iterator[Cluster]:
    """A cluster that is up, until the end of the block; its workers find the store by the environment.

    Tasks of a worker that has been silent for `worker_ttl` are given to another one.
    """
    address = f"tcp://127.0.0.1:{free_port()}"
    parts = {"scheduler": ("--host", address)}
    for number in range(WORKERS):
        scratch = ("--local-directory", str(folder / f"scratch{number}"))
        parts[f"worker{number}"] = (address, "--nthreads", "1", "--no-nanny", *scratch)
    with ExitStack() as stack:
        for name, arguments in parts.items():
            stack.enter_context(_running(folder / f"{name}.log", worker_ttl, name.rstrip("0123456789"), *arguments))
        client = stack.enter_context(Client(address, timeout=90, set_as_default=False))
        client.wait_for_workers(WORKERS, timeout=90)
        yield Cluster(address, client)


@contextmanager
def _running(log: Path, worker_ttl: str, part: str, *arguments: str) -> Iterator[None]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{part}", "--no-dashboard", *arguments]
    with log.open("w") as said:
        environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": worker_ttl}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True)
        try:
            yield
        finally:
            end(process)
