-- Images that several articles show, identified by their address; one with a template expression identifies none.
-- url: Address of the image.
-- articles: Number of articles that show it, at least two.
-- uses: Total number of uses in these articles.
-- first_published_on: Day of the earliest of these articles; null if all are undated.
-- last_published_on: Day of the latest of these articles; null if all are undated.
CREATE OR REPLACE VIEW image_reuse AS
WITH repeated AS (
    SELECT url
    FROM images
    WHERE NOT (starts_with(url, '{') OR contains(url, '{{') OR contains(url, '{%'))
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
