-- The latest withdrawals of articles that are still gone.
SELECT title, category, withdrawn_at
FROM withdrawn_articles
ORDER BY edition_id DESC, article_id
LIMIT 6
