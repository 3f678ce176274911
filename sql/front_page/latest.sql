-- The latest articles.
SELECT title, category, language, published_on
FROM articles
ORDER BY published_at DESC NULLS LAST, article_id
LIMIT 8
