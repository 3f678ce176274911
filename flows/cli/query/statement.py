"""The statements that `broadsheet query` answers: one SELECT as DuckDB's own parser sees it, or EXPLAIN of one.

A statement that DuckDB calls SELECT may still write, through `WITH t AS (COPY …)` or a function. So the parsed
statement is inspected: as the JSON of DuckDB's parser, or word by word for a PIVOT, which has no such JSON.
"""

import re

import duckdb

from flows.errors import QueryError

_SPACE = r"(?:\s|--[^\n]*+(?:\n|\Z)|/\*.*?\*/)*+"
_EXPLAIN = re.compile(rf"{_SPACE}EXPLAIN\b{_SPACE}(ANALYZE\b)?", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(rf"{_SPACE}(\([\w\s,]*\))")  # ANALYZE and FORMAT
_READING = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_NODE = re.compile(r'"type":"(\w+_NODE)"')  # a quote within a text of the query is escaped
_FUNCTION = re.compile(r'"function_name":"((?:[^"\\]|\\.)*+)"')
# Functions that run SQL of which nothing is known yet, wait, change the connection, or take addresses in memory.
_REFUSED = {
    *("query", "json_execute_serialized_sql", "sleep_ms", "pg_sleep", "read_duckdb", "seq_scan"),
    *("enable_logging", "disable_logging", "write_log", "truncate_duckdb_logs", "checkpoint", "force_checkpoint"),
    *("add_grammar_extension", "remove_grammar_extension", "create_external_resource", "register_external_resource"),
    *("register_external_resource_type", "deregister_external_resource", "destroy_external_resource"),
    *("arrow_scan", "arrow_scan_dumb", "python_arrow_scan", "pandas_scan", "python_map_function"),
}
_WRITING = {"copy", "insert", "update", "delete", "merge"}  # what a WITH may hold beside SELECT
_WORD = re.compile(r"\w+")
_ONE_QUESTION = "A query is one question that begins with SELECT, FROM, WITH, DESCRIBE, SHOW or the like."


def require_question(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the statement to execute; raise QueryError unless it is one SELECT or EXPLAIN of one, or duckdb.Error."""
    kinds = _kinds(connection, sql)
    if len(kinds) != 1 or kinds[0] not in {"SELECT", "MULTI", "EXPLAIN"}:
        raise QueryError(_ONE_QUESTION)
    if explain := _EXPLAIN.match(sql):
        return _explained(connection, bool(explain[1]), sql[explain.end() :])
    if not _is_question(connection, sql):
        raise QueryError(_ONE_QUESTION)
    _require_reading(connection, sql)
    return sql


def _explained(connection: duckdb.DuckDBPyConnection, analyze: bool, rest: str) -> str:
    """Return EXPLAIN of the statement that was inspected, not the text that contained it."""
    options = "ANALYZE" if analyze else ""
    if not _is_question(connection, rest) and not analyze and (found := _OPTIONS.match(rest)):
        options, rest = found[1], rest[found.end() :]
    if not _is_question(connection, rest):
        raise QueryError(_ONE_QUESTION)
    _require_reading(connection, rest)
    return f"EXPLAIN {options}\n{rest}"


def _kinds(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    try:
        return [statement.type.name for statement in connection.extract_statements(sql)]
    except ValueError:  # Python's DuckDB has no name for UPDATE EXTENSIONS
        return ["UNNAMED"]


def _is_question(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Return whether a statement is a SELECT or a PIVOT; CREATE TABLE … AS PIVOT is not."""
    try:
        kinds = _kinds(connection, sql)
        if kinds == ["MULTI"]:
            return _kinds(connection, f"FROM (\n{sql.rstrip().rstrip(';')}\n)") == ["MULTI"]
    except duckdb.Error:
        return False
    return kinds == ["SELECT"]


def _require_reading(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise QueryError if a part of a question writes, or calls a function that does more than read."""
    if _kinds(connection, sql) == ["MULTI"]:
        words = {word.lower() for word in _WORD.findall(sql)}
        writes, called = bool(words & _WRITING), words & _REFUSED
    else:
        rows = connection.execute("SELECT json_serialize_sql($sql::VARCHAR)", {"sql": sql}).fetchall()
        parsed = str(rows[0][0])
        nodes = set(_NODE.findall(parsed))
        writes, called = not nodes or not nodes <= _READING, {*map(str.lower, _FUNCTION.findall(parsed))} & _REFUSED
    if writes:
        raise QueryError("A query can only read. Remove COPY, INSERT, UPDATE, DELETE and MERGE from it.")
    if called:
        raise QueryError(f"A query cannot call the function {min(called)}. Remove it.")
