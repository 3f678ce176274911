-- The previous edition; no row for the first one.
SELECT edition_id, published_at
FROM editions
ORDER BY edition_id DESC
LIMIT 1 OFFSET 1
