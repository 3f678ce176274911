-- Every day from the first dated article to the last, including days without articles.
-- published_on: Day, in the edition's time zone.
-- articles: Articles published on that day; 0 on a day without articles.
-- articles_7_day_mean: Mean number of articles of this day and up to six days before it.
-- words: Total number of words in their text.
-- images: Images of these articles, heroes included.
-- captions: Captions of these images.
CREATE OR REPLACE VIEW articles_by_day AS
WITH
span AS (
    SELECT min(published_on) AS first_day, max(published_on) AS last_day
    FROM articles
),
days AS (
    SELECT unnest(generate_series(first_day, last_day, INTERVAL 1 DAY))::DATE AS published_on
    FROM span
),
published AS (
    SELECT
        published_on,
        count(*) AS articles,
        sum(word_count)::BIGINT AS words,
        sum(image_count)::BIGINT AS images,
        sum(caption_count)::BIGINT AS captions
    FROM articles
    WHERE published_on IS NOT NULL
    GROUP BY published_on
)
SELECT
    published_on,
    coalesce(articles, 0) AS articles,
    avg(coalesce(articles, 0)) OVER (ORDER BY published_on ROWS 6 PRECEDING) AS articles_7_day_mean,
    coalesce(words, 0) AS words,
    coalesce(images, 0) AS images,
    coalesce(captions, 0) AS captions
FROM days
LEFT JOIN published USING (published_on)
ORDER BY published_on;
