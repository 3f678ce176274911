-- The problems of seed files, for a table in the orchestrator.
SELECT source_path, line_number, severity, message, remedy
FROM problems
ORDER BY severity <> 'rejected', severity <> 'duplicate', source_path, line_number
LIMIT 100
