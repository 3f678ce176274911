-- What is wrong in seed files, rejected ones first; at most a hundred.
SELECT severity, source_path, line_number, message, remedy
FROM problems
ORDER BY severity <> 'rejected', severity <> 'duplicate', source_path, line_number
LIMIT 100
