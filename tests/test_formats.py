"""Write every type of DuckDB in every format, or name the column that the format does not support."""

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from flows.cli.main import main

# Values in SQL, and their text in CSV and JSON.
VALUES = {
    "DATE '2026-11-23'": ("2026-11-23", "2026-11-23"),
    "DATE '0044-03-15 (BC)'": ("0044-03-15 (BC)", "0044-03-15 (BC)"),
    "DATE '12345-01-01'": ("12345-01-01", "12345-01-01"),
    "DATE 'infinity'": ("infinity", "infinity"),
    "DATE '-infinity'": ("-infinity", "-infinity"),
    "TIMESTAMP '2026-11-23 10:00:00'": ("2026-11-23T10:00:00", "2026-11-23T10:00:00"),
    "TIMESTAMP '0044-03-15 (BC) 10:00:00'": ("0044-03-15 (BC) 10:00:00", "0044-03-15 (BC) 10:00:00"),
    "TIMESTAMP 'infinity'": ("infinity", "infinity"),
    "TIMESTAMPTZ '2026-11-23 10:00:00.5+02'": ("2026-11-23T08:00:00.500000Z", "2026-11-23T08:00:00.500000Z"),
    "TIMESTAMPTZ '20000-03-15 10:00:00+00'": ("20000-03-15 10:00:00+00", "20000-03-15 10:00:00+00"),
    "TIMESTAMPTZ '-infinity'": ("-infinity", "-infinity"),
    "'2026-11-23 10:00:00.123456789'::TIMESTAMP_NS": ("2026-11-23T10:00:00.123456789", "2026-11-23T10:00:00.123456789"),
    "TIME '24:00:00'": ("24:00:00", "24:00:00"),
    "'10:00:00+05'::TIMETZ": ("10:00:00+05", "10:00:00+05"),
    "INTERVAL '1 month 2 days'": ("1 month 2 days", "1 month 2 days"),
    "(2::HUGEINT ** 0)::HUGEINT * 170141183460469231731687303715884105727": (str(2**127 - 1), 2**127 - 1),
    "12345678901234567890123456789012.123456::DECIMAL(38,6)": ("12345678901234567890123456789012.123456", 1.2345678901234567e31),
    "1.5::DECIMAL(4,2)": ("1.50", 1.5),
    "'nan'::DOUBLE": ("nan", None),
    "'infinity'::DOUBLE": ("inf", "inf"),
    "'-infinity'::FLOAT": ("-inf", "-inf"),
    "true": ("true", True),
    "NULL": ("", None),
    r"'\x00\xFFab'::BLOB": (r"\x00\xFFab", r"\x00\xFFab"),
    "'0101'::BIT": ("0101", "0101"),
    "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID": ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",) * 2,
    "'a'::ENUM ('a', 'b')": ("a", "a"),
    "[1, NULL, 3]": ("[1, NULL, 3]", [1, None, 3]),
    "{'day': DATE 'infinity', 'n': ['nan'::DOUBLE], 's': 'is \"NaN\"'}": (
        "{'day': infinity, 'n': [nan], 's': 'is \"NaN\"'}", {"day": "infinity", "n": [None], "s": 'is "NaN"'},
    ),
    "MAP {'k': NULL}": ("{k=NULL}", {"k": None}),
    "union_value(n := 1)": ("1", {"n": 1}),
    "'{\"a\": [1]}'::JSON": ('{"a": [1]}', {"a": [1]}),
    "'one' || chr(13) || chr(10) || 'two, \"three\"'": ('one\r\ntwo, "three"',) * 2,
    "'four' || chr(13)": ("four\r",) * 2,
}  # fmt: skip
COLUMNS = {f"c{number}": value for number, value in enumerate(VALUES)}
ALL = "SELECT " + ", ".join(f"{value} AS {name}" for name, value in COLUMNS.items())


@pytest.fixture
def run_query(demo, capsysbinary):
    """Return a function that queries the demo's edition and returns the exit code, the output and the errors."""

    def asked(sql: str, form: str, *flags: object) -> tuple[int, str, str]:
        code = main(["query", sql, "--format", form, *map(str, flags), "--warehouse", str(demo.parents[1])])
        stdout, stderr = capsysbinary.readouterr()
        return code, stdout.decode(), stderr.decode()

    return asked


def test_csv_supports_every_type(run_query):
    code, stdout, _ = run_query(ALL, "csv")
    names, row = csv.reader(io.StringIO(stdout, newline=""))
    assert (code, names) == (0, list(COLUMNS))
    assert dict(zip(VALUES, row, strict=True)) == {value: form for value, (form, _) in VALUES.items()}


