"""One command measured as a whole process: its time, its processor time and its memory.

Nothing heavy is imported here, for a child's peak memory is at least what its parent had when it was forked.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

POLL = 0.05  # seconds between two looks at the processes of a tree
PAGE = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    """One run; `largest` is the peak of the largest process, `all` that of all of them together.

    `largest` comes from the kernel (wait4: the command and the children that it waited for) and is exact. `all` is
    the greatest sum of resident sets that was seen every 50 ms; pages that processes share count once for each.
    """

    seconds: float
    cpu_seconds: float
    largest_mb: float
    all_mb: float


def run(command: Sequence[str | Path]) -> Measured:
    """Run a command to its end; exits with its last words where it fails."""
    os.sync()  # so that what was written before is no burden
    with open(os.devnull, "rb") as nothing, _Output() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdin=nothing, stdout=output.file, stderr=output.file)
        watcher = _Watcher(process.pid)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.ended.set()
        watcher.join()
        if process.returncode:
            sys.exit(f"{' '.join(map(str, command))} failed with {process.returncode}:\n{output.last_words()}")
    largest = usage.ru_maxrss / 1024
    return Measured(seconds, usage.ru_utime + usage.ru_stime, largest, max(largest, watcher.peak / 2**20))


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
        try:
            for task in os.scandir(f"/proc/{found[-1]}/task"):
                waiting += map(int, Path(task.path, "children").read_text().split())
        except OSError:
            continue  # it has ended
    return found


def _resident(pid: int) -> int:
    """Bytes; 0 where the process has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except OSError:
        return 0
