-- Articles that this edition added or restored, the latest first.
SELECT a.title, a.category, a.published_on
FROM articles AS a
SEMI JOIN (FROM changes WHERE edition_id = $edition_id AND change IN ('added', 'restored')) AS c USING (article_id)
ORDER BY a.published_at DESC NULLS LAST, a.article_id
LIMIT 20
