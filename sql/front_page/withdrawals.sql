-- The latest withdrawals of articles that have not been restored.
SELECT title, category, withdrawn_at
FROM withdrawn_articles
ORDER BY edition_id DESC, article_id
LIMIT 6
