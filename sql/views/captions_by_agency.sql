-- Captions of each photo agency, with the number of their images, photographers and articles.
-- agency: Agency, one short name each; null for captions whose credit names no agency.
-- captions: Number of captions.
-- images: Images with such a caption.
-- photographers: Number of different photographers in these captions.
-- articles: Articles with such a caption.
-- first_published_on: Day of the earliest of these articles; null if all are undated.
-- last_published_on: Day of the latest of these articles; null if all are undated.
CREATE OR REPLACE VIEW captions_by_agency AS
-- Nested groups can spill to the disk if they do not fit into memory; count(DISTINCT …) cannot.
WITH
by_image AS (
    SELECT agency, article_id, image_id, count(*) AS captions
    FROM captions
    GROUP BY agency, article_id, image_id
),
by_article AS (
    SELECT agency, article_id, sum(captions) AS captions, count(*) AS images
    FROM by_image
    GROUP BY agency, article_id
),
by_agency AS (
    SELECT
        agency,
        sum(captions)::BIGINT AS captions,
        sum(images)::BIGINT AS images,
        count(*) AS articles,
        min(published_on) AS first_published_on,
        max(published_on) AS last_published_on
    FROM by_article
    JOIN articles USING (article_id)
    GROUP BY agency
),
photographers AS (
    SELECT agency, count(DISTINCT photographer) AS photographers FROM captions GROUP BY agency
)
SELECT
    by_agency.agency, captions, images, photographers, articles, first_published_on, last_published_on
FROM by_agency
JOIN photographers ON by_agency.agency IS NOT DISTINCT FROM photographers.agency
ORDER BY captions DESC, by_agency.agency;
