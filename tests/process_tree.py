"""The processes that a process has started, and whether they have ended."""

import os
import select
import subprocess


def descendants(process: int, words: str = "") -> list[int]:
    """The processes that a process started, and those that they started, with these words in their command."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    found, todo = [], [str(process)]
    while todo:
        parent = todo.pop()
        children = [row for row in rows if row[1] == parent]
        todo += [row[0] for row in children]
        found += [int(row[0]) for row in children if words in row[-1]]
    return found


def watched(*processes: int) -> list[int]:
    """A file descriptor of each process, which stays that process's when it has ended."""
    return [os.pidfd_open(process) for process in processes]


def ended(watched: list[int], within: float = 0) -> bool:
    """Whether all of the processes end within some seconds each."""
    return all(select.select([process], [], [], within)[0] for process in watched)
