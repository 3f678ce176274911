-- The first fifty problems, by file.
SELECT severity, source_path, line_number, message
FROM problems
ORDER BY severity <> 'rejected', severity <> 'duplicate', source_path, line_number, message
LIMIT 50
