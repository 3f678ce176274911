"""The floor: only walk a folder and read all its files, with a number of processes; or only walk and stat them.

    python benchmarks/floor.py read|stat FOLDER PROCESSES

It imports nothing that costs a start-up, so that it is the least that any program can take.
"""

import os
import sys


def walk(folder: str) -> list[str]:
    """The paths of all files below a folder."""
    folders, files = [folder], []
    while folders:
        for entry in os.scandir(folders.pop()):
            (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.path)
    return files


def read(files: list[str]) -> int:
    """Read each file; returns their bytes."""
    size = 0
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        while part := os.read(descriptor, 1 << 20):
            size += len(part)
        os.close(descriptor)
    return size


def read_all(folder: str, processes: int) -> None:
    """Walk a folder and read its files, an equal share by each process."""
    files = walk(folder)
    children = []
    for number in range(1, processes):
        child = os.fork()
        if child == 0:
            read(files[number::processes])
            os._exit(0)
        children.append(child)
    read(files[::processes])
    if any(os.waitpid(child, 0)[1] for child in children):
        sys.exit("floor: a process failed.")


def stat_all(folder: str) -> None:
    """Walk a folder and stat its files, as the listing of a run must."""
    for file in walk(folder):
        os.lstat(file)


if __name__ == "__main__":
    what, folder, processes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    read_all(folder, processes) if what == "read" else stat_all(folder)
