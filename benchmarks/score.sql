-- Errors of a contender's database `built`: missing, superfluous or duplicate rows, and values that differ from the truth.
-- Variables: truth (a folder). Values are compared only if both sides have the row, so that no error counts twice.
WITH
articles AS (
    SELECT
        count(*) FILTER (built.article_id IS NULL OR truth.article_id IS NULL)
            + (SELECT count(*) - count(DISTINCT article_id) FROM built.articles) AS wrong_rows,
        count(*) FILTER (built.title IS DISTINCT FROM truth.title AND both_sides) AS titles,
        count(*) FILTER (built.published_on::VARCHAR IS DISTINCT FROM truth.published_on AND both_sides) AS days,
        count(*) FILTER (built.dateline IS DISTINCT FROM truth.dateline AND both_sides) AS datelines
    FROM read_parquet(getvariable('truth') || '/articles.parquet') AS truth
    FULL JOIN built.articles AS built USING (article_id)
    CROSS JOIN LATERAL (SELECT built.article_id IS NOT NULL AND truth.article_id IS NOT NULL AS both_sides)
),
images AS (
    SELECT
        count(*) FILTER (built.image_id IS NULL OR truth.article_id IS NULL)
            + (SELECT count(*) - count(DISTINCT image_id) FROM built.images) AS wrong_rows,
        count(*) FILTER (built.url <> truth.url) AS urls
    FROM read_parquet(getvariable('truth') || '/images.parquet') AS truth
    FULL JOIN built.images AS built ON built.image_id = truth.article_id || '#' || truth.position
),
captions AS (
    SELECT
        count(*) FILTER (built.image_id IS NULL OR truth.article_id IS NULL)
            + (SELECT count(*) - count(DISTINCT image_id) FROM built.captions) AS wrong_rows,
        count(*) FILTER (built.text IS DISTINCT FROM truth.text AND both_sides) AS texts,
        count(*) FILTER (built.credit IS DISTINCT FROM truth.credit AND both_sides) AS credits,
        count(*) FILTER (built.photographer IS DISTINCT FROM truth.photographer AND both_sides) AS photographers,
        count(*) FILTER (built.agency IS DISTINCT FROM truth.agency AND both_sides) AS agencies
    FROM read_parquet(getvariable('truth') || '/captions.parquet') AS truth
    FULL JOIN built.captions AS built ON built.image_id = truth.article_id || '#' || truth.position
    CROSS JOIN LATERAL (SELECT built.image_id IS NOT NULL AND truth.article_id IS NOT NULL AS both_sides)
)
SELECT
    articles.wrong_rows AS articles, titles, days, datelines,
    images.wrong_rows AS images, urls,
    captions.wrong_rows AS captions, texts, credits, photographers, agencies
FROM articles, images, captions;
