-- Keys that more than one row has.
WITH keys AS (
    SELECT 'articles' AS table_name, article_id AS key FROM articles
    UNION ALL
    SELECT 'images', image_id FROM images
    UNION ALL
    SELECT 'captions', caption_id FROM captions
    UNION ALL
    SELECT 'sources', source_path FROM sources
    UNION ALL
    SELECT 'editions', edition_id FROM editions
)
SELECT table_name, key, count(*) AS times
FROM keys
GROUP BY table_name, key
HAVING count(*) > 1
