"""Query the current edition in four formats, and nothing else."""

import csv
import io
import json
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq
import pytest

from flows.cli.main import main
from tests.conftest import BROADSHEET, ROOT

DAYS = "SELECT published_on, articles, articles_7_day_mean AS mean FROM articles_by_day LIMIT 2"


class Result(NamedTuple):
    """The result of a command."""

    returncode: int
    stdout: str
    stderr: str


def run_query(edition: Path, sql: str, *flags: object) -> Result:
    return broadsheet("query", sql, "--warehouse", edition.parents[1], *flags)


def broadsheet(*arguments: object) -> Result:
    """Run the command line in this process."""
    with redirect_stdout(io.StringIO()) as stdout, redirect_stderr(io.StringIO()) as stderr:
        code = main([str(argument) for argument in arguments])
    return Result(code, stdout.getvalue(), stderr.getvalue())


def error_message(done: Result) -> str:
    """Return the one-sentence error of a failed query."""
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("broadsheet: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("broadsheet: ").rstrip()


def test_the_default_format_is_a_table(demo):
    done = run_query(demo, "SELECT category, articles FROM articles_by_category")
    assert done.returncode == 0
    assert [line.strip("│ ").split() for line in done.stdout.splitlines() if "WORLD" in line] == [["WORLD", "│", "8"]]


def test_csv(demo):
    done = run_query(demo, DAYS + " OFFSET 1", "--format", "csv")
    assert done.stdout == "published_on,articles,mean\n2026-10-25,1,1.5\n2026-10-26,2,1.6666666666666667\n"


def test_csv_keeps_the_text_of_articles(demo):
    done = run_query(demo, "SELECT article_id, body, description FROM articles ORDER BY ALL", "--format", "csv")
    rows = list(csv.reader(done.stdout.splitlines(keepends=True)))
    assert len(rows) == 25
    assert any("\n" in body for _, body, _ in rows)


def test_json_has_numbers_booleans_and_nulls(demo):
    sql = """
        SELECT sum(word_count) AS words, true AS truth, NULL AS nothing, 0 / 0 AS no_number, 1.5 AS decimal,
            max(published_at) AS instant, max(published_on) AS day
        FROM articles
    """
    assert json.loads(run_query(demo, sql, "--format", "json").stdout) == [
        {
            "words": 4170, "truth": True, "nothing": None, "no_number": None, "decimal": 1.5,
            "instant": "2026-11-10T16:36:37.341000Z", "day": "2026-11-10",
        }
    ]  # fmt: skip


@pytest.mark.parametrize(("form", "empty"), [("csv", "title\n"), ("json", "[]\n")])
def test_a_result_without_rows(demo, form, empty):
    assert run_query(demo, "SELECT title FROM articles WHERE false", "--format", form).stdout == empty


def test_parquet(demo, tmp_path):
    done = run_query(demo, "FROM articles_by_day", "--format", "parquet", "--output", tmp_path / "days.parquet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert pq.read_table(tmp_path / "days.parquet")["articles"].to_pylist()[:3] == [2, 1, 2]


def test_output_accepts_every_format(demo, tmp_path):
    for form in ("table", "csv", "json"):
        assert run_query(demo, DAYS, "--format", form, "--output", tmp_path / form).stdout == ""
        assert (tmp_path / form).read_text() == run_query(demo, DAYS, "--format", form).stdout


def test_parquet_needs_a_file(demo):
    done = run_query(demo, DAYS, "--format", "parquet")
    assert (done.returncode, done.stderr) == (2, "broadsheet: Parquet needs a file. Pass one with --output.\n")


def test_an_error_is_one_sentence(demo):
    assert error_message(run_query(demo, "FROM artcles")) == (
        'Query failed: Table with name artcles does not exist! Did you mean "articles"?'
    )
    assert error_message(run_query(demo, "SELEC 1")) == 'Query failed: syntax error at or near "SELEC".'
    assert error_message(run_query(demo, "SELECT error('no\nnumber')")) == "Query failed: no number."


def test_two_columns_of_one_name_are_refused(demo):
    sql = "SELECT 1 AS a, 2 AS a"
    assert error_message(run_query(demo, sql, "--format", "json")) == "Two columns have the name a. Rename one with AS."
    assert run_query(demo, sql).returncode == 0


def test_without_an_edition_it_says_what_to_do(tmp_path):
    done = broadsheet("query", "FROM articles", "--warehouse", tmp_path)
    assert error_message(done) == f"No edition in {tmp_path} yet. Publish one with broadsheet run."


def test_a_file_that_cannot_be_written_is_named(demo, tmp_path):
    done = run_query(demo, DAYS, "--format", "csv", "--output", tmp_path / "no" / "days.csv")
    assert str(tmp_path / "no" / "days.csv") in error_message(done)


@pytest.mark.parametrize("sql", ["", "SELECT 1; SELECT 2", "CREATE TABLE t AS SELECT 1", "DELETE FROM articles", "SET threads = 1", "BEGIN"])  # fmt: skip
def test_only_a_select_is_executed(demo, sql):
    assert error_message(run_query(demo, sql)).startswith("A query must be a single statement")


EXPLAINED = [
    "COPY (SELECT 1) TO '{file}'",
    "COPY (PIVOT (SELECT 1 AS a) ON a USING count(*)) TO '{file}'",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS PIVOT (SELECT 1 AS a) ON a USING count(*)",
    "WITH t AS (SELECT 1) INSERT INTO articles FROM t",
    "DELETE FROM articles",
    "PREPARE p AS SELECT 1",
    "LOAD json",
    "SET threads = 1",
    "CALL range(3)",
    "SELECT 1; DROP VIEW freshness",
]


@pytest.mark.parametrize("explain", ["EXPLAIN", "explain/* ( */analyze --\n", "EXPLAIN (ANALYZE, FORMAT json)", ""])
@pytest.mark.parametrize("sql", EXPLAINED)
def test_explain_refuses_and_executes_nothing_but_a_select(demo, tmp_path, explain, sql):
    message = error_message(run_query(demo, f"{explain} {sql.format(file=tmp_path / 'out.csv')}"))
    assert message.startswith(("A query must be a single statement", "Query failed: syntax error"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("explain", ["EXPLAIN", "-- why\n explain /* ( */ analyze", "EXPLAIN (ANALYZE, FORMAT json)"])
@pytest.mark.parametrize("sql", ["FROM articles", "(SELECT 1)", "PIVOT articles ON category USING count(*);"])
def test_every_kind_of_select_can_be_explained(demo, explain, sql):
    assert run_query(demo, f"{explain} {sql}").returncode == 0


@pytest.mark.parametrize("sql", ["DESCRIBE articles", "SHOW TABLES", "SUMMARIZE articles_by_day", "EXPLAIN FROM articles", "PIVOT articles ON category IN ('WORLD') USING count(*)", "VALUES (1)"])  # fmt: skip
def test_every_kind_of_select_is_executed(demo, sql):
    assert run_query(demo, sql).returncode == 0


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_csv('{file}')",
        "FROM '{file}'",
        "FROM read_text('{file}')",
        "FROM glob('{file}')",
        "FROM read_parquet('http://127.0.0.1:9/a.parquet')",
        "FROM rows",
        "FROM batch",
    ],
)
def test_nothing_but_the_edition_is_read(demo, tmp_path, sql):
    (tmp_path / "secret.csv").write_text("word\nsesame\n")
    message = error_message(run_query(demo, sql.format(file=tmp_path / "secret.csv")))
    assert "sesame" not in message
    assert "disabled" in message or "does not exist" in message


def test_a_title_cannot_control_the_terminal(demo):
    shown = run_query(demo, "SELECT chr(27) || '[31m' || chr(155) || '31m' AS title").stdout
    assert "\x1b" not in shown
    assert "\x9b" not in shown


def test_a_closed_pipe_ends_a_query_silently(demo):
    command = [*BROADSHEET, "query", "FROM range(1000000)", "--format", "csv", "--warehouse", str(demo.parents[1])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
