-- Rows that are only in one of two editions, `published_rows` and `rebuilt_rows`.
-- Hashes first: the texts of a large archive do not fit into memory, those of differing rows do.
WITH
hashes AS (
    SELECT hash(*COLUMNS(*)) AS row_hash, 1 AS times FROM published_rows
    UNION ALL
    SELECT hash(*COLUMNS(*)), -1 FROM rebuilt_rows
),
differing AS (
    SELECT row_hash FROM hashes GROUP BY row_hash HAVING sum(times) <> 0
),
rows_of_both AS (
    SELECT 'only in the edition' AS found_in, hash(*COLUMNS(*)) AS row_hash, left(published_rows::VARCHAR, 300) AS content
    FROM published_rows
    UNION ALL
    SELECT 'only in the source', hash(*COLUMNS(*)), left(rebuilt_rows::VARCHAR, 300)
    FROM rebuilt_rows
)
SELECT found_in, content
FROM rows_of_both
SEMI JOIN differing USING (row_hash)
ORDER BY content, found_in
