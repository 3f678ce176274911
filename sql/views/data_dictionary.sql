-- Every column of every table and view, with its description.
-- table_name: Name of the table or view.
-- column_name: Name of the column.
-- data_type: Type of the column in DuckDB.
-- description: What the column holds.
CREATE OR REPLACE VIEW data_dictionary AS
SELECT
    table_name,
    column_name,
    data_type,
    comment AS description
FROM duckdb_columns()
WHERE NOT internal AND database_name = current_database() AND schema_name = 'main'
ORDER BY table_name, column_index;
