-- The categories, for a table in the orchestrator.
SELECT category, articles, last_published_on, words, images, captions
FROM articles_by_category
LIMIT 50
