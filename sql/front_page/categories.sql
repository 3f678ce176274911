-- The twelve largest categories, and all other categories as one row, with their articles per week and the age of their
-- latest article. `weeks` are Mondays, earliest first: at most 26, up to the edition's week, or up to the last week if
-- all articles are dated later.
WITH
ranked AS (
    SELECT
        c.category,
        articles,
        age_in_hours,
        least(row_number() OVER (ORDER BY articles DESC, c.category), 13) AS place
    FROM articles_by_category AS c
    JOIN freshness AS f ON f.category IS NOT DISTINCT FROM c.category
),
groups AS (
    SELECT
        place,
        count(*) AS categories,
        min(category) AS category,
        sum(articles)::BIGINT AS articles,
        min(age_in_hours) AS age_in_hours
    FROM ranked
    GROUP BY place
),
by_week AS (
    SELECT place, date_trunc('week', published_on)::DATE AS week, sum(d.articles)::BIGINT AS articles
    FROM articles_by_category_and_day AS d
    JOIN ranked ON ranked.category IS NOT DISTINCT FROM d.category
    WHERE published_on IS NOT NULL
    GROUP BY ALL
),
span AS (
    SELECT
        min(week) AS first_week,
        coalesce(max(week) FILTER (week <= (SELECT max(published_at)::DATE + 1 FROM editions)), max(week)) AS last_week
    FROM by_week
),
weeks AS (
    SELECT unnest(generate_series(greatest(first_week, last_week - 175), last_week, INTERVAL 7 DAY))::DATE AS week
    FROM span
)
SELECT
    groups.*,
    list(week ORDER BY week) FILTER (week IS NOT NULL) AS weeks,
    list(coalesce(by_week.articles, 0) ORDER BY week) FILTER (week IS NOT NULL) AS weekly
FROM groups
LEFT JOIN weeks ON true
LEFT JOIN by_week USING (place, week)
GROUP BY ALL
ORDER BY place
