"""Run `broadsheet` as an operator does, and check its output and exit codes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from flows.cli.main import main
from flows.settings import RENAMED
from tests.conftest import BROADSHEET, ROOT, SEEDS, run_broadsheet
from tests.hostile import without_home


def test_run_publishes_and_prints_counts_and_next_commands(warehouse):
    done = run_broadsheet("run", "--source", SEEDS, "--warehouse", warehouse)
    assert (done.returncode, done.stderr) == (0, "")
    edition = (warehouse / "current").resolve().name
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[0][:3] == ["Published", "edition", edition]
    assert lines[1:12] == [
        ["articles", "24"], ["images", "50"], ["captions", "30"], ["added", "24"], ["corrected", "0"],
        ["withdrawn", "0"], ["restored", "0"], ["rejected", "2"], ["repaired", "1"], ["duplicates", "1"], ["drafts", "1"],
    ]  # fmt: skip
    assert f"duckdb -readonly {warehouse}/current/broadsheet.duckdb" in done.stdout
    assert f"{warehouse}/current/front_page.html" in done.stdout


def test_a_second_run_reports_no_changes(warehouse):
    for _ in range(2):
        done = run_broadsheet("run", "--source", SEEDS, "--warehouse", warehouse)
    assert done.returncode == 0
    assert done.stdout.startswith("No changes since edition 20")


def test_settings_come_from_the_environment(warehouse):
    done = run_broadsheet("run", BROADSHEET_SOURCE=str(SEEDS), BROADSHEET_WAREHOUSE=str(warehouse))
    assert done.returncode == 0
    assert (warehouse / "current" / "broadsheet.duckdb").exists()


def test_a_user_without_a_home_folder_runs_and_queries(warehouse):
    for arguments in (("run", "--source", str(SEEDS)), ("query", "SELECT count(*) FROM articles")):
        command = [*without_home(), *BROADSHEET, *arguments, "--warehouse", str(warehouse)]
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} if "run" in arguments else {}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
    assert " 24 " in done.stdout


def test_an_invalid_cron_expression_is_a_usage_error():
    done = run_broadsheet("up", "--cron", "99 * * * *")
    assert done.returncode == 2
    assert done.stderr == (
        "broadsheet: --cron: 99 * * * * is not a cron expression (Bad minute). Write five fields, as in '0 6 * * 1-5'.\n"
    )


def test_failures_are_reported_in_one_sentence(tmp_path, warehouse):
    failures = {
        "source": run_broadsheet("run", "--source", tmp_path / "none", "--warehouse", warehouse),
        "not ours": run_broadsheet("run", "--source", SEEDS, "--warehouse", SEEDS),
        "unwritable": run_broadsheet("run", "--source", SEEDS, "--warehouse", "/proc/broadsheet"),
    }
    for done in failures.values():
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith("broadsheet: ")
        assert done.stderr.count("\n") == 1
    assert not warehouse.exists()


def test_usage_errors():
    assert run_broadsheet().returncode == 2
    assert run_broadsheet("publish").returncode == 2
    done = run_broadsheet("run", BROADSHEET_TIME_ZONE="Mars/Olympus")
    assert done.returncode == 2
    assert (
        done.stderr
        == "broadsheet: BROADSHEET_TIME_ZONE: Mars/Olympus is not an IANA time zone. Use a name such as Europe/Paris or UTC.\n"
    )


def test_every_command_has_help():
    overview = run_broadsheet("--help").stdout
    assert "run " in overview
    assert "--source FOLDER" in run_broadsheet("run", "--help").stdout


def test_the_command_line_does_not_import_prefect():
    code = "import sys, flows.cli.main, flows.pipeline.run; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_explain_shows_the_columns_of_a_file():
    done = run_broadsheet("explain", SEEDS / "2026-11-05-ART2611050907M7CZL3.md")
    assert done.returncode == 0
    assert "category             BUSINESS  (key category, line 8)" in done.stdout
    assert "published_at         2026-11-05 09:07:00+00:00  (from the code)" in done.stdout
    assert "image 1, line 17, inline: https://images.example.com/" in done.stdout
    assert "credit: Photo: AFP (photographer -, agency AFP)" in done.stdout
    assert "repaired at line 10: “2026-11-31T09:12:00.000Z” is not a valid date" in done.stdout


def test_explain_lists_what_is_only_in_the_body(tmp_path, capsys):
    body = "Text.\n\n```\ncode\n```\n\n<!-- a comment -->\n\n{{< youtube abc >}}\n\n![a]()\n"
    (tmp_path / "a.md").write_text(f"---\ntitle: A title\ndate: 2026-11-02\n---\n\n{body}")
    assert main(["explain", str(tmp_path / "a.md")]) == 0
    said = capsys.readouterr().out
    assert [line.partition(": ")[0] for line in said.splitlines() if line.startswith("only in body")] == [
        "only in body, line 8", "only in body, line 12", "only in body, line 14"
    ]  # fmt: skip
    assert "warning at line 16: “![a]()” looks like an image" in said


def test_explain_says_why_a_file_is_rejected():
    done = run_broadsheet("explain", SEEDS / "2026-11-05-ART2611051820D9XJN3.md")
    assert done.returncode == 0
    assert "rejected at line 6, column 25: The front matter is not valid YAML" in done.stdout


def test_explain_without_a_file(tmp_path):
    done = run_broadsheet("explain", tmp_path / "none.md")
    assert (done.returncode, done.stderr) == (
        1,
        f"broadsheet: File not found: {tmp_path}/none.md. Pass the path of a seed file.\n",
    )


def run_with_closed_pipe(*arguments: object) -> tuple[int, str]:
    """Run the command line with a closed pipe as standard output; return its exit code and its errors."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [*BROADSHEET, *map(str, arguments)]
    # Unbuffered, as often under a supervisor: each write fails.
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with os.fdopen(writer) as unread:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=unread,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
    return done.returncode, done.stderr


