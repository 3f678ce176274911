-- Seed files that could not be published, and why.
SELECT source_path, line_number, message, remedy
FROM problems
WHERE severity = 'rejected'
ORDER BY source_path
LIMIT 20
