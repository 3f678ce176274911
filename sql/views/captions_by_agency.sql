-- Captions of each photo agency, with the images, photographers and articles that they stand for.
-- agency: Agency, one short name each; null for the captions whose credit names none.
-- captions: Number of captions.
-- images: Images with such a caption.
-- photographers: Different photographers that these captions name.
-- articles: Articles with such a caption.
-- first_published_on: Day of the earliest of these articles; null when all are undated.
-- last_published_on: Day of the latest of these articles; null when all are undated.
CREATE OR REPLACE VIEW captions_by_agency AS
SELECT
    agency,
    count(*) AS captions,
    count(DISTINCT image_id) AS images,
    count(DISTINCT photographer) AS photographers,
    count(DISTINCT article_id) AS articles,
    min(published_on) AS first_published_on,
    max(published_on) AS last_published_on
FROM captions
JOIN articles USING (article_id)
GROUP BY agency
ORDER BY captions DESC, agency;
