"""Run the README: each command succeeds, and each query returns the answer that is printed below it."""

import csv
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from docs.example import newsroom, publish
from flows.cli.main import main
from tests.conftest import ROOT, end
from tests.prefect_server import prefect_environment, running_server

README = (ROOT / "README.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```\n\n((?:\|[^\n]*\n)+)", README, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
SCHEDULE = COMMANDS[COMMANDS.index("make up") :]
ONCE = [line for line in COMMANDS if line not in SCHEDULE] + [".venv/bin/python -m flows.etl"]


def as_markdown(names: list[str], rows: Iterable[Iterable[object]]) -> str:
    """Format the answer to a query as a Markdown table."""
    cells = [["" if value is None else str(value) for value in row] for row in (names, *rows)]
    head, *body = [f"| {' | '.join(row)} |\n" for row in cells]
    return "".join([head, "|---" * len(names) + "|\n", *body])


@pytest.fixture(scope="module")
def corrected() -> Iterator[Path]:
    """Publish an edition of seeds/ dated yesterday with one correction; yield its folder."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with newsroom(before=f"{yesterday:%Y%m%d}T110000Z") as folder:
        yield publish(folder, f"{yesterday:%Y%m%d}T120000Z")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project's files to another folder, with a link to this virtual environment."""
    folder = tmp_path_factory.mktemp("clone") / "broadsheet"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in (name for name in listed.stdout.splitlines() if (ROOT / name).exists()):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def run(command: str, clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, **environment}
    return subprocess.run(
        ["bash", "-c", command], cwd=clone, env=variables, capture_output=True, text=True, timeout=300, check=False
    )


each_query = pytest.mark.parametrize(("sql", "answer"), QUERIES, ids=lambda text: text.split("\n")[0][:40])


def test_readme_has_six_queries():
    assert len(QUERIES) == 6


@each_query
def test_duckdb_returns_the_documented_answer(corrected, sql, answer):
    with duckdb.connect(corrected / "broadsheet.duckdb", read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.sql(sql)
        assert as_markdown(found.columns, found.fetchall()) == answer


@each_query
def test_broadsheet_query_returns_the_documented_answer(corrected, capsys, sql, answer):
    assert main(["query", sql, "--format", "csv", "--warehouse", str(corrected.parents[1])]) == 0
    names, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert as_markdown(names, rows) == answer


def test_expression_for_this_month():
    (this_month,) = re.findall(r"for the current month, replace `'2026-11'` with `([^`]*)`", README)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        assert connection.sql(f"SELECT {this_month}").fetchall() == [(f"{datetime.now(UTC):%Y-%m}",)]


@pytest.mark.slow
def test_commands_succeed_in_order(clone, tmp_path):
    environment = prefect_environment(tmp_path)
    for command in ONCE:
        # This test is itself part of `make test`, so only print what make would run.
        done = run("make --dry-run test" if command == "make test" else command, clone, **environment)
        assert done.returncode == 0, f"{command}: {done.stderr}"
    assert (clone / "warehouse" / "current" / "front_page.html").exists()


@pytest.mark.parametrize("dated", [True, False])
def test_python_example_runs(source, warehouse, publish, dated):
    # Without any date, the months have no value from which pyarrow could infer their type.
    date = "date: 2026-11-23" if dated else "layout: post"
    (source / "a.md").write_text(f"---\ntitle: A\n{date}\n---\n\nText.\n")
    publish()
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=warehouse.parent, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_example_seed_file_is_published_without_problems(source, publish):
    (shown,) = re.findall(r"```markdown\n(.*?)```", README, re.DOTALL)
    (source / "shown.md").write_text(shown)
    edition = publish().edition
    assert (edition.articles, edition.images, edition.captions, edition.rejected, edition.repaired) == (1, 2, 1, 0, 0)


@contextmanager
def worker(command: str, clone: Path, environment: dict[str, str]) -> Iterator[Iterable[str]]:
    """Start a worker, yield the lines that it prints, and stop it at the end of the block."""
    variables = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        shlex.split(command), cwd=clone, env=variables, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout
        yield process.stdout
    finally:
        end(process)


@pytest.mark.slow
def test_schedule_commands_deploy_and_start_a_worker(clone, tmp_path):
    up, *commands, last = SCHEDULE
    assert up == "make up"  # test_up.py runs it
    assert last.endswith("worker start --pool broadsheet")
    with running_server(tmp_path) as server:
        commands = [command.replace("http://127.0.0.1:4200/api", server.url) for command in commands]
        done = run(" && ".join(commands), clone, **server.environment)
        assert done.returncode == 0, done.stderr
        assert {deployment["name"] for deployment in server.post("deployments/filter")} == {
            "hourly",
            "rebuild",
            "weekly",
        }
        assert len(server.post("automations/filter")) == 2
        with worker(last, clone, server.environment) as lines:
            assert any("started!" in line for line in lines)
