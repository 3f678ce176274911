"""Prepare the folders in which a worker runs its part of a step, on this machine or on another one."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from flows.errors import WorkerBlindError, WorkerVersionError
from flows.pipeline.code import CODE
from flows.pipeline.plan import Attempt, Plan
from flows.source.probe import find_readable
from flows.warehouse.source_diff import rows_with


@contextmanager
def on_worker(plan: Plan) -> Iterator[Plan]:
    """Yield the plan with the folders that this worker uses.

    Raise WorkerVersionError if this worker runs other code than the flow, WorkerBlindError if it cannot access the
    staged files.
    """
    if plan.distributed:
        _require_same_code(plan, socket.gethostname(), CODE)
    scratch = _scratch() if plan.distributed else None  # importing Dask takes longer than a small part
    with plan.exchange.working_folder(plan.work, scratch) as folder:
        yield plan if folder is None else _in_folder(plan, folder)


def require_same_code(plan: Plan, attempts: Sequence[object]) -> None:
    """Raise WorkerVersionError if a worker ran other code: older releases do not check it themselves."""
    for attempt in attempts:
        if isinstance(attempt, Attempt):
            _require_same_code(plan, attempt.host, attempt.code)
        else:
            _require_same_code(plan, "another machine", None)


def require_same_source(plan: Plan, listing: pa.Table, attempts: Sequence[Attempt]) -> None:
    """Raise WorkerBlindError if a file that was not as listed for a worker is as listed on this machine, and readable.

    Files that were changed or deleted since the listing are not.
    """
    settings = plan.settings
    for attempt in attempts:
        unlike = pa.chunked_array([pa.array(attempt.unlike, pa.string())])
        files = rows_with(listing, "source_path", unlike)
        if path := next(find_readable(settings.source, files, settings.link_roots), None):
            raise WorkerBlindError(
                f"The worker on {attempt.host} sees a different source: {path} is missing there, cannot be read, or has"
                f" another size or modification time. Nothing was published. Mount {settings.source} on every machine,"
                " and give the worker's user permission to read it."
            )


def _require_same_code(plan: Plan, host: str, code: object) -> None:
    if difference := plan.code.difference(code):
        raise WorkerVersionError(
            f"The worker on {host} runs different code than the flow: {difference}. Nothing was published."
            " Install the same release and libraries on every machine, then restart the workers."
        )


def _in_folder(plan: Plan, folder: Path) -> Plan:
    reusable = folder / "reusable" / plan.reusable.name if plan.reusable else None
    return replace(plan, folder=folder / "staging" / plan.edition_id, reusable=reusable)


def _scratch() -> str | None:
    """Return the local folder of this Dask worker, which Dask removes even if the worker dies; None outside of Dask."""
    try:
        from distributed import get_worker

        return str(get_worker().local_directory)
    except (ModuleNotFoundError, ValueError):
        return None
