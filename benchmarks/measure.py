"""One command measured as a whole process: its time, its processor time and its memory.

Nothing heavy is imported here, for a child's peak memory is at least what its parent had when it was forked.
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

POLL = 0.05  # seconds between two looks at the processes of a tree
EXIT_TIMEOUT = 30  # seconds for processes that a command left
PR_SET_CHILD_SUBREAPER = 36
PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    """One run; `largest` is the peak of the largest process, `all` that of all of them together.

    `largest` and `cpu_seconds` come from the kernel, of the command and of all that it started, and are exact. `all` is
    the greatest sum of resident sets that was seen every 50 ms; pages that processes share count once for each.
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
            sys.exit(f"{' '.join(map(str, command))} failed with {process.returncode}:\n{output.last_words()}")
    largest = max(usage.ru_maxrss for usage in usages) / 1024
    cpu_seconds = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    return Measured(seconds, cpu_seconds, largest, max(largest, watcher.peak / 2**20))


@contextmanager
def _adopting() -> Iterator[Callable[[], list[resource.struct_rusage]]]:
    """What a command leaves, such as the fork server of its workers, becomes our child, to be waited for.

    Without this, processes that a command started and did not wait for would cost nothing.
    """
    others = set(_children(os.getpid()))
    _set_reaper(True)
    try:
        yield lambda: _wait_for_orphans(others)
    finally:
        _set_reaper(False)


def _set_reaper(on: bool) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this system lets no process adopt orphans")


def _wait_for_orphans(others: set[int]) -> list[resource.struct_rusage]:
    """What each new child of ours used; exits where one is still there after some seconds."""
    usages, until = [], time.monotonic() + EXIT_TIMEOUT
    while orphans := set(_children(os.getpid())) - others:
        for orphan in orphans:
            pid, _, usage = os.wait4(orphan, os.WNOHANG)
            usages += [usage] if pid else []
        if time.monotonic() > until:
            sys.exit("bench: the command has left processes behind that do not end.")
        time.sleep(POLL / 10)
    return usages


def medians(runs: Sequence[Measured]) -> Measured:
    """The median of each figure."""
    return Measured(*(median(figures) for figures in zip(*runs, strict=True)))


class _Output:
    """A nameless file for what a command says."""

    def __enter__(self) -> "_Output":
        self.file = os.memfd_create("output")
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)

    def last_words(self) -> str:
        return os.pread(self.file, 1 << 20, 0).decode(errors="replace")[-2000:]


class _Watcher(threading.Thread):
    """Sums the resident sets of a process and its descendants while it lives."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak, self.ended = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(POLL):
            self.peak = max(self.peak, sum(map(_resident, _tree(self.pid))))


def _tree(pid: int) -> list[int]:
    """A process and its descendants, as far as they still live."""
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += _children(found[-1])
    return found


def _children(pid: int) -> list[int]:
    """The children of a process; none where it has ended."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    except OSError:
        pass
    return found


def _resident(pid: int) -> int:
    """Bytes; 0 where the process has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
