"""Publish on a disk that lacks some operations: the edition is published, and a warning names each operation."""

import os
import re
import subprocess
import sys

import pytest

from flows.warehouse.editions import list_editions
from tests.conftest import ROOT, Publish, seed_file

pytestmark = pytest.mark.slow

REFUSED = (sys.executable, "-m", "tests.refusing")
READING = (ROOT / "docs" / "reading.md").read_text()


@pytest.fixture
def two_months(source):
    (source / "A.md").write_text(seed_file("A", date="2026-10-01"))
    (source / "B.md").write_text(seed_file("B", date="2026-11-01"))
    return source


def run_with_refused_calls(
    error: str, calls: str, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run commands, separated by commas, in a process without root's privileges in which some system calls fail."""
    command = [*REFUSED, error, calls, *map(str, arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False)


def unsupported_operations(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the operations that the warnings name."""
    return re.findall(
        r"^broadsheet: Warning: The disk of the warehouse does not support ([\w ]+) \(", done.stderr, re.MULTILINE
    )


@pytest.mark.parametrize("error", ["EPERM", "EINVAL"])
def test_a_disk_without_modes_links_and_fsync_has_editions(two_months, warehouse, error):
    places = {"BROADSHEET_SOURCE": str(two_months), "BROADSHEET_WAREHOUSE": str(warehouse)}
    everything = "chmod,link,symlink,fsync"
    first = run_with_refused_calls(error, everything, "run", **places)
    assert (first.returncode, unsupported_operations(first)) == (0, ["chmod", "fsync", "symbolic links"])
    (before,) = list_editions(warehouse)
    assert (warehouse / "current").read_text() == f"{before.name}\n"

    (two_months / "B.md").write_text(seed_file("B", title="Another", date="2026-11-01"))
    sql = "SELECT article_id, title FROM articles ORDER BY 1"
    commands = ("run", ",", "query", sql, "--format", "csv", ",", "editions", ",", "verify", ",", "rollback")
    done = run_with_refused_calls(error, everything, *commands, before.name, **places)
    of_run, of_rollback = ["hard links", "chmod", "fsync", "symbolic links"], ["symbolic links", "fsync"]
    assert (done.returncode, unsupported_operations(done)) == (0, of_run + of_rollback)
    _, after = list_editions(warehouse)
    assert "article_id,title\nA,A title\nB,Another\n" in done.stdout
    assert f"\n* {after.name} " in done.stdout
    assert "The current edition matches the source.\n" in done.stdout
    assert f"duckdb -readonly {after}/broadsheet.duckdb " in done.stdout
    assert (warehouse / "current").read_text() == f"{before.name}\n"


def test_a_disk_without_flock_has_a_lock(two_months, warehouse):
    done = run_with_refused_calls("ENOSYS", "flock", "run", "--source", two_months, "--warehouse", warehouse)
    assert (done.returncode, unsupported_operations(done), done.stderr.count("\n")) == (0, ["flock"], 1)


def test_a_pointer_file_becomes_a_link_on_a_disk_with_links(two_months, warehouse, publish: Publish):
    folder = publish().folder
    (warehouse / "current").unlink()
    (warehouse / "current").write_text(f"{folder.name}\n")
    assert publish().edition is None
    report = publish(rebuild=True)
    assert (warehouse / "current").readlink().name == report.folder.name
    assert report.warnings == ()


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_failing_disk_fails_the_run(two_months, warehouse, publish: Publish, error):
    folder = publish().folder
    done = run_with_refused_calls(error, "fsync", "run", "--rebuild", "--source", two_months, "--warehouse", warehouse)
    assert done.returncode == 1
    assert done.stderr.startswith(f"broadsheet: The warehouse {warehouse} cannot be written (")
    assert done.stderr.count("\n") == 1
    assert (warehouse / "current").resolve() == folder
    assert list_editions(warehouse) == [folder]


def test_an_old_edition_of_another_user_is_kept_with_a_warning(two_months, warehouse, publish: Publish):
    first = publish().folder
    second = publish(rebuild=True).folder
    first.chmod(0o555)  # as with another user's folder, which cannot be moved
    keep = {"BROADSHEET_KEEP_EDITIONS": "1", "BROADSHEET_KEEP_HOURS": "0"}
    done = run_with_refused_calls(
        "EPERM", "", "run", "--rebuild", "--source", two_months, "--warehouse", warehouse, **keep
    )
    assert done.returncode == 0
    assert done.stderr == (
        f"broadsheet: Warning: The old edition {first} cannot be removed (Permission denied)."
        " Delete it as the user who owns it.\n"
    )
    assert [folder.name for folder in list_editions(warehouse)][:1] == [first.name]
    assert not second.exists()


def test_remaining_files_of_another_user_are_a_warning_of_each_run(two_months, warehouse, publish: Publish):
    first = publish().folder
    (first / "articles").chmod(0o555)  # the edition can be moved, but its files cannot be removed
    publish(rebuild=True)
    keep = {"BROADSHEET_KEEP_EDITIONS": "1", "BROADSHEET_KEEP_HOURS": "0"}
    command = ("run", "--rebuild", "--source", two_months, "--warehouse", warehouse)
    done = run_with_refused_calls("EPERM", "", *command, ",", *command, **keep)
    assert done.returncode == 0
    assert f"Warning: {warehouse}/editions/.staging/discarded-{first.name} cannot be removed. Delete it" in done.stderr
    assert len(list_editions(warehouse)) == 1


# Editions on another disk by a link, or on a bind mount: files cannot be renamed into either from outside.
ELSEWHERE = {
    "by a link": 'mount -t tmpfs tmpfs "$1"; mkdir -p "$1/of/editions" "$2"; ln -s "$1/of/editions" "$2/editions"',
    "by a mount": 'mkdir -p "$2/editions"; mount --bind "$1" "$2/editions"',
}


@pytest.mark.parametrize("how", ELSEWHERE)
def test_editions_may_be_on_another_disk(two_months, warehouse, tmp_path, how):
    (tmp_path / "other").mkdir()
    script = f'set -e; {ELSEWHERE[how]}; "${{@:3}}"; ls -A "$2/editions/"'
    run = [*REFUSED, "EPERM", "", "run", ",", "run", "--rebuild", ",", "verify", ",", "query", "FROM editions"]
    command = [
        "unshare",
        "--mount",
        "--map-root-user",
        "bash",
        "-c",
        script,
        "elsewhere",
        tmp_path / "other",
        warehouse,
    ]
    places = {"BROADSHEET_SOURCE": str(two_months), "BROADSHEET_WAREHOUSE": str(warehouse)}
    done = subprocess.run(
        [*map(str, command), *run], cwd=ROOT, env={**os.environ, **places}, capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "The current edition matches the source.\n" in done.stdout
    assert re.search(r"\n\d{8}T\d{6}Z\n\d{8}T\d{6}Z\n\Z", done.stdout)


def test_an_unmounted_disk_of_editions_fails_the_run(two_months, warehouse, tmp_path):
    warehouse.mkdir()
    (warehouse / "editions").symlink_to(tmp_path / "unmounted" / "editions")
    done = run_with_refused_calls("EPERM", "", "run", "--source", two_months, "--warehouse", warehouse)
    assert done.returncode == 1
    assert done.stderr.startswith("broadsheet: The folder of the editions is missing: ")
    assert not (tmp_path / "unmounted").exists()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_the_documented_recipe_resolves_a_link_and_a_file(two_months, warehouse, publish: Publish, kind):
    folder = publish().folder
    if kind == "file":
        (warehouse / "current").unlink()
        (warehouse / "current").write_text(f"{folder.name}\n")
    (recipe,) = (block for block in re.findall(r"```python\n(.*?)```", READING, re.DOTALL) if "is_file" in block)
    command = [sys.executable, "-c", f"{recipe}\nprint(edition)"]
    done = subprocess.run(command, cwd=warehouse.parent, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{folder}\n", "")


@pytest.mark.parametrize(("folder", "command"), [("editions", "run"), ("editions", "query"), ("", "editions")])
def test_a_warehouse_without_read_permission_is_one_error_message(
    two_months, warehouse, publish: Publish, folder, command
):
    publish()
    mode = (warehouse / folder).stat().st_mode
    (warehouse / folder).chmod(0o000)
    try:
        places = {"BROADSHEET_SOURCE": str(two_months), "BROADSHEET_WAREHOUSE": str(warehouse)}
        done = run_with_refused_calls(
            "EPERM", "", command, *(["FROM articles"] if command == "query" else []), **places
        )
    finally:
        (warehouse / folder).chmod(mode)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "Permission denied" in done.stderr
