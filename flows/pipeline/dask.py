"""The steps as a cluster does them: reading and month-writing on its workers, the others on the publishing machine.

Workers see the warehouse on a disk that all machines share, or it is a prefix of an object store. Then a worker fetches
into a folder of its own what the step reads, does it there as it is done anywhere, and puts what it wrote into the
store; the publishing machine fetches what it needs of that. Paths and counts alone travel with the tasks.
"""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from flows.errors import ClusterError, WorkerBlindError, WorkerLostError, first_line
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.pipeline import remote, run, steps
from flows.pipeline.plan import Batch, Difference, Months, Plan
from flows.pipeline.run import Steps
from flows.schema import ARTICLES, CONTENT, DROPPED, LOST, PROBLEMS, SOURCES, TO_READ, Edition
from flows.settings import Settings
from flows.source.checks import require_folder
from flows.warehouse import pointer, staging, working_copy
from flows.warehouse.parquet import month_file

PATIENCE = 60  # seconds for a worker to come
# What the settling needs of the articles that were read: this little travels to the publishing machine.
KEYS = ARTICLES._replace(name="keys")
KEY_COLUMNS = ["article_id", "published_at", "source_path"]


def steps_for(settings: Settings) -> Steps:
    """The steps as the warehouse needs them where workers do the large ones."""
    if isinstance(settings.warehouse, ObjectPath):
        return replace(
            run.ON_PREFIX,
            extract=extract,
            transform=transform,
            reconcile=reconcile,
            write_months=write_months,
            load=load,
        )
    return replace(run.PLAIN, transform=transform_on_shared_disk)


def require_workers(connect: Callable[[], Any], address: str | None) -> None:
    """Connect to the cluster, and wait for a worker; raises RunError where none comes."""
    try:
        connect().wait_for_workers(1, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        place = f"at {address}" if address else "on this machine"
        raise ClusterError(
            f"No worker of a Dask cluster answers {place} ({first_line(error)}); start the"
            " scheduler and its workers, correct BROADSHEET_SCHEDULER, or set BROADSHEET_RUNNER=local."
        ) from None


def result_of(future: Any) -> int:
    """What a worker's task gives; raises RunError where the cluster gave the task up."""
    from distributed.scheduler import KilledWorker

    try:
        return int(future.result())
    except CancelledError:
        raise ClusterError("Dask's scheduler is gone; start it again, and its workers, and run again.") from None
    except RuntimeError as error:
        if "deserialization" not in str(error):
            raise
        raise ClusterError(
            "Dask's scheduler or workers cannot load what the flow sends them; start them from the flow's own"
            " environment, and the flow as python -m flows.etl or by its entrypoint flows.etl.etl."
        ) from None
    except KilledWorker as error:
        raise WorkerLostError(
            f"Dask gave up a part of the work: {error.allowed_failures + 1} workers died over it, possibly because they"
            " ran out of memory. See their logs, give them more memory or run fewer on a machine, then run again."
        ) from None


def transform_on_shared_disk(plan: Plan, batch: Batch) -> int:
    """As the step is; raises RunError where this worker does not see what the publishing machine sees."""
    require_folder(plan.settings.source, plan.settings.link_roots)
    if not plan.work.is_dir():
        raise WorkerBlindError(
            f"The worker on {socket.gethostname()} does not see {plan.work}; workers need a disk that all machines"
            " share, or a warehouse on s3://."
        )
    return steps.transform(plan, batch)


def extract(settings: Settings) -> Plan:
    """As the step is for a prefix; the list of the files to read is put where workers find it."""
    plan = remote.extract(settings)
    if plan.news:
        transfers.upload_all(plan.work / TO_READ.name, _work(plan) / TO_READ.name)
    return plan


def transform(plan: Plan, batch: Batch) -> int:
    """On a worker: read the seed files of a batch into rows."""
    require_folder(plan.settings.source, plan.settings.link_roots)
    with _aside(plan) as here:
        listed = f"{TO_READ.name}/{staging.file_name(batch.number)}"
        objects.download(_work(plan) / listed, here.work / listed)
        number = steps.transform(here, batch)
        with staging.writer(here.work, batch.number) as write:
            write(KEYS, staging.read_columns(here.work, ARTICLES, KEY_COLUMNS))
        for table in (*CONTENT, SOURCES, PROBLEMS, KEYS):
            transfers.upload_all(here.work / table.name, _work(plan) / table.name)
    return number


def reconcile(plan: Plan) -> Difference | None:
    """As the step is for a prefix: with what the workers read, and leaving what they need to write the months."""
    for table in (SOURCES, PROBLEMS):
        transfers.download_all(_work(plan) / table.name, plan.work / table.name)
    transfers.download_all(_work(plan) / KEYS.name, plan.work / ARTICLES.name)
    difference = remote.reconcile(plan)
    if difference:
        for table in (LOST, DROPPED):
            transfers.upload_all(plan.work / table.name, _work(plan) / table.name)
        for table in CONTENT:  # what the settling itself had to read
            for file in staging.files_from(plan.work, table, len(plan.batches)):
                for part in (file, file.with_suffix(staging.MONTHS)):
                    objects.upload(part, _work(plan) / table.name / part.name)
    return difference


def write_months(plan: Plan, months: Months) -> int:
    """On a worker: write the Parquet of some months."""
    with _aside(plan) as here:
        for table in (*CONTENT, LOST, DROPPED):
            transfers.download_all(_work(plan) / table.name, here.work / table.name)
        if here.base:
            files = {month_file(Path(), table, month).as_posix() for table in CONTENT for month in months}
            working_copy.fetch_some(_warehouse(plan), here.base, files.__contains__)
        number = steps.write_months(here, months)
        for table in CONTENT:
            transfers.upload_all(here.folder / table.name, _edition(plan) / table.name)
    return number


def load(plan: Plan, difference: Difference) -> Edition:
    """As the step is, with the months that the workers wrote."""
    for table in CONTENT:
        transfers.download_all(_edition(plan) / table.name, plan.folder / table.name)
    return steps.load(plan, difference)


@contextmanager
def _aside(plan: Plan) -> Iterator[Plan]:
    """The plan in a folder of this worker's, which is gone afterwards."""
    with TemporaryDirectory(prefix="broadsheet-", dir=_scratch()) as folder:
        base = Path(folder, "base", plan.base.name) if plan.base else None
        yield replace(plan, folder=Path(folder, "staging", plan.edition_id), base=base)


def _scratch() -> str | None:
    """The folder that Dask sweeps after a worker that died; None: not on a worker."""
    from distributed import get_worker

    try:
        return str(get_worker().local_directory)
    except ValueError:
        return None


def _warehouse(plan: Plan) -> ObjectPath:
    return cast(ObjectPath, plan.settings.warehouse)


def _work(plan: Plan) -> ObjectPath:
    """Where rows wait between the steps."""
    return _warehouse(plan) / pointer.STAGING / plan.edition_id


def _edition(plan: Plan) -> ObjectPath:
    return _warehouse(plan) / pointer.EDITIONS / plan.edition_id
