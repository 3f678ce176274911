"""Run a worker's part of a step: in place, or on another machine with what it receives and sends back."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from flows.pipeline.plan import Plan


@contextmanager
def on_worker(plan: Plan) -> Iterator[Plan]:
    """Yield the plan with the folders for this worker's part.

    Raise WorkerBlindError if a worker on another machine does not see the staged rows.
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
    """Return the folder that Dask cleans up after a worker that died, None outside of a Dask worker."""
    try:
        from distributed import get_worker

        return str(get_worker().local_directory)
    except (ModuleNotFoundError, ValueError):
        return None
