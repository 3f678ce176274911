"""Write the result of `broadsheet query` completely or not at all, and leave no temporary file."""

import os
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path
from subprocess import PIPE

import pyarrow.parquet as pq
import pytest

from flows.cli.main import main
from tests.conftest import BROADSHEET, ROOT, run_broadsheet

MANY = "SELECT i, md5(i::VARCHAR) AS code FROM range(200_000) AS t(i)"
LATE_FAULT = "SELECT CASE i WHEN 300_000 THEN 'x' ELSE '1' END::INT AS number FROM range(400_000) AS t(i)"
FORMS = ("csv", "json", "parquet")


@pytest.fixture
def old_result(tmp_path: Path) -> Path:
    """Return the file of an earlier result, alone in its folder."""
    file = tmp_path / "answers" / "days.csv"
    file.parent.mkdir()
    file.write_text("yesterday\n")
    return file


def run_query(edition: Path, sql: str, output: object, *flags: str) -> int:
    """Run a query in this process, with CSV unless the flags name another format."""
    form = () if "--format" in flags else ("--format", "csv")
    return main(["query", sql, *form, *flags, "--output", str(output), "--warehouse", str(edition.parents[1])])


def is_untouched(old_result: Path) -> bool:
    return old_result.read_text() == "yesterday\n" and list(old_result.parent.iterdir()) == [old_result]


@pytest.mark.parametrize("form", FORMS)
def test_an_error_in_a_late_row_is_reported_and_keeps_the_file(demo, old_result, capsys, form):
    assert run_query(demo, LATE_FAULT, old_result, "--format", form) == 1
    assert capsys.readouterr().err == ("broadsheet: Query failed: Could not convert string 'x' to INT32.\n")
    assert is_untouched(old_result)


SMALL_DISK = """
mount -t tmpfs -o size=300k tmpfs "$1"
echo yesterday > "$1/answer"
for form in csv json parquet; do
    "${@:2}" --format $form --output "$1/answer"
    echo "exit $?"
done
cat "$1/answer"
ls -A "$1"
"""


def test_a_full_disk_is_reported_in_one_sentence_and_keeps_the_file(demo, tmp_path):
    query = [*BROADSHEET, "query", MANY, "--warehouse", demo.parents[1]]
    command = ["unshare", "--mount", "--map-root-user", "bash", "-c", SMALL_DISK, "small_disk", tmp_path, *query]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["exit 1"] * 3 + ["yesterday", "answer"]
    sentence = f"{tmp_path}/answer cannot be written (No space left on device). Pass another file with --output."
    assert done.stderr.splitlines() == [f"broadsheet: {sentence}"] * 3


def test_a_result_has_the_permissions_of_the_replaced_file_or_of_a_new_file(demo, old_result):
    old_result.chmod(0o640)
    new = old_result.with_name("new.csv")
    umask = os.umask(0o027)
    try:
        assert [run_query(demo, "SELECT 1 AS a", file) for file in (old_result, new)] == [0, 0]
    finally:
        os.umask(umask)
    assert old_result.read_text() == new.read_text() == "a\n1\n"
    assert [stat.S_IMODE(file.stat().st_mode) for file in (old_result, new)] == [0o640, 0o640]
    assert sorted(old_result.parent.iterdir()) == [old_result, new]


def test_an_unusable_output_path_is_refused_in_one_sentence(demo, old_result, capsys):
    folder = old_result.parent
    (folder / "link.csv").symlink_to(old_result)
    (folder / "lost.csv").symlink_to(folder / "none.csv")
    (folder / "within").symlink_to(demo)
    refusals = {
        folder: "is a folder. Pass a file",
        "": "is a folder. Pass a file",
        folder / "none" / "a.csv": "folder not found",
        old_result / "a.csv": "folder not found",
        folder / "link.csv": "is a symbolic link",
        folder / "lost.csv": "is a symbolic link",
        folder / ("long" * 100): "(File name too long)",
        "/proc/a.csv": "cannot be written (",
        "/dev/fd/987": "(Bad file descriptor)",
        demo / "a.csv": "is inside the warehouse",
        demo / "articles" / "a.csv": "is inside the warehouse",
        folder / "within" / "a.csv": "is inside the warehouse",
        demo.parents[1] / "a.csv": "is inside the warehouse",
    }
    for place, words in refusals.items():
        assert run_query(demo, "SELECT 1", place) == 1
        complaint = capsys.readouterr().err
        assert words in complaint, place
        assert complaint.startswith("broadsheet: ")
        assert complaint.count("\n") == 1
    assert old_result.read_text() == "yesterday\n"
    assert not [file for place in (folder, demo) for file in place.glob(".broadsheet-*")]


def test_an_output_path_inside_a_warehouse_is_refused(demo, tmp_path, publish, seeds, capsys):
    assert run_query(demo, "SELECT 1", publish().folder.parent / "a.csv") == 1
    assert "is inside the warehouse" in capsys.readouterr().err


def test_a_protected_file_is_not_replaced(demo, old_result):
    old_result.chmod(0o444)
    command = [*BROADSHEET, "query", "SELECT 1", "--output", old_result, "--warehouse", demo.parents[1]]
    # Root without the capability to ignore permissions, as the owner of the file.
    as_owner = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*as_owner, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "days.csv cannot be written (Permission denied)" in done.stderr
    assert is_untouched(old_result)


