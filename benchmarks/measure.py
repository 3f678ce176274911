"""Measure a command as a whole process: its time, CPU time and memory.

Nothing heavy is imported here, because the peak memory of a child is at least the memory of its parent at the fork.
"""

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

POLL = 0.05  # seconds between two samples of the process tree
EXIT_TIMEOUT = 30  # seconds for processes that a command leaves behind
PR_SET_CHILD_SUBREAPER = 36
PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    """The cost of one run; `largest_mb` is the peak of its largest process, `all_mb` of all its processes together.

    `largest_mb` and `cpu_seconds` come from the kernel and are exact. `all_mb` is the largest sum of resident sets in
    samples every 50 ms, in which shared pages count once per process.
    """

    seconds: float
    cpu_seconds: float
    largest_mb: float
    all_mb: float


def run(command: Sequence[str | Path]) -> Measured:
    """Run a command; exit with the end of its output if it fails."""
    os.sync()  # so that earlier writes do not slow it down
    with open(os.devnull, "rb") as nothing, _Output() as output, _adopting() as orphans:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=nothing, stdout=output.file, stderr=output.file)
        watcher = _Watcher(process.pid)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.ended.set()
        watcher.join()
        usages = [usage, *orphans()]
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed with {process.returncode}:\n{output.tail()}")
    largest = max(usage.ru_maxrss for usage in usages) / 1024
    cpu_seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return Measured(seconds, cpu_seconds, largest, max(largest, watcher.peak / 2**20))


@contextmanager
def _adopting() -> Iterator[Callable[[], list[resource.struct_rusage]]]:
    """Adopt the processes that a command leaves behind, such as a fork server, and yield a function that awaits them.

    Without this, processes that the command does not wait for would not be measured.
    """
    others = set(_children(os.getpid()))
    _set_reaper(True)
    try:
        yield lambda: _wait_for_orphans(others)
    finally:
        _set_reaper(False)


def _set_reaper(on: bool) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system does not let a process adopt orphans")


def _wait_for_orphans(others: set[int]) -> list[resource.struct_rusage]:
    """Return the resources that new children used; exit if one does not end within EXIT_TIMEOUT."""
    usages, until = [], time.monotonic() + EXIT_TIMEOUT
    while orphans := set(_children(os.getpid())) - others:
        for orphan in orphans:
            pid, _, usage = os.wait4(orphan, os.WNOHANG)
            usages += [usage] if pid else []
        if time.monotonic() > until:
            sys.exit("bench: The command left processes behind that do not end.")
        time.sleep(POLL / 10)
    return usages


def medians(runs: Sequence[Measured]) -> Measured:
    """Return the median of each figure."""
    return Measured(*(median(figures) for figures in zip(*runs, strict=True)))


class _Output:
    """An anonymous file for the output of a command."""

    def __enter__(self) -> "_Output":
        self.file = os.memfd_create("output")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)

    def tail(self) -> str:
        return os.pread(self.file, 1 << 20, 0).decode(errors="replace")[-2000:]


class _Watcher(threading.Thread):
    """Record the peak of the resident sets of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(POLL):
            self.peak = max(self.peak, sum(map(_resident, _tree(self.pid))))


def _tree(pid: int) -> list[int]:
    """Return the IDs of a process and its living descendants."""
    found, pending = [], [pid]
    while pending:
        found.append(pending.pop())
        pending += _children(found[-1])
    return found


def _children(pid: int) -> list[int]:
    """Return the IDs of the children of a process; none if it has ended."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except OSError:
        pass
    return found


def _resident(pid: int) -> int:
    """Return the resident bytes of a process; 0 if it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
