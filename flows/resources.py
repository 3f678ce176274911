"""The CPU time and the memory that this process may use: the machine's, or less in a container or a systemd unit.

Linux limits a group of processes by its cgroup and by every ancestor of it. Both versions of cgroups are read, with and
without a cgroup namespace. Libraries that read limits (loky, dask, DuckDB) read one level only, and some of them only
one version. Every function takes the folder `root` that contains proc/ and sys/, / by default.
"""

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

ROOT = Path("/")


class _Mount(NamedTuple):
    """A mounted cgroup hierarchy."""

    version: int
    controllers: frozenset[str]  # of version 1; a hierarchy of version 2 has all controllers
    top: PurePosixPath  # the cgroup that is mounted at the folder
    folder: Path


@cache
def usable_cpus(root: Path = ROOT) -> int:
    """Return the number of CPUs whose time this process may use, rounded up, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min([cores, *_quotas(root)])))


@cache
def usable_memory(root: Path = ROOT) -> int:
    """Return the bytes of memory that this process may use, together with all other processes of its cgroup."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *_memory_limits(root)])


def _quotas(root: Path) -> Iterator[float]:
    """Yield each quota of CPU time, as a number of CPUs."""
    for folder in _folders(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        yield from _share(quota, period)
        yield from _share(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _share(quota: str, period: str) -> Iterator[float]:
    # "max" and -1 mean no limit.
    if quota.isdigit() and period.isdigit() and int(quota) and int(period):
        yield int(quota) / int(period)


def _memory_limits(root: Path) -> Iterator[int]:
    """Yield each limit of memory. Above memory.high the kernel slows a process to almost nothing."""
    for folder in _folders(root, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = _read(folder / name)
            if limit.isdigit() and int(limit):
                yield int(limit)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folder of this process's cgroup and those of its ancestors, if they are visible."""
    cgroups = _cgroups(root)
    for mount in _mounts(root):
        cgroup = cgroups.get(controller if mount.version == 1 else "")
        if cgroup is not None and (mount.version == 2 or controller in mount.controllers):
            below = _relative(cgroup, mount.top)
            yield from (mount.folder / part for part in (below, *below.parents))


def _relative(cgroup: PurePosixPath, top: PurePosixPath) -> PurePosixPath:
    """Return the path of a cgroup below the mounted one; the mounted one if it is not below."""
    inside = cgroup.is_relative_to(top) and ".." not in cgroup.parts
    return cgroup.relative_to(top) if inside else PurePosixPath()


def _cgroups(root: Path) -> dict[str, PurePosixPath]:
    """Return the path of this process's cgroup by controller; version 2 has the empty name."""
    lines = (line.split(":", 2) for line in _read(root / "proc/self/cgroup").splitlines())
    return {name: PurePosixPath(path) for _, names, path in lines for name in names.split(",")}


def _mounts(root: Path) -> Iterator[_Mount]:
    for line in _read(root / "proc/self/mountinfo").splitlines():
        place, _, kind = line.partition(" - ")
        fields, (system, _, options) = place.split(), kind.split(maxsplit=2)
        if system in ("cgroup", "cgroup2"):
            top, folder = PurePosixPath(fields[3]), root / fields[4].lstrip("/")
            yield _Mount(2 if system == "cgroup2" else 1, frozenset(options.split(",")), top, folder)


def _read(file: Path) -> str:
    """Return the content of a kernel file, empty if there is none."""
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
