"""The processes that a process has started, and whether they have ended."""

import os
import select
import subprocess


def descendants(process: int, text: str = "") -> list[int]:
    """The processes that a process started, and those that they started, with these words in their command."""
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
    """A file descriptor of each process, which stays that process's when it has ended."""
    return [os.pidfd_open(process) for process in processes]


def have_ended(pidfds: list[int], timeout: float = 0) -> bool:
    """Whether all of the processes end within some seconds each."""
    return all(select.select([pidfd], [], [], timeout)[0] for pidfd in pidfds)
