-- What is wrong in seed files, a row for each kind with its first file; what is not published comes first.
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
