-- Articles that were published and have been withdrawn, the latest withdrawal first.
-- article_id: The article.
-- title: Its last title.
-- category: Its last category; null if it had none.
-- published_on: Its last day of publication; null if it was undated.
-- withdrawn_at: Time of the edition that noticed the withdrawal.
-- edition_id: That edition.
CREATE OR REPLACE VIEW withdrawn_articles AS
WITH last_withdrawals AS (
    SELECT article_id, max(edition_id) AS edition_id
    FROM changes
    WHERE change = 'withdrawn'
    GROUP BY article_id
)
SELECT
    article_id,
    max(old_value) FILTER (field = 'title') AS title,
    max(old_value) FILTER (field = 'category') AS category,
    max(old_value) FILTER (field = 'published_on')::DATE AS published_on,
    max(noticed_at) AS withdrawn_at,
    edition_id
FROM changes
JOIN last_withdrawals USING (article_id, edition_id)
ANTI JOIN articles USING (article_id)
WHERE change = 'withdrawn'
GROUP BY article_id, edition_id
ORDER BY withdrawn_at DESC, article_id;
