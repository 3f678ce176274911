-- The latest corrections, with long values shortened; the values of a body are left out.
SELECT
    c.title,
    language,
    c.noticed_at,
    c.field,
    if(c.field = 'body', NULL, left(c.old_value, 120)) AS old_value,
    if(c.field = 'body', NULL, left(c.new_value, 120)) AS new_value
FROM corrections AS c
LEFT JOIN articles USING (article_id)
ORDER BY c.edition_id DESC, c.article_id, c.field
LIMIT 6
