"""Kill the processes that a killed `broadsheet up` leaves: its server, its worker and their flow runs.

Each of them has a mark in its environment, which all processes that it starts inherit, in any session. A guard waits
for the end of `up` and kills the processes with its mark. The next `up` kills those of all earlier ones, on any port.
Linux only: the marks are read from /proc.
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


def mark_prefix(home: Path) -> str:
    """Return the prefix of the marks of each `up` with this home: its inode, since a folder may have several paths."""
    status = home.stat()
    return f"{status.st_dev}:{status.st_ino}:"


def new_mark(home: Path) -> str:
    """Return a new mark for an `up` with this home."""
    return f"{mark_prefix(home)}{uuid4()}"


@contextmanager
def cleanup_guard(mark: str, environment: dict[str, str]) -> Iterator[None]:
    """Start a guard that kills every process with this mark when the block ends or this process dies."""
    command = [sys.executable, "-m", "flows.cli.up.orphans", mark]
    # Its standard input is a pipe from this process, which the kernel closes however this process ends.
    guard = subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        guard.communicate()


def kill_marked(mark: str) -> None:
    """Kill every process whose mark starts with `mark`, and wait for their end."""
    while found := list(_find_marked(mark)):
        for process in found:
            _kill(process)


def _find_marked(mark: str) -> Iterator[int]:
    """Yield a file descriptor of each process whose mark starts with `mark`; unlike a process id, it is not reused."""
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
    kill_marked(sys.argv[1])