def test_devices_and_pipes_are_written_directly(demo, tmp_path, capsys):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    assert run_query(demo, "SELECT 1 AS a", pipe) == 0
    reader.join()
    assert read == ["a\n1\n"]
    assert pipe.is_fifo()
    assert run_query(demo, "SELECT 1 AS a", "/dev/null") == 0
    assert run_query(demo, "SELECT 1 AS a", "/dev/full") == 1
    assert "/dev/full cannot be written (No space left on device)" in capsys.readouterr().err


def test_standard_output_can_be_an_output_path(demo, tmp_path):
    with (tmp_path / "out").open("w") as out:
        out.write("before\n")
        out.flush()
        command = [*BROADSHEET, "query", "SELECT 1 AS a", "--format", "csv", "--warehouse", demo.parents[1]]
        subprocess.run([*command, "--output", "/dev/stdout"], cwd=ROOT, stdout=out, check=True)
    assert (tmp_path / "out").read_text() == "before\na\n1\n"
    read, write = os.pipe()
    with os.fdopen(read, "rb") as pipe, os.fdopen(write, "wb"):
        parquet = ["--format", "parquet", "--output", f"/dev/fd/{write}"]
        done = run_broadsheet("query", "SELECT 1 AS a", *parquet, "--warehouse", demo.parents[1])
        assert done.returncode == 1  # the descriptor is not inherited
        subprocess.run([*command[:-4], *parquet, *command[-2:]], cwd=ROOT, pass_fds=[write], check=True)
        (tmp_path / "a.parquet").write_bytes(os.read(pipe.fileno(), 65_536))
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == [{"a": 1}]


# Queries that keep DuckDB busy for seconds in one row, in one phase, between rows, and in one call.
LONG = {
    "one row": "SELECT count(*) FROM range(100_000_000_000) a, range(1000) b",
    "rows": "SELECT a.range AS a, b.range AS b FROM range(100_000_000_000) a, range(1000) b",
    "sort": "SELECT hash(i) AS h FROM range(100_000_000_000) AS t(i) ORDER BY h",
    "one call": "SELECT md5(repeat('a', 2_000_000_000) || i) AS h FROM range(100) AS t(i)",
}
STOPPED = [
    ("one row", "table", signal.SIGINT, 130),
    ("rows", "csv", signal.SIGINT, 130),
    ("rows", "json", signal.SIGTERM, 143),
    ("rows", "parquet", signal.SIGINT, 130),
    ("sort", "csv", signal.SIGHUP, 129),
    ("one call", "csv", signal.SIGINT, 130),
]


def wait_for_work(process: subprocess.Popen[str], folder: Path) -> None:
    """Wait until the temporary file exists and the query has then used 0.2 seconds of CPU time."""
    began = None
    while began is None or cpu_time(process) < began + 20:
        assert process.poll() is None, process.communicate()
        if began is None and list(folder.glob(".broadsheet-*")):
            began = cpu_time(process)
        time.sleep(0.01)


def cpu_time(process: subprocess.Popen[str]) -> int:
    """Return the CPU time of a process in hundredths of a second."""
    return int(Path(f"/proc/{process.pid}/stat").read_text().rsplit(")")[1].split()[11])


@pytest.mark.parametrize(("sql", "form", "signal_number", "code"), STOPPED)
def test_a_signal_ends_a_query_at_once_and_keeps_the_file(demo, old_result, tmp_path, sql, form, signal_number, code):
    spill = tmp_path / "spill"
    spill.mkdir()
    command = [
        *BROADSHEET,
        "query",
        LONG[sql],
        "--format",
        form,
        "--output",
        old_result,
        "--warehouse",
        demo.parents[1],
    ]
    variables = {**os.environ, "TMPDIR": str(spill)}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            wait_for_work(process, old_result.parent)
            process.send_signal(signal_number)
            stdout, stderr = process.communicate(timeout=5)  # allows for a busy machine
        finally:
            process.kill()
    assert (process.returncode, stdout, stderr) == (code, "", "broadsheet: Interrupted.\n")
    assert is_untouched(old_result)
    assert list(spill.iterdir()) == []


@pytest.mark.parametrize(("sql", "form"), [("one row", "table"), ("rows", "csv"), ("one call", "csv")])
def test_a_query_ends_at_its_timeout(demo, old_result, tmp_path, sql, form):
    spill = tmp_path / "spill"
    spill.mkdir()
    flags = ["--timeout", "0.5", "--format", form, "--output", old_result, "--warehouse", demo.parents[1]]
    done = run_broadsheet("query", LONG[sql], *flags, TMPDIR=str(spill))
    sentence = "broadsheet: The query took longer than 0.5 s. Simplify the query, or raise the limit with --timeout.\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", sentence)
    assert is_untouched(old_result)
    assert list(spill.iterdir()) == []


@pytest.mark.parametrize("seconds", ["-1", "nan", "inf", "1e99", "soon"])
def test_an_invalid_timeout_is_a_usage_error(demo, seconds):
    done = run_broadsheet("query", "SELECT 1", f"--timeout={seconds}", "--warehouse", demo.parents[1])
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("broadsheet: --timeout: ")


def test_a_signal_ends_a_query_whose_reader_is_slow(demo):
    command = [*BROADSHEET, "query", LONG["rows"], "--format", "csv", "--warehouse", demo.parents[1]]
    with subprocess.Popen(command, cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=5) == 130
            assert process.stderr.read() == "broadsheet: Interrupted.\n"
        finally:
            process.kill()
