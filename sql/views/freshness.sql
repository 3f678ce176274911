-- How old the latest article of each category was when the edition was made.
-- category: Category; null for the articles that have none.
-- last_published_at: Instant of its latest article, UTC; null when all are undated.
-- age_in_hours: Hours from that instant to the edition's time; negative where it lies ahead.
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
