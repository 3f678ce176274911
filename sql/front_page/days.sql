-- The last 91 days up to the edition's day, or up to the last day if all are later: a typing error may say 2099.
WITH edition_day AS (
    SELECT max(published_at)::DATE + 1 AS latest -- in the edition's time zone, it may already be tomorrow
    FROM editions
),
last_day AS (
    SELECT coalesce(max(published_on) FILTER (published_on <= latest), max(published_on)) AS published_on
    FROM articles_by_day, edition_day
    WHERE articles > 0
)
SELECT d.published_on, d.articles, d.articles_7_day_mean
FROM articles_by_day AS d
JOIN last_day ON d.published_on BETWEEN last_day.published_on - 90 AND last_day.published_on
ORDER BY d.published_on
