"""CPUs and memory are limited to those of the cgroup, on hosts and in containers, with both versions of cgroups."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import resources
from flows.pipeline.process_pool import default_processes, workers
from flows.resources import usable_cpus, usable_memory
from flows.warehouse.database import connect, with_retry
from tests.conftest import ROOT
from tests.generated import write_source
from tests.test_workers import FILES, plan_of

V2 = "30 23 0:26 {top} /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = "35 31 0:32 {top} /sys/fs/cgroup/{names} ro,nosuid - cgroup cgroup rw,{names}\n"
MB = 1_000_000
CORES = len(os.sched_getaffinity(0))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root folder of a machine without cgroups."""
    (tmp_path / "proc/self").mkdir(parents=True)
    return tmp_path


def write_kernel_files(root: Path, mounts: str, cgroup: str, **files: str) -> Path:
    """Write mounts, the process's cgroup, and files of cgroups, with __ for / and _dot_ for . in their names."""
    (root / "proc/self/mountinfo").write_text(f"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n{mounts}")
    (root / "proc/self/cgroup").write_text(cgroup)
    for name, content in files.items():
        file = root / "sys/fs/cgroup" / name.replace("__", "/").replace("_dot_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def v2(root: Path, cgroup: str = "/", top: str = "/", **files: str) -> Path:
    return write_kernel_files(root, V2.format(top=top), f"0::{cgroup}\n", **files)


def test_without_cgroups_the_machine_is_the_limit(root):
    assert (usable_cpus(root), usable_memory(root)) == (CORES, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


@pytest.mark.parametrize(
    ("quota", "cpus"), [("50000", 1), ("100000", 1), ("100001", 2), ("9900000", CORES), ("max", CORES)]
)
def test_a_cpu_quota_of_version_2(root, quota, cpus):
    assert usable_cpus(v2(root, cpu_dot_max=f"{quota} 100000\n")) == min(cpus, CORES)


@pytest.mark.parametrize(("quota", "cpus"), [("50000", 1), ("150000", 2), ("-1", CORES)])
def test_a_cpu_quota_of_version_1(root, quota, cpus):
    files = {"cpu,cpuacct__cpu_dot_cfs_quota_us": f"{quota}\n", "cpu,cpuacct__cpu_dot_cfs_period_us": "100000\n"}
    mounts = V1.format(top="/", names="cpu,cpuacct") + V1.format(top="/", names="memory")
    write_kernel_files(root, mounts, "4:memory:/\n3:cpu,cpuacct:/\n0::/\n", **files)
    assert usable_cpus(root) == min(cpus, CORES)


@pytest.mark.parametrize("name", ["memory_dot_max", "memory_dot_high"])
def test_a_memory_limit_of_version_2(root, name):
    other = "memory_dot_high" if name.endswith("max") else "memory_dot_max"
    assert usable_memory(v2(root, **{name: f"{512 * MB}\n", other: "max\n"})) == 512 * MB


def test_a_memory_limit_of_version_1(root):
    write_kernel_files(
        root,
        V1.format(top="/docker/abc", names="memory"),
        "4:memory:/docker/abc\n",
        memory__memory_dot_limit_in_bytes=f"{512 * MB}\n",
    )
    assert usable_memory(root) == 512 * MB


def test_an_unlimited_cgroup_of_version_1(root):
    unlimited = "9223372036854771712\n"
    write_kernel_files(
        root, V1.format(top="/", names="memory"), "4:memory:/\n", memory__memory_dot_limit_in_bytes=unlimited
    )
    assert usable_memory(root) == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("tight", ["", "system.slice__", "system.slice__broadsheet.service__"])
def test_the_lowest_limit_of_a_cgroup_and_its_ancestors_applies(root, tight):
    """As for a service in a slice, or a container in a pod."""
    places = ("", "system.slice__", "system.slice__broadsheet.service__")
    files = {f"{place}memory_dot_max": f"{(300 if place == tight else 900) * MB}\n" for place in places}
    files |= {f"{place}cpu_dot_max": "100000 100000" if place == tight else "max 100000" for place in places}
    v2(root, "/system.slice/broadsheet.service", **files)
    assert (usable_cpus(root), usable_memory(root)) == (1, 300 * MB)


@pytest.mark.parametrize(
    ("cgroup", "top"),
    [
        ("/", "/"),  # a container with its own namespace
        ("/kubepods/pod1/abc", "/kubepods/pod1/abc"),  # one without: its cgroup is mounted as the root
        ("/kubepods/pod1/abc", "/../.."),  # mounted from another namespace
        ("/../other", "/"),  # moved out of its namespace
    ],
)
def test_the_limits_of_a_container_are_read_at_the_mount(root, cgroup, top):
    v2(root, cgroup, top, memory_dot_max=f"{400 * MB}\n", cpu_dot_max="50000 100000\n")
    assert (usable_cpus(root), usable_memory(root)) == (1, 400 * MB)


def test_version_1_is_read_where_version_2_has_no_controllers(root):
    """As on a host with both, which systemd calls hybrid."""
    mounts = V1.format(top="/", names="memory") + V2.format(top="/").replace("cgroup rw", "cgroup/unified rw")
    write_kernel_files(root, mounts, "4:memory:/a\n0::/\n", memory__a__memory_dot_limit_in_bytes=f"{400 * MB}\n")
    assert usable_memory(root) == 400 * MB


@pytest.mark.parametrize("content", ["", "nonsense", "max", "-5 100000", "100000", "0 0", "50000 0"])
def test_invalid_content_is_ignored(root, content):
    assert usable_cpus(v2(root, cpu_dot_max=content)) == CORES


@pytest.mark.parametrize(
    ("cpus", "memory", "processes"),
    [(8, 64_000, 8), (1, 64_000, 1), (8, 512, 1), (8, 1_024, 1), (8, 1_400, 2), (8, 3_000, 5), (8, 100, 1)],
)
def test_the_number_of_processes_depends_on_cpus_and_memory(monkeypatch, cpus, memory, processes):
    monkeypatch.setattr(resources, "usable_cpus", lambda: cpus)
    monkeypatch.setattr(resources, "usable_memory", lambda: memory * MB)
    assert default_processes() == processes


def test_a_configured_number_of_processes_overrides_the_default(monkeypatch):
    monkeypatch.setattr(resources, "usable_cpus", lambda: 1)
    monkeypatch.setattr(resources, "usable_memory", lambda: 100 * MB)
    with workers(plan_of(FILES, 2), 2) as pool:
        assert pool is not None
    with workers(plan_of(FILES, None), 2) as pool:
        assert pool is None


@pytest.mark.parametrize(("memory", "limit"), [(512, "199.8 MiB"), (100, "91.5 MiB"), (4_250, "2.9 GiB")])
def test_the_database_leaves_memory_for_the_rest_of_the_process(monkeypatch, memory, limit):
    monkeypatch.setattr(resources, "usable_cpus", lambda: 1)
    monkeypatch.setattr(resources, "usable_memory", lambda: memory * MB)
    with connect({}) as connection:
        threads, bytes_ = connection.execute(
            "SELECT current_setting('threads'), current_setting('memory_limit')"
        ).fetchone()
    assert (threads, bytes_) == (1, limit)


def test_a_run_on_one_cpu_has_one_thread(demo, monkeypatch):
    monkeypatch.setattr(resources, "usable_cpus", lambda: 1)
    assert with_retry(demo, lambda config: config["threads"]) == 1


# VmHWM is the process's own peak: ru_maxrss includes the process that started it.
RUN_WITH_512_MB = """
import json, re, resource, sys
from pathlib import Path
from flows import resources
resources.usable_cpus, resources.usable_memory = lambda: 8, lambda: 512_000_000
from flows.cli.main import main
code = main(["run", *sys.argv[1:]])
itself = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
print(json.dumps([itself // 1024, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
sys.exit(code)
"""


def test_a_run_by_default_fits_into_512_megabytes(source, warehouse):
    """With eight CPUs, one process per CPU would use several times as much."""
    write_source(source, 4_100)
    command = [sys.executable, "-c", RUN_WITH_512_MB, "--source", source, "--warehouse", warehouse]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    itself, others = json.loads(done.stdout.splitlines()[-1])
    assert others == 0
    assert itself < 450
