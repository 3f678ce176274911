"""Prepare the folders in which a worker runs its part of a step, on this machine or on another one."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flows.pipeline.plan import Plan


@contextmanager
def on_worker(plan: Plan) -> Iterator[Plan]:
    """Yield the plan with the folders that this worker uses.

    Raise WorkerBlindError if a worker on another machine cannot access the staged rows.
    """
    if not plan.distributed:
        yield plan
        return
    with plan.exchange.working_folder(plan.work, _scratch()) as folder:
        yield plan if folder is None else _in_folder(plan, folder)


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
