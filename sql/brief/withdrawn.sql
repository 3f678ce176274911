-- Articles that this edition withdrew.
SELECT title, category, published_on
FROM withdrawn_articles
WHERE edition_id = $edition_id
ORDER BY title, article_id
LIMIT 20
