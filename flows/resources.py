"""Find out how many CPUs and how much memory this process may use, also in a container or a systemd unit.

Linux limits a process by its cgroup and all parent cgroups. This module supports both versions of cgroups, with and
without a cgroup namespace. Libraries such as loky, Dask and DuckDB read only one level, and some only one version. All
functions take the folder `root` that contains proc/ and sys/, by default /.
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
    controllers: frozenset[str]  # for version 1; a version 2 hierarchy has all controllers
    top: PurePosixPath  # the cgroup that is mounted at the folder
    folder: Path


@cache
def usable_cpus(root: Path = ROOT) -> int:
    """Return the number of CPUs that this process may use, rounded up, at least 1."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.ceil(min([cores, *_quotas(root)])))


@cache
def usable_memory(root: Path = ROOT) -> int:
    """Return the memory in bytes that this process and all other processes of its cgroup may use together."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([physical, *_memory_limits(root)])


def _quotas(root: Path) -> Iterator[float]:
    """Yield all CPU quotas, as numbers of CPUs."""
    for folder in _folders(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        yield from _share(quota, period)
        yield from _share(_read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us"))


def _share(quota: str, period: str) -> Iterator[float]:
    # "max" and -1 mean no limit.
    if quota.isdigit() and period.isdigit() and int(quota) and int(period):
        yield int(quota) / int(period)


def _memory_limits(root: Path) -> Iterator[int]:
    """Yield all memory limits. They include memory.high, above which the kernel throttles a process heavily."""
    for folder in _folders(root, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            limit = _read(folder / name)
            if limit.isdigit() and int(limit):
                yield int(limit)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's cgroup and its visible parents."""
    cgroups = _cgroups(root)
    for mount in _mounts(root):
        cgroup = cgroups.get(controller if mount.version == 1 else "")
        if cgroup is not None and (mount.version == 2 or controller in mount.controllers):
            below = _relative(cgroup, mount.top)
            yield from (mount.folder / part for part in (below, *below.parents))


def _relative(cgroup: PurePosixPath, top: PurePosixPath) -> PurePosixPath:
    """Return the path of a cgroup relative to the mounted one, or the mounted one itself if it is not below it."""
    inside = cgroup.is_relative_to(top) and ".." not in cgroup.parts
    return cgroup.relative_to(top) if inside else PurePosixPath()


def _cgroups(root: Path) -> dict[str, PurePosixPath]:
    """Return the path of this process's cgroup by controller. The key for version 2 is empty."""
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
    """Return the content of a kernel file, or an empty text if it does not exist."""
    try:
        return file.read_text(errors="replace").strip()
    except OSError:
        return ""
