"""A worker of a Dask cluster that is suspended, replaced and woken after its run changes no edition."""

import os
import select
import signal
from pathlib import Path
from typing import NamedTuple

import pytest
from distributed import Client

from flows.object_store.path import ObjectPath
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from tests.conftest import rows_of, seed_file
from tests.dask_cluster import running_cluster
from tests.object_store import BUCKET
from tests.suspending import stop_at
from tests.test_etl import server, start_flow  # noqa: F401
from tests.test_late_workers import published_bytes

pytestmark = pytest.mark.slow

FILES = 1_200  # three batches; their articles are in five months


class Point(NamedTuple):
    """A call in a part of a worker, and whether the worker stops before or after it."""

    function: str
    when: str
    meaning: str


IN_A_FOLDER = (
    Point("flows.warehouse.staging.read_rows", "before", "the list of a batch is not read yet"),
    Point("flows.pipeline.transform.read_seed_files", "before", "no seed file is read yet"),
    Point("flows.pipeline.isolation.read_article", "after", "some seed files are read"),
    Point("flows.warehouse.staging.staged_file", "before", "rows are written, and not described yet"),
    Point("flows.pipeline.transform.find_unlike", "before", "rows are sent"),
    Point("flows.pipeline.transform.find_unlike", "after", "a batch is about to be returned"),
    Point("flows.warehouse.parquet.write_months", "before", "no month is written yet"),
    Point("flows.warehouse.parquet.write_parquet", "after", "some months are written"),
    Point("flows.warehouse.parquet.write_months", "after", "months are written, and not described yet"),
    Point("flows.pipeline.load.Attempt", "before", "months are about to be returned"),
)
BELOW_A_URL = (
    Point("flows.object_store.objects.download", "before", "the list of a batch is not downloaded yet"),
    Point("flows.object_store.objects.upload", "before", "no staged file is uploaded yet"),
    Point("flows.object_store.objects.upload", "after", "some staged files are uploaded"),
    Point("flows.warehouse.parquet.write_parquet", "after", "some months are written"),
)
CASES = [(kind, point) for kind, points in (("folder", IN_A_FOLDER), ("URL", BELOW_A_URL)) for point in points]


def write_source(source: Path, title: str) -> None:
    for number in range(FILES):
        (source / f"{number:04}.md").write_text(seed_file(f"A{number}", title, date=f"2026-0{1 + number % 5}-01"))


def prepare_stop(client: Client, point: Point, folder: Path) -> tuple[int, Path]:
    """Make the first worker of a cluster stop at a point; return its process and the file that says that it did."""
    note = folder / "stopped"
    worker, process = next(iter(client.run(os.getpid).items()))
    client.run(stop_at, point.function, point.when, str(note), workers=[worker])
    return os.pidfd_open(process), note


def wake(process: int) -> None:
    """Wake a stopped process, and wait until it ends: its scheduler has given it up."""
    signal.pidfd_send_signal(process, signal.SIGCONT)
    assert select.select([process], [], [], 120)[0], "the woken worker did not end"
    os.close(process)


@pytest.mark.parametrize(("kind", "point"), CASES, ids=[f"{kind}: {point.meaning}" for kind, point in CASES])
def test_a_worker_that_is_woken_after_its_run_changes_nothing(
    server, object_store, source, warehouse, tmp_path, kind, point, request
):
    write_source(source, "A title")
    place = warehouse if kind == "folder" else ObjectPath(BUCKET, f"suspended{len(request.node.name)}") / tmp_path.name
    settings = Settings(source=source, warehouse=place, data=tmp_path / "data")
    publish_edition(settings)
    write_source(source, "Corrected")
    with running_cluster(tmp_path, worker_ttl="2s") as cluster:
        process, note = prepare_stop(cluster.client, point, tmp_path)
        scheduler = cluster.address
        flow = start_flow(
            server, source=source, warehouse=place, data=tmp_path / "data", runner="dask", scheduler=scheduler
        )
        with flow:
            _, errors = flow.communicate(timeout=300)
        assert note.exists(), errors
        assert flow.returncode == 0, errors
        before = published_bytes(settings)
        wake(process)
        assert published_bytes(settings) == before
    assert verify_edition(settings) == []
    (source / "0007.md").write_text(seed_file("A7", "Corrected again", date="2026-03-01"))
    rows = rows_of(publish_edition(settings).folder)
    assert rows_of(publish_edition(settings.model_copy(update={"rebuild": True})).folder) == rows
