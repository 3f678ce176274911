"""The statements that `broadsheet query` answers: one SELECT as DuckDB's own parser sees it, or EXPLAIN of one."""

import re

import duckdb

from flows.errors import QueryError

_SPACE = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_EXPLAIN = re.compile(rf"{_SPACE}EXPLAIN\b{_SPACE}(?:ANALYZE\b)?", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(rf"{_SPACE}\([^()]*\)")


def require_question(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise QueryError unless a text is one SELECT or explains one; raises duckdb.Error if it cannot be parsed."""
    kinds = _kinds(connection, sql)
    if kinds == ["SELECT"]:  # so are VALUES, DESCRIBE, SHOW and SUMMARIZE
        return
    if len(kinds) == 1 and (explain := _EXPLAIN.match(sql)):
        explained = sql[explain.end() :]
        if _is_question(connection, explained) or _is_question(connection, _OPTIONS.sub("", explained, count=1)):
            return
    elif _is_question(connection, sql):
        return
    raise QueryError("A query is one question that begins with SELECT, FROM, WITH, DESCRIBE, SHOW or the like.")


def _kinds(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [statement.type.name for statement in connection.extract_statements(sql)]


def _is_question(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Return whether a statement is a SELECT or a PIVOT; CREATE TABLE … AS PIVOT is not."""
    try:
        kinds = _kinds(connection, sql)
        if kinds == ["MULTI"]:
            return _kinds(connection, f"FROM (\n{sql.rstrip().rstrip(';')}\n)") == ["MULTI"]
    except duckdb.Error:
        return False
    return kinds == ["SELECT"]
