-- Articles that this edition corrected, with the corrected fields.
SELECT a.title, string_agg(c.field, ', ' ORDER BY c.field) AS fields
FROM changes AS c
JOIN articles AS a USING (article_id)
WHERE c.edition_id = $edition_id AND c.change = 'corrected'
GROUP BY a.article_id, a.title
ORDER BY a.title, a.article_id
LIMIT 20
