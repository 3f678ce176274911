-- Fields of published articles that were corrected, the newest first.
-- noticed_at: Time of the edition that noticed the correction.
-- edition_id: Edition that noticed it.
-- article_id: The article.
-- title: Its current title; the last title if it has been withdrawn since.
-- field: Column that changed; image is the url of the hero.
-- old_value: Previous value, as text; null if there was none.
-- new_value: New value, as text; null if there is none.
CREATE OR REPLACE VIEW corrections AS
WITH last_titles AS (
    SELECT article_id, max_by(old_value, edition_id) AS last_title
    FROM changes
    WHERE change = 'withdrawn' AND field = 'title'
    GROUP BY article_id
)
SELECT
    c.noticed_at,
    c.edition_id,
    c.article_id,
    coalesce(a.title, t.last_title) AS title,
    c.field,
    c.old_value,
    c.new_value
FROM changes AS c
LEFT JOIN articles AS a ON a.article_id = c.article_id
LEFT JOIN last_titles AS t ON t.article_id = c.article_id
WHERE c.change = 'corrected'
ORDER BY c.noticed_at DESC, c.article_id, c.field;