def test_json_supports_every_type_and_is_valid(run_query):
    code, stdout, _ = run_query(ALL, "json")
    (row,) = json.loads(stdout, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert code == 0
    assert dict(zip(VALUES, row.values(), strict=True)) == {value: form for value, (_, form) in VALUES.items()}


FORMULAS = {
    "=1+1": "'=1+1",
    "+cmd|' /C calc'!A0": "'+cmd|' /C calc'!A0",
    "-1+2": "'-1+2",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\t=1",
    "\r=1": "'\r=1",
    "\n=1": "'\n=1",
    "＝1+1": "'＝1+1",
    "-12.5": "-12.5",
    "+33": "+33",
    "-1e-5": "-1e-5",
    "a=1": "a=1",
    "'=1": "'=1",
    "": "",
}


def test_safe_csv_has_no_formulas(run_query, tmp_path):
    literals = ", ".join("'" + text.replace("'", "''") + "'" for text in FORMULAS)
    sql = f"SELECT unnest([{literals}]) AS \"=title\", -1 AS number, DATE '2026-11-23' AS day"
    code, stdout, _ = run_query(sql, "csv", "--safe-csv")
    names, *rows = csv.reader(io.StringIO(stdout, newline=""))
    assert (code, names) == (0, ["'=title", "number", "day"])
    assert rows == [[text, "-1", "2026-11-23"] for text in FORMULAS.values()]
    exact = [row[0] for row in csv.reader(io.StringIO(run_query(sql, "csv")[1], newline=""))]
    assert exact == ["=title", *FORMULAS]
    assert run_query(sql, "csv", "--safe-csv", "--output", tmp_path / "safe.csv")[0] == 0
    assert (tmp_path / "safe.csv").read_bytes() == stdout.encode()


@pytest.mark.parametrize("form", ["table", "json", "parquet"])
def test_safe_csv_is_for_csv_only(run_query, tmp_path, form):
    assert run_query("SELECT 1", form, "--safe-csv", "--output", tmp_path / "answer") == (
        2,
        "",
        "broadsheet: --safe-csv needs --format csv. Add it, or omit --safe-csv.\n",
    )


def test_json_keeps_every_digit(run_query):
    assert '{"d": 12345678901234567890.123456}' in run_query("SELECT 12345678901234567890.123456 AS d", "json")[1]


@pytest.mark.parametrize("value", VALUES)
def test_a_table_supports_every_type(run_query, value):
    assert run_query(f"SELECT {value} AS value", "table")[0] == 0


PARQUET = (
    "SELECT DATE 'infinity' AS a, DATE '0044-03-15 (BC)' AS b, TIMESTAMPTZ '-infinity' AS c, TIMESTAMP '20000-01-01' AS d,"
    " {'n': [NULL, 'nan'::DOUBLE]} AS e, 'a'::ENUM ('a') AS f, sum(i) AS g, MAP {'k': NULL::INT} AS h"
    " FROM range(3) AS t(i)"
)


def test_parquet_keeps_what_duckdb_reads_back(run_query, tmp_path):
    file = tmp_path / "answer.parquet"
    assert run_query(PARQUET, "parquet", "--output", file) == (0, "", "")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        wanted, found = (
            connection.sql(f"SELECT COLUMNS(*)::VARCHAR FROM ({rows})").fetchall()
            for rows in (PARQUET, f"FROM '{file}'")
        )
    assert wanted == found


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        ("INTERVAL '1 day'", "INTERVAL"),
        ("'10:00:00+05'::TIMETZ", "TIME WITH TIME ZONE"),
        ("'01'::BIT", "BIT"),
        ("[{'a': INTERVAL '1 day'}]", "STRUCT(a INTERVAL)[]"),
        ("union_value(n := 1)", "UNION(n INTEGER)"),
        ("340282366920938463463374607431768211455::UHUGEINT", "UHUGEINT"),
        ("170141183460469231731687303715884105727::HUGEINT", "HUGEINT"),
        ("'infinity'::TIMESTAMP_S", "TIMESTAMP_S"),
        ("TIME '24:00:00'", "TIME"),
        ("MAP {}", 'MAP("NULL", "NULL")'),
        ("'a'::VARIANT", "VARIANT"),
    ],
)
def test_a_type_that_parquet_lacks_is_reported_with_its_column_and_a_fix(run_query, tmp_path, value, type_):
    file: Path = tmp_path / "answer.parquet"
    assert run_query(f'SELECT 1 AS fine, {value} AS "o""dd"', "parquet", "--output", file) == (
        1,
        "",
        f'broadsheet: Parquet cannot hold the column o"dd ({type_}), or one of its values.'
        ' Cast it in the query, for example CAST("o""dd" AS VARCHAR), or choose --format csv.\n',
    )
    assert list(tmp_path.iterdir()) == []
    assert run_query(f'SELECT CAST({value} AS VARCHAR) AS "o""dd"', "parquet", "--output", file)[0] == 0


def test_a_table_reports_an_error_after_the_first_rows(run_query):
    late = "SELECT CASE i WHEN 9_000 THEN 'x' ELSE '1' END::INT AS number FROM range(10_000) AS t(i)"
    assert run_query(late, "table") == (
        1,
        "",
        "broadsheet: Query failed: Could not convert string 'x' to INT32.\n",
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("9223372036854775807 + i", "Overflow in addition"),
        ("error('no ' || i)", "no 0"),
        ("list_sum(range(100_000_000_000 + i))", ""),
    ],
)
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_an_error_is_one_sentence_in_every_format(run_query, form, fault, words):
    code, _, stderr = run_query(f"SELECT {fault} AS n FROM range(3) AS t(i)", form)
    assert code == 1
    assert stderr.startswith("broadsheet: Query failed: ")
    assert words in stderr
    assert stderr.count("\n") == 1
