"""Keep the exit code of commands if printing fails, except for the result of a query."""

import io
import subprocess
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from flows.cli.main import main
from tests.conftest import BROADSHEET, ROOT, SEEDS, run_broadsheet

WARNING = "broadsheet: Warning: standard output cannot be written (No space left on device).\n"
FAILURE = "broadsheet: Standard output cannot be written (No space left on device). Pass a file with --output.\n"
TITLES = "SELECT 'é 😀' AS \"tïtle\""


class Result(NamedTuple):
    """The exit code and the errors of a command."""

    code: int
    stderr: str


def run_in_shell(streams: str, *arguments: object) -> Result:
    """Run the command line in a shell, with redirections of its streams."""
    command = ["bash", "-c", f'"$@" {streams}', "in_shell", *BROADSHEET, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
    return Result(done.returncode, done.stderr)


@pytest.fixture
def run_on_full_disk(capsys):
    """Return a function that runs the command line in this process with a full device as standard output."""

    def run(*arguments: object) -> Result:
        with Path("/dev/full").open("w") as full, redirect_stdout(full):
            code = main([str(argument) for argument in arguments])
        return Result(code, capsys.readouterr().err)

    return run


@pytest.fixture
def warehouse_flag(demo: Path) -> tuple[str, Path]:
    """Return the flag of a warehouse that no test of this module changes."""
    return "--warehouse", demo.parents[1]


def test_commands_succeed_if_nothing_can_be_printed(tmp_path, run_on_full_disk):
    flags = ("--source", SEEDS, "--warehouse", tmp_path / "warehouse")
    current = tmp_path / "warehouse" / "current"
    assert run_on_full_disk("run", *flags) == (0, WARNING)
    first = current.resolve()
    assert run_in_shell("<&- >&- 2>&-", "run", "--rebuild", *flags) == (0, "")
    assert current.resolve() != first
    assert run_on_full_disk("verify", *flags) == (0, WARNING)
    assert run_on_full_disk("editions", *flags[2:]) == (0, WARNING)
    assert run_on_full_disk("rollback", first.name, *flags[2:]).code == 0
    assert current.resolve() == first
    (current / "front_page.html").chmod(0o644)
    (current / "front_page.html").write_text("another page")
    assert run_on_full_disk("verify", *flags) == (1, WARNING)


def test_a_failed_flush_at_the_end_is_a_warning(warehouse_flag):
    assert run_in_shell("> /dev/full", "explain", next(SEEDS.iterdir())) == (0, WARNING)
    assert run_in_shell("> /dev/full 2>&1", "--help") == (0, "")
    code, stderr = run_in_shell(">&-", "editions", *warehouse_flag)
    assert code == 0
    assert stderr.startswith("broadsheet: Warning: standard output cannot be written (")


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_query_fails_if_its_result_cannot_be_printed(warehouse_flag, run_on_full_disk, form):
    assert run_on_full_disk("query", "FROM range(100_000)", "--format", form, *warehouse_flag) == (1, FAILURE)


def test_the_end_of_the_process_adds_no_error(warehouse_flag):
    assert run_in_shell("> /dev/full", "query", "SELECT 1", *warehouse_flag) == (1, FAILURE)


def test_a_query_with_closed_streams_fails_with_an_error_if_possible(warehouse_flag, tmp_path):
    code, stderr = run_in_shell(">&-", "query", "SELECT 1", *warehouse_flag)
    assert code == 1
    assert stderr.startswith("broadsheet: Standard output cannot be written (")
    assert run_in_shell("<&- >&- 2>&-", "query", "SELECT 1", *warehouse_flag) == (1, "")
    # An error without standard error must not become part of the result.
    assert run_in_shell(f"2>&- > {tmp_path / 'answer'}", "query", "FROM nothing", *warehouse_flag).code == 1
    assert (tmp_path / "answer").read_text() == ""


@pytest.mark.parametrize(
    ("encoding", "csv", "json"),
    [
        ("ascii", b"t?tle\n? ?\n", rb'"t\u00eftle": "\u00e9 \ud83d\ude00"'),
        ("latin-1", b"t\xeftle\n\xe9 ?\n", rb'"t\u00eftle": "\u00e9 \ud83d\ude00"'),
        ("utf-8", "tïtle\né 😀\n".encode(), '"tïtle": "é 😀"'.encode()),
    ],
)
def test_characters_that_the_terminal_lacks_are_replaced(warehouse_flag, tmp_path, encoding, csv, json):
    def run_query(*flags: object) -> bytes:
        with redirect_stdout(io.TextIOWrapper(io.BytesIO(), encoding)) as terminal:
            assert main(["query", TITLES, *map(str, warehouse_flag), *map(str, flags)]) == 0
        return terminal.buffer.getvalue()

    assert run_query("--format", "csv") == csv
    assert json in run_query("--format", "json")
    assert "tle" in run_query().decode(encoding)
    assert run_query("--format", "csv", "--output", tmp_path / "answer") == b""
    assert (tmp_path / "answer").read_text() == "tïtle\né 😀\n"


def test_summaries_and_errors_are_encoded_for_the_terminal(tmp_path):
    folder = tmp_path / "née"
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    done = run_broadsheet("run", "--source", SEEDS, "--warehouse", folder, **ascii_only)
    assert done.returncode == 0
    assert "/n?e/current" in done.stdout
    (tmp_path / "é.md").write_text("---\ntitle: Été\ndate: 2026-11-23\n---\n\nText.\n")
    assert "?t?" in run_broadsheet("explain", tmp_path / "é.md", **ascii_only).stdout
    done = run_broadsheet("explain", tmp_path / "à.md", **ascii_only)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_a_query_is_read_as_utf8_whatever_the_locale(warehouse_flag):
    bare = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert (
        run_broadsheet("query", "SELECT length('é😀') AS n", "--format", "csv", *warehouse_flag, **bare).stdout
        == "n\n2\n"
    )
    done = run_broadsheet("query", b"SELECT '\xff'".decode(errors="surrogateescape"), *warehouse_flag)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("broadsheet: The query is not valid UTF-8.")
