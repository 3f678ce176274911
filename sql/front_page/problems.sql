-- The kinds of problems, each with its first file; files that are not published come first.
SELECT
    severity,
    remedy,
    count(*) AS times,
    first(message ORDER BY source_path, line_number, message) AS message,
    min(source_path) AS source_path,
    first(line_number ORDER BY source_path, line_number, message) AS line_number
FROM problems
GROUP BY severity, code, remedy
ORDER BY severity <> 'rejected', severity <> 'duplicate', times DESC, remedy
LIMIT 20