def test_a_closed_pipe_changes_nothing(warehouse):
    places = ("--source", SEEDS, "--warehouse", warehouse)
    assert run_with_closed_pipe("run", *places) == (0, "")
    assert (warehouse / "current" / "front_page.html").exists()
    assert run_with_closed_pipe("editions", "--warehouse", warehouse) == (0, "")
    assert run_with_closed_pipe("explain", next(SEEDS.iterdir())) == (0, "")
    assert run_with_closed_pipe("query", "FROM articles", "--format", "csv", "--warehouse", warehouse) == (0, "")
    page = warehouse / "current" / "front_page.html"
    page.chmod(0o644)
    page.write_text("another page")
    assert run_with_closed_pipe("verify", *places) == (1, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("keep_hours", "inf"),
        ("keep_hours", "nan"),
        ("keep_hours", "-1"),
        ("keep_hours", "1e300"),
        ("keep_editions", "0"),
        ("keep_editions", "9" * 5_000),
        ("lock_timeout", "9" * 400),
        ("processes", "1000000"),
        ("processes", "0"),
        ("timeout", "inf"),
        ("port", "70000"),
        ("time_zone", "../etc/passwd"),
        ("extensions", ".md,.txt"),
        ("cron", "* * *"),
    ],
)
def test_a_setting_beyond_its_limits_is_refused_before_the_run(monkeypatch, capsys, warehouse, name, value):
    monkeypatch.setenv("BROADSHEET_WAREHOUSE", str(warehouse))
    monkeypatch.setenv(f"BROADSHEET_{name.upper()}", value)
    assert main(["run", "--source", str(SEEDS)]) == 2
    stderr = capsys.readouterr().err
    assert stderr.startswith("broadsheet: ")
    assert f"BROADSHEET_{name.upper()}: " in stderr
    assert stderr.count("\n") == 1
    assert not warehouse.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["up", "--port", "0"], "--port: 0 is not valid. Use a value greater than or equal to 1."),
        (["query", "FROM articles", "--timeout", "x"], "--timeout: x is not valid. Use a valid number."),
        (["run", "--source", " "], "--source: the path is empty. Pass a folder, or omit the setting."),
    ],
)
def test_a_wrong_flag_is_named_with_its_value_and_a_fix(capsys, arguments, sentence):
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"broadsheet: {sentence}\n"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("RUNNER", "spark", "spark is not valid. Use 'local' or 'dask'."),
        ("EXTENSIONS", ".md,.txt", '.md,.txt is not a JSON list. Write it as [".md", ".txt"].'),
        ("EXTENSIONS", '".md"', ".md is not valid. Use a valid list."),
        ("KEEP_EDITIONS", "9" * 5_000, f"{'9' * 99}… is not valid (Unable to parse input string as an integer,"),
    ],
)
def test_a_wrong_variable_is_named_with_its_value_and_a_fix(monkeypatch, capsys, name, value, sentence):
    monkeypatch.setenv(f"BROADSHEET_{name}", value)
    assert main(["editions"]) == 2
    assert capsys.readouterr().err.startswith(f"broadsheet: BROADSHEET_{name}: {sentence}")


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_a_variable_that_was_renamed_is_an_error(monkeypatch, capsys, old, new):
    monkeypatch.setenv(old, "1")
    assert main(["editions"]) == 2
    assert capsys.readouterr().err == f"broadsheet: {old} is now called {new}. Rename the variable.\n"


def test_an_interrupted_run_ends_with_130(source, warehouse):
    for number in range(3000):
        (source / f"{number}.md").write_text(f"---\ntitle: A\ndate: 2026-11-23\n---\n\nText {number}.\n")
    command = [*BROADSHEET, "run", "--source", source, "--warehouse", warehouse]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not list(warehouse.glob("editions/.staging/*")):
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, stdout) == (130, "")
    assert stderr == "broadsheet: Interrupted. See what is published with broadsheet editions.\n"
    assert not (warehouse / "current").exists()
