"""Kill `broadsheet up`: its processes end with it, or when the next one starts."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.cli.up import orphans
from tests.conftest import ROOT
from tests.process_tree import descendants, have_ended, open_pidfds

# A substitute for `up`: a process in a separate session, which starts another one in a third session.
UP = """
import os, subprocess, sys, time
from pathlib import Path
from flows.cli.up import orphans

mark = orphans.new_mark(Path(sys.argv[1]))
with orphans.cleanup_guard(mark, dict(os.environ)):
    part = ["sh", "-c", "setsid sleep 1000 & exec sleep 1000"]
    subprocess.Popen(part, env=os.environ | {orphans.MARK: mark}, start_new_session=True)
    print(flush=True)
    time.sleep(1000)
"""
LIMIT = 30  # seconds


@contextmanager
def started(home: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """Start the substitute with a home; yield it and file descriptors of its two processes."""
    home.mkdir()
    with subprocess.Popen([sys.executable, "-c", UP, home], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "\n"
        limit = time.monotonic() + LIMIT
        while len(parts := descendants(process.pid, "sleep 1000")) < 2:
            assert time.monotonic() < limit, "the processes of the substitute did not start, or were killed"
        try:
            yield process, open_pidfds(*parts)
        finally:
            process.kill()


def test_processes_of_a_killed_up_end_with_it(tmp_path):
    with started(tmp_path / "home") as (process, parts):
        process.kill()
        assert have_ended(parts, LIMIT)


def test_processes_of_a_killed_up_and_guard_end_with_the_next_one(tmp_path):
    with started(tmp_path / "home") as (process, parts), started(tmp_path / "another") as (other, stays):
        (guard,) = descendants(process.pid, "flows.cli.up.orphans")
        os.kill(guard, signal.SIGKILL)
        process.kill()
        process.wait()
        assert not have_ended(parts)
        (tmp_path / "home").rename(tmp_path / "moved")
        orphans.kill_marked(orphans.mark_prefix(tmp_path / "moved"))
        assert have_ended(parts)
        assert not have_ended(stays)
        other.kill()
        assert have_ended(stays, LIMIT)
