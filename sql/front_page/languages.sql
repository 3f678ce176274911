-- The ten languages with the most articles, and all other languages as one row.
WITH
counted AS (
    SELECT language, count(*) AS articles
    FROM articles
    GROUP BY language
),
ranked AS (
    SELECT *, least(row_number() OVER (ORDER BY articles DESC, language), 11) AS place
    FROM counted
)
SELECT count(*) AS languages, min(language) AS language, sum(articles)::BIGINT AS articles
FROM ranked
GROUP BY place
ORDER BY place
