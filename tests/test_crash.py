"""A run that dies leaves the edition before, whole; a second run at once is told who is at work."""

import os
import subprocess
import sys

import pytest

from flows.problems import RunError
from tests.conftest import ROOT, Publish, query, seed_file

# A run in a process of its own that stops where a test says; `stop` replaces a step or a function of editions.py.
DYING = """
import os, signal, sys
from flows import pipeline
from flows.settings import Settings
from flows.warehouse import editions

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

where = sys.argv[1]
if hasattr(pipeline.Steps, where):
    steps = pipeline.Steps(**{where: die})
else:
    steps = pipeline.Steps()
    setattr(editions, where, die)
pipeline.publish_edition(Settings(), steps)
"""
HOLDING = """
import sys
from pathlib import Path
from flows.warehouse.lock import writer_lock

with writer_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    sys.stdin.read()
"""
POINTS = ("extract", "transform", "load", "check", "publish", "write_manifest", "publish_folder", "point_current")


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_leaves_the_edition_before_and_the_next_run_publishes(source, warehouse, publish: Publish, point):
    (source / "A.md").write_text(seed_file("A"))
    before = publish().folder
    (source / "B.md").write_text(seed_file("B"))
    environment = {**os.environ, "BROADSHEET_SOURCE": str(source), "BROADSHEET_WAREHOUSE": str(warehouse)}
    died = subprocess.run([sys.executable, "-c", DYING, point], cwd=ROOT, env=environment, check=False)
    assert died.returncode == -9
    assert (warehouse / "current").resolve() == before
    assert query(warehouse / "current", "SELECT article_id FROM articles") == [("A",)]
    after = publish()
    assert after.edition
    assert query(after.folder, "SELECT article_id FROM articles ORDER BY 1") == [("A",), ("B",)]
    assert query(after.folder, "SELECT edition_id FROM editions") == [(before.name,), (after.folder.name,)]
    assert not (warehouse / ".staging").exists()


def test_a_second_run_is_told_who_is_at_work(source, warehouse, publish: Publish):
    (source / "A.md").write_text(seed_file("A"))
    command = [sys.executable, "-c", HOLDING, str(warehouse)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "holding\n"
        with pytest.raises(RunError, match=f"process {holder.pid} on .* since 20"):
            publish()
        holder.communicate()
    assert publish().edition
