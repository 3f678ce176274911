-- Tables whose rows in Parquet differ from those in DuckDB.
-- The view `fingerprints` has a row for each table of flows/schema.py and each origin; flows/warehouse/fingerprints.py
-- derives it. The fingerprint of a table without rows is null.
SELECT table_name, list(origin || ': ' || row_count || ' rows' ORDER BY origin) AS found
FROM fingerprints
GROUP BY table_name
HAVING count(DISTINCT fingerprint) <> 1 AND max(row_count) > 0 OR min(row_count) <> max(row_count)
