"""A run that dies leaves the previous edition intact; a second run names the first; a full disk is reported."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress

import duckdb
import pytest

from flows.errors import RunError
from flows.settings import Settings
from flows.warehouse.manifest import wrong_files
from tests.conftest import BROADSHEET, ROOT, SEEDS, Publish, query, rows_of, run_broadsheet, seed_file
from tests.dying import POINTS, run_until

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("KILLS", "20"))
HOLD_LOCK = """
import sys
from pathlib import Path
from flows.warehouse.lock import writer_lock

with writer_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("point", POINTS)
def test_kill_9_keeps_the_previous_edition_and_the_next_run_publishes(source, warehouse, publish: Publish, point):
    for code in ("A", "M"):
        (source / f"{code}.md").write_text(seed_file(code, date=f"2026-0{1 + len(code)}-01"))
    previous = publish().folder
    (source / "B.md").write_text(seed_file("B"))
    run = multiprocessing.get_context("forkserver").Process(
        target=run_until, args=(point, Settings(source=source, warehouse=warehouse))
    )
    run.start()
    run.join()
    assert run.exitcode == -9
    assert (warehouse / "current").resolve() == previous
    assert query(warehouse / "current", "SELECT article_id FROM articles ORDER BY 1") == [("A",), ("M",)]
    later = publish()
    assert later.edition
    assert query(later.folder, "SELECT article_id FROM articles ORDER BY 1") == [("A",), ("B",), ("M",)]
    assert query(later.folder, "SELECT edition_id FROM editions") == [(previous.name,), (later.folder.name,)]
    assert sorted(entry.name for entry in warehouse.iterdir()) == [".lock", "current", "editions"]
    assert sorted(entry.name for entry in (warehouse / "editions").iterdir()) == [previous.name, later.folder.name]


def kill_after(seconds: float, environment: dict[str, str]) -> float | None:
    """Start a run in its own process group and kill -9 it; return None, or its seconds if it ended before."""
    command = [*BROADSHEET, "run", "--rebuild"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        with suppress(subprocess.TimeoutExpired):
            run.wait(seconds)
            return seconds
        os.killpg(run.pid, signal.SIGKILL)
    return None


def test_kill_9_at_random_times_loses_nothing(source, warehouse, publish: Publish):
    """Kill runs at random times; each run continues from the state that the previous one left."""
    chance = random.Random(7)
    for number in range(60):
        (source / f"{number}.md").write_text(seed_file(f"A{number}", date=f"2026-0{1 + number % 9}-01"))
    expected = rows_of(publish().folder)
    environment = {**os.environ, "BROADSHEET_SOURCE": str(source), "BROADSHEET_WAREHOUSE": str(warehouse)}
    longest, killed = 1.0, 0
    while killed < KILLS:
        ended = kill_after(chance.uniform(0, longest), environment)
        if ended is None:
            killed += 1
            longest *= 1.05  # until kills also happen at the end of a run
        else:
            longest = ended
        current = (warehouse / "current").resolve()
        assert rows_of(current) == expected
        assert wrong_files(current) == []
    last = publish(rebuild=True)
    assert rows_of(last.folder) == expected
    assert sorted(entry.name for entry in warehouse.iterdir()) == [".lock", "current", "editions"]


def test_second_run_names_the_process_that_holds_the_lock(source, warehouse, publish: Publish):
    (source / "A.md").write_text(seed_file("A"))
    command = [sys.executable, "-c", HOLD_LOCK, str(warehouse)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "holding\n"
        with pytest.raises(RunError, match=f"process {holder.pid} on .* since 20"):
            publish()
        done = run_broadsheet("run", "--source", source, "--warehouse", warehouse)
        assert done.returncode == 1
        assert f"process {holder.pid} on " in done.stderr
        holder.communicate()
    assert publish().edition


def test_run_fails_early_if_the_disk_has_too_little_space(source, warehouse, publish: Publish, monkeypatch):
    (source / "A.md").write_text(seed_file("A"))
    before = publish().folder
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 9_000_000}))
    (source / "B.md").write_text(seed_file("B"))
    with pytest.raises(RunError, match=r"has 9 MB free, but an edition may need \d+ MB\. Free some disk space"):
        publish()
    assert (warehouse / "current").resolve() == before


# A run in its own mount namespace, whose warehouse is on a small disk: its size, and how much else fills it.
SMALL_DISK = """
set -e
mount -t tmpfs -o size="$1" tmpfs "$2"
"${@:4}" run --warehouse "$2/warehouse" --source "$3" > /dev/null
head -c "$(($(stat -f -c '%a * %S' "$2")))" /dev/zero > "$2/filling"
truncate -s "-$FREE" "$2/filling"
set +e
"${@:4}" run --warehouse "$2/warehouse" --source "$3" --rebuild
echo "exit $?"
cp -r "$2/warehouse/current/." "$2/../after"
"""


@pytest.mark.parametrize("free", [0, 40_000, 200_000, 700_000, 1_200_000, 1_800_000, 2_400_000])
def test_full_disk_is_reported_in_one_sentence(tmp_path, free):
    """The disk is full at any step: `free` bytes are left, and the check of free space is skipped."""
    disk = tmp_path / "disk"
    disk.mkdir()
    code = "import sys; from flows.cli import main; from flows.pipeline import extract; extract.require_disk_space = lambda *_: None; sys.exit(main.main())"
    script = ["bash", "-c", SMALL_DISK, "small_disk", "40m", disk, SEEDS, sys.executable, "-c", code]
    command = ["unshare", "--mount", "--map-root-user", *map(str, script)]
    environment = {**os.environ, "FREE": str(free)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert "exit 1\n" in done.stdout, done.stderr
    assert done.stderr.startswith("broadsheet: The ")
    assert done.stderr.count("\n") == 1
    assert wrong_files(tmp_path / "after") == []
    with duckdb.connect(tmp_path / "after" / "broadsheet.duckdb", read_only=True) as connection:
        assert connection.execute("SELECT count(*) FROM articles").fetchall() == [(24,)]
