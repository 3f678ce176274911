"""What goes wrong with a cluster, is a plain sentence."""

import subprocess
import sys
from concurrent.futures import Future
from dataclasses import replace

import pytest
from distributed.scheduler import KilledWorker

from flows.cli.main import main
from flows.errors import RunError
from flows.pipeline import dask
from flows.pipeline import run as steps
from flows.pipeline.run import publish_edition
from flows.pipeline.transform import read_files
from flows.schema import TO_READ
from flows.settings import Settings
from flows.warehouse import staging
from flows.warehouse.lock import writer_lock
from tests.conftest import ROOT, seed_file
from tests.runners import Replacing


@pytest.mark.parametrize("unseen", ["source", "warehouse"])
def test_a_worker_that_cannot_access_the_folders_fails_the_run(source, warehouse, tmp_path, unseen):
    """Its articles would all be rejected."""
    (source / "a.md").write_text(seed_file("A"))

    def transform(plan, batch):
        nowhere = tmp_path / "nowhere"
        changed = {"settings": plan.settings.model_copy(update={"source": nowhere})}
        there = changed if unseen == "source" else {"folder": nowhere / "staging"}
        return steps.transform(replace(plan, **there), batch)

    with pytest.raises(
        RunError,
        match=r"sees a different source: a\.md is missing there|cannot access .*/nowhere/work-\d+. Use a disk that all",
    ):
        publish_edition(Settings(source=source, warehouse=warehouse), Replacing(distributed=True, transform=transform))
    assert not (warehouse / "current").exists()


def test_a_worker_that_outlives_its_run_does_not_affect_the_next_run(source, warehouse):
    """A part that a lost run left to a worker is done while the next run reads."""
    for number in range(1_200):
        (source / f"{number:04}.md").write_text(seed_file(f"A{number}"))
    settings = Settings(source=source, warehouse=warehouse)
    with writer_lock(warehouse):
        lost = steps.extract(settings, distributed=True)
        listed = staging.read_rows(lost.work, lost.batches[1].staged, TO_READ)
    for file in sorted(source.iterdir())[600:]:
        file.unlink()

    def transform(plan, batch):
        read_files(lost, listed)
        return steps.transform(plan, batch)

    report = publish_edition(settings, Replacing(distributed=True, transform=transform))
    assert (report.edition.articles, report.edition.rejected) == (600, 0)
    assert list(warehouse.rglob(".staging")) == []


def test_a_part_that_kills_its_workers_is_reported():
    given_up: Future[int] = Future()
    given_up.set_exception(KilledWorker("transform", None, 3))
    with pytest.raises(RunError, match="Dask gave up on a task after 4 workers died while running it"):
        dask.result_of(given_up)


def test_a_lost_scheduler_is_reported():
    lost: Future[int] = Future()
    lost.cancel()
    with pytest.raises(RunError, match=r"Lost the connection to Dask's scheduler\. Start it"):
        dask.result_of(lost)


def test_a_cluster_of_another_environment_is_reported():
    unread: Future[int] = Future()
    unread.set_exception(RuntimeError("Error during deserialization of the task graph. This frequently occurs if ..."))
    with pytest.raises(RunError, match="Start them in the same Python environment as the flow"):
        dask.result_of(unread)


def test_the_command_line_has_no_cluster(monkeypatch, capsys):
    monkeypatch.setenv("BROADSHEET_RUNNER", "dask")
    assert main(["run"]) == 1
    assert capsys.readouterr().err == (
        "broadsheet: The dask runner works only in the flow. Run python -m flows.etl, or set BROADSHEET_RUNNER=local.\n"
    )


RUN_AND_LIST_MODULES = """
import sys
import flows.pipeline.dask
from flows.pipeline.run import publish_edition
from flows.settings import Settings
publish_edition(Settings(source=sys.argv[1], warehouse=sys.argv[2]))
print({"boto3", "distributed"} & set(sys.modules))
"""


def test_a_run_on_this_machine_loads_neither_dask_nor_boto(seeds, warehouse):
    command = [sys.executable, "-c", RUN_AND_LIST_MODULES, seeds, warehouse]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
