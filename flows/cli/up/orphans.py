"""End what a killed `broadsheet up` leaves: its server, its worker and their flow runs.

Each of them has a mark in its environment, and so has every process that it starts, in whatever session. A guard waits
for the end of `up` and kills the processes with its mark; the next `up` kills those of any earlier one, whatever port
they use. Linux only: the marks are read from /proc.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

MARK = "_BROADSHEET_UP"


def any_mark(home: Path) -> str:
    """Return what the marks of every `up` with this home start with: its inode, since a path may have several names."""
    status = home.stat()
    return f"{status.st_dev}:{status.st_ino}:"


def mark(home: Path) -> str:
    """Return a new mark for an `up` with this home."""
    return f"{any_mark(home)}{uuid4()}"


@contextmanager
def guarded(mark: str, environment: dict[str, str]) -> Iterator[None]:
    """Start a guard that ends every process with this mark when the block ends or this process dies."""
    command = [sys.executable, "-m", "flows.cli.up.orphans", mark]
    # Its standard input is a pipe from this process alone, which the kernel closes however we end.
    guard = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        guard.communicate()


def end_marked(mark: str) -> None:
    """Kill every process whose mark starts with `mark`, and wait until none is left."""
    while found := list(_marked(mark)):
        for process in found:
            _kill(process)


def _marked(mark: str) -> Iterator[int]:
    """Yield a file descriptor of each process with a mark; it stays that process's if its id is given to another."""
    wanted = f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            process = os.pidfd_open(int(folder.name))
        except OSError:  # it has just ended
            continue
        if any(variable.startswith(wanted) for variable in _environment(folder)):
            yield process
        else:
            os.close(process)


def _environment(folder: Path) -> list[bytes]:
    try:
        return (folder / "environ").read_bytes().split(b"\0")
    except OSError:  # another user's, or it has just ended
        return []


def _kill(process: int) -> None:
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [])
    except ProcessLookupError:
        pass
    finally:
        os.close(process)


if __name__ == "__main__":
    sys.stdin.read()
    end_marked(sys.argv[1])
