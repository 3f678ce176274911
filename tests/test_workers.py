"""Large steps are done in worker processes, which end with the run that started them."""

import os
import resource
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flows.errors import OutOfMemoryError, RunError
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.plan import Plan, split
from flows.pipeline.process_pool import ProcessRunner, translate_pool_errors, workers
from flows.settings import Settings
from flows.warehouse.storage import Snapshot
from tests.conftest import ROOT, Publish, rows_of, seed_file

FILES = 5_000
# A run whose workers print their ids and then wait permanently.
HANGING = """
import sys
from tests.test_workers import hang, plan_of
from flows.pipeline.process_pool import ProcessRunner
list(ProcessRunner().map(hang, plan_of(5_000, 2), ["one", "two"]))
"""


def plan_of(files: int, processes: int | None) -> Plan:
    nowhere = Path("nowhere")
    return Plan(Settings(processes=processes), "", nowhere, Snapshot(None, None), None, files, True, split(files), 0, 0)


def hang(_: Plan, part: str) -> int:
    os.write(1, f"{os.getpid()}\n".encode())
    return signal.pause() or len(part)


def whose(_: Plan, part: int) -> int:
    return os.getpid() if part else 0


def die(_: Plan, part: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return part


def test_a_worker_that_is_killed_ends_the_run_in_a_sentence():
    with pytest.raises(
        RunError,
        match=r"was killed, possibly because .* ran out of memory; nothing was published\. Run again; .* BROADSHEET_PROCESSES=1",
    ):
        list(ProcessRunner().map(die, plan_of(FILES, 2), [0, 1]))


def test_a_part_that_comes_after_the_kill_says_the_same():
    """As one does that an orchestrator tries again."""
    plan = plan_of(FILES, 2)
    with workers(plan, 2) as pool:
        for number in range(2):
            with pytest.raises(RunError, match="was killed, possibly because"), translate_pool_errors():
                pool.submit(die, plan, number).result()


def outgrow(_: Plan, part: int) -> int:
    """Ask for a gigabyte where the kernel allows 100 MB more."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 100_000_000, resource.RLIM_INFINITY))
    return len(bytearray(1_000_000_000)) + part


def test_a_worker_that_is_refused_memory_ends_the_run_in_a_sentence():
    said = r"The process ran out of memory \(MemoryError\)\. Set BROADSHEET_PROCESSES=1"
    with pytest.raises(OutOfMemoryError, match=said), translate_memory_errors():
        list(ProcessRunner().map(outgrow, plan_of(FILES, 2), [0, 1]))


@pytest.mark.parametrize(("files", "processes", "elsewhere"), [(10, 2, False), (FILES, 1, False), (FILES, 2, True)])
def test_workers_are_started_only_for_large_work(files, processes, elsewhere):
    (where,) = {number for number in ProcessRunner().map(whose, plan_of(files, processes), [0, 1]) if number} or {
        os.getpid()
    }
    assert (where != os.getpid()) == elsewhere


def test_workers_produce_the_edition_of_one_process(source, publish: Publish, tmp_path):
    for number in range(4_100):
        (source / f"{number}.md").write_text(seed_file(f"A{number}", date=f"2026-0{1 + number % 9}-01"))
    many = publish(processes=2, warehouse=tmp_path / "many").folder
    one = publish(processes=1, warehouse=tmp_path / "one").folder
    assert rows_of(many) == rows_of(one)
    for file in (one / "articles").rglob("*.parquet"):
        assert file.read_bytes() == (many / file.relative_to(one)).read_bytes()


def test_workers_die_with_a_run_that_is_killed():
    command = [sys.executable, "-c", HANGING]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert run.stdout
        workers = [os.pidfd_open(int(run.stdout.readline())) for _ in range(2)]
        run.kill()
        for worker in workers:
            assert select.select([worker], [], [], 30)[0], "a worker outlived its run"
            os.close(worker)
