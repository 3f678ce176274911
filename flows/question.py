"""Which statements `broadsheet query` answers: one SELECT, or what DuckDB's own parser takes for one."""

import re

import duckdb

from flows.errors import QueryError

_SPACE = r"(?:\s|--[^\n]*\n|/\*.*?\*/)*"
_EXPLAIN = re.compile(rf"{_SPACE}EXPLAIN\b{_SPACE}(?:ANALYZE\b)?", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(rf"{_SPACE}\([^()]*\)")


def require_question(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise QueryError where a text is not one question, or explains what is none; raises duckdb.Error."""
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
    """Whether a statement is a SELECT, or a PIVOT, which may stand in its place; CREATE TABLE … AS PIVOT may not."""
    try:
        kinds = _kinds(connection, sql)
        if kinds == ["MULTI"]:
            return _kinds(connection, f"FROM (\n{sql.rstrip().rstrip(';')}\n)") == ["MULTI"]
    except duckdb.Error:
        return False
    return kinds == ["SELECT"]
