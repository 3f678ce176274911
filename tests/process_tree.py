"""Find the descendants of a process, and wait for their end."""

import os
import select
import subprocess


def descendants(process: int, text: str = "") -> list[int]:
    """Return the ids of all descendants of a process whose command contains a text."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    descendant_ids, pending = [], [str(process)]
    while pending:
        parent = pending.pop()
        children = [row for row in rows if row[1] == parent]
        pending += [row[0] for row in children]
        descendant_ids += [int(row[0]) for row in children if text in row[-1]]
    return descendant_ids


def open_pidfds(*processes: int) -> list[int]:
    """Return a file descriptor of each process; unlike a process id, it is not reused."""
    return [os.pidfd_open(process) for process in processes]


def have_ended(pidfds: list[int], timeout: float = 0) -> bool:
    """Return whether all processes end within `timeout` seconds each."""
    return all(select.select([pidfd], [], [], timeout)[0] for pidfd in pidfds)
