"""Wait for the workers of a Dask cluster, and translate the failures of their tasks."""

from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

from flows.errors import ClusterError, WorkerLostError, first_line

WORKER_TIMEOUT = 60  # seconds to wait for the first worker


def require_workers(connect: Callable[[], Any], address: str | None) -> None:
    """Connect to the cluster and wait for a worker; raise ClusterError if none connects in time."""
    try:
        connect().wait_for_workers(1, timeout=WORKER_TIMEOUT)
    except (OSError, ValueError) as error:
        place = f"at {address}" if address else "on this machine"
        raise ClusterError(
            f"No Dask worker responds {place} ({first_line(error)}). Start the"
            " scheduler and its workers, correct BROADSHEET_SCHEDULER, or set BROADSHEET_RUNNER=local."
        ) from None


def result_of(future: Any) -> Any:
    """Return the result of a worker's task; raise ClusterError or WorkerLostError if the cluster gave it up."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except CancelledError:
        raise ClusterError(
            "Lost the connection to Dask's scheduler. Start it and its workers again, then run again."
        ) from None
    except RuntimeError as error:
        if "deserialization" not in str(error):
            raise
        raise ClusterError(
            "Dask's scheduler or workers cannot load the tasks of the flow. Start them in the same Python environment"
            " as the flow, and start the flow with python -m flows.etl or its entrypoint flows.etl.etl."
        ) from None
    except KilledWorker as error:
        raise WorkerLostError(
            f"Dask gave up on a task after {error.allowed_failures + 1} workers died while running it, possibly because"
            " they ran out of memory. Check their logs, give them more memory or run fewer per machine, then run again."
        ) from None
