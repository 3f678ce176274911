-- The tables and views with their descriptions.
SELECT table_name AS name, comment AS description, 'table' AS kind
FROM duckdb_tables()
WHERE database_name = current_database()
UNION ALL
SELECT view_name, comment, 'view'
FROM duckdb_views()
WHERE database_name = current_database() AND NOT internal
ORDER BY kind DESC, name
