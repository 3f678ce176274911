-- The number of seed files that made the parser fail: one row.
SELECT count(*) AS files
FROM problems
WHERE code = 'internal_error'
