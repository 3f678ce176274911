-- The ten agencies with most images, and all others as one; captions that name none last.
WITH ranked AS (
    SELECT
        agency,
        images,
        agency IS NULL AS unnamed,
        least(row_number() OVER (PARTITION BY agency IS NULL ORDER BY images DESC, agency), 11) AS place
    FROM captions_by_agency
)
SELECT unnamed, count(*) AS agencies, min(agency) AS agency, sum(images)::BIGINT AS images
FROM ranked
GROUP BY unnamed, place
ORDER BY unnamed, place
