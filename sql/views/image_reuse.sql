-- Images that several articles show, known by their address.
-- url: Address of the image.
-- articles: Articles that show it, two at least.
-- uses: How often they show it in all.
-- first_published_on: Day of the earliest of these articles; null when all are undated.
-- last_published_on: Day of the latest of these articles; null when all are undated.
CREATE OR REPLACE VIEW image_reuse AS
WITH repeated AS (
    SELECT url
    FROM images
    GROUP BY url
    HAVING count(*) > 1
)
SELECT
    url,
    count(DISTINCT article_id) AS articles,
    count(*) AS uses,
    min(published_on) AS first_published_on,
    max(published_on) AS last_published_on
FROM images
SEMI JOIN repeated USING (url)
JOIN articles USING (article_id)
GROUP BY url
HAVING count(DISTINCT article_id) > 1
ORDER BY articles DESC, uses DESC, url;
