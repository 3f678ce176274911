-- Age of each category's latest article when the edition was published.
-- category: Category; null for articles without a category.
-- last_published_at: Instant of its latest article, UTC; null if all are undated.
-- age_in_hours: Hours from that instant to the edition's time; negative if it is later.
CREATE OR REPLACE VIEW freshness AS
WITH latest AS (
    SELECT category, max(published_at) AS last_published_at
    FROM articles
    GROUP BY category
)
SELECT
    category,
    last_published_at,
    (epoch_us((SELECT max(published_at) FROM editions)) - epoch_us(last_published_at)) / 3.6e9 AS age_in_hours
FROM latest
ORDER BY age_in_hours, category;
