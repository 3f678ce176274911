"""A disk that cannot do all that publishing uses: the edition is published, and a warning says what is missing."""

import os
import re
import subprocess
import sys

import pytest

from flows.warehouse.editions import list_editions
from tests.conftest import ROOT, Publish, seed_file

REFUSED = (sys.executable, "-m", "tests.refusing")
READING = (ROOT / "docs" / "reading.md").read_text()


@pytest.fixture
def two_months(source):
    (source / "A.md").write_text(seed_file("A", date="2026-10-01"))
    (source / "B.md").write_text(seed_file("B", date="2026-11-01"))
    return source


def refused(error: str, calls: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Commands, separated by commas, in a process without root's privileges in which some system calls fail."""
    command = [*REFUSED, error, calls, *map(str, arguments)]
    variables = {**os.environ, **environment}
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False)


def warnings(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What the disk is said to refuse."""
    return re.findall(r"^broadsheet: Warning: The disk of the warehouse refuses ([\w ]+) \(", done.stderr, re.MULTILINE)


@pytest.mark.parametrize("error", ["EPERM", "EINVAL"])
def test_a_disk_without_modes_links_and_fsync_has_editions_all_the_same(two_months, warehouse, error):
    places = {"BROADSHEET_SOURCE": str(two_months), "BROADSHEET_WAREHOUSE": str(warehouse)}
    everything = "chmod,link,symlink,fsync"
    first = refused(error, everything, "run", **places)
    assert (first.returncode, warnings(first)) == (0, ["chmod", "fsync", "symbolic links"])
    (before,) = list_editions(warehouse)
    assert (warehouse / "current").read_text() == f"{before.name}\n"

    (two_months / "B.md").write_text(seed_file("B", title="Another", date="2026-11-01"))
    sql = "SELECT article_id, title FROM articles ORDER BY 1"
    commands = ("run", ",", "query", sql, "--format", "csv", ",", "editions", ",", "verify", ",", "rollback")
    done = refused(error, everything, *commands, before.name, **places)
    run_says, rollback_says = ["hard links", "chmod", "fsync", "symbolic links"], ["symbolic links", "fsync"]
    assert (done.returncode, warnings(done)) == (0, run_says + rollback_says)
    _, after = list_editions(warehouse)
    assert "article_id,title\nA,A title\nB,Another\n" in done.stdout
    assert f"\n* {after.name} " in done.stdout
    assert "The current edition matches the source.\n" in done.stdout
    assert f"duckdb -readonly {after}/broadsheet.duckdb " in done.stdout
    assert (warehouse / "current").read_text() == f"{before.name}\n"


def test_a_disk_without_flock_has_a_lock_all_the_same(two_months, warehouse):
    done = refused("ENOSYS", "flock", "run", "--source", two_months, "--warehouse", warehouse)
    assert (done.returncode, warnings(done), done.stderr.count("\n")) == (0, ["flock"], 1)


def test_a_disk_with_links_again_has_a_link_again(two_months, warehouse, publish: Publish):
    folder = publish().folder
    (warehouse / "current").unlink()
    (warehouse / "current").write_text(f"{folder.name}\n")
    assert publish().edition is None
    report = publish(rebuild=True)
    assert (warehouse / "current").readlink().name == report.folder.name
    assert report.warnings == ()


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_disk_that_fails_is_not_one_that_cannot(two_months, warehouse, publish: Publish, error):
    folder = publish().folder
    done = refused(error, "fsync", "run", "--rebuild", "--source", two_months, "--warehouse", warehouse)
    assert done.returncode == 1
    assert done.stderr.startswith(f"broadsheet: The warehouse {warehouse} cannot be written (")
    assert done.stderr.count("\n") == 1
    assert (warehouse / "current").resolve() == folder
    assert list_editions(warehouse) == [folder]


def test_an_edition_that_another_user_made_is_left_and_named(two_months, warehouse, publish: Publish):
    first = publish().folder
    second = publish(rebuild=True).folder
    first.chmod(0o555)  # a folder that is not ours cannot be moved either
    keep = {"BROADSHEET_KEEP_EDITIONS": "1", "BROADSHEET_KEEP_HOURS": "0"}
    done = refused("EPERM", "", "run", "--rebuild", "--source", two_months, "--warehouse", warehouse, **keep)
    assert done.returncode == 0
    assert done.stderr == (
        f"broadsheet: Warning: The old edition {first} cannot be removed (Permission denied)."
        " Delete it, as the user who owns it.\n"
    )
    assert [folder.name for folder in list_editions(warehouse)][:1] == [first.name]
    assert not second.exists()


def test_files_of_another_user_that_stay_behind_are_named_at_each_run(two_months, warehouse, publish: Publish):
    first = publish().folder
    (first / "articles").chmod(0o555)  # the edition can be moved, and its files not removed
    publish(rebuild=True)
    keep = {"BROADSHEET_KEEP_EDITIONS": "1", "BROADSHEET_KEEP_HOURS": "0"}
    command = ("run", "--rebuild", "--source", two_months, "--warehouse", warehouse)
    done = refused("EPERM", "", *command, ",", *command, **keep)
    assert done.returncode == 0
    assert f"Warning: {warehouse}/editions/.staging/discarded-{first.name} cannot be removed. Delete it" in done.stderr
    assert len(list_editions(warehouse)) == 1


# Editions on another disk by a link, or below a mount of the same one: neither can be renamed to from outside.
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


def test_a_disk_of_editions_that_is_not_mounted_is_no_new_history(two_months, warehouse, tmp_path):
    warehouse.mkdir()
    (warehouse / "editions").symlink_to(tmp_path / "unmounted" / "editions")
    done = refused("EPERM", "", "run", "--source", two_months, "--warehouse", warehouse)
    assert done.returncode == 1
    assert done.stderr.startswith("broadsheet: The folder of the editions is missing: ")
    assert not (tmp_path / "unmounted").exists()


@pytest.mark.parametrize("kind", ["link", "file"])
def test_readers_resolve_a_link_and_a_file_as_the_page_says(two_months, warehouse, publish: Publish, kind):
    folder = publish().folder
    if kind == "file":
        (warehouse / "current").unlink()
        (warehouse / "current").write_text(f"{folder.name}\n")
    (recipe,) = (block for block in re.findall(r"```python\n(.*?)```", READING, re.DOTALL) if "is_file" in block)
    command = [sys.executable, "-c", f"{recipe}\nprint(edition)"]
    done = subprocess.run(command, cwd=warehouse.parent, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{folder}\n", "")


@pytest.mark.parametrize(("folder", "command"), [("editions", "run"), ("editions", "query"), ("", "editions")])
def test_a_warehouse_that_this_user_may_not_read_is_a_sentence(
    two_months, warehouse, publish: Publish, folder, command
):
    publish()
    mode = (warehouse / folder).stat().st_mode
    (warehouse / folder).chmod(0o000)
    try:
        places = {"BROADSHEET_SOURCE": str(two_months), "BROADSHEET_WAREHOUSE": str(warehouse)}
        done = refused("EPERM", "", command, *(["FROM articles"] if command == "query" else []), **places)
    finally:
        (warehouse / folder).chmod(mode)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert "Permission denied" in done.stderr
