"""Check that a query is one SELECT, or EXPLAIN of one, according to DuckDB's own parser, and that it only reads.

A SELECT may still write, through `WITH t AS (COPY …)` or a function. So the parsed statement is inspected: as the JSON
of DuckDB's parser, or word by word for a PIVOT, which has no such JSON.
"""

import re

import duckdb

from flows.errors import QueryError

_SPACE = r"(?:\s|--[^\n]*+(?:\n|\Z)|/\*.*?\*/)*+"
_EXPLAIN = re.compile(rf"{_SPACE}EXPLAIN\b{_SPACE}(ANALYZE\b)?", re.IGNORECASE | re.DOTALL)
_OPTIONS = re.compile(rf"{_SPACE}(\([\w\s,]*\))")  # ANALYZE and FORMAT
_READ_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_NODE = re.compile(r'"type":"(\w+_NODE)"')  # quotes in string literals are escaped
_FUNCTION = re.compile(r'"function_name":"((?:[^"\\]|\\.)*+)"')
# Functions that run SQL that was not inspected, sleep, change the connection, or read memory addresses.
_REFUSED_FUNCTIONS = {
    *("query", "json_execute_serialized_sql", "sleep_ms", "pg_sleep", "read_duckdb", "seq_scan"),
    *("enable_logging", "disable_logging", "write_log", "truncate_duckdb_logs", "checkpoint", "force_checkpoint"),
    *("add_grammar_extension", "remove_grammar_extension", "create_external_resource", "register_external_resource"),
    *("register_external_resource_type", "deregister_external_resource", "destroy_external_resource"),
    *("arrow_scan", "arrow_scan_dumb", "python_arrow_scan", "pandas_scan", "python_map_function"),
}
_WRITE_WORDS = {"copy", "insert", "update", "delete", "merge"}  # statements that a WITH may contain beside SELECT
_WORD = re.compile(r"\w+")
_NOT_ONE_SELECT = "A query must be a single statement that reads, such as SELECT, FROM, WITH, DESCRIBE or SHOW."


def require_select(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return the statement to execute; raise QueryError unless it is one SELECT or EXPLAIN of one, or duckdb.Error."""
    types = _statement_types(connection, sql)
    if len(types) != 1 or types[0] not in {"SELECT", "MULTI", "EXPLAIN"}:
        raise QueryError(_NOT_ONE_SELECT)
    if explain := _EXPLAIN.match(sql):
        return _rebuild_explain(connection, bool(explain[1]), sql[explain.end() :])
    if not _is_select(connection, sql):
        raise QueryError(_NOT_ONE_SELECT)
    _require_read_only(connection, sql)
    return sql


def _rebuild_explain(connection: duckdb.DuckDBPyConnection, analyze: bool, rest: str) -> str:
    """Return EXPLAIN of exactly the statement that was inspected."""
    options = "ANALYZE" if analyze else ""
    if not _is_select(connection, rest) and not analyze and (found := _OPTIONS.match(rest)):
        options, rest = found[1], rest[found.end() :]
    if not _is_select(connection, rest):
        raise QueryError(_NOT_ONE_SELECT)
    _require_read_only(connection, rest)
    return f"EXPLAIN {options}\n{rest}"


def _statement_types(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    try:
        return [statement.type.name for statement in connection.extract_statements(sql)]
    except ValueError:  # Python's DuckDB has no name for UPDATE EXTENSIONS
        return ["UNNAMED"]


def _is_select(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Return whether a statement is a SELECT or a PIVOT; CREATE TABLE … AS PIVOT is not."""
    try:
        types = _statement_types(connection, sql)
        if types == ["MULTI"]:
            return _statement_types(connection, f"FROM (\n{sql.rstrip().rstrip(';')}\n)") == ["MULTI"]
    except duckdb.Error:
        return False
    return types == ["SELECT"]


def _require_read_only(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise QueryError if a part of a query writes, or calls a function that does more than read."""
    if _statement_types(connection, sql) == ["MULTI"]:
        words = {word.lower() for word in _WORD.findall(sql)}
        writes, called = bool(words & _WRITE_WORDS), words & _REFUSED_FUNCTIONS
    else:
        rows = connection.execute("SELECT json_serialize_sql($sql::VARCHAR)", {"sql": sql}).fetchall()
        parsed = str(rows[0][0])
        nodes = set(_NODE.findall(parsed))
        writes = not nodes or not nodes <= _READ_NODES
        called = {*map(str.lower, _FUNCTION.findall(parsed))} & _REFUSED_FUNCTIONS
    if writes:
        raise QueryError("A query can only read. Remove COPY, INSERT, UPDATE, DELETE and MERGE from it.")
    if called:
        raise QueryError(f"A query cannot call the function {min(called)}. Remove it.")
