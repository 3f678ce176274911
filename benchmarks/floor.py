"""Walk a folder and read all files in a number of processes, or only walk and stat them.

    python benchmarks/floor.py read|stat FOLDER PROCESSES

This is the lower bound for any program, so it imports nothing that takes time to load.
"""

import os
import sys


def walk(folder: str) -> list[str]:
    """Return the paths of all files in a folder and its subfolders."""
    folders, files = [folder], []
    while folders:
        for entry in os.scandir(folders.pop()):
            (folders if entry.is_dir(follow_symlinks=False) else files).append(entry.path)
    return files


def read(files: list[str]) -> int:
    """Read all files, and return the number of bytes."""
    size = 0
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        while part := os.read(descriptor, 1 << 20):
            size += len(part)
        os.close(descriptor)
    return size


def read_all(folder: str, processes: int) -> None:
    """Walk a folder and read its files, with an equal share per process."""
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
        sys.exit("floor: A process failed.")


def stat_all(folder: str) -> None:
    """Walk a folder and stat its files, as the listing of a run does."""
    for file in walk(folder):
        os.lstat(file)


if __name__ == "__main__":
    mode, folder, processes = sys.argv[1], sys.argv[2], int(sys.argv[3])
    read_all(folder, processes) if mode == "read" else stat_all(folder)
