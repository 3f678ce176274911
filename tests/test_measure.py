"""Measuring a process reports its failure, and the memory and CPU time of its children."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.growth import exponent
from benchmarks.measure import Measured, medians, run

BIG = "held = bytearray(b'x' * 150_000_000)"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BIG!r} + chr(10) + 'sum(range(3_000_000))'])"


def test_a_failure_is_told_with_its_last_words():
    with pytest.raises(SystemExit, match="no such corpus"):
        run([sys.executable, "-c", "import sys; sys.exit('no such corpus')"])


def test_a_childs_memory_and_time_count():
    small, large = run([sys.executable, "-c", ""]), run([sys.executable, "-c", PARENT])
    assert large.largest_mb > 140
    assert large.all_mb >= large.largest_mb
    assert large.cpu_seconds > small.cpu_seconds


def test_medians_are_of_each_figure():
    runs = [Measured(1, 9, 5, 5), Measured(2, 8, 6, 6), Measured(30, 7, 7, 7)]
    assert medians(runs) == Measured(2, 8, 6, 6)


def test_an_exponent_is_the_slope_of_the_logarithms():
    assert exponent([10, 100, 1000], [2, 20, 200]) == pytest.approx(1)
    assert exponent([10, 100, 1000], [7, 7, 7]) == pytest.approx(0)


FORK_SERVER = """
import multiprocessing

def work():
    held = bytearray(b"x" * 150_000_000)
    sum(range(20_000_000))

if __name__ == "__main__":
    process = multiprocessing.get_context("forkserver").Process(target=work)
    process.start()
    process.join()
"""


def test_workers_of_a_fork_server_count(tmp_path: Path):
    script = tmp_path / "work.py"
    script.write_text(FORK_SERVER)
    alone, served = run([sys.executable, "-c", "sum(range(20_000_000))"]), run([sys.executable, script])
    assert served.largest_mb > 140
    assert served.cpu_seconds > 0.8 * alone.cpu_seconds


def test_other_children_are_left_alone():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        run([sys.executable, "-c", ""])
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
